/* What is not answered: other methods than reading ones, bodies, paths that are none, and whoever
 * was led here by a name of his own. */
#include "stream/address.h"
#include "stream/http_private.h"
#include <string.h>

/* The port may differ: a tunnel has its own. */
static enum MHD_Result host_look(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    bool *is_known = data;
    if (g_ascii_strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0 &&
        (value == NULL || !address_is_loopback(value)))
        *is_known = false;
    return MHD_YES;
}

/* A browser on a page of evil.example, a name that leads to 127.0.0.1, says that name here. */
static bool host_is_known(const Http *http, struct MHD_Connection *connection) {
    bool is_known = true;
    if (http->on_loopback)
        MHD_get_connection_values(connection, MHD_HEADER_KIND, host_look, &is_known);
    return is_known;
}

static bool has_body(struct MHD_Connection *connection) {
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length != NULL && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/* The words of a refusal; NULL: it may be asked. */
static const char *refusal(const HttpRequest *request, const char *method, unsigned *ret_status) {
    const struct {
        bool refused;
        unsigned status;
        const char *words;
    } rows[] = {
        {!g_str_equal(method, MHD_HTTP_METHOD_GET) && !g_str_equal(method, MHD_HTTP_METHOD_HEAD),
         MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served\n"},
        {has_body(request->connection), MHD_HTTP_CONTENT_TOO_LARGE, "a request has no body here\n"},
        {request->path == NULL, MHD_HTTP_BAD_REQUEST,
         "expected a path, percent-encoded as UTF-8\n"},
        {!host_is_known(request->http, request->connection), MHD_HTTP_FORBIDDEN,
         "call me localhost: I listen on this machine only\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].refused) {
            *ret_status = rows[i].status;
            return rows[i].words;
        }
    return NULL;
}

bool http_refuse(const HttpRequest *request, const char *method, enum MHD_Result *ret_queued) {
    unsigned status;
    const char *words = refusal(request, method, &status);
    if (words == NULL)
        return false;
    struct MHD_Response *response = http_response_dress(
        http_response_of(g_bytes_new_static(words, strlen(words))), "text/plain", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    *ret_queued = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    return true;
}
