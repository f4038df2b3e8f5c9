#include "store/commands/layout_csv.h"
#include "stream/program.h"
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

enum { FAULTS_TOLD = 5 };

enum { WELL, ROLE, TREATMENT, CONCENTRATION, UNIT, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = {
    [WELL] = "well", [ROLE] = "role", [TREATMENT] = "treatment", [CONCENTRATION] = "concentration",
    [UNIT] = "unit",
};

bool layout_plate(guint wells, guint *ret_rows, guint *ret_columns) {
    static const guint plates[][3] = {{6, 2, 3},   {12, 3, 4},    {24, 4, 6},    {48, 6, 8},
                                      {96, 8, 12}, {384, 16, 24}, {1536, 32, 48}};
    for (guint i = 0; i < G_N_ELEMENTS(plates); i++) {
        if (plates[i][0] != wells)
            continue;
        *ret_rows = plates[i][1];
        *ret_columns = plates[i][2];
        return true;
    }
    return false;
}

/* --- records --- */

typedef struct {
    const char *at; /* what is left of the text */
    char separator;
    guint line; /* that `at` stands in, from 1 */
} Reader;

static bool at_line_end(const Reader *reader) {
    return strchr("\r\n", *reader->at) != NULL; /* NUL too */
}

/* Over \n, \r\n or \r. */
static void pass_line_end(Reader *reader) {
    bool is_pair = reader->at[0] == '\r' && reader->at[1] == '\n';
    if (*reader->at == '\0')
        return;
    reader->at += is_pair ? 2 : 1;
    reader->line++;
}

/* From behind the first quote to behind the last. */
static bool read_quoted(Reader *reader, GString *field, GError **error) {
    guint begun = reader->line;
    for (;; reader->at++) {
        if (*reader->at == '\0')
            return fault_set(error, FAULT_USAGE, "line %u: a quote is not closed", begun);
        if (reader->at[0] == '"' && reader->at[1] != '"')
            break;
        if (*reader->at == '"')
            reader->at++; /* two stand for one */
        reader->line += *reader->at == '\n';
        g_string_append_c(field, *reader->at);
    }
    reader->at += 1 + strspn(reader->at + 1, " ");
    return at_line_end(reader) || *reader->at == reader->separator ||
           fault_set(error, FAULT_USAGE, "line %u: text behind a closing quote", reader->line);
}

/* The next field without the spaces around it; g_free it. NULL if it is none. */
static char *read_field(Reader *reader, GError **error) {
    g_autoptr(GString) field = g_string_new(NULL);
    reader->at += strspn(reader->at, " ");
    if (*reader->at == '"') {
        reader->at++;
        if (!read_quoted(reader, field, error))
            return NULL;
    }
    for (; !at_line_end(reader) && *reader->at != reader->separator; reader->at++)
        g_string_append_c(field, *reader->at);
    return g_strstrip(g_strdup(field->str));
}

/* The fields of the next line; ret_line is its number. NULL if it is none. */
static GPtrArray *read_record(Reader *reader, guint *ret_line, GError **error) {
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    *ret_line = reader->line;
    for (;;) {
        char *field = read_field(reader, error);
        if (field == NULL)
            return NULL;
        g_ptr_array_add(fields, field);
        if (*reader->at != reader->separator)
            break;
        reader->at++;
    }
    pass_line_end(reader);
    return g_steal_pointer(&fields);
}

static bool record_is_empty(const GPtrArray *fields) {
    for (guint i = 0; i < fields->len; i++)
        if (*(const char *)g_ptr_array_index(fields, i) != '\0')
            return false;
    return true;
}

/* --- the line of names --- */

/* By field of the file: which column of ours. */
static GArray *read_names(const GPtrArray *fields, GError **error) {
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(int));
    bool seen[COLUMN_COUNT] = {false};
    for (guint i = 0; i < fields->len; i++) {
        const char *name = program_one_line(g_ptr_array_index(fields, i));
        int column = 0;
        while (column < COLUMN_COUNT && g_ascii_strcasecmp(name, column_names[column]) != 0)
            column++;
        if (column == COLUMN_COUNT || seen[column]) {
            fault_set(error, FAULT_USAGE,
                      "line 1: '%s': expected the names well, role, treatment, concentration, "
                      "unit, each once at most",
                      name);
            return NULL;
        }
        seen[column] = true;
        g_array_append_val(order, column);
    }
    if (!seen[WELL]) {
        fault_set(error, FAULT_USAGE, "line 1: expected the names of the columns, 'well' for one");
        return NULL;
    }
    return g_steal_pointer(&order);
}

/* Commas, semicolons or tabs: what the first line has. */
static char find_separator(const char *text) {
    gsize end = strcspn(text, "\r\n");
    for (const char *separator = ";\t"; *separator != '\0'; separator++)
        if (memchr(text, *separator, end) != NULL)
            return *separator;
    return ',';
}

/* --- one well --- */

/* A1, a01 or AF48 as the frames have it, A01; g_free it. NULL if the plate has no such well. */
static char *well_name(const char *text, guint rows, guint columns) {
    g_autofree char *upper = g_ascii_strup(text, -1);
    gsize letters = strspn(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    guint64 column;
    if (letters < 1 || letters > 2 ||
        !g_ascii_string_to_unsigned(upper + letters, 10, 1, columns, &column, NULL))
        return NULL;
    guint row = 0;
    for (gsize i = 0; i < letters; i++)
        row = row * 26 + (guint)(upper[i] - 'A' + 1);
    return row > rows ? NULL : g_strdup_printf("%.*s%02u", (int)letters, upper, (guint)column);
}

static bool is_role(const char *text) {
    static const char *const roles[] = {"sample",    "positive", "negative",
                                        "reference", "blank",    "empty"};
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
        if (g_ascii_strcasecmp(text, roles[i]) == 0)
            return true;
    return false;
}

/* Decimal, finite, not below 0. */
static bool is_concentration(const char *text) {
    char *end;
    double number = g_ascii_strtod(text, &end);
    return *text != '-' && strspn(text, "0123456789.eE+-") == strlen(text) && end != text &&
           *end == '\0' && isfinite(number);
}

typedef struct {
    guint rows, columns;
    char separator;
    GHashTable *lines; /* of the wells so far */
    JsonArray *wells;
} Reading;

/* What is wrong with a field, g_free it; NULL: nothing. */
static char *field_fault(int column, const char *text) {
    if (column == ROLE && !is_role(text))
        return g_strdup_printf("role '%s': expected sample, positive, negative, reference, blank "
                               "or empty",
                               text);
    if (column == CONCENTRATION && !is_concentration(text))
        return g_strdup_printf("concentration '%s': expected a number, 0 or more", text);
    return NULL;
}

/* The field of the well's name is last to be looked at, so that `member` knows all. */
static char *take_well(Reading *reading, JsonObject *member, const char *text, guint line) {
    g_autofree char *well = well_name(text, reading->rows, reading->columns);
    if (well == NULL)
        return g_strdup_printf("well '%s': expected one of a plate of %u rows and %u columns, as "
                               "A1 or A01",
                               text, reading->rows, reading->columns);
    gpointer before = g_hash_table_lookup(reading->lines, well);
    if (before != NULL)
        return g_strdup_printf("well %s: stands in line %u already", well,
                               GPOINTER_TO_UINT(before));
    json_object_set_string_member(member, column_names[WELL], well);
    g_hash_table_insert(reading->lines, g_steal_pointer(&well), GUINT_TO_POINTER(line));
    return NULL;
}

static char *take_field(Reading *reading, JsonObject *member, int column, char *text, guint line) {
    if (column == WELL)
        return take_well(reading, member, text, line);
    if (*text == '\0')
        return NULL;
    if (column == CONCENTRATION && reading->separator != ',')
        g_strdelimit(text, ",", '.');
    char *fault = field_fault(column, text);
    if (fault == NULL)
        json_object_set_string_member(member, column_names[column], text);
    return fault;
}

/* What is wrong with the line, g_free it; NULL: nothing, and the well is taken in. */
static char *take_record(Reading *reading, const GArray *order, const GPtrArray *fields,
                         guint line) {
    if (fields->len > order->len)
        return g_strdup_printf("%u fields: expected %u, as in line 1", fields->len, order->len);
    JsonObject *member = json_object_new();
    char *fault = NULL;
    for (guint i = 0; i < fields->len && fault == NULL; i++)
        fault = take_field(reading, member, g_array_index(order, int, i),
                           g_ptr_array_index(fields, i), line);
    if (fault == NULL && !json_object_has_member(member, column_names[WELL]))
        fault = g_strdup("the well is missing");
    json_array_add_object_element(reading->wells, member);
    return fault;
}

/* --- the whole --- */

typedef struct {
    GString *words;
    guint count;
} Faults;

/* Takes over fault. */
static void faults_add(Faults *faults, guint line, char *fault) {
    if (fault != NULL && faults->count++ < FAULTS_TOLD)
        g_string_append_printf(faults->words, "%sline %u: %s", faults->words->len > 0 ? "; " : "",
                               line, program_one_line(fault));
    g_free(fault);
}

static bool faults_tell(const Faults *faults, GError **error) {
    if (faults->count == 0)
        return true;
    if (faults->count > FAULTS_TOLD)
        g_string_append_printf(faults->words, "; and %u more lines", faults->count - FAULTS_TOLD);
    return fault_set(error, FAULT_USAGE, "%s", faults->words->str);
}

static bool read_wells(Reading *reading, Reader *reader, GError **error) {
    guint line;
    g_autoptr(GPtrArray) names = read_record(reader, &line, error);
    g_autoptr(GArray) order = names != NULL ? read_names(names, error) : NULL;
    if (order == NULL)
        return false;
    g_autoptr(GString) words = g_string_new(NULL);
    Faults faults = {words, 0};
    while (*reader->at != '\0') {
        g_autoptr(GPtrArray) fields = read_record(reader, &line, error);
        if (fields == NULL)
            return false;
        if (!record_is_empty(fields))
            faults_add(&faults, line, take_record(reading, order, fields, line));
    }
    if (!faults_tell(&faults, error))
        return false;
    return json_array_get_length(reading->wells) > 0 ||
           fault_set(error, FAULT_USAGE, "expected a line for each well behind the first");
}

char *layout_csv_read(const char *text, gsize length, guint rows, guint columns, GError **error) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (!g_utf8_validate_len(text, length, NULL)) {
        fault_set(error, FAULT_USAGE,
                  "expected UTF-8 text: let the spreadsheet save it as CSV UTF-8");
        return NULL;
    }
    g_autofree char *copy = g_strndup(text, length);
    const char *begin =
        copy + (g_str_has_prefix(copy, byte_order_mark) ? strlen(byte_order_mark) : 0);
    Reader reader = {begin, find_separator(begin), 1};
    Reading reading = {.rows = rows,
                       .columns = columns,
                       .separator = reader.separator,
                       .lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                       .wells = json_array_new()};
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(root, reading.wells);
    bool right = read_wells(&reading, &reader, error);
    g_hash_table_unref(reading.lines);
    return right ? json_to_string(root, FALSE) : NULL;
}
