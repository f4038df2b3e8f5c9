#include "store/webhooks/webhook_receiver.h"
#include "stream/program.h"
#include <string.h>

enum {
    ANSWER_BYTES_MOST = 64 << 10, /* nobody reads it */
    FILE_BYTES_MOST = 16 << 10,
    PAUSE_FIRST_MS = 1000, /* after a failure; doubled up to */
    PAUSE_LAST_MS = 60000,
};

struct Receiver {
    char *name, *url; /* the address may be a secret */
    struct curl_slist *headers;
    gint64 timeout_ms;
    CURL *transfer;
    char words[CURL_ERROR_SIZE]; /* of the transfer's failure */
    gint64 post;                 /* in hand; 0: none */
    char *body;
    gsize answered_bytes;
    char *trouble; /* as it was logged; NULL: none */
    gint64 pause_ms, not_before_us;
};

/* --- secrets --- */

static char *read_secret(const WebhookSettings *settings, const char *key, const char *file,
                         GError **error) {
    g_autofree char *text = NULL;
    g_autoptr(GError) wrong = NULL;
    gsize length;
    if (!g_file_get_contents(file, &text, &length, &wrong))
        fault_set(error, FAULT_USAGE, "[webhook %s] %s: %s", settings->name, key, wrong->message);
    else if (length > FILE_BYTES_MOST || strlen(text) != length)
        fault_set(error, FAULT_USAGE, "[webhook %s] %s: %s is larger than 16 KiB, or no text",
                  settings->name, key, file);
    else
        return g_strstrip(g_steal_pointer(&text));
    return NULL;
}

static char *read_url(const WebhookSettings *settings, GError **error) {
    if (*settings->url_file == '\0')
        return g_strdup(settings->url);
    g_autofree char *url = read_secret(settings, "url-file", settings->url_file, error);
    if (url == NULL)
        return NULL;
    if (settings_url_is_http(url) && strpbrk(url, " \t\r\n") == NULL)
        return g_steal_pointer(&url);
    fault_set(error, FAULT_USAGE,
              "[webhook %s] url-file: expected http://... or https://... in %s and nothing else",
              settings->name, settings->url_file);
    return NULL;
}

static bool is_header(const char *line) {
    const char *colon = strchr(line, ':');
    if (colon == NULL || colon == line)
        return false;
    for (const char *at = line; at < colon; at++)
        if (!g_ascii_isalnum(*at) && *at != '-' && *at != '_')
            return false;
    for (const char *at = colon + 1; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            return false;
    return true;
}

/* Appends the lines of the file to list. */
static bool read_headers(const WebhookSettings *settings, struct curl_slist **list,
                         GError **error) {
    if (*settings->header_file == '\0')
        return true;
    g_autofree char *text = read_secret(settings, "header-file", settings->header_file, error);
    if (text == NULL)
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (*g_strstrip(lines[i]) == '\0')
            continue;
        if (!is_header(lines[i]))
            return fault_set(error, FAULT_USAGE,
                             "[webhook %s] header-file: line %u of %s: expected NAME: VALUE",
                             settings->name, i + 1, settings->header_file);
        *list = curl_slist_append(*list, lines[i]);
    }
    return true;
}

/* --- making --- */

static size_t ignore_answer(char *bytes, size_t size, size_t count, void *context) {
    Receiver *receiver = context;
    receiver->answered_bytes += size * count;
    return receiver->answered_bytes > ANSWER_BYTES_MOST ? 0 : size * count; /* 0: no more of it */
}

/* What is the same for every post. */
static void transfer_prepare(Receiver *receiver) {
    CURL *transfer = receiver->transfer;
    receiver->headers = curl_slist_append(receiver->headers, "Content-Type: application/json");
    receiver->headers = curl_slist_append(receiver->headers, "Expect:"); /* all at once */
    curl_easy_setopt(transfer, CURLOPT_URL, receiver->url);
    curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, receiver->headers);
    curl_easy_setopt(transfer, CURLOPT_USERAGENT, "scopestream/" SCOPESTREAM_VERSION);
    curl_easy_setopt(transfer, CURLOPT_TIMEOUT_MS, (long)receiver->timeout_ms);
    curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, ignore_answer);
    curl_easy_setopt(transfer, CURLOPT_WRITEDATA, receiver);
    curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, receiver->words);
    curl_easy_setopt(transfer, CURLOPT_PRIVATE, receiver);
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L); /* there are other threads */
    curl_easy_setopt(transfer, CURLOPT_QUICK_EXIT,
                     1L); /* a name server that hangs is not waited for */
}

Receiver *receiver_new(const WebhookSettings *settings, GError **error) {
    Receiver *receiver = g_new0(Receiver, 1);
    receiver->name = g_strdup(settings->name);
    receiver->timeout_ms = settings->timeout_ms;
    receiver->transfer = curl_easy_init();
    receiver->url = read_url(settings, error);
    if (receiver->url != NULL && read_headers(settings, &receiver->headers, error)) {
        transfer_prepare(receiver);
        return receiver;
    }
    receiver_free(receiver);
    return NULL;
}

void receiver_free(Receiver *receiver) {
    if (receiver == NULL)
        return;
    curl_easy_cleanup(receiver->transfer);
    curl_slist_free_all(receiver->headers);
    g_free(receiver->name);
    g_free(receiver->url);
    g_free(receiver->body);
    g_free(receiver->trouble);
    g_free(receiver);
}

const char *receiver_name(const Receiver *receiver) {
    return receiver->name;
}

gint64 receiver_post(const Receiver *receiver) {
    return receiver->post;
}

bool receiver_is_ready(const Receiver *receiver) {
    return receiver->post == 0 && g_get_monotonic_time() >= receiver->not_before_us;
}

/* --- posting --- */

void receiver_begin(Receiver *receiver, CURLM *multi, gint64 post, char *body) {
    receiver->post = post;
    receiver->body = body;
    receiver->answered_bytes = 0;
    receiver->words[0] = '\0';
    curl_easy_setopt(receiver->transfer, CURLOPT_POSTFIELDS, receiver->body);
    curl_easy_setopt(receiver->transfer, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_multi_add_handle(multi, receiver->transfer);
}

void receiver_stop(Receiver *receiver, CURLM *multi) {
    if (receiver->post == 0)
        return;
    curl_multi_remove_handle(multi, receiver->transfer);
    g_clear_pointer(&receiver->body, g_free);
    receiver->post = 0;
}

Receiver *receiver_of(CURL *transfer) {
    char *receiver = NULL;
    curl_easy_getinfo(transfer, CURLINFO_PRIVATE, &receiver);
    return (Receiver *)(void *)receiver;
}

static bool answer_check(const Receiver *receiver, CURLcode result, GError **error) {
    long status = 0;
    curl_easy_getinfo(receiver->transfer, CURLINFO_RESPONSE_CODE, &status);
    bool too_long = result == CURLE_WRITE_ERROR && receiver->answered_bytes > ANSWER_BYTES_MOST;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return fault_set(error, FAULT_AGAIN, "no answer within %.1f s",
                         (double)receiver->timeout_ms / 1000);
    if (result != CURLE_OK && !too_long)
        return fault_set(error, FAULT_AGAIN, "%s",
                         *receiver->words != '\0' ? receiver->words : curl_easy_strerror(result));
    if (status >= 300 && status < 400)
        return fault_set(error, FAULT_AGAIN,
                         "answered %ld: redirects are not followed, set the address it leads to",
                         status);
    return (status >= 200 && status < 300) || fault_set(error, FAULT_AGAIN, "answered %ld", status);
}

static void trouble_log(Receiver *receiver, const GError *error) {
    if (error != NULL && g_strcmp0(receiver->trouble, error->message) != 0)
        log_warning("webhook %s: %s; trying again", receiver->name, error->message);
    if (error == NULL && receiver->trouble != NULL)
        log_info("webhook %s: told again", receiver->name);
    g_free(receiver->trouble);
    receiver->trouble = error != NULL ? g_strdup(error->message) : NULL;
}

/* Whoever has just failed is left alone for a while, with all that waits for it. */
static void pause_set(Receiver *receiver, bool failed) {
    if (!failed)
        receiver->pause_ms = 0;
    else
        receiver->pause_ms = CLAMP(receiver->pause_ms * 2, PAUSE_FIRST_MS, PAUSE_LAST_MS);
    receiver->not_before_us = g_get_monotonic_time() + receiver->pause_ms * 1000;
}

bool receiver_end(Receiver *receiver, CURLM *multi, CURLcode result, GError **error) {
    g_autoptr(GError) failed = NULL;
    bool well = answer_check(receiver, result, &failed);
    receiver_stop(receiver, multi);
    pause_set(receiver, !well);
    trouble_log(receiver, failed);
    if (!well)
        g_propagate_error(error, g_steal_pointer(&failed));
    return well;
}
