#include "store/document.h"
#include "stream/json_read.h"
#include <string.h>

/* --- arrays --- */

#define NUMBERS "0123456789+-.eE, nul" /* what numbers, nulls and commas are made of */

/* The closing quote of the JSON text that begins at `at`, or the end if there is none. */
static const char *text_end(const char *at) {
    for (at++; *at != '\0' && *at != '"'; at++)
        if (*at == '\\' && at[1] != '\0')
            at++;
    return at;
}

/* The closing bracket of the array of numbers that begins at `at`; NULL if it is none. */
static const char *numbers_end(const char *at) {
    at += 1 + strspn(at + 1, NUMBERS);
    return *at == ']' ? at : NULL;
}

static char *arrays_as_sql(const char *text, gsize length) {
    GString *sql = g_string_sized_new(length + 64);
    const char *copied = text;
    for (const char *at = text; *at != '\0'; at++) {
        const char *end = *at == '[' ? numbers_end(at) : NULL;
        if (end != NULL) {
            g_string_append_len(sql, copied, at - copied);
            g_string_append(sql, "\"{");
            g_string_append_len(sql, at + 1, end - at - 1);
            g_string_append(sql, "}\"");
            at = end;
            copied = end + 1;
        } else if (*at == '"') {
            at = text_end(at);
            if (*at == '\0')
                break;
        }
    }
    g_string_append(sql, copied);
    return g_string_free(sql, FALSE);
}

/* --- results --- */

/* acquired_at is part of the row's key: another spelling of the time is fine, another time would
 * be a second row for the same frame. */
static bool time_check(JsonObject *told, const Frame *frame, GError **error) {
    const char *text = json_read_member_text(told, "acquired_at");
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    gint64 us = time == NULL ? 0
                             : g_date_time_to_unix(time) * G_USEC_PER_SEC +
                                   g_date_time_get_microsecond(time);
    g_autofree char *expected = frame_time_text(frame->acquired_us);
    if (time == NULL || us != frame->acquired_us)
        return fault_set(error, FAULT_BROKEN, "frame member 'acquired_at' is '%.40s', expected %s",
                         text != NULL ? text : "", expected);
    return true;
}

static bool frame_look(Document *document, JsonObject *told, GError **error) {
    if (told == NULL)
        return fault_set(error, FAULT_BROKEN, "a result without a frame");
    g_autoptr(Frame) frame = frame_from_json(told, error);
    if (frame == NULL || !time_check(told, frame, error))
        return false;
    char id[FRAME_ID_TEXT_LENGTH + 1];
    document->frame_id = g_strdup(frame_id_text(&frame->id, id));
    document->source = g_strdup(frame->source);
    document->closed_us = frame->closed_us;
    return true;
}

static bool pipeline_look(Document *document, JsonObject *pipeline, GError **error) {
    const char *name = pipeline != NULL ? json_read_member_text(pipeline, "name") : NULL;
    if (name == NULL || !frame_name_is_plain(name))
        return fault_set(error, FAULT_BROKEN, "a result without a pipeline's name");
    document->pipeline = g_strdup(name);
    const char *definition = json_read_member_text(pipeline, "definition");
    if (definition == NULL && json_read_member_count(pipeline, "version", -1) < 0)
        return fault_set(
            error, FAULT_BROKEN,
            "pipeline '%s' without a definition: expected a text of 1 to 64 characters", name);
    return true;
}

static bool is_number_or_null(JsonNode *node) {
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    return JSON_NODE_HOLDS_NULL(node) || type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

/* As arrays_as_sql writes it, or as it leaves it: with line breaks within. */
static bool is_array_of_numbers(JsonNode *node) {
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        return *text == '{' && g_str_equal(text + 1 + strspn(text + 1, NUMBERS), "}");
    }
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++)
        if (!is_number_or_null(json_array_get_element(array, i)))
            return false;
    return array != NULL;
}

/* SQL would take "NaN" for a number; a plot would not. */
static bool values_look(JsonObject *values, GError **error) {
    JsonObjectIter members;
    const char *name;
    JsonNode *node;
    json_object_iter_init(&members, values);
    while (json_object_iter_next(&members, &name, &node))
        if (!is_number_or_null(node) && !is_array_of_numbers(node))
            return fault_set(error, FAULT_BROKEN,
                             "value '%.64s' is not a number, nor an array of numbers", name);
    return true;
}

static bool result_look(Document *document, JsonObject *object, GError **error) {
    JsonNode *values = json_object_get_member(object, "values");
    if (!frame_look(document, json_read_member_object(object, "frame"), error) ||
        !pipeline_look(document, json_read_member_object(object, "pipeline"), error))
        return false;
    document->status = g_strdup(json_read_member_text(object, "status"));
    document->is_vanished = g_strcmp0(document->status, "vanished") == 0;
    if (values == NULL || JSON_NODE_HOLDS_NULL(values))
        return true;
    if (!JSON_NODE_HOLDS_OBJECT(values))
        return fault_set(error, FAULT_BROKEN, "member 'values' is not an object");
    return values_look(json_node_get_object(values), error);
}

/* --- the document --- */

static bool nothing_to_look_at(Document *document, JsonObject *object, GError **error) {
    return true; /* SQL looks closely enough */
}

static const struct {
    const char *name;
    DocumentKind kind;
    bool (*look)(Document *document, JsonObject *object, GError **error);
} kinds[] = {
    {"result", DOCUMENT_RESULT, result_look},
    {"event", DOCUMENT_EVENT, nothing_to_look_at},
    {"catalogue", DOCUMENT_CATALOGUE, nothing_to_look_at},
};

static bool document_look(Document *document, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonObject *object = json_read_object(parser, document->sql, strlen(document->sql), error);
    if (object == NULL)
        return false;
    const char *name = json_read_member_text(object, "kind");
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_strcmp0(kinds[i].name, name) == 0) {
            document->kind = kinds[i].kind;
            return kinds[i].look(document, object, error);
        }
    return fault_set(error, FAULT_BROKEN, "of kind '%.40s', expected result, event or catalogue",
                     name != NULL ? name : "");
}

Document *document_new(const char *subject, const char *reply, const void *body, gsize length) {
    Document *document = g_new0(Document, 1);
    g_autoptr(GError) refusal = NULL;
    document->subject = g_strdup(subject);
    document->reply = g_strdup(reply);
    bool valid = g_utf8_validate_len(body, length, NULL);
    document->text = valid ? g_strndup(body, length) : g_utf8_make_valid(body, (gssize)length);
    document->length = strlen(document->text);
    document->sql = arrays_as_sql(document->text, document->length);
    if (!valid)
        fault_set(&refusal, FAULT_BROKEN, "not UTF-8");
    else
        document_look(document, &refusal);
    document->refusal = refusal != NULL ? g_strdup(refusal->message) : NULL;
    return document;
}

void document_free(Document *document) {
    if (document == NULL)
        return;
    g_free(document->subject);
    g_free(document->reply);
    g_free(document->text);
    g_free(document->sql);
    g_free(document->refusal);
    g_free(document->frame_id);
    g_free(document->source);
    g_free(document->pipeline);
    g_free(document->status);
    g_free(document);
}

/* --- the stand-in --- */

static void add_text(JsonObject *object, const char *name, const char *text) {
    if (text != NULL)
        json_object_set_string_member(object, name, text);
}

Document *document_stand_in(const Document *rejected, const char *reason) {
    if (rejected->frame_id == NULL || rejected->pipeline == NULL)
        return NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *told = json_read_object(parser, rejected->sql, strlen(rejected->sql), NULL);
    if (told == NULL)
        return NULL;

    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    add_text(object, "kind", "result");
    json_object_set_member(object, "frame", json_node_copy(json_object_get_member(told, "frame")));
    json_object_set_member(object, "pipeline",
                           json_node_copy(json_object_get_member(told, "pipeline")));
    add_text(object, "status", "broken");
    add_text(object, "reason", reason);
    add_text(object, "worker", json_read_member_text(told, "worker"));
    add_text(object, "delivery", json_read_member_text(told, "delivery"));
    g_autofree char *text = json_to_string(root, FALSE);
    return document_new(rejected->subject, rejected->reply, text, strlen(text));
}
