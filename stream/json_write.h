/* json_write: the members documents are made of, added to the object a JsonBuilder stands in. */
#ifndef STREAM_JSON_WRITE_H
#define STREAM_JSON_WRITE_H

#include <glib.h>
#include <json-glib/json-glib.h>

/* NULL leaves the member out. Words may quote a decoder, a file name or a header: bytes that are
 * not UTF-8 are replaced. */
void json_write_text(JsonBuilder *builder, const char *name, const char *text);
void json_write_count(JsonBuilder *builder, const char *name, gint64 count);
/* null where it is not finite: JSON has no such number. NULL for name: an element of the array
 * builder stands in. */
void json_write_number(JsonBuilder *builder, const char *name, double number);
/* us: since 1970; as frame_time_text has it. */
void json_write_time(JsonBuilder *builder, const char *name, gint64 us);

/* Begins a member that is an object or an array; json_builder_end_object or _end_array ends it. */
void json_write_object(JsonBuilder *builder, const char *name);
void json_write_array(JsonBuilder *builder, const char *name);

/* What was built, on one line, ending with NUL; ret_length without it, may be NULL. The caller
 * g_frees. */
char *json_write_finish(JsonBuilder *builder, gsize *ret_length);

#endif
