/* What Prometheus reads, and whether it is what was counted. */
#include "stream/metrics.h"
#include "stream/metrics_server.h"
#include "tests/suite.h"
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number behind a series: "name{label=\"value\"}". NaN: it is not told. */
static double told(const char *series) {
    g_autofree char *text = metrics_text();
    g_autofree char *line = g_strdup_printf("\n%s ", series);
    const char *at = strstr(text, line);
    return at != NULL ? g_ascii_strtod(at + strlen(line), NULL) : NAN;
}

static bool is_told(const char *words) {
    g_autofree char *text = metrics_text();
    return strstr(text, words) != NULL;
}

/* --- counting --- */

START_TEST(what_is_counted_is_told) {
    metrics_open(STORE);
    metrics_add(scopestream_store_frames_stored_total, "ok", 3);
    metrics_add(scopestream_store_frames_stored_total, "ok", 39);
    metrics_add(scopestream_store_documents_rejected_total, NULL, 7);
    metrics_set(scopestream_store_postgres_connected, NULL, 1);
    metrics_set(scopestream_store_last_stored_timestamp_seconds, NULL, 1795258291.25);
    ck_assert_double_eq(told("scopestream_store_frames_stored_total{status=\"ok\"}"), 42);
    ck_assert_double_eq(told("scopestream_store_frames_stored_total{status=\"broken\"}"), 0);
    ck_assert_double_eq(told("scopestream_store_documents_rejected_total"), 7);
    ck_assert_double_eq(told("scopestream_store_postgres_connected"), 1);
    ck_assert(is_told("scopestream_store_last_stored_timestamp_seconds 1795258291.25\n"));
    metrics_close();
}
END_TEST

START_TEST(before_opening_nothing_happens) {
    metrics_add(scopestream_store_documents_rejected_total, NULL, 7);
    metrics_observe(scopestream_store_lag_seconds, NULL, 1);
    metrics_set(scopestream_store_queue_reached, NULL, 1);
    g_autofree char *text = metrics_text();
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(what_another_program_counts_is_not_told) {
    metrics_open(INGEST);
    metrics_add(scopestream_store_documents_rejected_total, NULL, 7);
    ck_assert(!is_told("scopestream_store_"));
    ck_assert(is_told("scopestream_ingest_holding_back 0\n"));
    ck_assert(is_told("scopestream_build_info{version=\"" SCOPESTREAM_VERSION "\"} 1\n"));
    metrics_close();
}
END_TEST

START_TEST(a_histogram_counts_up_to_each_bound) {
    metrics_open(STORE);
    const double seconds[] = {.01, .05, .0501, 59.9, 1e6};
    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++)
        metrics_observe(scopestream_store_lag_seconds, NULL, seconds[i]);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_bucket{le=\"0.05\"}"), 2);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_bucket{le=\"0.1\"}"), 3);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_bucket{le=\"30\"}"), 3);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_bucket{le=\"60\"}"), 4);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_bucket{le=\"14400\"}"), 4);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_bucket{le=\"+Inf\"}"), 5);
    ck_assert_double_eq(told("scopestream_store_lag_seconds_count"), 5);
    ck_assert_double_eq_tol(told("scopestream_store_lag_seconds_sum"), 1000060.0101, 1e-6);
    metrics_close();
}
END_TEST

START_TEST(a_moment_that_was_not_reached_is_no_observation) {
    metrics_open(FEATURES);
    metrics_observe_between(scopestream_features_decode_seconds, NULL, 0, 5000000);
    metrics_observe_between(scopestream_features_decode_seconds, NULL, 1000000, 3500000);
    metrics_observe_between(scopestream_features_decode_seconds, NULL, 9000000, 8000000);
    ck_assert_double_eq(told("scopestream_features_decode_seconds_count"), 2);
    ck_assert_double_eq(told("scopestream_features_decode_seconds_sum"), 2.5);
    metrics_close();
}
END_TEST

START_TEST(many_processes_count_together_and_nothing_is_lost) {
    enum { PROCESSES = 4, TIMES = 20000 };
    metrics_open(FEATURES);
    for (int process = 0; process < PROCESSES; process++)
        if (fork() == 0) {
            for (int time = 0; time < TIMES; time++) {
                metrics_add(scopestream_features_frames_measured_total, "ok", 1);
                metrics_observe(scopestream_features_measure_seconds, NULL, .5);
            }
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    ck_assert_double_eq(told("scopestream_features_frames_measured_total{status=\"ok\"}"),
                        PROCESSES * TIMES);
    ck_assert_double_eq(told("scopestream_features_measure_seconds_count"), PROCESSES * TIMES);
    ck_assert_double_eq(told("scopestream_features_measure_seconds_sum"), PROCESSES * TIMES / 2);
    metrics_close();
}
END_TEST

/* --- labels --- */

START_TEST(a_name_of_ours_is_told_from_its_first_mention) {
    metrics_open(INGEST);
    ck_assert(!is_told("source=\"scope\""));
    metrics_mention(scopestream_ingest_files_seen_total, "scope");
    ck_assert_double_eq(told("scopestream_ingest_files_seen_total{source=\"scope\"}"), 0);
    ck_assert(isnan(told("scopestream_ingest_files_settled_total{source=\"scope\"}")));
    metrics_close();
}
END_TEST

START_TEST(more_names_than_there_is_room_for_share_one) {
    metrics_open(INGEST);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("scope%d", i);
        metrics_add(scopestream_ingest_files_seen_total, name, 1);
    }
    g_autofree char *endless = g_strnfill(1000, 'x');
    metrics_add(scopestream_ingest_files_seen_total, endless, 1);
    ck_assert_double_eq(told("scopestream_ingest_files_seen_total{source=\"scope31\"}"), 1);
    ck_assert(isnan(told("scopestream_ingest_files_seen_total{source=\"scope32\"}")));
    ck_assert_double_eq(told("scopestream_ingest_files_seen_total{source=\"other\"}"), 969);
    metrics_close();
}
END_TEST

START_TEST(a_strangers_word_becomes_no_label) {
    metrics_open(STORE);
    metrics_add(scopestream_store_frames_stored_total, "x\"} 1\nevil{a=\"", 1);
    metrics_add(scopestream_store_frames_stored_total, NULL, 1);
    ck_assert(!is_told("evil"));
    ck_assert_double_eq(told("scopestream_store_frames_stored_total{status=\"other\"}"), 2);
    metrics_close();
}
END_TEST

START_TEST(marks_in_a_name_are_escaped) {
    metrics_open(INGEST);
    metrics_add(scopestream_ingest_files_seen_total, "a\"b\\c\nd", 1);
    ck_assert(is_told("{source=\"a\\\"b\\\\c\\nd\"} 1\n"));
    metrics_close();
}
END_TEST

/* --- the form --- */

START_TEST(every_metric_has_help_type_and_a_name_by_the_rules) {
    const Program programs[] = {INGEST, FEATURES, STORE};
    for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
        metrics_open(programs[i]);
        g_autofree char *text = metrics_text();
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; **line != '\0'; line++) {
            bool fits = g_regex_match_simple("^(# (HELP|TYPE) (scopestream|process)_[a-z_]+ .+"
                                             "|(scopestream|process)_[a-z_]+(\\{[a-z_]+=\"[^\"]*\"("
                                             ",le=\"[^\"]+\")?\\})? [0-9.e+-]+)$",
                                             *line, 0, 0);
            ck_assert_msg(fits, "%s", *line);
            if (g_str_has_prefix(*line, "# TYPE") && g_str_has_suffix(*line, " counter"))
                ck_assert_msg(strstr(*line, "_total ") != NULL, "%s", *line);
        }
        metrics_close();
    }
}
END_TEST

START_TEST(the_table_names_every_metric) {
    g_autofree char *table = metrics_table();
    ck_assert(strstr(table, "| `scopestream_features_worker_deaths_total` | counter | features | "
                            "`reason`: signal, time_limit, exit | ") != NULL);
    ck_assert(strstr(table, "| `process_open_fds` | gauge | all |  | ") != NULL);
    guint rows = 0;
    for (const char *at = table; (at = strchr(at, '\n')) != NULL; at++)
        rows++;
    ck_assert_uint_eq(rows, METRICS_COUNT + 2);
}
END_TEST

/* --- processes --- */

START_TEST(processes_are_summed_and_gone_ones_passed_over) {
    metrics_open(FEATURES);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    metrics_look_at_processes((pid_t[]){getpid(), 0});
    double alone = told("process_resident_memory_bytes");
    gint64 largest = metrics_look_at_processes((pid_t[]){getpid(), child, 0});
    ck_assert_double_gt(alone, 1e5);
    ck_assert_double_gt(told("process_resident_memory_bytes"), alone);
    ck_assert_int_gt(largest, 0);
    double since = told("process_start_time_seconds");
    ck_assert_double_le(since, (double)g_get_real_time() / 1e6 + 1);
    ck_assert_double_ge(since, (double)g_get_real_time() / 1e6 - 600);
    ck_assert_double_ge(told("process_open_fds"), 3);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(metrics_look_at_processes((pid_t[]){getpid(), child, 0}), 0);
    metrics_close();
}
END_TEST

/* --- where it is told --- */

static void look(void *context) {
}

static void ready(GString *missing, void *context) {
}

static const MetricsSource source = {look, ready, NULL};

START_TEST(a_busy_default_address_is_no_error_and_one_that_was_set_is) {
    MetricsServer *first = NULL, *second = NULL;
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    metrics_open(STORE);
    /* Somebody has it, this test or another program. */
    ck_assert(metrics_server_start(STORE, settings, source, &first, NULL));
    ck_assert(metrics_server_start(STORE, settings, source, &second, NULL));
    ck_assert_ptr_null(second);

    ck_assert(settings_set(settings, "metrics-listen", "localhost:7813", NULL));
    ck_assert(!metrics_server_start(STORE, settings, source, &second, &error));
    ck_assert(fault_is(error, FAULT_USAGE));
    ck_assert(g_str_has_prefix(error->message, "[store] metrics-listen = localhost:7813: "));
    metrics_server_stop(first);
    metrics_close();
}
END_TEST

START_TEST(an_empty_address_serves_nothing) {
    MetricsServer *server = NULL;
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_set(settings, "metrics-listen", "", NULL));
    ck_assert(metrics_server_start(INGEST, settings, source, &server, NULL));
    ck_assert_ptr_null(server);
}
END_TEST

SUITE("metrics", what_is_counted_is_told, before_opening_nothing_happens,
      what_another_program_counts_is_not_told, a_histogram_counts_up_to_each_bound,
      a_moment_that_was_not_reached_is_no_observation,
      many_processes_count_together_and_nothing_is_lost,
      a_name_of_ours_is_told_from_its_first_mention, more_names_than_there_is_room_for_share_one,
      a_strangers_word_becomes_no_label, marks_in_a_name_are_escaped,
      every_metric_has_help_type_and_a_name_by_the_rules, the_table_names_every_metric,
      processes_are_summed_and_gone_ones_passed_over,
      a_busy_default_address_is_no_error_and_one_that_was_set_is, an_empty_address_serves_nothing)
