/* http_private: what http.c (the server and its connections), http_refusal.c (who may not ask),
 * http_events.c (streams that stay open) and http_request.c (a request and its answer, which the
 * others stand on) share. */
#ifndef STREAM_HTTP_PRIVATE_H
#define STREAM_HTTP_PRIVATE_H

#include "stream/http.h"
#include <microhttpd.h>

struct Http {
    struct MHD_Daemon *daemon;
    HttpAnswer answer;
    void *context;
    char *address;
    bool on_loopback;
    int wake; /* an eventfd: the thread has something to do */
    GThread *thread;
    GHashTable *visits; /* of Visit *; of the thread */
    gint64 alive_due_us;

    GMutex lock; /* for what follows, and for what is marked so below */
    bool stopping;
    GHashTable *held;  /* of HttpRequest *, connections suspended until they are answered */
    GPtrArray *events; /* of HttpRequest *, open streams */
    gatomicrefcount references; /* ours, and one of each request */
};

/* A connection, from its beginning to its end. */
typedef struct {
    int socket;
    gint64 due_us;        /* monotonic: cut off then */
    HttpRequest *request; /* that is read or answered; NULL: none */
} Visit;

struct HttpRequest {
    Http *http;
    char *path;             /* NULL: the request's line could not be read */
    GHashTable *parameters; /* NULL: the same */
    struct MHD_Connection *connection;
    Visit *visit;
    bool is_head;  /* wants no body */
    bool is_asked; /* answer was called */

    gatomicrefcount references; /* of the connection, and of whoever has to answer */
    /* under the lock */
    bool is_gone; /* the connection is done with */
    bool is_held; /* the connection is suspended */
    bool is_cut;  /* reads too slowly */
    bool is_stream;
    struct MHD_Response *response; /* NULL: not answered yet */
    unsigned status;
    GQueue waiting;                  /* of GBytes: events to send */
    gsize waiting_bytes, sent_bytes; /* the latter of the first of them */
};

/* --- http_request.c --- */

/* Not started yet; one reference. */
Http *http_new(HttpAnswer answer, void *context);
void http_unref(Http *http);
/* The thread has something to do: libmicrohttpd itself does not wake a loop that is not its own. */
void http_wake(Http *http);

/* uri: as the request's line has it. One reference, the connection's. */
HttpRequest *http_request_new(Http *http, const char *uri, struct MHD_Connection *connection);
void http_request_unref(HttpRequest *request);
/* Lets the connection sleep, or one that sleeps go on. Under the lock. */
void http_request_hold(HttpRequest *request);
void http_request_release(HttpRequest *request);
/* The answer: takes over response, and the answerer's reference to request. */
void http_request_settle(HttpRequest *request, unsigned status, struct MHD_Response *response);

/* Takes over body. */
struct MHD_Response *http_response_of(GBytes *body);
/* Adds the headers that every answer has. Returns response. */
struct MHD_Response *http_response_dress(struct MHD_Response *response, const char *type,
                                         const char *cache_control);

/* --- http_refusal.c --- */

/* Whether it may not be asked: then it is answered so, and *ret_queued is for libmicrohttpd. */
bool http_refuse(const HttpRequest *request, const char *method, enum MHD_Result *ret_queued);

/* --- http_events.c --- */

/* Cuts off who does not read, and gives the others a mark of life when it is time. On the server's
 * thread. */
void http_events_look_after(Http *http);

#endif
