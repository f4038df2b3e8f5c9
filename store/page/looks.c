/* An answer is kept for as long as nothing newer is worth asking for: a second at least, and ten
 * times as long as it took, so that whatever is looked at leaves the database nine tenths of its
 * time. Who asks meanwhile gets the same bytes; who asks while the database thinks waits for them.
 */
#include "store/page/looks.h"
#include "store/page/reader.h"
#include "store/page/web.h"
#include <json-glib/json-glib.h>
#include <string.h>

enum {
    PARAMETERS_MOST = 6,
    PARAMETER_BYTES = 400, /* longer than any name of a plate */
    KEEP_LEAST_MS = 1000,
    KEEP_MOST_MS = 30000,
    KEEP_PICTURE_MS = 3600 * 1000, /* a frame's picture never changes */
    COST_SHARE = 10,
    ASKED_MOST = 200, /* that wait for the database at once */
    ANSWERS_MOST = 4000,
    BYTES_MOST = 64 << 20,
};

typedef struct {
    const char *path;
    const char *sql; /* store/page/sql */
    const char *parameters[PARAMETERS_MOST];
    bool is_picture; /* its id is the end of the path */
} Look;

static const Look looks_known[] = {
    {"/catalogue", "catalogue", {NULL}, false},
    {"/map", "map", {"plate", "measure", "channel", "source", "experiment"}, false},
    {"/frames", "frames", {"show", "plate", "measure", "channel", "source", "well"}, false},
    {"/well", "well", {"plate", "well", "channel", "source"}, false},
    {"/frame", "frame", {"id"}, false},
    {"/thumbnail/", "thumbnail", {"id"}, true},
};

typedef struct {
    const Look *look;
    char *key;
    char *parameters[PARAMETERS_MOST];
    int parameter_count;
    bool is_asked;      /* waits for the database */
    GPtrArray *waiting; /* of HttpRequest */
    GList *by_age;      /* its link */
    unsigned status;    /* 0: no answer yet */
    GBytes *body;
    char *type;
    gint64 keep_until_us; /* monotonic */
} Answer;

struct Looks {
    Reader *reader; /* of the thread */
    GThread *thread;
    GMutex lock; /* for what follows */
    GCond more;
    bool stopping;
    GHashTable *answers; /* key -> Answer */
    GQueue asked;        /* of Answer */
    GQueue by_age;       /* of Answer; made longest ago first */
    gsize bytes;
};

/* --- answers --- */

static void answer_free(gpointer data) {
    Answer *answer = data;
    for (int i = 0; i < answer->parameter_count; i++)
        g_free(answer->parameters[i]);
    g_clear_pointer(&answer->body, g_bytes_unref);
    g_ptr_array_unref(answer->waiting);
    g_free(answer->type);
    g_free(answer->key);
    g_free(answer);
}

/* What is not given is SQL's NULL, and so is what is empty: the page has fields that are. */
static Answer *answer_new(const Look *look, const HttpRequest *request) {
    Answer *answer = g_new0(Answer, 1);
    answer->look = look;
    answer->waiting = g_ptr_array_new();
    g_autoptr(GString) key = g_string_new(look->path);
    for (int i = 0; i < PARAMETERS_MOST && look->parameters[i] != NULL; i++) {
        const char *given = look->is_picture ? http_path(request) + strlen(look->path)
                                             : http_parameter(request, look->parameters[i]);
        bool is_given = given != NULL && *given != '\0';
        answer->parameters[answer->parameter_count++] = is_given ? g_strdup(given) : NULL;
        g_string_append_printf(key, "\n%zu %s", is_given ? strlen(given) : 0,
                               is_given ? given : "");
    }
    answer->key = g_strdup(key->str);
    return answer;
}

static bool is_show(const char *given) {
    static const char *const shows[] = {"newest", "lowest", "highest", "interesting", "well", NULL};
    return given != NULL && g_strv_contains(shows, given);
}

/* What is wrong with what was asked, in words; NULL: nothing. */
static const char *answer_fault(const Answer *answer) {
    for (int i = 0; i < answer->parameter_count; i++) {
        const char *given = answer->parameters[i], *name = answer->look->parameters[i];
        if (given != NULL && strlen(given) > PARAMETER_BYTES)
            return "a name of more than 400 bytes";
        if (g_str_equal(name, "id") && (given == NULL || !g_uuid_string_is_valid(given)))
            return "id: expected that of a frame, a UUID";
        if (g_str_equal(name, "show") && !is_show(given))
            return "show: expected newest, lowest, highest, interesting or well";
    }
    return NULL;
}

/* Words as {"error": words}. */
static GBytes *error_body(const char *words) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(root, json_object_new());
    json_object_set_string_member(json_node_get_object(root), "error", words);
    char *text = json_to_string(root, FALSE);
    return g_bytes_new_take(text, strlen(text));
}

#define JSON_TYPE "application/json"

static void refuse(HttpRequest *request, unsigned status, const char *words) {
    http_answer(request, status, JSON_TYPE, error_body(words), "no-store");
}

/* --- asking the database, on the thread --- */

static void answer_take_picture(Answer *answer, const PostgresRows *rows) {
    if (PQntuples(rows) == 0) {
        answer->status = 404;
        answer->body = error_body("no picture is kept of this frame");
        return;
    }
    gsize length;
    guchar *image = g_base64_decode(postgres_text(rows, 0, 1), &length);
    answer->body = g_bytes_new_take(image, length);
    answer->status = 200;
    answer->type = g_strdup(postgres_text(rows, 0, 0));
}

/* What a result says of its picture's kind is a stranger's word. */
static bool is_picture_type(const char *type) {
    static const char *const types[] = {"image/jpeg", "image/png", "image/webp", NULL};
    return type != NULL && g_strv_contains(types, type);
}

static void answer_take_rows(Answer *answer, const PostgresRows *rows) {
    const char *text = NULL;
    if (answer->look->is_picture) {
        answer_take_picture(answer, rows);
        if (answer->status == 200 && !is_picture_type(answer->type)) {
            g_clear_pointer(&answer->type, g_free);
            g_clear_pointer(&answer->body, g_bytes_unref);
            answer->status = 404;
            answer->body = error_body("the picture of this frame is of no kind that is shown");
        }
        return;
    }
    if (PQntuples(rows) > 0)
        text = postgres_text(rows, 0, 0);
    answer->status = 200;
    answer->body = g_bytes_new(text != NULL ? text : "null", strlen(text != NULL ? text : "null"));
}

static void answer_take_fault(Answer *answer, const GError *error, const char *sqlstate) {
    static const char prefix[] = "PostgreSQL: ";
    bool is_wrong = g_str_has_prefix(sqlstate, "22");
    const char *words = error->message;
    if (is_wrong && g_str_has_prefix(words, prefix))
        words += strlen(prefix);
    answer->status = is_wrong ? 400 : fault_is(error, FAULT_STOP) ? 500 : 503;
    answer->body = error_body(words);
}

static void answer_forget(Answer *answer) {
    g_clear_pointer(&answer->body, g_bytes_unref);
    g_clear_pointer(&answer->type, g_free);
}

static void answer_ask(Answer *answer, Reader *reader, Answer *ret_new) {
    g_autoptr(GError) error = NULL;
    gint64 begun_us = g_get_monotonic_time();
    g_autoptr(PostgresRows) rows =
        reader_ask(reader, web_sql(answer->look->sql), (const char *const *)answer->parameters,
                   answer->parameter_count, &error);
    ret_new->look = answer->look;
    if (rows != NULL)
        answer_take_rows(ret_new, rows);
    else
        answer_take_fault(ret_new, error, reader_sqlstate(reader));
    gint64 ended_us = g_get_monotonic_time();
    gint64 keep_ms = CLAMP((ended_us - begun_us) / 1000 * COST_SHARE, KEEP_LEAST_MS, KEEP_MOST_MS);
    if (answer->look->is_picture && ret_new->status == 200)
        keep_ms = KEEP_PICTURE_MS;
    ret_new->keep_until_us = ended_us + keep_ms * 1000;
}

static void answer_send(const Look *look, unsigned status, const char *type, GBytes *body,
                        HttpRequest *request) {
    bool is_picture = look->is_picture && status == 200;
    http_answer(request, status, type != NULL ? type : JSON_TYPE, g_bytes_ref(body),
                is_picture ? "public, max-age=31536000, immutable" : "no-store");
}

/* --- keeping, under the lock --- */

static void drop(Looks *looks, Answer *answer) {
    if (answer->by_age != NULL)
        g_queue_delete_link(&looks->by_age, answer->by_age);
    looks->bytes -= answer->body != NULL ? g_bytes_get_size(answer->body) : 0;
    g_hash_table_remove(looks->answers, answer->key);
}

static void drop_oldest(Looks *looks) {
    GList *link = looks->by_age.head;
    while (link != NULL &&
           (looks->bytes > BYTES_MOST || g_hash_table_size(looks->answers) > ANSWERS_MOST)) {
        Answer *answer = link->data;
        link = link->next;
        if (!answer->is_asked)
            drop(looks, answer);
    }
}

/* made: of which body and type are taken over. */
static void keep(Looks *looks, Answer *answer, Answer *made) {
    looks->bytes -= answer->body != NULL ? g_bytes_get_size(answer->body) : 0;
    answer_forget(answer);
    answer->status = made->status;
    answer->body = made->body;
    answer->type = made->type;
    answer->keep_until_us = made->keep_until_us;
    answer->is_asked = false;
    looks->bytes += g_bytes_get_size(answer->body);
    if (answer->by_age != NULL)
        g_queue_delete_link(&looks->by_age, answer->by_age);
    g_queue_push_tail(&looks->by_age, answer);
    answer->by_age = looks->by_age.tail;
}

/* --- the thread --- */

static Answer *next_asked(Looks *looks) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&looks->lock);
    while (!looks->stopping && g_queue_is_empty(&looks->asked))
        g_cond_wait(&looks->more, &looks->lock);
    return looks->stopping ? NULL : g_queue_pop_head(&looks->asked);
}

static void settle(Looks *looks, Answer *answer, Answer *made) {
    g_mutex_lock(&looks->lock);
    const Look *look = answer->look;
    keep(looks, answer, made);
    g_autoptr(GPtrArray) waiting = g_steal_pointer(&answer->waiting);
    answer->waiting = g_ptr_array_new();
    g_autoptr(GBytes) body = g_bytes_ref(answer->body);
    g_autofree char *type = g_strdup(answer->type);
    unsigned status = answer->status;
    drop_oldest(looks);
    g_mutex_unlock(&looks->lock);
    for (guint i = 0; i < waiting->len; i++)
        answer_send(look, status, type, body, g_ptr_array_index(waiting, i));
}

static gpointer looks_run(gpointer data) {
    Looks *looks = data;
    for (Answer *answer; (answer = next_asked(looks)) != NULL;) {
        Answer made = {0};
        answer_ask(answer, looks->reader, &made);
        settle(looks, answer, &made);
    }
    return NULL;
}

/* --- the server's side --- */

static const Look *look_find(const char *path) {
    for (guint i = 0; i < G_N_ELEMENTS(looks_known); i++)
        if (looks_known[i].is_picture ? g_str_has_prefix(path, looks_known[i].path)
                                      : g_str_equal(path, looks_known[i].path))
            return &looks_known[i];
    return NULL;
}

/* The one that is kept, or asked now; takes over asked. NULL: too many are asked. Under the lock.
 */
static Answer *shared(Looks *looks, Answer *asked) {
    Answer *answer = g_hash_table_lookup(looks->answers, asked->key);
    if (answer != NULL)
        answer_free(asked);
    else
        g_hash_table_insert(looks->answers, asked->key, answer = asked);
    return answer;
}

/* Has the database asked, unless that is so already. */
static bool join_waiting(Looks *looks, Answer *answer, HttpRequest *request) {
    bool is_full = !answer->is_asked && g_queue_get_length(&looks->asked) >= ASKED_MOST;
    if (is_full || looks->stopping) {
        if (answer->status == 0)
            drop(looks, answer);
        return false;
    }
    g_ptr_array_add(answer->waiting, request);
    if (!answer->is_asked) {
        answer->is_asked = true;
        g_queue_push_tail(&looks->asked, answer);
        g_cond_signal(&looks->more);
    }
    return true;
}

static void look_answer(Looks *looks, Answer *asked, HttpRequest *request) {
    const Look *look = asked->look;
    g_mutex_lock(&looks->lock);
    Answer *answer = shared(looks, asked);
    bool is_fresh = answer->status != 0 && g_get_monotonic_time() < answer->keep_until_us;
    if (!is_fresh) {
        bool waits = join_waiting(looks, answer, request);
        g_mutex_unlock(&looks->lock);
        if (!waits)
            refuse(request, 503, "too much is asked at once; try again");
        return;
    }
    g_autoptr(GBytes) body = g_bytes_ref(answer->body);
    g_autofree char *type = g_strdup(answer->type);
    unsigned status = answer->status;
    g_mutex_unlock(&looks->lock);
    answer_send(look, status, type, body, request);
}

bool looks_answer(Looks *looks, HttpRequest *request) {
    const Look *look = look_find(http_path(request));
    if (look == NULL)
        return false;
    Answer *asked = answer_new(look, request);
    const char *fault = answer_fault(asked);
    if (fault != NULL) {
        answer_free(asked);
        refuse(request, 400, fault);
        return true;
    }
    look_answer(looks, asked, request);
    return true;
}

/* --- beginning and end --- */

Looks *looks_start(const Settings *settings, GError **error) {
    Reader *reader = reader_new(settings, error);
    if (reader == NULL)
        return NULL;
    Looks *looks = g_new0(Looks, 1);
    looks->reader = reader;
    looks->answers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, answer_free);
    g_queue_init(&looks->asked);
    g_queue_init(&looks->by_age);
    g_mutex_init(&looks->lock);
    g_cond_init(&looks->more);
    looks->thread = g_thread_new("looks", looks_run, looks);
    return looks;
}

static void refuse_waiting(Looks *looks) {
    GHashTableIter each;
    gpointer data;
    g_hash_table_iter_init(&each, looks->answers);
    while (g_hash_table_iter_next(&each, NULL, &data)) {
        Answer *answer = data;
        for (guint i = 0; i < answer->waiting->len; i++)
            refuse(g_ptr_array_index(answer->waiting, i), 503, "the page is ending");
        g_ptr_array_set_size(answer->waiting, 0);
    }
}

void looks_stop(Looks *looks) {
    if (looks == NULL)
        return;
    g_mutex_lock(&looks->lock);
    looks->stopping = true;
    g_cond_signal(&looks->more);
    g_mutex_unlock(&looks->lock);
    g_thread_join(looks->thread);
    refuse_waiting(looks);
}

void looks_free(Looks *looks) {
    if (looks == NULL)
        return;
    g_queue_clear(&looks->asked);
    g_queue_clear(&looks->by_age);
    g_hash_table_unref(looks->answers);
    g_mutex_clear(&looks->lock);
    g_cond_clear(&looks->more);
    reader_free(looks->reader);
    g_free(looks);
}
