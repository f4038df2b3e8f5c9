#include "features/image_sets.h"
#include "features/report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHANNEL_UNKNOWN "Image"

/* One frame of a set, that of one channel. */
typedef struct {
    char *channel, *file_name, *folder;
    guint32 width, height;
    double *values; /* of sets->columns; NaN: none */
} Image;

typedef struct {
    char *plate, *well; /* NULL: not known */
    gint32 site, z, t;  /* FRAME_UNKNOWN: not known */
    GPtrArray *images;  /* of Image */
} ImageSet;

struct ImageSets {
    const Pipeline *pipeline;
    GArray *columns;     /* of guint: those with a name in CellProfiler */
    GPtrArray *sets;     /* of ImageSet, in the order they came */
    GHashTable *by_key;  /* the last set of a folder and place */
    GPtrArray *channels; /* names, sorted; borrowed from images */
};

static void image_free(Image *image) {
    g_free(image->channel);
    g_free(image->file_name);
    g_free(image->folder);
    g_free(image->values);
    g_free(image);
}

static void image_set_free(ImageSet *set) {
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
    sets->channels = g_ptr_array_new();
    return sets;
}

void image_sets_free(ImageSets *sets) {
    if (sets == NULL)
        return;
    g_ptr_array_unref(sets->channels);
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
    *set = (ImageSet){.plate = g_strdup(frame->plate),
                      .well = g_strdup(frame->well),
                      .site = frame->site,
                      .z = frame->z,
                      .t = frame->t,
                      .images = g_ptr_array_new_with_free_func((GDestroyNotify)image_free)};
    g_ptr_array_add(sets->sets, set);
    g_hash_table_replace(sets->by_key, key, set);
    return set;
}

static int compare_texts(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void note_channel(ImageSets *sets, char *channel) {
    if (g_ptr_array_find_with_equal_func(sets->channels, channel, g_str_equal, NULL))
        return;
    g_ptr_array_add(sets->channels, channel);
    g_ptr_array_sort(sets->channels, compare_texts);
}

void image_sets_add(ImageSets *sets, const char *file, const Frame *frame,
                    const Measurement *measurement) {
    const char *channel = frame->channel != NULL ? frame->channel : CHANNEL_UNKNOWN;
    ImageSet *set = set_for(sets, file, frame, channel);
    Image *image = g_new0(Image, 1);
    *image = (Image){.channel = g_strdup(channel),
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
    note_channel(sets, image->channel);
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

static const struct {
    const char *name;
    void (*print)(const ImageSet *set);
} metadata[] = {
    {"Metadata_Plate", plate_field}, {"Metadata_Well", well_field}, {"Metadata_Site", site_field},
    {"Metadata_Z", z_field},         {"Metadata_T", t_field},
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
} ChannelField;

static const ChannelField file_fields[] = {{"FileName", file_name_field},
                                           {"PathName", folder_field}};
static const ChannelField size_fields[] = {{"Height", height_field}, {"Width", width_field}};

static void channel_fields_header(const ImageSets *sets, const ChannelField fields[], gsize count) {
    for (gsize field = 0; field < count; field++)
        for (guint i = 0; i < sets->channels->len; i++) {
            g_autofree char *name =
                g_strdup_printf("%s_%s", fields[field].name, (char *)sets->channels->pdata[i]);
            field_text(name);
        }
}

static void channel_fields_row(const ImageSets *sets, const ImageSet *set,
                               const ChannelField fields[], gsize count) {
    for (gsize field = 0; field < count; field++)
        for (guint i = 0; i < sets->channels->len; i++) {
            const Image *image = image_of(set, sets->channels->pdata[i]);
            if (image != NULL)
                fields[field].print(image);
            else
                field_text(NULL);
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

static void numbers_row(const ImageSets *sets, const ImageSet *set) {
    for (guint i = 0; i < sets->columns->len; i++)
        for (guint channel = 0; channel < sets->channels->len; channel++) {
            const Image *image = image_of(set, sets->channels->pdata[channel]);
            char digits[REPORT_NUMBER_LENGTH];
            field_text(report_number(image != NULL ? image->values[i] : NAN, digits));
        }
}

/* --- the table --- */

void image_sets_print(const ImageSets *sets) {
    printf("ImageNumber");
    channel_fields_header(sets, file_fields, G_N_ELEMENTS(file_fields));
    for (gsize i = 0; i < G_N_ELEMENTS(metadata); i++)
        field_text(metadata[i].name);
    channel_fields_header(sets, size_fields, G_N_ELEMENTS(size_fields));
    numbers_header(sets);
    printf("\n");
    for (guint i = 0; i < sets->sets->len; i++) {
        const ImageSet *set = sets->sets->pdata[i];
        printf("%u", i + 1);
        channel_fields_row(sets, set, file_fields, G_N_ELEMENTS(file_fields));
        for (gsize field = 0; field < G_N_ELEMENTS(metadata); field++)
            metadata[field].print(set);
        channel_fields_row(sets, set, size_fields, G_N_ELEMENTS(size_fields));
        numbers_row(sets, set);
        printf("\n");
    }
}
