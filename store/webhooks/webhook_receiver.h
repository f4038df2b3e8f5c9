/* webhook_receiver: one receiver, and the post that is on its way to it. All of libcurl is met here
 * and in webhook.c.
 *
 * HTTP and HTTPS only, whatever the receiver answers: redirects are not followed, for what comes
 * along is secret. */
#ifndef STORE_WEBHOOK_RECEIVER_H
#define STORE_WEBHOOK_RECEIVER_H

#include "stream/settings.h"
#include <curl/curl.h>

typedef struct Receiver Receiver;

/* Reads the files the settings name. FAULT_USAGE, without repeating what is in them: they are not
 * to be read, or hold no address, no header lines. */
Receiver *receiver_new(const WebhookSettings *settings, GError **error);
void receiver_free(Receiver *receiver); /* accepts NULL; not while it is in a multi handle */
const char *receiver_name(const Receiver *receiver);

/* The post in hand; 0: none. */
gint64 receiver_post(const Receiver *receiver);
/* Whether a post may be begun: none is in hand, and its last failure is long enough ago. */
bool receiver_is_ready(const Receiver *receiver);

/* Begins to send body, which it takes over, within multi. */
void receiver_begin(Receiver *receiver, CURLM *multi, gint64 post, char *body);
/* Gives up what is in hand, if anything. */
void receiver_stop(Receiver *receiver, CURLM *multi);

/* The receiver of a transfer that is over. */
Receiver *receiver_of(CURL *transfer);
/* Takes the post out of hand: it was answered well, or *error says what happened: FAULT_AGAIN. Logs
 * when trouble begins, changes and ends. */
bool receiver_end(Receiver *receiver, CURLM *multi, CURLcode result, GError **error);

#endif
