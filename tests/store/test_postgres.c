#include "tests/store/cluster.h"
#include "tests/suite.h"

/* Connects and returns what it said; the fault must be the expected one. g_free it. */
static char *refusal(const char *address, Fault expected) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Postgres) postgres = postgres_new(address, &error);
    ck_assert_ptr_nonnull(postgres);
    ck_assert(!postgres_connect(postgres, 5000, &error));
    ck_assert_msg(fault_is(error, expected), "%d: %s", error->code, error->message);
    ck_assert_ptr_null(strchr(error->message, '\n'));
    ck_assert(!postgres_is_connected(postgres));
    return g_strdup(error->message);
}

START_TEST(a_malformed_connection_string_is_wrong_use) {
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(postgres_new("hst=nowhere", &error));
    ck_assert(fault_is(error, FAULT_USAGE));
    ck_assert_ptr_nonnull(strstr(error->message, "[store] postgres"));
}
END_TEST

START_TEST(a_server_that_is_not_there_may_come) {
    g_autofree char *words = refusal("host=127.0.0.1 port=1 dbname=x", FAULT_AGAIN);
    ck_assert_ptr_nonnull(strstr(words, "127.0.0.1"));
}
END_TEST

START_TEST(a_database_that_is_not_there_is_wrong_use) {
    g_autofree char *address = cluster_address("nosuch");
    g_autofree char *words = refusal(address, FAULT_USAGE);
    ck_assert_ptr_nonnull(strstr(words, "FATAL: database \"nosuch\" does not exist"));
    ck_assert_ptr_null(strstr(words, "3D000"));
    ck_assert_ptr_null(strstr(words, ".c:"));
}
END_TEST

START_TEST(a_role_that_is_not_there_is_wrong_use) {
    g_autofree char *address = g_strdup_printf("host=%s user=nobody", cluster_folder);
    g_autofree char *words = refusal(address, FAULT_USAGE);
    ck_assert_ptr_nonnull(strstr(words, "role \"nobody\" does not exist"));
}
END_TEST

START_TEST(a_full_server_may_have_room_later) {
    g_autofree char *address = cluster_address("postgres");
    g_autoptr(Postgres) admin = cluster_connect(address);
    g_free(cluster_answer(admin, "create role full_up login connection limit 0"));
    g_autofree char *full = g_strdup_printf("host=%s user=full_up dbname=ready", cluster_folder);
    g_autofree char *words = refusal(full, FAULT_AGAIN);
    ck_assert_ptr_nonnull(strstr(words, "too many connections"));
}
END_TEST

START_TEST(what_a_statement_says_is_sorted_by_what_to_do_next) {
    static const struct {
        const char *sql;
        Fault fault;
        const char *sqlstate;
    } rows[] = {
        {"select 1 / 0", FAULT_BROKEN, "22012"},
        {"select 'x'::integer", FAULT_BROKEN, "22P02"},
        {"select * from nosuch", FAULT_STOP, "42P01"},
        {"do $$ begin raise exception using errcode = 'deadlock_detected'; end $$", FAULT_AGAIN,
         "40P01"},
        {"do $$ begin raise exception using errcode = 'lock_not_available'; end $$", FAULT_AGAIN,
         "55P03"},
        {"do $$ begin raise exception using errcode = 'disk_full'; end $$", FAULT_AGAIN, "53100"},
        {"do $$ begin raise exception using errcode = 'check_violation'; end $$", FAULT_BROKEN,
         "23514"},
        {"do $$ begin raise exception 'own words'; end $$", FAULT_BROKEN, "P0001"},
    };
    g_autofree char *address = cluster_address("ready");
    g_autoptr(Postgres) postgres = cluster_connect(address);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!postgres_run(postgres, rows[i].sql, &error));
        ck_assert_msg(fault_is(error, rows[i].fault), "%s", rows[i].sql);
        ck_assert_str_eq(postgres_sqlstate(postgres), rows[i].sqlstate);
    }
    ck_assert(postgres_is_connected(postgres));
}
END_TEST

START_TEST(a_connection_that_was_cut_is_built_anew) {
    g_autofree char *address = cluster_address("ready");
    g_autoptr(Postgres) postgres = cluster_connect(address);
    g_autoptr(Postgres) other = cluster_connect(address);
    g_autofree char *pid = cluster_answer(postgres, "select pg_backend_pid()");
    g_autofree char *cut = g_strdup_printf("select pg_terminate_backend(%s, 5000)", pid);
    g_free(cluster_answer(other, cut));

    g_autoptr(GError) error = NULL;
    ck_assert(!postgres_run(postgres, "select 1", &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    ck_assert(!postgres_is_connected(postgres));
    ck_assert(postgres_connect(postgres, 5000, NULL));
    cluster_expect(postgres, "select 1", "1");
}
END_TEST

START_TEST(a_commit_is_never_only_promised) {
    g_autofree char *address = cluster_address("ready");
    g_autofree char *lax = g_strdup_printf("%s options='-c synchronous_commit=off'", address);
    g_autoptr(Postgres) postgres = cluster_connect(lax);
    cluster_expect(postgres, "show synchronous_commit", "on");
    g_autofree char *strict =
        g_strdup_printf("%s options='-c synchronous_commit=remote_apply'", address);
    g_autoptr(Postgres) replicated = cluster_connect(strict);
    cluster_expect(replicated, "show synchronous_commit", "remote_apply");
}
END_TEST

static bool add_up(PostgresRows *row, void *context, GError **error) {
    g_autoptr(PostgresRows) taken = row;
    gint64 *sum = context;
    ck_assert_int_eq(PQntuples(taken), 1);
    *sum += postgres_count(taken, 0, 0);
    return *sum < 1000000 || fault_set(error, FAULT_STOP, "enough");
}

START_TEST(rows_come_one_by_one_until_somebody_has_enough) {
    g_autofree char *address = cluster_address("ready");
    g_autoptr(Postgres) postgres = cluster_connect(address);
    const char *limits[] = {"100", "1000000000"};
    static const char series[] = "select generate_series(1, $1::bigint)";
    gint64 sum = 0;
    ck_assert(postgres_each(postgres, series, limits, 1, add_up, &sum, NULL));
    ck_assert_int_eq(sum, 5050);

    g_autoptr(GError) enough = NULL;
    ck_assert(!postgres_each(postgres, series, limits + 1, 1, add_up, &sum, &enough));
    ck_assert_str_eq(enough->message, "enough");

    g_autoptr(GError) wrong = NULL;
    const char *word[] = {"many"};
    ck_assert(!postgres_each(postgres, series, word, 1, add_up, &sum, &wrong));
    ck_assert(fault_is(wrong, FAULT_BROKEN));
    g_autoptr(GError) late = NULL; /* after some rows have come */
    sum = 0;
    ck_assert(!postgres_each(postgres, "select 1 / (10 - n) from generate_series(1, 20) n", NULL, 0,
                             add_up, &sum, &late));
    ck_assert(fault_is(late, FAULT_BROKEN));
    cluster_expect(postgres, "select 1", "1"); /* the connection goes on */
}
END_TEST

SUITE_WITH("postgres", cluster_start, cluster_stop, a_malformed_connection_string_is_wrong_use,
           a_server_that_is_not_there_may_come, a_database_that_is_not_there_is_wrong_use,
           a_role_that_is_not_there_is_wrong_use, a_full_server_may_have_room_later,
           what_a_statement_says_is_sorted_by_what_to_do_next,
           a_connection_that_was_cut_is_built_anew, a_commit_is_never_only_promised,
           rows_come_one_by_one_until_somebody_has_enough)
