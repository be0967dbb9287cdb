/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same echo server on libuv: one buffer for all reads, which is echoed by uv_try_write(); what
 * the socket does not take is copied for uv_write(), and nothing is read until that is done.
 */

#include "load.h"

#include <uv.h>

#define READ_SIZE (1 << 18)

struct connection {
	uv_tcp_t tcp; /* first: the two are one address */
	uv_write_t write;
	char *rest; /* owned; what uv_write() has, or NULL */
};

static uv_tcp_t listening;
static long left; /* connections that will still end */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
	static char bytes[READ_SIZE];

	(void)handle;
	(void)suggested;
	*ret_room = uv_buf_init(bytes, sizeof(bytes));
}

static void closed(uv_handle_t *handle)
{
	struct connection *c = (struct connection *)handle;

	free(c->rest);
	free(c);
	if (--left == 0)
		uv_close((uv_handle_t *)&listening, NULL);
}

static void echo(uv_stream_t *stream, ssize_t n, const uv_buf_t *room);

static void written(uv_write_t *request, int status)
{
	struct connection *c = (struct connection *)request->handle;

	free(c->rest);
	c->rest = NULL;
	if (status == 0)
		uv_read_start(request->handle, give_room, echo);
}

static void keep(struct connection *c, const char *rest, size_t len)
{
	uv_buf_t buf;

	c->rest = malloc(len);
	if (c->rest == NULL)
		bench_die("malloc");
	memcpy(c->rest, rest, len);
	buf = uv_buf_init(c->rest, (unsigned)len);
	uv_read_stop((uv_stream_t *)&c->tcp);
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, written) != 0)
		bench_die("uv_write");
}

static void echo(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	uv_buf_t buf;
	int sent;

	if (n < 0) {
		uv_close((uv_handle_t *)stream, closed);
		return;
	}
	if (n == 0)
		return;
	buf = uv_buf_init(room->base, (unsigned)n);
	sent = uv_try_write(stream, &buf, 1);
	if (sent < 0)
		sent = 0;
	if (sent < n)
		keep((struct connection *)stream, room->base + sent, (size_t)(n - sent));
}

static void accepted(uv_stream_t *listener, int status)
{
	struct connection *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;

	if (c == NULL || uv_tcp_init(listener->loop, &c->tcp) != 0 ||
	    uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 ||
	    uv_read_start((uv_stream_t *)&c->tcp, give_room, echo) != 0)
		bench_die("accept");
}

static void serve(int listener, long connections)
{
	uv_loop_t loop;

	left = connections;
	if (uv_loop_init(&loop) != 0 || uv_tcp_init(&loop, &listening) != 0 ||
	    uv_tcp_open(&listening, listener) != 0 ||
	    uv_listen((uv_stream_t *)&listening, 1024, accepted) != 0)
		bench_die("libuv");
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
}

int main(int argc, char **argv)
{
	return echo_main(argc, argv, NULL);
}
