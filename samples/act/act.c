/* act: does what scopestream decides. Listens to the decisions for one source and writes for each a
 * command a microscope's own script can follow, one a line, to standard output; what it does and
 * why, to standard error.
 *
 *     act --source demo | simulated-microscope --obey --out ...
 *
 * A program to take and change: it is linked with nats.c and json-glib, and with nothing of
 * scopestream. What it hears is described in docs/wire.md.
 *
 *     image_again B02 1 focus=+10.5 plate=P1
 *     skip C04 1 plate=P1
 *     continue C04 1 plate=P1
 */
#include <json-glib/json-glib.h>
#include <nats/nats.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ASK_AGAIN_US (10 * G_USEC_PER_SEC) /* where nobody answered */
#define ASK_WAIT_MS  2000
#define LISTEN_MS    500 /* how long somebody who went away stays unnoticed */

typedef struct {
    char *source, *nats_url, *plate, *focus_rule;
    double step_um;

    natsConnection *nats;
    natsSubscription *decisions;
    gint must_ask; /* what is open: at the start, and when the connection was lost; atomic */
    gint64 ask_at_us;
    GHashTable *heard; /* "ID action": messages come at least once */
    GHashTable *tried; /* where to what was tried there, Tried */
} Act;

typedef struct {
    double step_um;   /* as it was at the first attempt there: none is made twice */
    double offset_um; /* of the last attempt */
} Tried;

/* One decision, as far as it is needed here. Its texts belong to the message. */
typedef struct {
    const char *action, *state, *plate, *well, *rule, *reason, *expires_at;
    gint64 id, site, attempt; /* site: -1 for the whole well, and without well for the plate */
} Decision;

/* --- focus --- */

/* Where a site is out of focus, whether the objective is too high or too low shows only by trying:
 * the step up, the step down, then half of it, then twice. The step is how far autofocus is
 * typically off when it fails; once an offset has helped, the next site is tried with that first,
 * for its neighbours on the plate often share its trouble. */
static double focus_try(Act *act, const char *where, gint64 attempt) {
    static const double tries[] = {1, -1, 0.5, -0.5, 2, -2};
    const Tried *before = attempt > 1 ? g_hash_table_lookup(act->tried, where) : NULL;
    Tried tried = {.step_um = before ? before->step_um : act->step_um};
    tried.offset_um = tried.step_um * tries[(MAX(attempt, 1) - 1) % (gint64)G_N_ELEMENTS(tries)];
    g_hash_table_replace(act->tried, g_strdup(where), g_memdup2(&tried, sizeof tried));
    return tried.offset_um;
}

static void focus_learn(Act *act, const char *where) {
    const Tried *tried = g_hash_table_lookup(act->tried, where);
    if (tried == NULL)
        return;
    act->step_um = tried->offset_um;
    fprintf(stderr, "act: %s is in focus with %+.1f um\n", where, tried->offset_um);
    g_hash_table_remove(act->tried, where);
}

/* --- one decision --- */

static const char *text_of(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    bool is_text =
        node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return is_text ? json_node_get_string(node) : NULL;
}

static gint64 number_of(JsonObject *object, const char *name, gint64 otherwise) {
    JsonNode *node = json_object_get_member(object, name);
    bool is_number =
        node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
    return is_number ? json_node_get_int(node) : otherwise;
}

static Decision decision_read(JsonObject *object) {
    return (Decision){.action = text_of(object, "action"),
                      .state = text_of(object, "state"),
                      .plate = text_of(object, "plate"),
                      .well = text_of(object, "well"),
                      .rule = text_of(object, "rule"),
                      .reason = text_of(object, "reason"),
                      .expires_at = text_of(object, "expires_at"),
                      .id = number_of(object, "decision_id", 0),
                      .site = number_of(object, "site", -1),
                      .attempt = number_of(object, "attempt", 1)};
}

/* It becomes a line of words: what has other signs than they have could become two. */
static bool is_sound(const Decision *decision) {
    const char *sign = decision->plate ? decision->plate : "";
    while (*sign && !g_ascii_iscntrl(*sign))
        sign++;
    return decision->action && *sign == '\0' &&
           (!decision->well || g_regex_match_simple("^[A-Z]{1,2}\\d{2}$", decision->well, 0, 0));
}

static bool is_expired(const Decision *decision) {
    if (!decision->expires_at)
        return false;
    g_autoptr(GDateTime) end = g_date_time_new_from_iso8601(decision->expires_at, NULL);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return end && g_date_time_compare(end, now) < 0;
}

/* "B02 1"; "B02" for a whole well, "all" for the plate, "- 7" where sites are not told by wells.
 * The caller g_frees. */
static char *place_text(const Decision *decision) {
    if (decision->site < 0)
        return g_strdup(decision->well ? decision->well : "all");
    return g_strdup_printf("%s %" G_GINT64_FORMAT, decision->well ? decision->well : "-",
                           decision->site);
}

static void command_say(const Decision *decision, const char *place, double offset_um) {
    printf("%s %s", decision->action, place);
    if (offset_um != 0)
        printf(" focus=%+.1f", offset_um);
    if (decision->plate)
        printf(" plate=%s", decision->plate);
    putchar('\n');
    fflush(stdout);
    fprintf(stderr, "act: %s %s%s%s, for: %s\n", decision->action, place,
            decision->plate ? " of " : "", decision->plate ? decision->plate : "",
            decision->reason ? decision->reason : "no reason told");
}

static void decision_obey(Act *act, const Decision *decision) {
    g_autofree char *place = place_text(decision);
    g_autofree char *where = g_strconcat(decision->plate ? decision->plate : "", " ", place, NULL);
    double offset_um = 0;
    if (strcmp(decision->action, "image_again") == 0 &&
        g_strcmp0(decision->rule, act->focus_rule) == 0)
        offset_um = focus_try(act, where, decision->attempt);
    else if (g_strcmp0(decision->state, "done") == 0)
        focus_learn(act, where);
    command_say(decision, place, offset_um);
}

/* That one may go on is never too late; the rest is. One told again, for it covers more channels,
 * is done already: the microscope images all of them. */
static void decision_hear(Act *act, JsonObject *object) {
    Decision decision = decision_read(object);
    if (!is_sound(&decision)) {
        fprintf(stderr, "act: a decision without action or with odd signs: left alone\n");
        return;
    }
    if (act->plate && decision.plate && strcmp(act->plate, decision.plate) != 0)
        return;
    if (!g_hash_table_add(act->heard,
                          g_strdup_printf("%" G_GINT64_FORMAT " %s", decision.id, decision.action)))
        return;
    if (strcmp(decision.action, "continue") != 0 && is_expired(&decision))
        fprintf(stderr, "act: decision %" G_GINT64_FORMAT " expired at %s\n", decision.id,
                decision.expires_at);
    else
        decision_obey(act, &decision);
}

/* --- messages --- */

/* The JSON object of a message, in root; NULL if it is none. */
static JsonObject *message_object(natsMsg *message, JsonNode **ret_root) {
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_data(parser, natsMsg_GetData(message),
                                    natsMsg_GetDataLength(message), NULL))
        return NULL;
    *ret_root = json_parser_steal_root(parser);
    return *ret_root && JSON_NODE_HOLDS_OBJECT(*ret_root) ? json_node_get_object(*ret_root) : NULL;
}

/* What is open comes newest first; the older was decided before. */
static void answer_hear(Act *act, JsonObject *answer) {
    JsonNode *node = json_object_get_member(answer, "decisions");
    JsonArray *decisions = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint count = decisions ? json_array_get_length(decisions) : 0;
    const char *wrong = decisions ? NULL : text_of(answer, "error");
    fprintf(stderr, "act: %u open decisions%s%s\n", count, wrong ? ": " : "", wrong ? wrong : "");
    for (guint i = count; i > 0; i--) {
        JsonNode *each = json_array_get_element(decisions, i - 1);
        if (JSON_NODE_HOLDS_OBJECT(each))
            decision_hear(act, json_node_get_object(each));
    }
}

/* What was decided before we listened, or while the connection was lost. */
static void open_ask(Act *act) {
    g_autofree char *question = g_strdup_printf("{\"source\": \"%s\"}", act->source);
    g_autoptr(JsonNode) root = NULL;
    natsMsg *answer = NULL;
    g_atomic_int_set(&act->must_ask, 0);
    natsStatus status = natsConnection_RequestString(&answer, act->nats, "scopestream.decisions",
                                                     question, ASK_WAIT_MS);
    JsonObject *object = status == NATS_OK ? message_object(answer, &root) : NULL;
    if (object)
        answer_hear(act, object);
    if (!object || json_object_has_member(object, "error")) {
        fprintf(stderr, "act: nobody tells what is open (%s); asking again in %d s\n",
                status == NATS_OK ? "an answer not understood" : natsStatus_GetText(status),
                (int)(ASK_AGAIN_US / G_USEC_PER_SEC));
        g_atomic_int_set(&act->must_ask, 1);
        act->ask_at_us = g_get_monotonic_time() + ASK_AGAIN_US;
    }
    natsMsg_Destroy(answer);
}

/* In a thread of nats.c. */
static void on_reconnected(natsConnection *nats, void *context) {
    Act *act = context;
    g_atomic_int_set(&act->must_ask, 1);
}

static natsStatus act_connect(Act *act) {
    g_autofree char *subject = g_strconcat("scopestream.decision.", act->source, NULL);
    natsOptions *options = NULL;
    natsStatus status = natsOptions_Create(&options);
    if (status == NATS_OK)
        status = natsOptions_SetURL(options, act->nats_url);
    if (status == NATS_OK)
        status = natsOptions_SetMaxReconnect(options, -1);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectedCB(options, on_reconnected, act);
    if (status == NATS_OK)
        status = natsConnection_Connect(&act->nats, options);
    if (status == NATS_OK)
        status = natsConnection_SubscribeSync(&act->decisions, act->nats, subject);
    natsOptions_Destroy(options);
    return status;
}

/* Whether somebody still reads what we say: a pipe tells when its other end was closed. */
static bool is_listened_to(void) {
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) <= 0 || !(output.revents & POLLERR);
}

static void act_listen(Act *act) {
    while (is_listened_to()) {
        if (g_atomic_int_get(&act->must_ask) && g_get_monotonic_time() >= act->ask_at_us)
            open_ask(act);
        natsMsg *message = NULL;
        natsStatus status = natsSubscription_NextMsg(&message, act->decisions, LISTEN_MS);
        g_autoptr(JsonNode) root = NULL;
        JsonObject *object = status == NATS_OK ? message_object(message, &root) : NULL;
        if (object)
            decision_hear(act, object);
        natsMsg_Destroy(message);
        if (status != NATS_OK && status != NATS_TIMEOUT)
            g_usleep(LISTEN_MS * 1000);
    }
}

/* --- the command line --- */

static bool options_read(Act *act, int *argc, char ***argv, GError **error) {
    const GOptionEntry entries[] = {
        {"source", 's', 0, G_OPTION_ARG_STRING, &act->source, "whose decisions", "NAME"},
        {"nats", 0, 0, G_OPTION_ARG_STRING, &act->nats_url, "server (nats://127.0.0.1:4222)",
         "URL"},
        {"plate", 'p', 0, G_OPTION_ARG_STRING, &act->plate, "only of this plate (all)", "NAME"},
        {"step", 0, 0, G_OPTION_ARG_DOUBLE, &act->step_um,
         "how far focus is typically off where it is off, micrometres (10.5)", "UM"},
        {"focus-rule", 0, 0, G_OPTION_ARG_STRING, &act->focus_rule,
         "the rule whose sites are imaged again with another focus (out_of_focus)", "NAME"},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("--source NAME");
    g_option_context_set_summary(context, "Writes what scopestream decides as commands for a "
                                          "microscope, one a line.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (!act->nats_url)
        act->nats_url = g_strdup("nats://127.0.0.1:4222");
    if (!act->focus_rule)
        act->focus_rule = g_strdup("out_of_focus");
    if (act->source && g_regex_match_simple("^[A-Za-z0-9_-]{1,64}$", act->source, 0, 0))
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--source %s: expected the name of a source, letters, digits, _ and -",
                act->source ? act->source : "");
    return false;
}

static Act *act_new(void) {
    Act *act = g_new0(Act, 1);
    act->step_um = 10.5;
    act->must_ask = 1;
    act->heard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    act->tried = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return act;
}

static void act_free(Act *act) {
    char *const texts[] = {act->source, act->nats_url, act->plate, act->focus_rule};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    natsSubscription_Destroy(act->decisions);
    natsConnection_Destroy(act->nats);
    g_hash_table_unref(act->heard);
    g_hash_table_unref(act->tried);
    g_free(act);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Act, act_free)

int main(int argc, char **argv) {
    g_autoptr(Act) act = act_new();
    g_autoptr(GError) error = NULL;
    if (!options_read(act, &argc, &argv, &error)) {
        fprintf(stderr, "act: %s\n", error->message);
        return 2;
    }
    natsStatus status = act_connect(act);
    if (status == NATS_OK)
        act_listen(act);
    else
        fprintf(stderr, "act: cannot connect to %s: %s\n", act->nats_url,
                natsStatus_GetText(status));
    return status == NATS_OK ? 0 : 1;
}
