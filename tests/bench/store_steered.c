/* What steering costs the store: results as it has stored them before, as new frames of new plates,
 * with steering switched off and on, by how many share a transaction.
 *
 *     bench_store_steered [FRAMES [TIMES]]
 *
 * Needs a migrated database that holds a plate's results (tests/bench/rows-with-rules.sh makes
 * one), named by the PG* environment variables, and its owner's rights. Models and rules are those
 * that are enabled there. Every row has a thumbnail of 6 kB. */
#include "store/batch.h"
#include "tests/store/documents.h"
#include <stdio.h>
#include <stdlib.h>

enum { THUMBNAIL_BYTES = 6000 };

enum { VALUES, WELL, SITE, CHANNEL }; /* columns of what is asked for */

typedef struct {
    Postgres *postgres;
    PostgresRows *stored;
    char *thumbnail;
    guint64 plates; /* made so far: no two are the same */
} Bench;

/* What a row took. */
typedef struct {
    double row_ms, cpu_ms;
} Took;

static void end(const char *words) {
    fprintf(stderr, "%s\n", words);
    exit(EXIT_FAILURE);
}

static PostgresRows *ask(Postgres *postgres, const char *sql) {
    g_autoptr(GError) error = NULL;
    PostgresRows *rows = postgres_ask(postgres, sql, NULL, 0, &error);
    if (rows == NULL)
        end(error->message);
    return rows;
}

static PostgresRows *ask_stored(Postgres *postgres) {
    PostgresRows *rows =
        ask(postgres, "select jsonb_strip_nulls(to_jsonb(r) - 'pixel_hash' - array(select "
                      "attname::text from pg_attribute "
                      "  where attrelid = 'scopestream_data.result'::regclass "
                      "    and attname not in (select name from scopestream_data.measure))), "
                      "  f.well, f.site, f.channel "
                      "from scopestream_data.result r join scopestream_data.frame f using "
                      "(frame_id, acquired_at) "
                      "where r.status = 'ok' order by r.acquired_at, r.frame_id");
    if (PQntuples(rows) == 0)
        end("the database holds no results: tests/bench/rows-with-rules.sh makes some");
    return rows;
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

/* The n-th result of a run, of plates like the stored one; other pixels, as no camera is stuck. */
static char *make_result(const Bench *bench, guint n) {
    int row = (int)n % PQntuples(bench->stored);
    g_autoptr(Frame) frame = documents_frame((int)n);
    frame_set_text(&frame->well, postgres_text(bench->stored, row, WELL));
    frame_set_text(&frame->channel, postgres_text(bench->stored, row, CHANNEL));
    frame->site = (gint32)postgres_count(bench->stored, row, SITE);
    g_free(frame->plate);
    frame->plate = g_strdup_printf("again %" G_GUINT64_FORMAT "-%u", bench->plates,
                                   n / (guint)PQntuples(bench->stored));
    frame->size_bytes = bench->plates; /* another frame than those of the last run */
    frame_identify(frame);
    const char *values = postgres_text(bench->stored, row, VALUES);
    g_autofree char *seen = g_strdup_printf("{\"pixel_hash\":%u%09d,%s", g_random_int(),
                                            g_random_int_range(0, 1000000000), values + 1);
    g_autofree char *plain = documents_result_of(frame, "ok", seen);
    return documents_replace(plain, "\"attempt\"", bench->thumbnail);
}

static Batch *make_batch(const Bench *bench, guint first, guint size) {
    Batch *batch = batch_new();
    for (guint n = 0; n < size; n++) {
        g_autofree char *text = make_result(bench, first + n);
        batch_add(batch,
                  document_new("scopestream.result.quality.bench", "reply", text, strlen(text)));
    }
    return batch;
}

/* CPU time of PostgreSQL's process for us, so far: other work on the machine does not count. */
static double cpu_s(const Bench *bench) {
    g_autoptr(PostgresRows) rows =
        ask(bench->postgres,
            "select split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9");
    return postgres_number(rows, 0, 0);
}

/* Making and reading the documents counts nowhere. */
static Took measure(Bench *bench, bool steers, guint size, guint frames) {
    g_autoptr(GError) error = NULL;
    gint64 storing_us = 0;
    double cpu_before_s = cpu_s(bench);
    bench->plates = MAX(bench->plates + 1, (guint64)g_get_real_time());
    if (!postgres_run(bench->postgres,
                      steers ? "update scopestream_data.steering set enabled = true"
                             : "update scopestream_data.steering set enabled = false",
                      &error))
        end(error->message);
    for (guint done = 0; done < frames; done += size) {
        g_autoptr(Batch) batch = make_batch(bench, done, size);
        gint64 before_us = g_get_monotonic_time();
        if (!batch_store(batch, bench->postgres, &error))
            end(error->message);
        storing_us += g_get_monotonic_time() - before_us;
        for (guint n = 0; n < batch->documents->len; n++)
            if (((Document *)g_ptr_array_index(batch->documents, n))->outcome != DOCUMENT_STORED)
                end("a result was rejected: scopestream.rejected says why");
    }
    return (Took){.row_ms = (double)storing_us / 1e3 / frames,
                  .cpu_ms = (cpu_s(bench) - cpu_before_s) * 1e3 / frames};
}

static int compare(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double median(double numbers[], guint count) {
    qsort(numbers, count, sizeof *numbers, compare);
    return numbers[count / 2];
}

/* Off and on in turn, so that a machine that is busier for a while is so for both. */
static void compare_batches_of(Bench *bench, guint size, guint frames, guint times) {
    g_autofree double *row_ms = g_new(double, 2 * times), *cpu_ms = g_new(double, 2 * times);
    for (guint n = 0; n < times; n++)
        for (guint steers = 0; steers < 2; steers++) {
            Took took = measure(bench, steers, size, frames);
            row_ms[steers * times + n] = took.row_ms;
            cpu_ms[steers * times + n] = took.cpu_ms;
        }
    double off_ms = median(row_ms, times), on_ms = median(row_ms + times, times);
    double off_cpu_ms = median(cpu_ms, times), on_cpu_ms = median(cpu_ms + times, times);
    printf("batches of %3u: %5.0f rows/s without steering, %5.0f with; CPU of PostgreSQL %6.2f and "
           "%6.2f ms a row, %6.1f more a batch\n",
           size, 1e3 / off_ms, 1e3 / on_ms, off_cpu_ms, on_cpu_ms, (on_cpu_ms - off_cpu_ms) * size);
    fflush(stdout);
}

int main(int argc, char **argv) {
    static const guint sizes[] = {1, 16, 256};
    guint frames = argc > 1 ? (guint)atoi(argv[1]) : 2048;
    guint times = argc > 2 ? (guint)atoi(argv[2]) : 3;
    g_autoptr(GError) error = NULL;
    g_autoptr(Postgres) postgres = postgres_new("", &error);
    if (postgres == NULL || !postgres_connect(postgres, 10000, &error))
        end(error->message);
    g_autoptr(PostgresRows) stored = ask_stored(postgres);
    g_autofree char *thumbnail = make_thumbnail();
    Bench bench = {.postgres = postgres, .stored = stored, .thumbnail = thumbnail};
    measure(&bench, true, 256, 1024); /* what is usual is known then */
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        compare_batches_of(&bench, sizes[i], sizes[i] < 16 ? frames / 8 : frames, MAX(times, 1));
    return EXIT_SUCCESS;
}
