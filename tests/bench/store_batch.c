/* How many results a second one store writes, by how many share a transaction.
 *
 *     bench_store_batch [FRAMES [BATCH]]
 *     bench_store_batch --rules [FRAMES]
 *
 * The second tells what steering costs: switched off, with models only, and with 1, 10 and 100
 * rules, on frames that are all good and on a plate that the first rule finds bad. It replaces the
 * database's rules.
 *
 * Writes into the migrated database the PG* environment variables name (`. DIR/env` after
 * deploy/demo --keep), as a role in scopestream_store; --rules as the database's owner. Each result
 * has 110 numbers, 3 arrays of 256, 2 hashes and a thumbnail of 6 kB, about as the standard
 * pipeline gives. The frames are new ones at every run. */
#include "store/batch.h"
#include "tests/store/documents.h"
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 110, ARRAYS = 3, LENGTH = 256, HASHES = 2, THUMBNAIL_BYTES = 6000 };

static char *make_catalogue(void) {
    GString *text = g_string_new("{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE
                                 ",\"measures\":[{\"name\":\"bench\"}");
    for (int n = 0; n < NUMBERS; n++)
        g_string_append_printf(text, ",{\"name\":\"bench_%02d\"}", n);
    for (int n = 0; n < ARRAYS; n++)
        g_string_append_printf(
            text, ",{\"name\":\"bench_array_%d\",\"kind\":\"array\",\"length\":%d}", n, LENGTH);
    for (int n = 0; n < HASHES; n++)
        g_string_append_printf(text, ",{\"name\":\"bench_hash_%d\",\"kind\":\"hash\"}", n);
    return g_string_free(g_string_append(text, "]}"), FALSE);
}

static void add_array(GString *text, int seed) {
    char separator = '[';
    for (int n = 0; n < LENGTH; n++, separator = ',')
        g_string_append_printf(text, "%c%.9g", separator,
                               (float)((seed * 104729 + n * 7919) % 65536 / 65535.0));
    g_string_append_c(text, ']');
}

static char *make_values(int seed) {
    GString *text = g_string_new("{\"bench\":1");
    for (int n = 0; n < NUMBERS; n++)
        g_string_append_printf(text, ",\"bench_%02d\":%.12g", n,
                               (seed * 7919 + n * 104729) % 65536 / 3.0);
    for (int n = 0; n < ARRAYS; n++) {
        g_string_append_printf(text, ",\"bench_array_%d\":", n);
        add_array(text, seed + n);
    }
    for (int n = 0; n < HASHES; n++)
        g_string_append_printf(text, ",\"bench_hash_%d\":%" G_GINT64_FORMAT, n,
                               (gint64)(seed + n + 1) * G_GINT64_CONSTANT(-0x61c8864680b583eb));
    return g_string_free(g_string_append_c(text, '}'), FALSE);
}

static char *make_thumbnail(void) {
    g_autofree guint8 *bytes = g_malloc(THUMBNAIL_BYTES);
    for (int n = 0; n < THUMBNAIL_BYTES; n++)
        bytes[n] = (guint8)g_random_int();
    g_autofree char *base64 = g_base64_encode(bytes, THUMBNAIL_BYTES);
    return g_strdup_printf("\"thumbnail\":{\"mime\":\"image/jpeg\",\"width\":192,\"height\":192,"
                           "\"low\":0,\"high\":1,\"base64\":\"%s\"},\"attempt\"",
                           base64);
}

static char *make_result(int n, guint64 run, const char *thumbnail) {
    g_autoptr(Frame) frame = documents_frame(n);
    frame->size_bytes = run; /* another frame than those of the last run */
    frame_identify(frame);
    g_autofree char *values = make_values(n);
    g_autofree char *plain = documents_result_of(frame, "ok", values);
    return documents_replace(plain, "\"attempt\"", thumbnail);
}

static void store_or_end(Batch *batch, Postgres *postgres) {
    g_autoptr(GError) error = NULL;
    if (batch_store(batch, postgres, &error))
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(EXIT_FAILURE);
}

static void announce(Postgres *postgres) {
    g_autoptr(Batch) batch = batch_new();
    g_autofree char *catalogue = make_catalogue();
    batch_add(batch,
              document_new("scopestream.catalogue.quality", "reply", catalogue, strlen(catalogue)));
    store_or_end(batch, postgres);
}

static guint rejected_count(const Batch *batch) {
    guint rejected = 0;
    for (guint n = 0; n < batch->documents->len; n++)
        rejected +=
            ((Document *)g_ptr_array_index(batch->documents, n))->outcome != DOCUMENT_STORED;
    return rejected;
}

/* Making the documents is not the store's work and counts nowhere. */
static void measure_batches_of(const char *title, guint size, guint frames, Postgres *postgres) {
    static guint64 run;
    run = MAX(run + 1, (guint64)g_get_real_time());
    g_autofree char *thumbnail = make_thumbnail();
    gint64 reading_us = 0, storing_us = 0;
    guint rejected = 0;
    for (guint done = 0; done < frames; done += size) {
        g_autoptr(Batch) batch = batch_new();
        for (guint n = 0; n < size; n++) {
            g_autofree char *text = make_result((int)(done + n), run, thumbnail);
            gint64 before_us = g_get_monotonic_time();
            batch_add(batch, document_new("scopestream.result.quality.bench", "reply", text,
                                          strlen(text)));
            reading_us += g_get_monotonic_time() - before_us;
        }
        gint64 before_us = g_get_monotonic_time();
        store_or_end(batch, postgres);
        storing_us += g_get_monotonic_time() - before_us;
        rejected += rejected_count(batch);
    }
    double reading_s = (double)reading_us / G_USEC_PER_SEC;
    double storing_s = (double)storing_us / G_USEC_PER_SEC;
    printf(
        "%sbatches of %4u: %7.0f rows/s in PostgreSQL, %6.2f ms a batch; %7.0f rows/s with reading "
        "the documents; %u rejected\n",
        title, size, frames / storing_s, storing_s * 1000 * size / frames,
        frames / (reading_s + storing_s), rejected);
    fflush(stdout);
}

static void run_or_end(Postgres *postgres, const char *sql) {
    g_autoptr(GError) error = NULL;
    if (postgres_run(postgres, sql, &error))
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(EXIT_FAILURE);
}

/* Eight of ten compare a robust z, one draws a chart, one asks a plain number. */
static void write_rules(guint count, bool bad, Postgres *postgres) {
    g_autofree char *sql = g_strdup_printf(
        "delete from scopestream_data.rule; "
        "insert into scopestream_data.rule (name, kind, expression, bound) select 'bench_' || i, "
        "case i %% 20 when 8 then 'ewma' when 18 then 'cusum' else 'bound' end, "
        "format(case i %% 10 when 9 then 'bench_%%s' else 'z(log(bench_%%s))' end, lpad(i::text, "
        "2, "
        "'0')), %s from generate_series(0, %d) i",
        bad ? "case i when 0 then -1e6 else 1e6 end" : "1e6", (int)count - 1);
    run_or_end(postgres, sql);
}

static void measure_rules(guint frames, Postgres *postgres) {
    static const guint sizes[] = {16, 256}, counts[] = {0, 1, 10, 100};
    measure_batches_of("first rows         ", 256, 1024,
                       postgres); /* what is usual is known then */
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        run_or_end(postgres, "update scopestream_data.steering set enabled = false");
        measure_batches_of("steering off       ", sizes[i], frames, postgres);
        run_or_end(postgres, "update scopestream_data.steering set enabled = true");
        for (guint n = 0; n < 2 * G_N_ELEMENTS(counts); n++) {
            bool bad = n >= G_N_ELEMENTS(counts);
            guint count = counts[n % G_N_ELEMENTS(counts)];
            g_autofree char *title =
                g_strdup_printf("%3u rules%s", count, bad ? ", first bad " : "           ");
            if (bad && count == 0)
                continue;
            write_rules(count, bad, postgres);
            measure_batches_of(title, sizes[i], frames, postgres);
        }
    }
}

int main(int argc, char **argv) {
    static const guint sizes[] = {1, 4, 16, 64, 256};
    bool rules = argc > 1 && g_str_equal(argv[1], "--rules");
    argc -= rules, argv += rules;
    guint frames = argc > 1 ? (guint)atoi(argv[1]) : 8192;
    GError *error = NULL;
    Postgres *postgres = postgres_new("", &error);
    if (postgres == NULL || !postgres_connect(postgres, 10000, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    announce(postgres);
    if (rules)
        measure_rules(frames, postgres);
    else if (argc > 2)
        measure_batches_of("", (guint)atoi(argv[2]), frames, postgres);
    for (guint i = 0; !rules && argc <= 2 && i < G_N_ELEMENTS(sizes); i++)
        measure_batches_of("", sizes[i], sizes[i] < 16 ? frames / 8 : frames, postgres);
    postgres_free(postgres);
    return EXIT_SUCCESS;
}
