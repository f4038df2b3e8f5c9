#include "store/migrate.h"
#include "stream/program.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    int version;
    char *name; /* 002_tables.sql */
    char *sql;
    char *sha256;
} Migration;

static void migration_free(gpointer data) {
    Migration *migration = data;
    g_free(migration->name);
    g_free(migration->sql);
    g_free(migration->sha256);
    g_free(migration);
}

/* --- the files --- */

char *migrate_folder(const Settings *settings) {
    if (*settings->schema_dir != '\0')
        return g_strdup(settings->schema_dir);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program != NULL ? program : ".");
    return g_build_filename(folder, "..", "share", "scopestream", "schema", NULL);
}

static gint by_version(gconstpointer a, gconstpointer b) {
    return (*(Migration *const *)a)->version - (*(Migration *const *)b)->version;
}

static Migration *migration_read(const char *folder, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *sql = NULL;
    g_autoptr(GError) reason = NULL;
    if (!g_file_get_contents(path, &sql, NULL, &reason)) {
        fault_set(error, FAULT_USAGE, "%s", reason->message);
        return NULL;
    }
    Migration *migration = g_new0(Migration, 1);
    migration->version = atoi(name);
    migration->name = g_strdup(name);
    migration->sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, sql, -1);
    migration->sql = g_steal_pointer(&sql);
    return migration;
}

/* 1, 2, 3, ...: a gap or a number twice means that files of two versions were mixed. */
static bool migrations_check(const GPtrArray *migrations, const char *folder, GError **error) {
    if (migrations->len == 0)
        return fault_set(error, FAULT_USAGE,
                         "%s: holds no migrations; point schema-dir at the folder with "
                         "001_*.sql, 002_*.sql, ...",
                         folder);
    for (guint i = 0; i < migrations->len; i++) {
        const Migration *migration = g_ptr_array_index(migrations, i);
        if (migration->version != (int)i + 1)
            return fault_set(error, FAULT_USAGE, "%s/%s: expected number %03u to come next", folder,
                             migration->name, i + 1);
    }
    return true;
}

static GPtrArray *migrations_read(const char *folder, GError **error) {
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) files = g_dir_open(folder, 0, &reason);
    if (files == NULL) {
        fault_set(error, FAULT_USAGE, "schema-dir: %s", reason->message);
        return NULL;
    }
    g_autoptr(GPtrArray) migrations = g_ptr_array_new_with_free_func(migration_free);
    for (const char *name; (name = g_dir_read_name(files)) != NULL;) {
        if (!g_regex_match_simple("^[0-9]{3}_[a-z0-9_]+\\.sql$", name, G_REGEX_DOLLAR_ENDONLY, 0))
            continue;
        Migration *migration = migration_read(folder, name, error);
        if (migration == NULL)
            return NULL;
        g_ptr_array_add(migrations, migration);
    }
    g_ptr_array_sort(migrations, by_version);
    return migrations_check(migrations, folder, error) ? g_steal_pointer(&migrations) : NULL;
}

/* --- the database --- */

static const Migration *find_version(const GPtrArray *migrations, gint64 version) {
    bool known = version >= 1 && version <= migrations->len;
    return known ? g_ptr_array_index(migrations, (guint)version - 1) : NULL;
}

/* A file that psql ran has written its number down, and no checksum. */
static bool is_as_applied(const Migration *migration, const char *sha256) {
    return *sha256 == '\0' || g_str_equal(migration->sha256, sha256);
}

/* Compares what was applied with the files. Returns how many there are; -1 on error. */
static gint64 applied_check(Postgres *postgres, const GPtrArray *migrations, GError **error) {
    g_autoptr(PostgresRows) known = postgres_ask(
        postgres, "select to_regclass('scopestream_data.schema_migration')", NULL, 0, error);
    if (known == NULL)
        return -1;
    if (postgres_text(known, 0, 0) == NULL)
        return 0; /* an empty database; file 001 makes the table */
    g_autoptr(PostgresRows) rows = postgres_ask(
        postgres, "select version, name, sha256 from scopestream_data.schema_migration order by 1",
        NULL, 0, error);
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++) {
        gint64 version = postgres_count(rows, row, 0);
        const char *name = postgres_text(rows, row, 1);
        const Migration *migration = find_version(migrations, version);
        if (migration == NULL)
            fault_set(error, FAULT_USAGE,
                      "the database has migration %s, which this program does not have: it is "
                      "newer than the program; upgrade the program",
                      name);
        else if (version != row + 1)
            fault_set(error, FAULT_USAGE,
                      "the database has %s but not number %03d: its schema_migration was changed "
                      "by hand",
                      name, row + 1);
        else if (!is_as_applied(migration, postgres_text(rows, row, 2)))
            fault_set(error, FAULT_USAGE,
                      "%s is not the file the database was made with; give it back as it was, and "
                      "put changes into a new file",
                      migration->name);
        else
            continue;
        return -1;
    }
    return PQntuples(rows);
}

/* Writes down that it was applied, or the checksum where only that is missing. */
static bool migration_record(Postgres *postgres, const Migration *migration, GError **error) {
    g_autofree char *version = g_strdup_printf("%d", migration->version);
    const char *record[] = {version, migration->name, migration->sha256};
    g_autoptr(PostgresRows) recorded =
        postgres_ask(postgres,
                     "with told as (update scopestream_data.schema_migration "
                     "set name = $2, sha256 = $3 where version = $1 and sha256 = '') "
                     "insert into scopestream_data.schema_migration (version, name, sha256) "
                     "select $1, $2, $3 where not exists "
                     "(select from scopestream_data.schema_migration where version = $1)",
                     record, G_N_ELEMENTS(record), error);
    return recorded != NULL;
}

static bool migration_apply(Postgres *postgres, const Migration *migration, GError **error) {
    if (postgres_run(postgres, "begin", error) && postgres_run(postgres, migration->sql, error) &&
        migration_record(postgres, migration, error) && postgres_run(postgres, "commit", error))
        return true;
    postgres_run(postgres, "rollback", NULL);
    if (error != NULL && *error != NULL && (*error)->code != FAULT_AGAIN)
        (*error)->code = FAULT_STOP; /* whatever it is, it is the file's or the role's fault */
    g_prefix_error(error, "%s: ", migration->name);
    return false;
}

bool migrate_apply(Postgres *postgres, const char *folder, MigrateTold told, GError **error) {
    g_autoptr(GPtrArray) migrations = migrations_read(folder, error);
    if (migrations == NULL)
        return false;
    /* Held until the connection is closed or the lock given back: another migration waits. */
    if (!postgres_run(postgres, "select pg_advisory_lock(hashtext('scopestream migrate'))", error))
        return false;
    gint64 applied = applied_check(postgres, migrations, error);
    bool ok = applied >= 0;
    for (gint64 known = 0; ok && known < applied; known++)
        ok = migration_record(postgres, g_ptr_array_index(migrations, (guint)known), error);
    for (gint64 next = applied; ok && next < migrations->len; next++) {
        const Migration *migration = g_ptr_array_index(migrations, (guint)next);
        ok = migration_apply(postgres, migration, error);
        g_autofree char *line = g_strdup_printf("applied %s", migration->name);
        if (ok)
            told(line);
    }
    g_autofree char *line = g_strdup_printf("the schema is at version %u", migrations->len);
    if (ok)
        told(line);
    postgres_run(postgres, "select pg_advisory_unlock(hashtext('scopestream migrate'))", NULL);
    return ok;
}

bool migrate_check(Postgres *postgres, GError **error) {
    g_autoptr(GError) reason = NULL;
    g_autoptr(PostgresRows) rows =
        postgres_ask(postgres, "select version from scopestream.schema_version", NULL, 0, &reason);
    const char *sqlstate = postgres_sqlstate(postgres);
    bool absent = g_str_equal(sqlstate, "42P01") || g_str_equal(sqlstate, "3F000");
    if (rows == NULL && g_str_equal(sqlstate, "42501"))
        return fault_set(error, FAULT_USAGE,
                         "PostgreSQL, %s: our role may not use schema scopestream: grant it "
                         "scopestream_store or, to look only, scopestream_reader",
                         postgres_place(postgres));
    if (rows == NULL && !absent) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    gint64 version = rows != NULL ? postgres_count(rows, 0, 0) : 0;
    if (version < SCHEMA_VERSION)
        return fault_set(error, FAULT_USAGE,
                         "PostgreSQL, %s: the schema is at version %d, this program needs %d: run "
                         "scopestream-store migrate",
                         postgres_place(postgres), (int)version, SCHEMA_VERSION);
    if (version > SCHEMA_VERSION)
        return fault_set(error, FAULT_USAGE,
                         "PostgreSQL, %s: the schema is at version %d, this program knows %d only: "
                         "the program is older than the database; upgrade it",
                         postgres_place(postgres), (int)version, SCHEMA_VERSION);
    return true;
}

/* --- the subcommand --- */

static void print_line(const char *line) {
    puts(line);
}

int migrate_command(const Settings *settings, char **arguments) {
    enum { PATIENCE_MS = 10000 };
    GError *error = NULL;
    g_autofree char *folder = migrate_folder(settings);
    g_autoptr(Postgres) postgres = postgres_new(settings->postgres, &error);
    bool ok = postgres != NULL && postgres_connect(postgres, PATIENCE_MS, &error) &&
              migrate_apply(postgres, folder, print_line, &error);
    return ok ? EXIT_SUCCESS : program_fail(error);
}
