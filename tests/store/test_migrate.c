#include "tests/store/cluster.h"
#include "tests/store/documents.h"
#include "tests/suite.h"
#include <sys/wait.h>

static GPtrArray *told; /* lines migrate_apply reported */

static void keep_line(const char *line) {
    g_ptr_array_add(told, g_strdup(line));
}

/* An empty database; g_free its connection string. */
static char *empty_database(void) {
    static int number;
    g_autofree char *address = cluster_address("postgres");
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *name = g_strdup_printf("empty_%d_%d", getpid(), ++number);
    g_autofree char *sql = g_strdup_printf("create database %s", name);
    g_free(cluster_answer(postgres, sql));
    return cluster_address(name);
}

/* A folder of migrations of our own: names and texts, ends with NULL. */
static char *folder_of(const char *name, ...) {
    char *folder = g_build_filename(cluster_folder, "migrations-XXXXXX", NULL);
    ck_assert_ptr_nonnull(g_mkdtemp(folder));
    va_list arguments;
    va_start(arguments, name);
    for (const char *file = name; file != NULL; file = va_arg(arguments, const char *)) {
        g_autofree char *path = g_build_filename(folder, file, NULL);
        ck_assert(g_file_set_contents(path, va_arg(arguments, const char *), -1, NULL));
    }
    va_end(arguments);
    return folder;
}

static void expect_applied(Postgres *postgres, const char *folder) {
    g_autoptr(GError) error = NULL;
    told = g_ptr_array_new_with_free_func(g_free);
    bool ok = migrate_apply(postgres, folder, keep_line, &error);
    ck_assert_msg(ok, "%s", error != NULL ? error->message : "");
}

static void expect_fault(Postgres *postgres, const char *folder, Fault fault, const char *words) {
    g_autoptr(GError) error = NULL;
    ck_assert(!migrate_apply(postgres, folder, cluster_ignore, &error));
    ck_assert_msg(fault_is(error, fault) && strstr(error->message, words) != NULL, "%s",
                  error->message);
}

#define FIRST                                                                                      \
    "create schema scopestream_data; create table scopestream_data.schema_migration "              \
    "(version integer, name text, sha256 text); create schema scopestream; "                       \
    "create view scopestream.schema_version as select max(version) as version "                    \
    "from scopestream_data.schema_migration;"

START_TEST(an_empty_database_gets_every_file_and_a_second_time_none) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *folder = cluster_schema_folder();
    expect_applied(postgres, folder);
    ck_assert_uint_eq(told->len, SCHEMA_VERSION + 1);
    ck_assert_str_eq(g_ptr_array_index(told, 0), "applied 001_roles_and_schemas.sql");
    ck_assert(migrate_check(postgres, NULL));
    expect_applied(postgres, folder);
    ck_assert_uint_eq(told->len, 1);
}
END_TEST

static gint by_name(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* psql runs as PostgreSQL's own user, who may not see the folder the project lies in. */
static char *copy_for_psql(const char *folder, const char *name) {
    g_autofree char *file = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(file, &text, NULL, NULL));
    char *copy = g_build_filename(cluster_folder, name, NULL);
    ck_assert(g_file_set_contents_full(copy, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
    return copy;
}

/* As docs/database.md says one can. */
static void run_all_in_psql(const char *address, const char *folder) {
    g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(files)) != NULL;)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = copy_for_psql(folder, g_ptr_array_index(names, i));
        for (int twice = 0; twice < 2; twice++) /* an interrupted one is run again */
            ck_assert_msg(
                cluster_run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", file, NULL),
                "%s", file);
    }
}

START_TEST(the_files_run_in_psql_and_get_their_checksums_afterwards) {
    g_autofree char *address = empty_database();
    g_autofree char *folder = cluster_schema_folder();
    run_all_in_psql(address, folder);
    g_autoptr(Postgres) postgres = cluster_connect(address);
    ck_assert(migrate_check(postgres, NULL));
    expect_applied(postgres, folder);
    ck_assert_uint_eq(told->len, 1); /* none was run again */
    cluster_expect(postgres,
                   "select count(*) from scopestream_data.schema_migration "
                   "where char_length(sha256) <> 64",
                   "0");
}
END_TEST

/* A folder with those of our migrations that were there at version. */
static char *folder_up_to(int version) {
    char *folder = g_build_filename(cluster_folder, "before-XXXXXX", NULL);
    ck_assert_ptr_nonnull(g_mkdtemp(folder));
    g_autofree char *schema = cluster_schema_folder();
    g_autoptr(GDir) files = g_dir_open(schema, 0, NULL);
    for (const char *name; (name = g_dir_read_name(files)) != NULL;) {
        if (atoi(name) > version)
            continue;
        g_autofree char *target = g_build_filename(schema, name, NULL);
        g_autofree char *link = g_build_filename(folder, name, NULL);
        ck_assert_int_eq(symlink(target, link), 0);
    }
    return folder;
}

static void store_documents(Postgres *postgres, const char *document) {
    const char *parameters[] = {document};
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) stored = postgres_ask(
        postgres, "select scopestream_data.store_documents(jsonb_build_array($1::jsonb), 1)",
        parameters, 1, &error);
    ck_assert_msg(stored != NULL, "%s", error != NULL ? error->message : "");
}

START_TEST(a_database_of_version_6_with_rows_migrates_and_keeps_them) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *before = folder_up_to(6);
    g_autofree char *now = cluster_schema_folder();
    g_autofree char *plain = documents_result(1, "ok", "{\"mean\": 7.5, \"odd\": 3}");
    g_autofree char *old =
        documents_replace(plain, DOCUMENTS_PIPELINE, "{\"name\":\"quality\",\"version\":3}");
    expect_applied(postgres, before);
    store_documents(postgres,
                    "{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"mean\",\"unit\":\"x\","
                    "\"cellprofiler\":\"ImageQuality_MeanIntensity\"}]}");
    store_documents(postgres, old);
    g_free(cluster_answer(postgres, "create view mine as select path, mean from scopestream.wells "
                                    "join scopestream.features using (plate, well, mean)"));

    expect_applied(postgres, now);
    ck_assert(migrate_check(postgres, NULL));
    static const char row[] =
        "select string_agg(format('%s %s %s %s %s', site, mean, other_values, pipeline, "
        "pipeline_version), '; ' order by site) from scopestream.features";
    cluster_expect(postgres, row, "1 7.5 {\"odd\": 3} quality 3");
    cluster_expect(postgres, "select definition from scopestream.pipelines", "version 3");
    cluster_expect(postgres, "select count(*) from mine", "1");

    /* Old and new workers at once. */
    g_autofree char *second = documents_result(2, "ok", "{\"mean\": 8, \"tiles\": [1, 2]}");
    store_documents(postgres, old);
    store_documents(postgres,
                    "{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":["
                    "{\"name\":\"mean\",\"unit\":\"x\","
                    "\"cellprofiler\":\"ImageQuality_MeanIntensity_{channel}\"},"
                    "{\"name\":\"tiles\",\"kind\":\"array\",\"length\":2}]}");
    store_documents(postgres, second);
    cluster_expect(postgres, row, "1 7.5 {\"odd\": 3} quality 3; 2 8  quality 4");
    cluster_expect(postgres, "select tiles from scopestream.features where site = 2", "{1,2}");
    cluster_expect(postgres,
                   "select string_agg(\"ImageQuality_MeanIntensity_DAPI\"::text, ' ' order by "
                   "\"Metadata_Site\") from scopestream.cellprofiler",
                   "7.5 8");
}
END_TEST

START_TEST(two_at_once_apply_each_file_once) {
    g_autofree char *address = empty_database();
    g_autofree char *folder = cluster_schema_folder();
    GPid children[3];
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        Postgres *postgres = cluster_connect(address);
        _exit(migrate_apply(postgres, folder, cluster_ignore, NULL) ? 0 : 1);
    }
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *count = g_strdup_printf("%d", SCHEMA_VERSION);
    cluster_expect(postgres, "select count(*) from scopestream_data.schema_migration", count);
}
END_TEST

START_TEST(a_file_changed_after_it_was_applied_is_refused) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *folder = folder_of("001_a.sql", FIRST, NULL);
    expect_applied(postgres, folder);
    g_autofree char *changed = folder_of("001_a.sql", FIRST "-- better", NULL);
    expect_fault(postgres, changed, FAULT_USAGE, "001_a.sql is not the file the database was made");
}
END_TEST

START_TEST(a_database_newer_than_the_files_is_refused) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *folder = folder_of("001_a.sql", FIRST, "002_b.sql", "select 1", NULL);
    expect_applied(postgres, folder);
    g_autofree char *older = folder_of("001_a.sql", FIRST, NULL);
    expect_fault(postgres, older, FAULT_USAGE, "newer than the program");
}
END_TEST

START_TEST(a_file_that_does_not_run_leaves_nothing_and_is_named) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *folder =
        folder_of("001_a.sql", FIRST, "002_b.sql", "create table half (x int); select 1 / 0", NULL);
    expect_fault(postgres, folder, FAULT_STOP, "002_b.sql: PostgreSQL: division by zero");
    cluster_expect(postgres, "select count(*) from scopestream_data.schema_migration", "1");
    cluster_expect(postgres, "select to_regclass('half')", "");
}
END_TEST

START_TEST(a_folder_without_migrations_or_with_a_gap_is_wrong_use) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *empty = folder_of("README", "no migration", NULL);
    expect_fault(postgres, empty, FAULT_USAGE, "holds no migrations");
    g_autofree char *gap = folder_of("001_a.sql", FIRST, "003_c.sql", "select 1", NULL);
    expect_fault(postgres, gap, FAULT_USAGE, "003_c.sql: expected number 002");
    g_autofree char *twice = folder_of("001_a.sql", FIRST, "001_b.sql", "select 1", NULL);
    expect_fault(postgres, twice, FAULT_USAGE, "expected number 002");
    expect_fault(postgres, "/nonexistent", FAULT_USAGE, "/nonexistent");
}
END_TEST

static void expect_check(Postgres *postgres, const char *words) {
    g_autoptr(GError) error = NULL;
    ck_assert(!migrate_check(postgres, &error));
    ck_assert_msg(fault_is(error, FAULT_USAGE) && strstr(error->message, words) != NULL, "%s",
                  error->message);
}

START_TEST(a_schema_that_is_missing_older_or_newer_is_told_with_what_to_do) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) postgres = cluster_connect(address);
    expect_check(postgres, "run scopestream-store migrate");
    g_autofree char *folder = folder_of("001_a.sql", FIRST, NULL);
    expect_applied(postgres, folder);
    expect_check(postgres, "the schema is at version 1, this program needs");
    g_free(cluster_answer(postgres, "insert into scopestream_data.schema_migration values (99)"));
    expect_check(postgres, "the program is older than the database");
}
END_TEST

START_TEST(a_role_without_rights_is_told_which_it_needs) {
    g_autofree char *address = cluster_database();
    g_autoptr(Postgres) admin = cluster_connect(address);
    g_free(cluster_answer(admin, "create role stranger login"));
    g_autofree char *strange = cluster_as(address, "stranger");
    g_autoptr(Postgres) stranger = cluster_connect(strange);
    expect_check(stranger, "scopestream_reader");
}
END_TEST

/* Not a superuser: what a database administrator gives to who installs. */
START_TEST(a_role_that_may_create_roles_can_migrate) {
    g_autofree char *address = empty_database();
    g_autoptr(Postgres) admin = cluster_connect(address);
    g_free(cluster_answer(admin, "create role installer login createrole"));
    g_free(cluster_answer(admin,
                          "do $$ begin execute format('grant create on database %I to installer', "
                          "current_database()); end $$"));
    g_autofree char *as_installer = cluster_as(address, "installer");
    g_autoptr(Postgres) installer = cluster_connect(as_installer);
    g_autofree char *folder = cluster_schema_folder();
    expect_applied(installer, folder);
    ck_assert(migrate_check(installer, NULL));
}
END_TEST

SUITE_WITH("migrate", cluster_start, cluster_stop,
           an_empty_database_gets_every_file_and_a_second_time_none,
           the_files_run_in_psql_and_get_their_checksums_afterwards,
           a_database_of_version_6_with_rows_migrates_and_keeps_them,
           two_at_once_apply_each_file_once, a_file_changed_after_it_was_applied_is_refused,
           a_database_newer_than_the_files_is_refused,
           a_file_that_does_not_run_leaves_nothing_and_is_named,
           a_folder_without_migrations_or_with_a_gap_is_wrong_use,
           a_schema_that_is_missing_older_or_newer_is_told_with_what_to_do,
           a_role_without_rights_is_told_which_it_needs, a_role_that_may_create_roles_can_migrate)
