#include "store/image_csv.h"
#include "stream/frame.h"
#include <string.h>

/* Fields of a row, as IMAGE_CSV_PLACE and IMAGE_CSV_FRAME say. */
enum {
    SOURCE = 7,
    METADATA_FIELDS = 10, /* those of the place that are columns */
    PLACE_FIELDS = 11,
    CHANNEL = PLACE_FIELDS,
    PATH,
    HEIGHT,
    WIDTH,
    NUMBERS,
};

static const char *const metadata[METADATA_FIELDS] = {
    "Plate", "Well",       "Site",   "Z",        "T",
    "Page",  "Experiment", "Source", "Pipeline", "PipelineVersion"};

struct ImageCsv {
    FILE *file;
    const PostgresRows *channels, *numbers;
    const Settings *settings;
    GHashTable *index_of;  /* a channel's place in channels and frames, and 1 */
    PostgresRows **frames; /* of the set in hand, one a channel; NULL: it has none */
    PostgresRows *last;    /* one of them; NULL: no set in hand */
    gint64 count;
};

ImageCsv *image_csv_new(FILE *file, const PostgresRows *channels, const PostgresRows *numbers,
                        const Settings *settings) {
    ImageCsv *csv = g_new0(ImageCsv, 1);
    csv->file = file;
    csv->channels = channels;
    csv->numbers = numbers;
    csv->settings = settings;
    csv->index_of = g_hash_table_new(g_str_hash, g_str_equal);
    csv->frames = g_new0(PostgresRows *, (gsize)PQntuples(channels));
    for (int i = 0; i < PQntuples(channels); i++)
        g_hash_table_insert(csv->index_of, (char *)postgres_text(channels, i, 0),
                            GINT_TO_POINTER(i + 1));
    return csv;
}

static void forget_set(ImageCsv *csv) {
    for (int i = 0; i < PQntuples(csv->channels); i++)
        g_clear_pointer(&csv->frames[i], PQclear);
    csv->last = NULL;
}

void image_csv_free(ImageCsv *csv) {
    if (csv == NULL)
        return;
    forget_set(csv);
    g_hash_table_unref(csv->index_of);
    g_free(csv->frames);
    g_free(csv);
}

/* --- fields --- */

static void field(ImageCsv *csv, const char *text) {
    putc(',', csv->file);
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, csv->file);
        return;
    }
    putc('"', csv->file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', csv->file);
        putc(*text, csv->file);
    }
    putc('"', csv->file);
}

/* As it is on the disk, where that can be written as UTF-8. */
static char *real_path(const char *path) {
    char *decoded = frame_path_decode(path);
    if (decoded != NULL && g_utf8_validate(decoded, -1, NULL))
        return decoded;
    g_free(decoded);
    return g_strdup(path);
}

static const char *folder_of_source(const ImageCsv *csv, const char *name) {
    for (SourceSettings **source = csv->settings->sources; *source != NULL; source++)
        if (g_str_equal((*source)->name, name) && *(*source)->folder != '\0')
            return (*source)->folder;
    return NULL;
}

static void file_name_field(ImageCsv *csv, const PostgresRows *frame) {
    g_autofree char *path = real_path(postgres_text(frame, 0, PATH));
    g_autofree char *name = g_path_get_basename(path);
    field(csv, name);
}

static void folder_field(ImageCsv *csv, const PostgresRows *frame) {
    const char *root = folder_of_source(csv, postgres_text(frame, 0, SOURCE));
    g_autofree char *path = real_path(postgres_text(frame, 0, PATH));
    g_autofree char *below = g_path_get_dirname(path);
    bool at_root = g_str_equal(below, ".");
    g_autofree char *folder = root == NULL ? g_strdup(below)
                              : at_root    ? g_strdup(root)
                                           : g_build_filename(root, below, NULL);
    field(csv, folder);
}

static void number_field(ImageCsv *csv, const PostgresRows *frame, int column) {
    const char *text = frame != NULL ? postgres_text(frame, 0, column) : NULL;
    field(csv, text != NULL ? text : "nan");
}

static void height_field(ImageCsv *csv, const PostgresRows *frame) {
    number_field(csv, frame, HEIGHT);
}

static void width_field(ImageCsv *csv, const PostgresRows *frame) {
    number_field(csv, frame, WIDTH);
}

/* What is told of each channel beside its numbers. */
typedef struct {
    const char *name;
    void (*write)(ImageCsv *csv, const PostgresRows *frame); /* frame: not NULL */
    const char *absent;
} ChannelField;

static const ChannelField channel_fields[] = {{"FileName", file_name_field, ""},
                                              {"PathName", folder_field, ""},
                                              {"Height", height_field, "nan"},
                                              {"Width", width_field, "nan"}};

/* --- the header --- */

static void channel_fields_header(ImageCsv *csv) {
    for (gsize i = 0; i < G_N_ELEMENTS(channel_fields); i++)
        for (int channel = 0; channel < PQntuples(csv->channels); channel++) {
            const char *label = postgres_text(csv->channels, channel, 1);
            g_autofree char *name = g_strdup_printf("%s_%s", channel_fields[i].name, label);
            field(csv, name);
        }
}

/* Two columns of one name would be one to who reads them: the second has its number's name, too. */
static void number_header(ImageCsv *csv, int number, int channel, GHashTable *taken) {
    GString *name = g_string_new(postgres_text(csv->numbers, number, 1));
    g_string_replace(name, "{channel}", postgres_text(csv->channels, channel, 1), 0);
    if (g_hash_table_contains(taken, name->str))
        g_string_append_printf(name, "_%s", postgres_text(csv->numbers, number, 0));
    field(csv, name->str);
    g_hash_table_add(taken, g_string_free(name, FALSE));
}

void image_csv_header(ImageCsv *csv) {
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fputs("ImageNumber", csv->file);
    for (gsize i = 0; i < METADATA_FIELDS; i++)
        fprintf(csv->file, ",Metadata_%s", metadata[i]);
    channel_fields_header(csv);
    for (int number = 0; number < PQntuples(csv->numbers); number++)
        for (int channel = 0; channel < PQntuples(csv->channels); channel++)
            number_header(csv, number, channel, taken);
    putc('\n', csv->file);
}

/* --- rows --- */

static void channel_fields_row(ImageCsv *csv) {
    for (gsize i = 0; i < G_N_ELEMENTS(channel_fields); i++)
        for (int channel = 0; channel < PQntuples(csv->channels); channel++)
            if (csv->frames[channel] != NULL)
                channel_fields[i].write(csv, csv->frames[channel]);
            else
                field(csv, channel_fields[i].absent);
}

static void write_set(ImageCsv *csv) {
    fprintf(csv->file, "%" G_GINT64_FORMAT, ++csv->count);
    for (int i = 0; i < METADATA_FIELDS; i++) {
        const char *text = postgres_text(csv->last, 0, i);
        field(csv, text != NULL ? text : "");
    }
    channel_fields_row(csv);
    for (int number = 0; number < PQntuples(csv->numbers); number++)
        for (int channel = 0; channel < PQntuples(csv->channels); channel++)
            number_field(csv, csv->frames[channel], NUMBERS + number);
    putc('\n', csv->file);
}

static bool is_same_place(const PostgresRows *a, const PostgresRows *b) {
    for (int i = 0; i < PLACE_FIELDS; i++)
        if (g_strcmp0(postgres_text(a, 0, i), postgres_text(b, 0, i)) != 0)
            return false;
    return true;
}

void image_csv_finish(ImageCsv *csv) {
    if (csv->last == NULL)
        return;
    write_set(csv);
    forget_set(csv);
}

/* A channel that came into the database after the channels were asked for has no column. */
void image_csv_add(ImageCsv *csv, PostgresRows *row) {
    gpointer index = g_hash_table_lookup(csv->index_of, postgres_text(row, 0, CHANNEL));
    if (csv->last != NULL && !is_same_place(csv->last, row))
        image_csv_finish(csv);
    if (index == NULL) {
        PQclear(row);
        return;
    }
    PostgresRows **frame = &csv->frames[GPOINTER_TO_INT(index) - 1];
    PQclear(*frame);
    *frame = csv->last = row;
}

gint64 image_csv_count(const ImageCsv *csv) {
    return csv->count;
}
