/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limited_proxy PORT HOST HOST_PORT RATE: passes connections on, all of them together at no more
 * than RATE bytes per second in each direction.
 *
 * A side that is slow holds the other one back: reading rests while the peer's output is full, and
 * goes on when the peer's write callback says that it has drained.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define TICKS_PER_SECOND 10
#define OUTPUT_FULL      (64 * 1024)
#define OUTPUT_DRAINED   (16 * 1024)

struct proxy {
	const char *host;
	int port;
	struct bufferevent_rate_limit_group *group;
};

/* The argument of each side's callbacks is the other side. */
static void on_read(struct bufferevent *bev, void *arg)
{
	struct bufferevent *other = arg;

	bufferevent_write_buffer(other, bufferevent_get_input(bev));
	if (evbuffer_get_length(bufferevent_get_output(other)) >= OUTPUT_FULL)
		bufferevent_disable(bev, EV_READ);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	(void)bev;
	bufferevent_enable(arg, EV_READ);
}

static void on_last_write(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_free(bev);
}

static void on_last_event(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

/* One side is gone: the other gets what is left for it, then goes, too. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct bufferevent *other = arg;

	if (what & BEV_EVENT_CONNECTED)
		return;
	bufferevent_free(bev);
	if (evbuffer_get_length(bufferevent_get_output(other)) == 0) {
		bufferevent_free(other);
		return;
	}
	bufferevent_setwatermark(other, EV_WRITE, 0, 0);
	bufferevent_setcb(other, NULL, on_last_write, on_last_event, NULL);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	struct event_base *base = evconnlistener_get_base(listener);
	struct proxy *proxy = arg;
	struct bufferevent *in = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	struct bufferevent *out = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	(void)peer;
	(void)len;
	if (in == NULL || out == NULL ||
	    bufferevent_socket_connect_hostname(out, NULL, AF_UNSPEC, proxy->host, proxy->port)) {
		bufferevent_free(in);
		bufferevent_free(out);
		return;
	}
	bufferevent_setcb(in, on_read, on_write, on_event, out);
	bufferevent_setcb(out, on_read, on_write, on_event, in);
	bufferevent_setwatermark(in, EV_WRITE, OUTPUT_DRAINED, 0);
	bufferevent_setwatermark(out, EV_WRITE, OUTPUT_DRAINED, 0);
	bufferevent_add_to_rate_limit_group(in, proxy->group);
	bufferevent_enable(in, EV_READ);
	bufferevent_enable(out, EV_READ);
}

static struct bufferevent_rate_limit_group *limit(struct event_base *base, size_t rate)
{
	const struct timeval tick = { .tv_usec = 1000000 / TICKS_PER_SECOND };
	size_t per_tick = rate / TICKS_PER_SECOND;
	struct ev_token_bucket_cfg *cfg =
		ev_token_bucket_cfg_new(per_tick, per_tick, per_tick, per_tick, &tick);
	struct bufferevent_rate_limit_group *group;

	if (cfg == NULL)
		return NULL;
	group = bufferevent_rate_limit_group_new(base, cfg); /* copies it */
	ev_token_bucket_cfg_free(cfg);
	return group;
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct event_base *base = event_base_new();
	struct evconnlistener *listener;
	struct proxy proxy;

	if (argc != 5) {
		fprintf(stderr, "usage: limited_proxy PORT HOST HOST_PORT RATE\n");
		return 2;
	}
	proxy = (struct proxy){ argv[2], atoi(argv[3]), limit(base, (size_t)atol(argv[4])) };
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((unsigned short)atoi(argv[1]));
	listener = evconnlistener_new_bind(base, on_accept, &proxy,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
					   (struct sockaddr *)&sin, sizeof(sin));
	if (listener == NULL || proxy.group == NULL) {
		perror("limited_proxy");
		return 1;
	}
	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len);
	printf("listening on port %d\n", ntohs(sin.sin_port));
	fflush(stdout);
	event_base_dispatch(base);
	evconnlistener_free(listener);
	bufferevent_rate_limit_group_free(proxy.group);
	event_base_free(base);
	return 0;
}
