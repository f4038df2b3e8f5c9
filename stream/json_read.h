/* json_read: JSON from a stranger, looked over before json-glib is let at it. */
#ifndef STREAM_JSON_READ_H
#define STREAM_JSON_READ_H

#include <glib.h>
#include <json-glib/json-glib.h>

/* The object body holds, borrowed from parser. FAULT_BROKEN, saying what is wrong, if body is not
 * UTF-8 without NUL, not JSON, nested deeper than 32, or not an object; NULL then. */
JsonObject *json_read_object(JsonParser *parser, const void *body, gsize length, GError **error);

/* A member of object, borrowed; NULL if it is absent or of another type. */
JsonObject *json_read_member_object(JsonObject *object, const char *name);
JsonArray *json_read_member_array(JsonObject *object, const char *name);
const char *json_read_member_text(JsonObject *object, const char *name);
/* The number, or absent. */
gint64 json_read_member_count(JsonObject *object, const char *name, gint64 absent);

#endif
