/* cluster: a private PostgreSQL for one test program, in a folder of its own, reached by a socket
 * in that folder: no port, no password, gone when the program ends.
 *
 *     SUITE_WITH("batch", cluster_start, cluster_stop, ...) */
#ifndef TESTS_STORE_CLUSTER_H
#define TESTS_STORE_CLUSTER_H

#include "store/migrate.h"
#include "store/postgres.h"
#include <check.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static char *cluster_folder; /* of the test program, inherited by its forked tests */

/* Runs one of PostgreSQL's programs; as its own user where we are root, which it refuses to be. */
static inline bool cluster_run(const char *program, ...) {
    g_autofree char *bindir = NULL;
    g_spawn_command_line_sync("pg_config --bindir", &bindir, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(bindir);
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    if (geteuid() == 0)
        for (const char *const *word = (const char *[]){"setpriv", "--reuid", "postgres", "--regid",
                                                        "postgres", "--clear-groups", NULL};
             *word != NULL; word++)
            g_ptr_array_add(words, g_strdup(*word));
    g_ptr_array_add(words, g_build_filename(g_strchomp(bindir), program, NULL));
    va_list arguments;
    va_start(arguments, program);
    for (const char *word; (word = va_arg(arguments, const char *)) != NULL;)
        g_ptr_array_add(words, g_strdup(word));
    va_end(arguments);
    g_ptr_array_add(words, NULL);
    int status = 0;
    return g_spawn_sync(cluster_folder, (char **)words->pdata, NULL,
                        G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                            G_SPAWN_STDERR_TO_DEV_NULL,
                        NULL, NULL, NULL, NULL, &status, NULL) &&
           g_spawn_check_wait_status(status, NULL);
}

/* Without waiting for the disk: nothing here outlives the test. */
static inline bool cluster_server_start(void) {
    g_autofree char *data = g_build_filename(cluster_folder, "data", NULL);
    g_autofree char *log = g_build_filename(cluster_folder, "log", NULL);
    g_autofree char *options =
        g_strdup_printf("-k %s -c listen_addresses= -c fsync=off -c max_connections=30 "
                        "-c max_locks_per_transaction=10",
                        cluster_folder);
    return cluster_run("pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", options, NULL);
}

static inline bool cluster_server_stop(void) {
    g_autofree char *data = g_build_filename(cluster_folder, "data", NULL);
    return cluster_run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data, NULL);
}

/* A connection string for a database of the cluster, as its superuser. g_free it. */
static inline char *cluster_address(const char *database) {
    return g_strdup_printf("host=%s user=postgres dbname=%s", cluster_folder, database);
}

/* The same database, as another role. g_free it. */
static inline char *cluster_as(const char *address, const char *role) {
    return g_strdup_printf("%s user=%s", address, role); /* the last word counts */
}

/* Connects, or ends the test. postgres_free it. */
static inline Postgres *cluster_connect(const char *address) {
    GError *error = NULL;
    Postgres *postgres = postgres_new(address, &error);
    bool connected = postgres != NULL && postgres_connect(postgres, 10000, &error);
    ck_assert_msg(connected, "%s", error != NULL ? error->message : "");
    return postgres;
}

/* Runs sql, or ends the test; returns the first field of the last statement's answer, "" for none
 * or NULL. g_free it. */
static inline char *cluster_answer(Postgres *postgres, const char *sql) {
    GError *error = NULL;
    g_autoptr(PostgresRows) rows = postgres_ask(postgres, sql, NULL, 0, &error);
    ck_assert_msg(rows != NULL, "%s: %s", sql, error != NULL ? error->message : "");
    const char *text =
        PQntuples(rows) > 0 && PQnfields(rows) > 0 ? postgres_text(rows, 0, 0) : NULL;
    return g_strdup(text != NULL ? text : "");
}

#define cluster_expect(postgres, sql, expected)                                                    \
    do {                                                                                           \
        g_autofree char *answer_ = cluster_answer(postgres, sql);                                  \
        ck_assert_str_eq(answer_, expected);                                                       \
    } while (0)

static inline char *cluster_schema_folder(void) {
    return g_build_filename(g_getenv("SCOPESTREAM_SOURCE_DIR"), "schema", NULL);
}

static inline void cluster_ignore(const char *line) {
}

/* A database with the schema, of this test alone: its connection string. g_free it. */
static inline char *cluster_database(void) {
    static int number;
    g_autofree char *address = cluster_address("postgres");
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autofree char *name = g_strdup_printf("test_%d_%d", getpid(), ++number);
    g_autofree char *sql = g_strdup_printf("create database %s template ready", name);
    g_free(cluster_answer(postgres, sql));
    return cluster_address(name);
}

static inline void cluster_make_ready(void) {
    g_autofree char *address = cluster_address("postgres");
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_free(cluster_answer(postgres, "create database ready"));
    g_autofree char *ready_address = cluster_address("ready");
    g_autoptr(Postgres) ready = cluster_connect(ready_address);
    g_autofree char *folder = cluster_schema_folder();
    g_autoptr(GError) error = NULL;
    bool applied = migrate_apply(ready, folder, cluster_ignore, &error);
    ck_assert_msg(applied, "%s", error != NULL ? error->message : "");
}

static inline void cluster_start(void) {
    if (g_getenv("SCOPESTREAM_SOURCE_DIR") == NULL)
        g_error("SCOPESTREAM_SOURCE_DIR must name the project's folder; ctest sets it");
    cluster_folder = g_dir_make_tmp("scopestream-cluster-XXXXXX", NULL);
    struct passwd *postgres = getpwnam("postgres");
    if (geteuid() == 0 &&
        (postgres == NULL || chown(cluster_folder, postgres->pw_uid, postgres->pw_gid) != 0))
        g_error("no user postgres to run a test cluster as");
    g_autofree char *data = g_build_filename(cluster_folder, "data", NULL);
    if (!cluster_run("initdb", "-N", "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "postgres",
                     "-D", data, NULL) ||
        !cluster_server_start())
        g_error("cannot start PostgreSQL in %s", cluster_folder);
    cluster_make_ready();
}

static inline void cluster_stop(void) {
    cluster_server_stop();
    const char *words[] = {"rm", "-rf", cluster_folder, NULL};
    g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_clear_pointer(&cluster_folder, g_free);
}

#endif
