/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests in one call, and looks at replies; see server_test.h. */

#include "server_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *get(const char *target)
{
	char text[4096];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	return talk(text);
}

int code_of(const char *got)
{
	int code = 0;

	if (sscanf(got, "HTTP/1.%*d %d", &code) != 1)
		return 0;
	return code;
}

const char *body_of(const char *got)
{
	const char *end = strstr(got, "\r\n\r\n");

	cr_assert_not_null(end, "no end of the head in: %s", got);
	return end + 4;
}

void check_reply(const char *got, int code, const char *body)
{
	cr_assert_eq(code_of(got), code, "%s", got);
	cr_assert_str_eq(body_of(got), body);
}

int has_line(const char *got, const char *line)
{
	const char *end = strstr(got, "\r\n\r\n");
	size_t len = strlen(line);
	int n = 0;

	for (const char *at = strstr(got, line); at != NULL && at < end; at = strstr(at + 1, line))
		n += (at == got || at[-1] == '\n') && at[len] == '\r';
	return n;
}

static int wanted_connections;

static int has_connections(void)
{
	return evhttp_get_connection_count(http) == wanted_connections;
}

void until_connections(int count)
{
	double start = support_now_ms();

	wanted_connections = count;
	while (!has_connections()) {
		cr_assert_lt(support_now_ms() - start, support_limit_ms(LIMIT_MS),
			     "still %d connections", evhttp_get_connection_count(http));
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
}

void until(const int *flag)
{
	support_run_until(base, flag, LIMIT_MS);
}

void settle(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

evutil_socket_t unix_listen(char *path, size_t size)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/http-unix-XXXXXX";
	evutil_socket_t fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, size, "%s/s", dir);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

struct peer *unix_peer(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	evutil_socket_t fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	evutil_make_socket_nonblocking(fd);
	return peer_open_on(fd);
}

void answer_text(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	http_note("%s", (const char *)arg);
	evbuffer_add(body, arg, strlen(arg));
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}
