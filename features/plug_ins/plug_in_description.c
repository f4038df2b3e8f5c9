#include "features/plug_ins/plug_in_description.h"
#include "features/plug_ins/plug_in_wire.h"
#include "stream/json_read.h"
#include <string.h>

#define NAME_LIMIT 63

/* Columns of the tables and views that hold measured numbers: a number of that name would be
 * refused in SQL, and all numbers announced together with it. */
static const char *const taken_names[] = {
    "acquired_at",
    "attempt",
    "bits",
    "channel",
    "closed_at",
    "decoded_at",
    "definition",
    "delivery",
    "experiment",
    "first_acquired_at",
    "format",
    "frame_id",
    "frames",
    "height",
    "last_acquired_at",
    "latency_s",
    "measured_at",
    "measures",
    "mtime_ns",
    "naming",
    "null_reasons",
    "nulls",
    "offered_at",
    "other_values",
    "page",
    "pages",
    "path",
    "pipeline",
    "pipeline_id",
    "pipeline_version",
    "pixel_size_um",
    "plate",
    "reason",
    "received_at",
    "samples",
    "site",
    "size_bytes",
    "source",
    "status",
    "stored_at",
    "t",
    "taken_at",
    "well",
    "width",
    "worker",
    "z",
};

/* --- names --- */

static bool is_column_name(const char *name) {
    gsize length = strlen(name);
    return length >= 1 && length <= NAME_LIMIT && g_ascii_islower(name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* Whether name is what the pattern of a built-in number can become: {scale} stands for digits. */
static bool is_built_in(const char *pattern, const char *name) {
    const char *scale = strstr(pattern, "{scale}");
    if (scale == NULL)
        return strcmp(pattern, name) == 0;
    gsize before = (gsize)(scale - pattern);
    if (strncmp(pattern, name, before) != 0)
        return false;
    gsize digits = strspn(name + before, "0123456789");
    return digits > 0 && strcmp(name + before + digits, scale + strlen("{scale}")) == 0;
}

static bool is_taken(const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(taken_names); i++)
        if (strcmp(taken_names[i], name) == 0)
            return true;
    for (gsize i = 0; measures[i] != NULL; i++)
        for (const MeasureNumber *number = measures[i]->numbers; number->name != NULL; number++)
            if (is_built_in(number->name, name))
                return true;
    return false;
}

bool plug_in_name_is_free(const char *name) {
    return is_column_name(name) && measure_find(name) == NULL && strcmp(name, "standard") != 0;
}

/* --- the description --- */

static char *read_text(JsonObject *object, const char *member, const char *name, GError **error) {
    const char *text = json_read_member_text(object, member);
    bool right = text != NULL && *text != '\0' && strlen(text) <= PLUG_IN_TEXT_LIMIT;
    for (const char *at = text; right && *at != '\0'; at++)
        right = !g_ascii_iscntrl(*at);
    if (right)
        return g_strdup(text);
    fault_set(error, FAULT_BROKEN,
              "number '%s': %s is missing, longer than %d bytes or has control characters", name,
              member, PLUG_IN_TEXT_LIMIT);
    return NULL;
}

static bool check_name(const char *name, const MeasureNumber *before, GError **error) {
    if (name == NULL || !is_column_name(name))
        return fault_set(error, FAULT_BROKEN,
                         "number '%.*s': expected a name of a letter a-z, then at most %d of "
                         "a-z 0-9 _",
                         NAME_LIMIT, name == NULL ? "" : name, NAME_LIMIT - 1);
    if (is_taken(name))
        return fault_set(error, FAULT_BROKEN, "number '%s': another column is called so", name);
    for (; before->name != NULL; before++)
        if (strcmp(before->name, name) == 0)
            return fault_set(error, FAULT_BROKEN, "number '%s' is there twice", name);
    return true;
}

/* number is the first empty row of numbers. */
static bool read_number(JsonObject *object, const MeasureNumber *numbers, MeasureNumber *number,
                        GError **error) {
    const char *name = json_read_member_text(object, "name");
    if (!check_name(name, numbers, error))
        return false;
    gint64 version = json_read_member_count(object, "version", 0);
    gint64 kind = json_read_member_count(object, "kind", -1);
    gint64 length = json_read_member_count(object, "length", 0);
    if (version < 1 || version > G_MAXINT32)
        return fault_set(error, FAULT_BROKEN, "number '%s': expected a version from 1", name);
    bool is_array = kind == MEASURE_ARRAY;
    if (kind < MEASURE_NUMBER || kind > MEASURE_HASH ||
        (is_array && (length < 1 || length > PLUG_IN_LENGTH_LIMIT)))
        return fault_set(error, FAULT_BROKEN, "number '%s': kind or length is out of range", name);
    *number = (MeasureNumber){.name = g_strdup(name),
                              .cost = "plug-in",
                              .version = (int)version,
                              .kind = (MeasureKind)kind,
                              .length = is_array ? (guint32)length : 0};
    return (number->unit = read_text(object, "unit", name, error)) != NULL &&
           (number->formula = read_text(object, "formula", name, error)) != NULL &&
           (number->source = read_text(object, "source", name, error)) != NULL &&
           (number->detects = read_text(object, "detects", name, error)) != NULL;
}

static JsonObject *object_at(JsonArray *array, guint index) {
    JsonNode *node = json_array_get_element(array, index);
    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static MeasureNumber *read_numbers(JsonArray *array, GError **error) {
    guint count = array != NULL ? json_array_get_length(array) : 0;
    if (count < 1 || count > PLUG_IN_NUMBERS_LIMIT) {
        fault_set(error, FAULT_BROKEN, "gives %u numbers, expected 1 to %d", count,
                  PLUG_IN_NUMBERS_LIMIT);
        return NULL;
    }
    MeasureNumber *numbers = g_new0(MeasureNumber, count + 1);
    guint places = 0;
    for (guint i = 0; i < count; i++) {
        JsonObject *object = object_at(array, i);
        bool right = object != NULL ? read_number(object, numbers, &numbers[i], error)
                                    : fault_set(error, FAULT_BROKEN, "number %u is none", i);
        places += right ? measure_number_places(&numbers[i]) : 0;
        if (right && places > PLUG_IN_PLACES_LIMIT)
            right = fault_set(error, FAULT_BROKEN, "its numbers take more than %d places",
                              PLUG_IN_PLACES_LIMIT);
        if (!right) {
            plug_in_numbers_free(numbers);
            return NULL;
        }
    }
    return numbers;
}

MeasureNumber *plug_in_description_read(GBytes *body, const char *name, GError **error) {
    gsize length;
    const void *data = g_bytes_get_data(body, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = json_read_object(parser, data, length, error);
    if (object == NULL)
        return NULL;
    const char *its_name = json_read_member_text(object, "name");
    if (g_strcmp0(its_name, name) != 0) {
        fault_set(error, FAULT_BROKEN, "calls itself '%.*s', expected '%s' as its file", NAME_LIMIT,
                  its_name == NULL ? "" : its_name, name);
        return NULL;
    }
    return read_numbers(json_read_member_array(object, "numbers"), error);
}

void plug_in_numbers_free(MeasureNumber *numbers) {
    if (numbers == NULL)
        return;
    for (MeasureNumber *number = numbers; number->name != NULL; number++) {
        g_free((char *)number->name);
        g_free((char *)number->unit);
        g_free((char *)number->formula);
        g_free((char *)number->source);
        g_free((char *)number->detects);
    }
    g_free(numbers);
}
