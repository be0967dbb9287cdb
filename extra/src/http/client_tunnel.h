/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_CLIENT_TUNNEL_H_INCLUDED
#define HTTP_CLIENT_TUNNEL_H_INCLUDED

/* What a proxy's protocol does for a tunnel; one table each. */

#include "http/client.h"

enum evi_tunnel_verdict {
	EVI_TUNNEL_MORE,     /* the proxy has more to say */
	EVI_TUNNEL_READY,    /* what follows comes from the server */
	EVI_TUNNEL_REFUSED,  /* `status` and `text` say how */
	EVI_TUNNEL_NONSENSE, /* it does not speak the protocol; `text` says why */
	EVI_TUNNEL_MEMORY
};

struct evi_tunnel {
	struct bufferevent *bev; /* to the proxy; closes its descriptor */
	struct evi_request *r;   /* HTTP: for the head of the answer; or NULL */
	int step;                /* SOCKS: of the conversation */
};

struct evi_proxy_ops {
	/* Make of "user:password" what is kept. NULL if that cannot be, or out of memory. */
	char *(*encode)(const char *credentials);

	/* Connected: begin to speak. 0 or -ENOMEM. */
	int (*ask)(struct evi_client *client);

	/* Take what has come. Outputs are set with REFUSED and NONSENSE. */
	enum evi_tunnel_verdict (*take)(struct evi_client *client, int *ret_status,
					const char **ret_text);
};

extern const struct evi_proxy_ops evi_proxy_http;
extern const struct evi_proxy_ops evi_proxy_socks;

#endif
