#include "store/asking.h"
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 2000,
    PAUSE_MS = 1000, /* after a failure */
};

struct Asking {
    Postgres *postgres;
    gint64 not_before_us; /* monotonic */
};

Asking *asking_new(const Settings *settings, GError **error) {
    Postgres *postgres = postgres_new(settings->postgres, error);
    if (postgres == NULL)
        return NULL;
    Asking *asking = g_new0(Asking, 1);
    asking->postgres = postgres;
    return asking;
}

void asking_free(Asking *asking) {
    if (asking == NULL)
        return;
    postgres_free(asking->postgres);
    g_free(asking);
}

PostgresRows *asking_ask(Asking *asking, const char *sql, const char *const parameters[], int count,
                         GError **error) {
    if (!postgres_is_connected(asking->postgres) &&
        g_get_monotonic_time() < asking->not_before_us) {
        fault_set(error, FAULT_AGAIN, "PostgreSQL is away");
        return NULL;
    }
    if (!postgres_connect(asking->postgres, CONNECT_TIMEOUT_MS, error)) {
        asking->not_before_us = g_get_monotonic_time() + PAUSE_MS * 1000;
        return NULL;
    }
    return postgres_ask(asking->postgres, sql, parameters, count, error);
}

void asking_refuse(Bus *bus, const BusMessage *asked, const GError *error) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    json_object_set_string_member(object, "error", error->message);
    g_autofree char *answer = json_to_string(root, FALSE);
    bus_publish(bus, bus_message_reply(asked), NULL, answer, strlen(answer), NULL);
}
