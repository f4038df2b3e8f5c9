/* http: a small HTTP server, for what people and their tools look at: metrics, health, a page. Only
 * http*.c know microhttpd.h.
 *
 * GET and HEAD only; one thread of its own answers everybody. Whoever is slow, silent or sends
 * rubbish is cut off and holds nobody up: connections, bytes of a request's head, its time and the
 * memory of a listener are bounded. Listening on loopback, it answers only those who call it by a
 * name of loopback: a page from elsewhere that has its name point here is refused.
 *
 * Do not fork while a server runs: a child would hold its sockets. */
#ifndef STREAM_HTTP_H
#define STREAM_HTTP_H

#include "stream/fault.h"
#include <glib.h>

typedef struct Http Http;
typedef struct HttpRequest HttpRequest;

/* Called on the server's thread, with every request that is well-formed. Answers it now, or later
 * from any thread: exactly once, and after that the request is not touched any more. Must not wait:
 * all others wait too. */
typedef void (*HttpAnswer)(HttpRequest *request, void *context);

/* Listens on ADDRESS:PORT (stream/address.h); port 0: a free one. FAULT_USAGE if that is no
 * address, or cannot be had; the words begin with it. */
Http *http_start(const char *listen, HttpAnswer answer, void *context, GError **error);
/* Whoever is still connected is cut off. answer is not called any more when it returns; what is
 * answered later goes nowhere, and must still be answered. Accepts NULL. */
void http_stop(Http *http);
/* What to call it by, with the port it got: "127.0.0.1:7810". */
const char *http_address(const Http *http);

/* Decoded, valid UTF-8, begins with '/'. */
const char *http_path(const HttpRequest *request);
/* Decoded, valid UTF-8; NULL: not given. Of several of that name the last. */
const char *http_parameter(const HttpRequest *request, const char *name);

/* type: "text/html; charset=utf-8". Takes over body. cache_control: "no-store",
 * "max-age=3600". */
void http_answer(HttpRequest *request, unsigned status, const char *type, GBytes *body,
                 const char *cache_control);
/* The same with one line of text. */
void http_answer_text(HttpRequest *request, unsigned status, const char *text);
/* Stays open, and is sent what http_tell tells from now on: server-sent events. */
void http_answer_events(HttpRequest *request);

/* To every open stream of events, from any thread. data may have several lines. Never waits: a
 * listener that does not read is cut off, and comes again by itself. One that is gone is noticed by
 * what it is sent, if nothing else by a mark of life each 15 s. */
void http_tell(Http *http, const char *event, const char *data);
/* How many streams of events are open. */
guint http_listeners(Http *http);

#endif
