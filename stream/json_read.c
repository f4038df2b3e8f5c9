#include "stream/json_read.h"
#include "stream/fault.h"
#include <string.h>

static bool is_json_outside_strings(char letter) {
    return letter != '\0' && strchr(" \t\r\n{}[]:,+-.0123456789eEtrufalsn", letter) != NULL;
}

/* json-glib reads nested arrays by recursion: a megabyte of '[' would end the process. It also
 * takes comments and 'strings', in which brackets would be counted wrongly: outside of "strings"
 * nothing passes that JSON does not know. */
static bool nesting_check(const char *text, gsize length, GError **error) {
    enum { DEEPEST = 32 };
    int depth = 0;
    bool quoted = false;
    for (gsize at = 0; at < length; at++) {
        if (quoted && text[at] == '\\')
            at++;
        else if (text[at] == '"')
            quoted = !quoted;
        else if (!quoted && !is_json_outside_strings(text[at]))
            return fault_set(error, FAULT_BROKEN, "not JSON: byte %zu is no part of it", at);
        else if (!quoted && (text[at] == '[' || text[at] == '{') && ++depth > DEEPEST)
            return fault_set(error, FAULT_BROKEN, "nested deeper than %d", DEEPEST);
        else if (!quoted && (text[at] == ']' || text[at] == '}'))
            depth--;
    }
    return true;
}

static bool text_check(const char *text, gsize length, GError **error) {
    if (!g_utf8_validate_len(text, length, NULL))
        return fault_set(error, FAULT_BROKEN, "not UTF-8");
    return nesting_check(text, length, error);
}

JsonObject *json_read_object(JsonParser *parser, const void *body, gsize length, GError **error) {
    g_autoptr(GError) reason = NULL;
    const char *text = length > 0 ? body : ""; /* json-glib takes no NULL */
    if (!text_check(text, length, error))
        return NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)length, &reason)) {
        fault_set(error, FAULT_BROKEN, "not JSON: %s", reason->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        fault_set(error, FAULT_BROKEN, "not a JSON object");
        return NULL;
    }
    return json_node_get_object(root);
}

JsonObject *json_read_member_object(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *json_read_member_array(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static JsonNode *member_of_type(JsonObject *object, const char *name, GType type) {
    JsonNode *node = json_object_get_member(object, name);
    bool fits =
        node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
    return fits ? node : NULL;
}

const char *json_read_member_text(JsonObject *object, const char *name) {
    JsonNode *node = member_of_type(object, name, G_TYPE_STRING);
    return node != NULL ? json_node_get_string(node) : NULL;
}

gint64 json_read_member_count(JsonObject *object, const char *name, gint64 absent) {
    JsonNode *node = member_of_type(object, name, G_TYPE_INT64);
    return node != NULL ? json_node_get_int(node) : absent;
}
