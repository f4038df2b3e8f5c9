#include "stream/settings.h"
#include "tests/suite.h"
#include <string.h>

static char *refusal_of(const char *text) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    bool accepted =
        settings_read_text(settings, text, "my.conf", &error) && settings_check(settings, &error);
    ck_assert_msg(!accepted, "accepted: %s", text);
    ck_assert(fault_is(error, FAULT_USAGE));
    return g_strdup(error->message);
}

START_TEST(values_with_units_become_milliseconds_and_bytes) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_read_text(settings,
                                 "[ingest]\nsettle = 1.5s\nunfinished-after = 2 min\n"
                                 "inline-limit = 64kB\n[features]\nfetch-window=4MiB\njobs = 3\n",
                                 "my.conf", NULL));
    ck_assert_int_eq(settings->settle_ms, 1500);
    ck_assert_int_eq(settings->unfinished_after_ms, 120000);
    ck_assert_int_eq(settings->inline_limit_bytes, 64000);
    ck_assert_int_eq(settings->fetch_window_bytes, 4 << 20);
    ck_assert_int_eq(settings->jobs, 3);
}
END_TEST

START_TEST(pipelines_are_told_in_the_order_they_stand_in) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_read_text(settings, "[ingest]\npipelines = quality , deep,third\n",
                                 "my.conf", NULL));
    ck_assert(settings_check(settings, NULL));
    g_auto(GStrv) names = settings_pipeline_names(settings);
    g_autofree char *together = g_strjoinv("|", names);
    ck_assert_str_eq(together, "quality|deep|third");
}
END_TEST

START_TEST(a_key_of_several_sections_is_each_sections_own) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_read_text(settings,
                                 "[ingest]\nmetrics-listen = 127.0.0.1:1\n"
                                 "[store]\nmetrics-listen =\n",
                                 "my.conf", NULL));
    ck_assert(settings_check(settings, NULL));
    ck_assert_str_eq(settings->ingest_metrics_listen, "127.0.0.1:1");
    ck_assert_str_eq(settings->features_metrics_listen, "127.0.0.1:7812");
    ck_assert_str_eq(settings->store_metrics_listen, "");
}
END_TEST

START_TEST(as_an_option_it_is_the_programs_own) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_set(settings, "metrics-listen", "[::1]:9", NULL));
    ck_assert(settings_check(settings, NULL));
    ck_assert_str_eq(settings->ingest_metrics_listen, "[::1]:9");
    ck_assert_str_eq(settings->features_metrics_listen, "[::1]:9");
    ck_assert_str_eq(settings->store_metrics_listen, "[::1]:9");
}
END_TEST

START_TEST(each_mistake_is_told_by_file_section_and_key) {
    const struct {
        const char *text, *words[3];
    } wrong[] = {
        {"[ingest]\nsettel = 5s\n", {"my.conf", "[ingest]", "settel"}},
        {"[ingets]\nsettle = 5s\n", {"my.conf", "[ingets]", "unknown section"}},
        {"[ingest]\nsettle = 5\n", {"my.conf", "settle = 5", "250ms"}},
        {"[ingest]\nsettle = -5s\n", {"settle", "250ms", "my.conf"}},
        {"[ingest]\nsettle = 1e400s\n", {"settle", "250ms", "my.conf"}},
        {"[ingest]\nsettle =\n", {"settle", "250ms", "my.conf"}},
        {"[ingest]\nsettle = 0\n", {"settle", "more than 0", "[ingest]"}},
        {"[features]\njobs = 1025\n", {"jobs", "at most 1024", "[features]"}},
        {"[features]\nthumbnail-side = 4294967297\n", {"thumbnail-side", "at most", "[features]"}},
        {"[store]\nbatch = 4294967296\n", {"batch", "at most", "[store]"}},
        {"[store]\npartitions-ahead = 99999999999\n", {"partitions-ahead", "at most", "[store]"}},
        {"[features]\nmemory-limit = 1MiB\n", {"memory-limit", "256MiB", "[features]"}},
        {"[ingest]\njobs = 5\n", {"jobs", "[features]", "my.conf"}},
        {"[features]\njobs = many\n", {"jobs = many", "whole number", "my.conf"}},
        {"[features]\njobs = -1\n", {"jobs = -1", "whole number", "my.conf"}},
        {"[store]\nmetrics-listen = 127.0.0.1\n", {"[store]", "metrics-listen", "ADDRESS:PORT"}},
        {"[log]\nmetrics-listen = 127.0.0.1:1\n", {"[log]", "metrics-listen", "[ingest]"}},
        {"[nats]\nreplicas = 2\n", {"replicas", "1, 3 or 5", "[nats]"}},
        {"[ingest]\ninline-limit = 9MiB\n", {"inline-limit", "8MiB", "[ingest]"}},
        {"[features]\npipeline = a.b\n", {"pipeline = a.b", "letters", "[features]"}},
        {"[ingest]\npipelines = a,b.c\n", {"pipelines = b.c", "letters", "[ingest]"}},
        {"[ingest]\npipelines = a,,b\n", {"pipelines", "letters", "[ingest]"}},
        {"[ingest]\npipelines = a, b, a\n", {"pipelines", "'a'", "twice"}},
        {"[ingest]\npipelines =\n", {"pipelines", "1 to 16", "not 0"}},
        {"[ingest]\npipelines = a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n",
         {"[ingest] pipelines", "1 to 16", "not 17"}},
        {"[source a b]\nfolder = /x\n", {"[source a b]", "letters", "my.conf"}},
        {"[source a]\nfoldre = /x\n", {"[source a]", "foldre", "my.conf"}},
        {"[source a]\nevents = maybe\n", {"events = maybe", "yes or no", "my.conf"}},
        {"[source a]\nevents = yes\n", {"[source a]", "folder", "missing"}},
        {"[webhook a]\nkinds = alert\n", {"[webhook a]", "url", "url-file"}},
        {"[webhook a]\nurl = http://a\nurl-file = /b\n", {"[webhook a]", "one of url", "url-file"}},
        {"[webhook a]\nurl = ftp://a\n", {"[webhook a] url", "http://", "https://"}},
        {"[webhook a]\nurl = https://\n", {"[webhook a] url", "http://", "https://"}},
        {"[webhook a]\nurl = http://a\nkinds = alert, all\n", {"[webhook a]", "'all'", "decision"}},
        {"[webhook a]\nurl = http://a\nkinds =\n", {"[webhook a]", "kinds", "both"}},
        {"[webhook a]\nurl = http://a\nleast-severity = bad\n",
         {"[webhook a]", "least-severity = bad", "critical"}},
        {"[webhook a]\nurl = http://a\ntimeout = 5min\n", {"[webhook a]", "timeout", "30s"}},
        {"settle = 5s\n", {"my.conf", "my.conf", "my.conf"}},
    };
    for (guint row = 0; row < G_N_ELEMENTS(wrong); row++) {
        g_autofree char *words = refusal_of(wrong[row].text);
        for (guint word = 0; word < 3; word++)
            ck_assert_msg(strstr(words, wrong[row].words[word]) != NULL, "'%s' misses '%s'", words,
                          wrong[row].words[word]);
        ck_assert_ptr_null(strchr(words, '\n'));
    }
}
END_TEST

START_TEST(the_sample_file_says_what_the_defaults_are) {
    g_autofree char *sample = settings_sample();
    g_autoptr(GString) active = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
    for (char **line = lines; *line != NULL; line++) /* every "#key = value" without its '#' */
        if (**line != '#' || (*line)[1] != ' ')
            g_string_append_printf(active, "%s\n", **line == '#' ? *line + 1 : *line);
    g_autoptr(Settings) defaults = settings_new();
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    ck_assert_msg(settings_read_text(settings, active->str, "sample", &error), "%s",
                  error != NULL ? error->message : "");
    ck_assert_int_eq(settings->settle_ms, defaults->settle_ms);
    ck_assert_str_eq(settings->journal, defaults->journal);
    ck_assert_str_eq(settings->sources[0]->name, "microscope1");
    ck_assert_str_eq(settings->sources[0]->include, "*.tif *.tiff *.png");
}
END_TEST

START_TEST(options_overrule_the_environment_which_overrules_the_file) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_read_text(settings, "[nats]\nnats = nats://file:1\n", "f", NULL));
    g_setenv("NATS_URL", "nats://environment:1", TRUE);
    ck_assert(settings_read_environment(settings, NULL));
    ck_assert_str_eq(settings->nats_url, "nats://environment:1");
    ck_assert(settings_set(settings, "nats", "nats://option:1", NULL));
    ck_assert_str_eq(settings->nats_url, "nats://option:1");
}
END_TEST

START_TEST(sources_come_from_the_file_and_from_options) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_read_text(settings, "[source a]\nfolder = /a\nevents = no\n", "f", NULL));
    ck_assert(settings_set(settings, "source", "b=/b", NULL));
    ck_assert(settings_set(settings, "source", "a=/c", NULL));
    ck_assert_str_eq(settings->sources[0]->folder, "/c");
    ck_assert(!settings->sources[0]->events);
    ck_assert_str_eq(settings->sources[1]->name, "b");
    ck_assert(settings->sources[1]->events);
    ck_assert_ptr_null(settings->sources[2]);
    ck_assert(!settings_set(settings, "source", "nofolder", NULL));
    ck_assert(!settings_set(settings, "source", "no folder=/x", NULL));
}
END_TEST

START_TEST(an_address_that_may_be_a_secret_is_not_repeated) {
    g_autofree char *words = refusal_of("[webhook a]\nurl = htp://chat.example/hooks/s3cr3t\n");
    ck_assert_ptr_null(strstr(words, "s3cr3t"));
}
END_TEST

START_TEST(every_option_of_every_program_reads_its_own_default) {
    const Program programs[] = {INGEST, FEATURES, STORE};
    for (guint index = 0; index < G_N_ELEMENTS(programs); index++) {
        guint count = 0;
        for (const GOptionEntry *entry = settings_options(programs[index]);
             entry->long_name != NULL; entry++, count++)
            ck_assert(*entry->description != '\0');
        ck_assert_uint_gt(count, 5);
    }
}
END_TEST

SUITE("settings", values_with_units_become_milliseconds_and_bytes,
      pipelines_are_told_in_the_order_they_stand_in, a_key_of_several_sections_is_each_sections_own,
      as_an_option_it_is_the_programs_own, each_mistake_is_told_by_file_section_and_key,
      the_sample_file_says_what_the_defaults_are,
      options_overrule_the_environment_which_overrules_the_file,
      sources_come_from_the_file_and_from_options, an_address_that_may_be_a_secret_is_not_repeated,
      every_option_of_every_program_reads_its_own_default)
