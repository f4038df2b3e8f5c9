/* address: ADDRESS:PORT, as the settings say where a program listens: "127.0.0.1:7810",
 * "[::1]:7810", "localhost:0". */
#ifndef STREAM_ADDRESS_H
#define STREAM_ADDRESS_H

#include "stream/fault.h"
#include <gio/gio.h>

/* Into its halves, without brackets; the host may be empty. False: it is no address. g_free both,
 * in either case. */
bool address_split(const char *text, char **ret_host, char **ret_port);
/* Whether it has a host and a port: for settings. FAULT_USAGE; the words begin with it. */
bool address_check(const char *text, GError **error);

/* A socket that listens there, and never blocks; -1 if it cannot be had. An empty host is any
 * address, port 0 a free one. pending: connections that may wait to be accepted. FAULT_USAGE; the
 * words begin with the address. */
int address_listen(const char *text, int pending, GError **error);
/* Where it listens: with the port it got, and the address that a name led to. NULL: it does not. */
GInetSocketAddress *address_of(int listener);
/* Address and port, a number each; g_free it. */
char *address_text(GInetSocketAddress *address);

/* Whether a host, with a port or without, is this machine as it calls itself. */
bool address_is_loopback(const char *host);

#endif
