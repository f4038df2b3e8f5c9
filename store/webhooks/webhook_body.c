#include "store/webhooks/webhook_body.h"
#include "stream/fault.h"
#include "stream/json_read.h"
#include <string.h>

enum { BODY_BYTES_MOST = 256 << 10 };

/* "warning alert opened: dark: 12 frames of plate P1, ..." */
static char *alert_text(JsonObject *alert) {
    const char *severity = json_read_member_text(alert, "severity");
    const char *change = json_read_member_text(alert, "change");
    const char *title = json_read_member_text(alert, "title");
    return g_strdup_printf("%s alert %s: %s", severity != NULL ? severity : "an",
                           change != NULL ? change : "", title != NULL ? title : "");
}

/* "image_again, scope, plate P1, well C06, site 2: out_of_focus: ..." */
static char *decision_text(JsonObject *decision) {
    static const char *const places[][2] = {{"source", ""}, {"plate", "plate "}, {"well", "well "}};
    const char *action = json_read_member_text(decision, "action");
    const char *reason = json_read_member_text(decision, "reason");
    gint64 site = json_read_member_count(decision, "site", -1);
    GString *text = g_string_new(action);
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        const char *place = json_read_member_text(decision, places[i][0]);
        if (place != NULL)
            g_string_append_printf(text, ", %s%s", places[i][1], place);
    }
    if (site >= 0)
        g_string_append_printf(text, ", site %" G_GINT64_FORMAT, site);
    if (reason != NULL)
        g_string_append_printf(text, ": %s", reason);
    return g_string_free(text, FALSE);
}

char *webhook_body(const char *message, GError **error) {
    gsize length = strlen(message);
    if (length > BODY_BYTES_MOST) {
        fault_set(error, FAULT_BROKEN, "a message of %" G_GSIZE_FORMAT " bytes is not sent",
                  length);
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = json_read_object(parser, message, length, error);
    if (object == NULL)
        return NULL;
    bool is_alert = g_strcmp0(json_read_member_text(object, "kind"), "alert") == 0;
    g_autofree char *text = is_alert ? alert_text(object) : decision_text(object);
    json_object_set_string_member(object, "text", text);
    return json_to_string(json_parser_get_root(parser), FALSE);
}
