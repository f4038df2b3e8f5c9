#include "stream/metrics.h"
#include "stream/frame.h"
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

enum { VALUES_MOST = 34, VALUE_BYTES = 64, BUCKETS_MOST = 16 };

typedef enum { COUNTER, TOTAL, GAUGE, HISTOGRAM } Type;

static const struct {
    const char *prometheus, *words;
} types[] = {
    [COUNTER] = {"counter", "counter"},
    [TOTAL] = {"counter", "counter"},
    [GAUGE] = {"gauge", "gauge"},
    [HISTOGRAM] = {"histogram", "histogram"},
};

typedef enum {
#define LABEL(id, name, most, ...) LABEL_##id,
#include "stream/metrics.list"
    LABELS_COUNT
} Label;

static const struct {
    const char *name;
    guint most; /* values that join; 0: values are all there are */
    const char *values[8];
} labels[] = {
#define LABEL(id, name, most, ...) [LABEL_##id] = {name, most, {__VA_ARGS__}},
#include "stream/metrics.list"
};

typedef enum {
    BUCKETS_NONE,
#define BUCKETS(id, ...) BUCKETS_##id,
#include "stream/metrics.list"
} BucketsId;

static const double bounds[][BUCKETS_MOST] = {
    [BUCKETS_NONE] = {0},
#define BUCKETS(id, ...) [BUCKETS_##id] = {__VA_ARGS__},
#include "stream/metrics.list"
};

static const struct {
    const char *name;
    Type type;
    Label label;
    BucketsId buckets;
    int programs;
    const char *sentence;
} rows[] = {
#define METRIC(name, type, label, buckets, programs, sentence)                                     \
    {#name, type, LABEL_##label, BUCKETS_##buckets, programs, sentence},
#include "stream/metrics.list"
};

/* --- the memory --- */

/* A name that joined a label. Written once, under the lock, before count tells of it. */
typedef struct {
    atomic_uint count;
    char values[VALUES_MOST][VALUE_BYTES];
} Names;

typedef atomic_uint_least64_t Cell; /* a count, or a double's bits */

/* Shared by all processes. A metric has, for each value of its label, one cell, or as a histogram
 * one for each bucket, one for what is beyond them and one for the sum. */
typedef struct {
    Names names[LABELS_COUNT];
    atomic_uchar mentioned[METRICS_COUNT][VALUES_MOST];
    Cell cells[];
} Board;

static Board *board; /* NULL: nothing is counted */
static gsize board_bytes;
static Program opened_by;
static gsize first_cell[METRICS_COUNT];
static GMutex
    joining; /* of this process: names join in one process only, before it forks or ever */

static guint bounds_count(Metric metric) {
    const double *bound = bounds[rows[metric].buckets];
    guint count = 0;
    while (count < BUCKETS_MOST && bound[count] > 0)
        count++;
    return count;
}

static guint cells_of_value(Metric metric) {
    return rows[metric].type == HISTOGRAM ? bounds_count(metric) + 2 : 1;
}

static guint fixed_values(Label label) {
    guint count = 0;
    while (count < G_N_ELEMENTS(labels[label].values) && labels[label].values[count] != NULL)
        count++;
    return count;
}

/* One more for those that found no room. */
static guint values_room(Label label) {
    return labels[label].most > 0 ? labels[label].most + 1 : fixed_values(label);
}

static bool is_told(Metric metric) {
    return (rows[metric].programs & opened_by) != 0;
}

void metrics_open(Program program) {
    gsize count = 0;
    opened_by = program;
    for (guint metric = 0; metric < METRICS_COUNT; metric++) {
        first_cell[metric] = count;
        if (is_told(metric))
            count += (gsize)values_room(rows[metric].label) * cells_of_value(metric);
    }
    board_bytes = sizeof(Board) + count * sizeof(Cell);
    void *memory =
        mmap(NULL, board_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board = memory != MAP_FAILED ? memory : NULL;
    metrics_set(scopestream_build_info, SCOPESTREAM_VERSION, 1);
}

void metrics_close(void) {
    if (board != NULL)
        munmap(board, board_bytes);
    board = NULL;
}

/* --- labels --- */

static int name_find(const Names *names, guint count, const char *value) {
    for (guint i = 0; i < count; i++)
        if (strcmp(names->values[i], value) == 0)
            return (int)i;
    return -1;
}

/* The place of a name of ours; what comes after the last that had room shares one. */
static guint name_join(Label label, const char *value) {
    Names *names = &board->names[label];
    int known = name_find(names, atomic_load(&names->count), value);
    if (known >= 0)
        return (guint)known;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&joining);
    guint count = atomic_load(&names->count);
    known = name_find(names, count, value);
    if (known >= 0)
        return (guint)known;
    if (count >= labels[label].most || strlen(value) >= VALUE_BYTES)
        return labels[label].most;
    strcpy(names->values[count], value);
    atomic_store(&names->count, count + 1);
    return count;
}

static guint value_index(Label label, const char *value) {
    if (labels[label].most > 0)
        return name_join(label, value != NULL ? value : "");
    guint last = fixed_values(label) - 1;
    for (guint i = 0; value != NULL && i < last; i++)
        if (strcmp(labels[label].values[i], value) == 0)
            return i;
    return last;
}

static const char *value_name(Label label, guint index) {
    if (labels[label].most == 0)
        return labels[label].values[index];
    return index < labels[label].most ? board->names[label].values[index] : "other";
}

/* Values of names are told once they were counted for, others from the beginning: a rate needs to
 * see a counter's 0. */
static bool value_is_told(Metric metric, guint index) {
    return labels[rows[metric].label].most == 0 || atomic_load(&board->mentioned[metric][index]);
}

/* --- counting --- */

/* The first cell of a metric's value; NULL: nothing is counted here. */
static Cell *cells_find(Metric metric, const char *value) {
    if (board == NULL || !is_told(metric))
        return NULL;
    guint index = value_index(rows[metric].label, value);
    if (!value_is_told(metric, index))
        atomic_store(&board->mentioned[metric][index], 1);
    return &board->cells[first_cell[metric] + (gsize)index * cells_of_value(metric)];
}

static guint64 bits_of(double number) {
    guint64 bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static double number_of(guint64 bits) {
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void cell_add_number(Cell *cell, double number) {
    guint64 before = atomic_load_explicit(cell, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(cell, &before,
                                                  bits_of(number_of(before) + number),
                                                  memory_order_relaxed, memory_order_relaxed))
        ; /* another was quicker, and before is what it left */
}

void metrics_add(Metric metric, const char *value, guint64 count) {
    Cell *cell = cells_find(metric, value);
    if (cell != NULL)
        atomic_fetch_add_explicit(cell, count, memory_order_relaxed);
}

void metrics_set(Metric metric, const char *value, double number) {
    Cell *cell = cells_find(metric, value);
    if (cell != NULL)
        atomic_store_explicit(cell, bits_of(number), memory_order_relaxed);
}

void metrics_observe(Metric metric, const char *value, double number) {
    Cell *cells = cells_find(metric, value);
    if (cells == NULL)
        return;
    const double *bound = bounds[rows[metric].buckets];
    guint count = bounds_count(metric), bucket = 0;
    while (bucket < count && number > bound[bucket])
        bucket++;
    atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
    cell_add_number(&cells[count + 1], number);
}

void metrics_observe_between(Metric metric, const char *value, gint64 from_us, gint64 to_us) {
    if (from_us > 0)
        metrics_observe(metric, value, (double)MAX(to_us - from_us, 0) / G_USEC_PER_SEC);
}

void metrics_mention(Metric metric, const char *value) {
    cells_find(metric, value);
}

/* --- telling --- */

/* As C writes it, whatever the locale, and no longer than it must be. */
static void append_number(GString *text, double number) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    if (isinf(number))
        g_string_append(text, number > 0 ? "+Inf" : "-Inf");
    else if (isnan(number))
        g_string_append(text, "NaN");
    else if (number ==
             g_ascii_strtod(g_ascii_formatd(digits, sizeof digits, "%.15g", number), NULL))
        g_string_append(text, digits);
    else
        g_string_append(text, g_ascii_dtostr(digits, sizeof digits, number));
}

static void append_quoted(GString *text, const char *value) {
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(text, '\\');
        if (*value == '\n')
            g_string_append(text, "\\n");
        else
            g_string_append_c(text, *value);
    }
}

/* A bound, as short as it was written. */
static void append_bound(GString *text, double bound) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    if (isinf(bound))
        g_string_append(text, "+Inf");
    else
        g_string_append(text, g_ascii_formatd(digits, sizeof digits, "%g", bound));
}

/* name_suffix{label="value",le="bound"}, and a space. bound: NULL for none. */
static void append_series(GString *text, Metric metric, const char *suffix, guint value,
                          const double *bound) {
    Label label = rows[metric].label;
    g_string_append_printf(text, "%s%s", rows[metric].name, suffix);
    if (label != LABEL_NONE) {
        g_string_append_printf(text, "{%s=\"", labels[label].name);
        append_quoted(text, value_name(label, value));
        g_string_append(text, bound != NULL ? "\",le=\"" : "\"}");
    } else if (bound != NULL) {
        g_string_append(text, "{le=\"");
    }
    if (bound != NULL) {
        append_bound(text, *bound);
        g_string_append(text, "\"}");
    }
    g_string_append_c(text, ' ');
}

/* Buckets tell how many were up to their bound. Other processes may be adding: the count is that of
 * the buckets as they were read, and so never less. */
static void append_histogram(GString *text, Metric metric, guint value, const Cell *cells) {
    guint count = bounds_count(metric);
    guint64 sum = 0;
    for (guint bucket = 0; bucket <= count; bucket++) {
        double bound = bucket < count ? bounds[rows[metric].buckets][bucket] : INFINITY;
        sum += atomic_load_explicit(&cells[bucket], memory_order_relaxed);
        append_series(text, metric, "_bucket", value, &bound);
        g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", sum);
    }
    append_series(text, metric, "_sum", value, NULL);
    append_number(text, number_of(atomic_load(&cells[count + 1])));
    g_string_append_c(text, '\n');
    append_series(text, metric, "_count", value, NULL);
    g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", sum);
}

static void append_value(GString *text, Metric metric, guint value) {
    const Cell *cells = &board->cells[first_cell[metric] + (gsize)value * cells_of_value(metric)];
    if (rows[metric].type == HISTOGRAM) {
        append_histogram(text, metric, value, cells);
        return;
    }
    guint64 bits = atomic_load_explicit(cells, memory_order_relaxed);
    append_series(text, metric, "", value, NULL);
    append_number(text, rows[metric].type == COUNTER ? (double)bits : number_of(bits));
    g_string_append_c(text, '\n');
}

char *metrics_text(void) {
    GString *text = g_string_sized_new(16384);
    for (guint metric = 0; board != NULL && metric < METRICS_COUNT; metric++) {
        if (!is_told(metric))
            continue;
        g_string_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n", rows[metric].name,
                               rows[metric].sentence, rows[metric].name,
                               types[rows[metric].type].prometheus);
        for (guint value = 0; value < values_room(rows[metric].label); value++)
            if (value_is_told(metric, value))
                append_value(text, metric, value);
    }
    return g_string_free(text, FALSE);
}

/* --- the table for people --- */

static const struct {
    Program program;
    const char *name;
} programs[] = {{INGEST, "ingest"}, {FEATURES, "features"}, {STORE, "store"}};

static void append_programs(GString *table, int of) {
    if (of == (INGEST | FEATURES | STORE)) {
        g_string_append(table, "all");
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(programs); i++)
        if (of & programs[i].program)
            g_string_append(table, programs[i].name);
}

/* "`status`: ok, broken, vanished" */
static void append_label(GString *table, Label label) {
    if (label == LABEL_NONE)
        return;
    g_string_append_printf(table, "`%s`", labels[label].name);
    for (guint value = 0; labels[label].most == 0 && value < fixed_values(label); value++)
        g_string_append_printf(table, "%s%s", value == 0 ? ": " : ", ", value_name(label, value));
}

char *metrics_table(void) {
    GString *table = g_string_new("| metric | type | program | label | what it counts |\n"
                                  "|---|---|---|---|---|\n");
    for (guint metric = 0; metric < METRICS_COUNT; metric++) {
        g_string_append_printf(table, "| `%s` | %s | ", rows[metric].name,
                               types[rows[metric].type].words);
        append_programs(table, rows[metric].programs);
        g_string_append(table, " | ");
        append_label(table, rows[metric].label);
        g_string_append_printf(table, " | %s |\n", rows[metric].sentence);
    }
    return g_string_free(table, FALSE);
}
