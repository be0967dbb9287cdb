/* SPDX-License-Identifier: BSD-3-Clause */
/* wss with OpenSSL. */

#include "transport.h"

#include <event2/bufferevent_ssl.h>

struct bufferevent *secure_transport(struct event_base *base, const char *host)
{
	return bufferevent_openssl_client_new(base, -1, host, NULL);
}
