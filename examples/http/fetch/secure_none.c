/* SPDX-License-Identifier: BSD-3-Clause */
/* https where no TLS library is built. */

#include "fetch.h"

struct evhttp_connection *secure_connection(struct event_base *base, struct evdns_base *dns,
					    const char *authorities, const char *host, int port)
{
	(void)base;
	(void)dns;
	(void)authorities;
	(void)host;
	(void)port;
	fputs("fetch: built without TLS\n", stderr);
	return NULL;
}
