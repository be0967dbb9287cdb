/* SPDX-License-Identifier: BSD-3-Clause */
/* ws_echo [deflate]: an echo server; prints its port. */

#include <event2/event.h>
#include <event2/http.h>
#include <event2/ws.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static int options;

static void on_message(struct evws_connection *ws, int type, const unsigned char *data, size_t len,
		       void *arg)
{
	(void)type;
	(void)arg;
	evws_send_binary(ws, (const char *)data, len);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	(void)arg;
	(void)evws_new_session(req, on_message, NULL, options);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (argc > 1 && strcmp(argv[1], "deflate") == 0)
		options = EVWS_OPT_DEFLATE;
	evhttp_set_gencb(http, on_request, NULL);
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len);
	printf("%d\n", ntohs(name.sin_port));
	fflush(stdout);
	return event_base_dispatch(base);
}
