#include "store/have.h"
#include "store/asking.h"
#include "stream/json_read.h"
#include <string.h>

enum { MOST_FRAMES = 500 }; /* in one question */

struct Have {
    Bus *bus;
    Asking *asking; /* used by the subscription's thread only */
};

typedef struct {
    const char *pipeline;
    char *frames; /* JSON text of the array; owned */
} Question;

static bool question_read(JsonParser *parser, const BusMessage *message, Question *ret_question,
                          GError **error) {
    gsize length;
    const guint8 *body = bus_message_data(message, &length);
    JsonObject *object = json_read_object(parser, body, length, error);
    if (object == NULL)
        return false;
    JsonArray *frames = json_read_member_array(object, "frames");
    ret_question->pipeline = json_read_member_text(object, "pipeline");
    if (frames == NULL || ret_question->pipeline == NULL)
        return fault_set(error, FAULT_BROKEN, "expected members 'pipeline' and 'frames'");
    if (json_array_get_length(frames) > MOST_FRAMES)
        return fault_set(error, FAULT_BROKEN, "more than %d frames in one question", MOST_FRAMES);
    ret_question->frames = json_to_string(json_object_get_member(object, "frames"), FALSE);
    return true;
}

/* {"stored": [...]} */
static char *answer_text(const PostgresRows *rows) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    JsonArray *stored = json_array_new();
    for (int row = 0; row < PQntuples(rows); row++)
        json_array_add_string_element(stored, postgres_text(rows, row, 0));
    json_object_set_array_member(object, "stored", stored);
    return json_to_string(root, FALSE);
}

static PostgresRows *question_ask(Have *have, const Question *question, GError **error) {
    const char *parameters[] = {question->pipeline, question->frames};
    return asking_ask(have->asking, "select scopestream_data.stored_frames($1, $2::jsonb)",
                      parameters, G_N_ELEMENTS(parameters), error);
}

static void have_answer(BusMessage *asked, void *context) {
    Have *have = context;
    g_autoptr(BusMessage) message = asked;
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(PostgresRows) rows = NULL;
    g_autoptr(GError) error = NULL;
    Question question = {0};
    if (bus_message_reply(message) == NULL)
        return;
    if (question_read(parser, message, &question, &error))
        rows = question_ask(have, &question, &error);
    g_free(question.frames);
    if (rows == NULL) {
        asking_refuse(have->bus, message, error);
        return;
    }
    g_autofree char *answer = answer_text(rows);
    bus_publish(have->bus, bus_message_reply(message), NULL, answer, strlen(answer), NULL);
}

Have *have_open(const Settings *settings, Bus *bus, GError **error) {
    Asking *asking = asking_new(settings, error);
    if (asking == NULL)
        return NULL;
    Have *have = g_new0(Have, 1);
    have->bus = bus;
    have->asking = asking;
    if (bus_subscribe(bus, "scopestream.have", "store", have_answer, have, error))
        return have;
    have_close(have);
    return NULL;
}

void have_close(Have *have) {
    if (have == NULL)
        return;
    asking_free(have->asking);
    g_free(have);
}
