/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RPC_TEST_H_INCLUDED
#define RPC_TEST_H_INCLUDED

/* A server and a client of RPCs in one loop. */

#include "message_test.h"

#include <event2/http.h>
#include <event2/rpc_struct.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

EVRPC_HEADER(Message, msg, kill)
EVRPC_HEADER(NeverReply, msg, kill)
EVRPC_HEADER(Empty, tree, tree)

#define WAIT_MS 30000

struct world {
	struct event_base *base;
	struct evhttp *http;
	struct evrpc_base *rpc;
	struct evrpc_pool *pool;
	ev_uint16_t port;

	EVRPC_STRUCT(NeverReply) *kept[8]; /* calls that were not answered */
	int kept_count;
	int handled; /* calls of Message */

	struct msg *request;
	struct kill *reply; /* shared by all calls: empty again after each */
	char weapon[32]; /* from the last reply */
	int done; /* callbacks of calls */
	int error; /* of the last of them */
	int http_code; /* 0 if there was no answer */
};

/* The server with its RPCs, and a pool with so many connections. */
void world_init(struct world *world, int connections);
void world_done(struct world *world);

struct evhttp_connection *world_connect(const struct world *world);

/* A callback for calls that takes a world: counts and notes the status. */
void world_called(struct evrpc_status *status, struct msg *request, struct kill *reply, void *arg);

/* Make a call of Message, or of NeverReply. */
void world_call(struct world *world);
void world_call_never(struct world *world);

/* Run until so many callbacks have run. */
void world_wait(struct world *world, int done);

#endif
