#include "store/decisions.h"
#include "store/asking.h"
#include "stream/json_read.h"
#include <string.h>

struct Decisions {
    Bus *bus;
    Asking *asking; /* used by the subscription's thread only */
};

/* What is asked for, g_free both; NULL: all. An empty question asks for all. */
typedef struct {
    char *source, *plate;
} Question;

static bool question_read(const BusMessage *message, Question *ret_question, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    gsize length;
    const guint8 *body = bus_message_data(message, &length);
    if (length == 0)
        return true;
    JsonObject *object = json_read_object(parser, body, length, error);
    if (object == NULL)
        return false;
    ret_question->source = g_strdup(json_read_member_text(object, "source"));
    ret_question->plate = g_strdup(json_read_member_text(object, "plate"));
    return true;
}

static PostgresRows *question_ask(Decisions *decisions, const Question *question, GError **error) {
    const char *parameters[] = {question->source, question->plate};
    g_autoptr(PostgresRows) rows =
        asking_ask(decisions->asking, "select scopestream_data.open_decisions($1, $2)", parameters,
                   G_N_ELEMENTS(parameters), error);
    if (rows != NULL && strlen(postgres_text(rows, 0, 0)) > bus_max_payload(decisions->bus)) {
        fault_set(error, FAULT_BROKEN,
                  "what is open is more than fits into a message: ask for one source and plate");
        return NULL;
    }
    return g_steal_pointer(&rows);
}

static void decisions_answer(BusMessage *asked, void *context) {
    Decisions *decisions = context;
    g_autoptr(BusMessage) message = asked;
    g_autoptr(PostgresRows) rows = NULL;
    g_autoptr(GError) error = NULL;
    Question question = {0};
    if (bus_message_reply(message) == NULL)
        return;
    if (question_read(message, &question, &error))
        rows = question_ask(decisions, &question, &error);
    g_free(question.source);
    g_free(question.plate);
    if (rows == NULL) {
        asking_refuse(decisions->bus, message, error);
        return;
    }
    const char *answer = postgres_text(rows, 0, 0);
    bus_publish(decisions->bus, bus_message_reply(message), NULL, answer, strlen(answer), NULL);
}

Decisions *decisions_open(const Settings *settings, Bus *bus, GError **error) {
    Asking *asking = asking_new(settings, error);
    if (asking == NULL)
        return NULL;
    Decisions *decisions = g_new0(Decisions, 1);
    decisions->bus = bus;
    decisions->asking = asking;
    if (bus_subscribe(bus, "scopestream.decisions", "store", decisions_answer, decisions, error))
        return decisions;
    decisions_close(decisions);
    return NULL;
}

void decisions_close(Decisions *decisions) {
    if (decisions == NULL)
        return;
    asking_free(decisions->asking);
    g_free(decisions);
}
