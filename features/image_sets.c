#include "features/image_sets.h"
#include "features/report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHANNEL_UNKNOWN "Image"

/* One frame of a set, that of one channel. */
typedef struct {
    const char *channel; /* its label */
    char *file_name, *folder;
    guint32 width, height;
    double *values; /* of sets->columns; NaN: none */
} Image;

typedef struct {
    char *experiment, *plate, *well; /* NULL: not known */
    gint32 site, z, t;               /* FRAME_UNKNOWN: not known */
    guint32 page;
    GPtrArray *images; /* of Image */
} ImageSet;

struct ImageSets {
    const Pipeline *pipeline;
    GArray *columns;     /* of guint: those with a name in CellProfiler */
    GPtrArray *sets;     /* of ImageSet, in the order they came */
    GHashTable *by_key;  /* the last set of a folder and place */
    GHashTable *labels;  /* channel's name to its label */
    GPtrArray *channels; /* labels, sorted; borrowed from labels */
};

static void image_free(Image *image) {
    g_free(image->file_name);
    g_free(image->folder);
    g_free(image->values);
    g_free(image);
}

static void image_set_free(ImageSet *set) {
    g_free(set->experiment);
    g_free(set->plate);
    g_free(set->well);
    g_ptr_array_unref(set->images);
    g_free(set);
}

ImageSets *image_sets_new(const Pipeline *pipeline) {
    ImageSets *sets = g_new0(ImageSets, 1);
    sets->pipeline = pipeline;
    sets->columns = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++)
        if (pipeline_column(pipeline, i)->cellprofiler != NULL)
            g_array_append_val(sets->columns, i);
    sets->sets = g_ptr_array_new_with_free_func((GDestroyNotify)image_set_free);
    sets->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    sets->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    sets->channels = g_ptr_array_new();
    return sets;
}

void image_sets_free(ImageSets *sets) {
    if (sets == NULL)
        return;
    g_ptr_array_unref(sets->channels);
    g_hash_table_unref(sets->labels);
    g_hash_table_unref(sets->by_key);
    g_ptr_array_unref(sets->sets);
    g_array_unref(sets->columns);
    g_free(sets);
}

/* --- adding --- */

static const Image *image_of(const ImageSet *set, const char *channel) {
    for (guint i = 0; i < set->images->len; i++) {
        const Image *image = set->images->pdata[i];
        if (strcmp(image->channel, channel) == 0)
            return image;
    }
    return NULL;
}

/* What frames of one set have in common. A name that tells no place is its own. */
static char *key_of(const char *file, const Frame *frame) {
    g_autofree char *folder = g_path_get_dirname(file);
    if (frame->naming == NULL)
        return g_strdup_printf("%s\n%u", file, frame->page);
    return g_strdup_printf("%s\n%s\n%s\n%d\n%d\n%d\n%u", folder, frame->plate ? frame->plate : "",
                           frame->well ? frame->well : "", frame->site, frame->z, frame->t,
                           frame->page);
}

static ImageSet *set_for(ImageSets *sets, const char *file, const Frame *frame,
                         const char *channel) {
    char *key = key_of(file, frame);
    ImageSet *set = g_hash_table_lookup(sets->by_key, key);
    if (set != NULL && image_of(set, channel) == NULL) {
        g_free(key);
        return set;
    }
    set = g_new0(ImageSet, 1);
    *set = (ImageSet){.experiment = g_strdup(frame->experiment),
                      .plate = g_strdup(frame->plate),
                      .well = g_strdup(frame->well),
                      .site = frame->site,
                      .z = frame->z,
                      .t = frame->t,
                      .page = frame->page,
                      .images = g_ptr_array_new_with_free_func((GDestroyNotify)image_free)};
    g_ptr_array_add(sets->sets, set);
    g_hash_table_replace(sets->by_key, key, set);
    return set;
}

static int compare_texts(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool label_is_taken(const ImageSets *sets, const char *label) {
    for (guint i = 0; i < sets->channels->len; i++)
        if (g_ascii_strcasecmp(sets->channels->pdata[i], label) == 0)
            return true;
    return false;
}

/* CellProfiler's names are made of letters, digits and '_'. Two channels that would be called
 * alike, case ignored as SQLite does, are told apart by a number. */
static const char *label_of(ImageSets *sets, const char *channel) {
    const char *known = g_hash_table_lookup(sets->labels, channel);
    if (known != NULL)
        return known;
    char *label = g_utf8_make_valid(channel, -1);
    for (char *c = label; *c != '\0'; c++)
        *c = g_ascii_isalnum(*c) ? *c : '_';
    char *numbered = g_strdup(label);
    for (guint n = 2; label_is_taken(sets, numbered); n++) {
        g_free(numbered);
        numbered = g_strdup_printf("%s_%u", label, n);
    }
    g_free(label);
    g_hash_table_insert(sets->labels, g_strdup(channel), numbered);
    g_ptr_array_add(sets->channels, numbered);
    g_ptr_array_sort(sets->channels, compare_texts);
    return numbered;
}

void image_sets_add(ImageSets *sets, const char *file, const Frame *frame,
                    const Measurement *measurement) {
    const char *channel = label_of(sets, frame->channel != NULL ? frame->channel : CHANNEL_UNKNOWN);
    ImageSet *set = set_for(sets, file, frame, channel);
    Image *image = g_new0(Image, 1);
    *image = (Image){.channel = channel,
                     .file_name = g_path_get_basename(file),
                     .folder = g_path_get_dirname(file),
                     .width = frame->width,
                     .height = frame->height,
                     .values = g_new(double, sets->columns->len)};
    for (guint i = 0; i < sets->columns->len; i++) {
        guint column = g_array_index(sets->columns, guint, i);
        image->values[i] = measurement->values[pipeline_column(sets->pipeline, column)->place];
    }
    g_ptr_array_add(set->images, image);
}

/* --- the columns --- */

static void field_text(const char *text) {
    report_csv_field(text, true);
}

static void field_count(gint64 count) {
    printf(",%" G_GINT64_FORMAT, count);
}

/* Metadata: where a set stands. */
static void plate_field(const ImageSet *set) {
    field_text(set->plate);
}
static void well_field(const ImageSet *set) {
    field_text(set->well);
}

static void place_number(gint32 number) {
    if (number == FRAME_UNKNOWN)
        field_text(NULL);
    else
        field_count(number);
}
static void site_field(const ImageSet *set) {
    place_number(set->site);
}
static void z_field(const ImageSet *set) {
    place_number(set->z);
}
static void t_field(const ImageSet *set) {
    place_number(set->t);
}
static void page_field(const ImageSet *set) {
    field_count(set->page);
}
static void experiment_field(const ImageSet *set) {
    field_text(set->experiment);
}

static const struct {
    const char *name;
    void (*print)(const ImageSet *set);
} metadata[] = {
    {"Metadata_Plate", plate_field},
    {"Metadata_Well", well_field},
    {"Metadata_Site", site_field},
    {"Metadata_Z", z_field},
    {"Metadata_T", t_field},
    {"Metadata_Page", page_field},
    {"Metadata_Experiment", experiment_field},
};

/* Of each channel; image is NULL where a set lacks the channel. */
static void file_name_field(const Image *image) {
    field_text(image->file_name);
}
static void folder_field(const Image *image) {
    field_text(image->folder);
}
static void height_field(const Image *image) {
    field_count(image->height);
}
static void width_field(const Image *image) {
    field_count(image->width);
}

typedef struct {
    const char *name;
    void (*print)(const Image *image);
    const char *missing; /* what stands where a set lacks the channel */
} ChannelField;

static const ChannelField channel_fields[] = {{"FileName", file_name_field, ""},
                                              {"PathName", folder_field, ""},
                                              {"Height", height_field, "nan"},
                                              {"Width", width_field, "nan"}};

static void channel_fields_header(const ImageSets *sets) {
    for (gsize field = 0; field < G_N_ELEMENTS(channel_fields); field++)
        for (guint i = 0; i < sets->channels->len; i++) {
            g_autofree char *name = g_strdup_printf("%s_%s", channel_fields[field].name,
                                                    (char *)sets->channels->pdata[i]);
            field_text(name);
        }
}

static void channel_fields_row(const ImageSets *sets, const ImageSet *set) {
    for (gsize field = 0; field < G_N_ELEMENTS(channel_fields); field++)
        for (guint i = 0; i < sets->channels->len; i++) {
            const Image *image = image_of(set, sets->channels->pdata[i]);
            if (image != NULL)
                channel_fields[field].print(image);
            else
                field_text(channel_fields[field].missing);
        }
}

static void numbers_header(const ImageSets *sets) {
    for (guint i = 0; i < sets->columns->len; i++)
        for (guint channel = 0; channel < sets->channels->len; channel++) {
            g_autoptr(GString) name =
                g_string_new(pipeline_column(sets->pipeline, g_array_index(sets->columns, guint, i))
                                 ->cellprofiler);
            g_string_replace(name, "{channel}", sets->channels->pdata[channel], 0);
            field_text(name->str);
        }
}

/* "nan" where there is none, as CellProfiler writes it: CellProfiler Analyst takes a column with an
 * empty field for one of texts. */
static void numbers_row(const ImageSets *sets, const ImageSet *set) {
    for (guint i = 0; i < sets->columns->len; i++)
        for (guint channel = 0; channel < sets->channels->len; channel++) {
            const Image *image = image_of(set, sets->channels->pdata[channel]);
            double value = image != NULL ? image->values[i] : NAN;
            char digits[REPORT_NUMBER_LENGTH];
            field_text(isnan(value) ? "nan" : report_number(value, digits));
        }
}

/* --- the table --- */

void image_sets_print(const ImageSets *sets) {
    printf("ImageNumber");
    for (gsize i = 0; i < G_N_ELEMENTS(metadata); i++)
        field_text(metadata[i].name);
    channel_fields_header(sets);
    numbers_header(sets);
    printf("\n");
    for (guint i = 0; i < sets->sets->len; i++) {
        const ImageSet *set = sets->sets->pdata[i];
        printf("%u", i + 1);
        for (gsize field = 0; field < G_N_ELEMENTS(metadata); field++)
            metadata[field].print(set);
        channel_fields_row(sets, set);
        numbers_row(sets, set);
        printf("\n");
    }
}
