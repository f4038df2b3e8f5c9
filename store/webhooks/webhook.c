#include "store/webhooks/webhook.h"
#include "store/postgres.h"
#include "store/webhooks/webhook_body.h"
#include "store/webhooks/webhook_receiver.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <json-glib/json-glib.h>

enum {
    CONNECT_TIMEOUT_MS = 2000,
    AWAY_MS = 2000, /* after PostgreSQL failed */
    LOOK_MS = 500,  /* between looks for posts that are due */
};

struct Webhooks {
    Postgres *postgres; /* of the thread */
    CURLM *multi;
    GPtrArray *receivers; /* of Receiver */
    char *registered;     /* JSON: what SQL has to know of them */
    bool is_registered;   /* on this connection */
    gint64 not_before_us; /* monotonic: when PostgreSQL is tried again */
    GThread *thread;
    gint stopping; /* atomic */
};

/* --- PostgreSQL --- */

static bool database_connect(Webhooks *webhooks, GError **error) {
    if (postgres_is_connected(webhooks->postgres))
        return true;
    webhooks->is_registered = false;
    if (g_get_monotonic_time() < webhooks->not_before_us)
        return fault_set(error, FAULT_AGAIN, "PostgreSQL is away");
    webhooks->not_before_us = g_get_monotonic_time() + AWAY_MS * 1000;
    return postgres_connect(webhooks->postgres, CONNECT_TIMEOUT_MS, error);
}

static bool database_ready(Webhooks *webhooks, GError **error) {
    if (!database_connect(webhooks, error))
        return false;
    if (webhooks->is_registered)
        return true;
    const char *parameters[] = {webhooks->registered};
    g_autoptr(PostgresRows) done =
        postgres_ask(webhooks->postgres, "select scopestream_data.register_webhooks($1::jsonb)",
                     parameters, G_N_ELEMENTS(parameters), error);
    webhooks->is_registered = done != NULL;
    return webhooks->is_registered;
}

/* why: NULL if it was delivered. */
static bool post_tell(Webhooks *webhooks, gint64 post, const char *why, GError **error) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, post);
    const char *parameters[] = {id, why};
    g_autoptr(PostgresRows) told =
        why == NULL
            ? postgres_ask(webhooks->postgres, "select scopestream_data.post_done($1::bigint)",
                           parameters, 1, error)
            : postgres_ask(webhooks->postgres,
                           "select scopestream_data.post_failed($1::bigint, $2)", parameters, 2,
                           error);
    return told != NULL;
}

/* --- posting --- */

/* Takes what is due for a receiver, one at a time: what waits for one that hangs is in nobody's
 * way.
 */
static bool post_next(Webhooks *webhooks, Receiver *receiver, GError **error) {
    const char *parameters[] = {receiver_name(receiver)};
    g_autoptr(PostgresRows) taken =
        postgres_ask(webhooks->postgres,
                     "select post_id, body from scopestream_data.take_posts(1, only_webhook => $1)",
                     parameters, G_N_ELEMENTS(parameters), error);
    if (taken == NULL || PQntuples(taken) == 0)
        return taken != NULL;
    g_autoptr(GError) wrong = NULL;
    gint64 post = postgres_count(taken, 0, 0);
    char *body = webhook_body(postgres_text(taken, 0, 1), &wrong);
    if (body == NULL)
        return post_tell(webhooks, post, wrong->message, error);
    receiver_begin(receiver, webhooks->multi, post, body);
    return true;
}

static bool post_whatever_is_due(Webhooks *webhooks, GError **error) {
    for (guint i = 0; i < webhooks->receivers->len; i++) {
        Receiver *receiver = g_ptr_array_index(webhooks->receivers, i);
        if (receiver_is_ready(receiver) && !post_next(webhooks, receiver, error))
            return false;
    }
    return true;
}

static bool settle(Webhooks *webhooks, Receiver *receiver, CURLcode result, GError **error) {
    g_autoptr(GError) failed = NULL;
    gint64 post = receiver_post(receiver);
    receiver_end(receiver, webhooks->multi, result, &failed);
    metrics_add(failed == NULL ? scopestream_store_webhook_posts_total
                               : scopestream_store_webhook_failures_total,
                receiver_name(receiver), 1);
    return post_tell(webhooks, post, failed != NULL ? failed->message : NULL, error);
}

/* Settles what is over. What cannot be written down now is due again in a minute. */
static bool settle_all(Webhooks *webhooks, bool *ret_any, GError **error) {
    int running, left;
    bool written = true;
    *ret_any = false;
    curl_multi_perform(webhooks->multi, &running);
    for (CURLMsg *over; (over = curl_multi_info_read(webhooks->multi, &left)) != NULL;) {
        CURLcode result = over->data.result; /* over does not outlive the transfer */
        Receiver *receiver = receiver_of(over->easy_handle);
        *ret_any = true;
        written = settle(webhooks, receiver, result, written ? error : NULL) && written;
    }
    return written;
}

/* --- the thread --- */

static bool work(Webhooks *webhooks, bool *ret_any, GError **error) {
    bool well = database_ready(webhooks, error) && post_whatever_is_due(webhooks, error);
    return settle_all(webhooks, ret_any, well ? error : NULL) && well;
}

/* That PostgreSQL is away, the store's loop says. */
static void work_failed(GError *error) {
    if (!fault_is(error, FAULT_AGAIN))
        log_warning("webhooks: %s", error->message);
    g_error_free(error);
}

static gpointer webhooks_run(gpointer data) {
    Webhooks *webhooks = data;
    while (!g_atomic_int_get(&webhooks->stopping)) {
        GError *error = NULL;
        bool any = false;
        bool well = work(webhooks, &any, &error);
        if (!well)
            work_failed(error);
        int wait_ms = !well ? AWAY_MS : any ? 0 : LOOK_MS;
        curl_multi_poll(webhooks->multi, NULL, 0, wait_ms, NULL);
    }
    bool any; /* what has just arrived need not be sent again */
    settle_all(webhooks, &any, NULL);
    return NULL;
}

/* --- making and ending --- */

/* [{"name": ..., "kinds": [...], "least_severity": ...}, ...]; g_free it. */
static char *registered_text(const Settings *settings) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
    JsonArray *array = json_array_new();
    json_node_take_array(root, array);
    for (WebhookSettings **webhook = settings->webhooks; *webhook != NULL; webhook++) {
        JsonObject *object = json_object_new();
        JsonArray *kinds = json_array_new();
        g_auto(GStrv) names = settings_webhook_kinds(*webhook);
        for (char **name = names; *name != NULL; name++)
            json_array_add_string_element(kinds, *name);
        json_object_set_string_member(object, "name", (*webhook)->name);
        json_object_set_array_member(object, "kinds", kinds);
        json_object_set_string_member(object, "least_severity", (*webhook)->least_severity);
        json_array_add_object_element(array, object);
    }
    return json_to_string(root, FALSE);
}

static bool receivers_make(Webhooks *webhooks, const Settings *settings, GError **error) {
    for (WebhookSettings **each = settings->webhooks; *each != NULL; each++) {
        Receiver *receiver = receiver_new(*each, error);
        if (receiver == NULL)
            return false;
        g_ptr_array_add(webhooks->receivers, receiver);
    }
    return true;
}

Webhooks *webhooks_new(const Settings *settings, GError **error) {
    Postgres *postgres = postgres_new(settings->postgres, error);
    if (postgres == NULL)
        return NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    g_autoptr(Webhooks) webhooks = g_new0(Webhooks, 1);
    webhooks->postgres = postgres;
    webhooks->multi = curl_multi_init();
    webhooks->receivers = g_ptr_array_new_with_free_func((GDestroyNotify)receiver_free);
    webhooks->registered = registered_text(settings);
    return receivers_make(webhooks, settings, error) ? g_steal_pointer(&webhooks) : NULL;
}

void webhooks_start(Webhooks *webhooks) {
    webhooks->thread = g_thread_new("webhooks", webhooks_run, webhooks);
}

void webhooks_free(Webhooks *webhooks) {
    if (webhooks == NULL)
        return;
    g_atomic_int_set(&webhooks->stopping, 1);
    curl_multi_wakeup(webhooks->multi);
    if (webhooks->thread != NULL)
        g_thread_join(webhooks->thread);
    for (guint i = 0; i < webhooks->receivers->len; i++)
        receiver_stop(g_ptr_array_index(webhooks->receivers, i), webhooks->multi);
    g_ptr_array_unref(webhooks->receivers);
    curl_multi_cleanup(webhooks->multi);
    curl_global_cleanup();
    postgres_free(webhooks->postgres);
    g_free(webhooks->registered);
    g_free(webhooks);
}
