/* SPDX-License-Identifier: BSD-3-Clause */
/* Fixtures of the HTTP suites; see http_test.h. */

#include "http_test.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct event_base *base;
struct evhttp *http;
ev_uint16_t port;
struct evhttp_request *kept;
char http_log[4096];
char http_body[1 << 16];
size_t http_body_len;
int http_done;

/* --- Server ----------------------------------------------------------------------------------- */

ev_uint16_t http_port_of(struct evhttp_bound_socket *bound)
{
	struct sockaddr_storage name = { 0 };
	ev_socklen_t len = sizeof(name);

	cr_assert_eq(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len),
		     0);
	return ntohs(((struct sockaddr_in *)&name)->sin_port); /* that of IPv6 is in the same place */
}

void http_open(void)
{
	struct evhttp_bound_socket *bound;

	support_leak_init();
	base = support_base_new();
	http = evhttp_new(base);
	cr_assert_not_null(http);
	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	cr_assert_not_null(bound);
	port = http_port_of(bound);
}

void http_close(void)
{
	if (http != NULL)
		evhttp_free(http);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	libevent_global_shutdown();
	support_leak_fini();
}

void http_hello(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add(body, "hello", 5);
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}

void http_echo(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply(req, 200, "OK", evhttp_request_get_input_buffer(req));
}

void http_keep(struct evhttp_request *req, void *arg)
{
	(void)arg;
	kept = req;
	http_note("handler");
}

/* --- Log -------------------------------------------------------------------------------------- */

void http_note(const char *format, ...)
{
	size_t len = strlen(http_log);
	va_list args;

	if (len > 0)
		http_log[len++] = ' ';
	va_start(args, format);
	vsnprintf(http_log + len, sizeof(http_log) - len, format, args);
	va_end(args);
}

void http_on_close(struct evhttp_connection *evcon, void *arg)
{
	(void)evcon;
	(void)arg;
	http_note("close");
}

void http_on_error(enum evhttp_request_error error, void *arg)
{
	(void)arg;
	http_note("error-%d", (int)error);
}

void http_on_complete(struct evhttp_request *req, void *arg)
{
	(void)req;
	(void)arg;
	http_note("complete");
}

/* --- Waiting ---------------------------------------------------------------------------------- */

static void give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cr_assert_fail("waited too long for %s; log: %s", (const char *)arg, http_log);
}

/* Runs the loop until `is_true(arg)`. */
static void wait_for(int (*is_true)(void *arg), void *arg, const char *what)
{
	struct timeval limit = { support_limit_ms(LIMIT_MS) / 1000, 0 };
	struct event *watchdog = evtimer_new(base, give_up, (void *)(uintptr_t)what);

	evtimer_add(watchdog, &limit);
	while (!is_true(arg))
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
}

static int log_has(void *arg)
{
	return strstr(http_log, arg) != NULL;
}

void log_wait(const char *word)
{
	wait_for(log_has, (void *)(uintptr_t)word, word);
}

/* --- Raw peer --------------------------------------------------------------------------------- */

/* In few steps: where memory is checked, each realloc() copies all there is. */
static void peer_make_room(struct peer *peer, size_t size)
{
	if (size <= peer->size)
		return;
	peer->size = 2 * size;
	peer->got = realloc(peer->got, peer->size);
	cr_assert_not_null(peer->got);
}

static void peer_on_read(struct bufferevent *bev, void *arg)
{
	struct peer *peer = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);

	peer_make_room(peer, peer->len + len + 1);
	evbuffer_remove(in, peer->got + peer->len, len);
	peer->len += len;
	peer->got[peer->len] = '\0';
}

static void peer_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct peer *peer = arg;

	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		peer->has_ended = 1;
	if ((what & BEV_EVENT_ERROR) != 0)
		peer->was_reset = 1;
}

struct peer *peer_open_on(evutil_socket_t fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	peer_make_room(peer, 1);
	peer->got[0] = '\0';
	peer->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(peer->bev, peer_on_read, NULL, peer_on_event, peer);
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
	return peer;
}

struct peer *peer_open(ev_uint16_t to)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(to) };
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	evutil_make_socket_nonblocking(fd);
	return peer_open_on(fd);
}

void peer_send_bytes(struct peer *peer, const void *bytes, size_t len)
{
	bufferevent_write(peer->bev, bytes, len);
}

void peer_send(struct peer *peer, const char *text)
{
	peer_send_bytes(peer, text, strlen(text));
}

static int is_sent(void *arg)
{
	struct peer *peer = arg;

	return peer->has_ended || evbuffer_get_length(bufferevent_get_output(peer->bev)) == 0;
}

void peer_finish(struct peer *peer)
{
	wait_for(is_sent, peer, "the peer's bytes to go out");
	shutdown(bufferevent_getfd(peer->bev), SHUT_WR);
}

static const char *wanted;

static int has_come(void *arg)
{
	struct peer *peer = arg;
	const char *at = strstr(peer->got + peer->awaited, wanted);

	if (at != NULL)
		peer->awaited = (size_t)(at - peer->got) + strlen(wanted);
	return at != NULL;
}

void peer_until(struct peer *peer, const char *text)
{
	wanted = text;
	wait_for(has_come, peer, text);
}

static int has_ended(void *arg)
{
	return ((struct peer *)arg)->has_ended;
}

void peer_until_end(struct peer *peer)
{
	wait_for(has_ended, peer, "the end of the connection");
}

void peer_close(struct peer *peer)
{
	bufferevent_free(peer->bev);
	free(peer->got);
	free(peer);
}

const char *talk_bytes(const void *bytes, size_t len)
{
	static char result[1 << 20];
	struct peer *peer = peer_open(port);

	peer_send_bytes(peer, bytes, len);
	peer_finish(peer);
	peer_until_end(peer);
	cr_assert_lt(peer->len, sizeof(result));
	memcpy(result, peer->got, peer->len + 1);
	peer_close(peer);
	return result;
}

const char *talk(const char *text)
{
	return talk_bytes(text, strlen(text));
}

/*
 * Looks at each byte once; where memory is checked, each strstr() measures all of the text first.
 */
int times(const char *text, const char *part)
{
	const char *end = text + strlen(text);
	size_t len = strlen(part);
	int n = 0;

	while ((text = memchr(text, part[0], (size_t)(end - text))) != NULL) {
		n += strncmp(text, part, len) == 0;
		text++;
	}
	return n;
}

/* --- Canned server ---------------------------------------------------------------------------- */

static void canned_reset(struct bufferevent *bev)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Where `bev` stands among those that are open; NULL: where there is room. */
static struct bufferevent **canned_find(struct canned *canned, const struct bufferevent *bev)
{
	for (int i = 0; i < CANNED_MAX; i++) {
		if (canned->open[i] == bev)
			return &canned->open[i];
	}
	cr_assert_fail("no such connection, or too many");
	return NULL;
}

static void canned_drop(struct canned *canned, struct bufferevent *bev)
{
	*canned_find(canned, bev) = NULL;
	if (canned->last == bev)
		canned->last = NULL;
	bufferevent_free(bev);
}

static void canned_on_drained(struct bufferevent *bev, void *arg)
{
	struct canned *canned = arg;

	if (!canned->has_answered || canned->then == CANNED_KEEP)
		return;
	if (canned->then == CANNED_RESET)
		canned_reset(bev);
	canned_drop(canned, bev);
}

static void canned_on_read(struct bufferevent *bev, void *arg)
{
	struct canned *canned = arg;
	size_t room = sizeof(canned->seen) - 1 - canned->seen_len;
	size_t len = bufferevent_read(bev, canned->seen + canned->seen_len, room);

	canned->seen_len += len;
	canned->seen[canned->seen_len] = '\0';
	if (strstr(canned->seen, canned->trigger) == NULL)
		return;
	canned->requests++;
	canned->has_answered = 1;
	canned->seen_len = 0;
	bufferevent_write(bev, canned->reply,
			  canned->reply_len > 0 ? canned->reply_len : strlen(canned->reply));
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		canned_on_drained(bev, canned);
}

static void canned_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct canned *canned = arg;

	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
		return;
	canned->closed++;
	canned_drop(canned, bev);
}

static void canned_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
			     struct sockaddr *name, int len, void *arg)
{
	struct canned *canned = arg;

	(void)listener;
	(void)name;
	(void)len;
	canned->connections++;
	canned->has_answered = 0;
	canned->seen_len = 0;
	canned->last = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	*canned_find(canned, NULL) = canned->last;
	bufferevent_setcb(canned->last, canned_on_read, canned_on_drained, canned_on_event, canned);
	bufferevent_enable(canned->last, EV_READ | EV_WRITE);
}

void canned_open(struct canned *canned, const char *reply, enum canned_then then)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);

	memset(canned, 0, sizeof(*canned));
	canned->reply = reply;
	canned->trigger = "\r\n\r\n";
	canned->then = then;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	canned->listener = evconnlistener_new_bind(base, canned_on_accept, canned,
						   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
							   LEV_OPT_REUSEABLE, 16,
						   (struct sockaddr *)&name, sizeof(name));
	cr_assert_not_null(canned->listener);
	getsockname(evconnlistener_get_fd(canned->listener), (struct sockaddr *)&name, &len);
	canned->port = ntohs(name.sin_port);
}

void canned_close(struct canned *canned)
{
	evconnlistener_free(canned->listener);
	for (int i = 0; i < CANNED_MAX; i++) {
		if (canned->open[i] != NULL)
			canned_drop(canned, canned->open[i]);
	}
}

void canned_hang_up(struct canned *canned)
{
	canned_drop(canned, canned->last);
}

evutil_socket_t http_deaf(ev_uint16_t *io_port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(*io_port) };
	ev_socklen_t len = sizeof(name);
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	evutil_make_listen_socket_reuseable(fd); /* connections to it may have ended just now */
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	*io_port = ntohs(name.sin_port);
	return fd;
}

/* --- Client ----------------------------------------------------------------------------------- */

void http_on_done(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_done++;
	if (req == NULL) {
		http_note("done-null");
		return;
	}
	http_note("done-%d", evhttp_request_get_response_code(req));
	http_body_len = (size_t)evbuffer_copyout(evhttp_request_get_input_buffer(req), http_body,
						 sizeof(http_body) - 1);
	http_body[http_body_len] = '\0';
}

struct evhttp_connection *client_open(ev_uint16_t to)
{
	struct evhttp_connection *evcon = evhttp_connection_base_new(base, NULL, "127.0.0.1", to);

	cr_assert_not_null(evcon);
	evhttp_connection_set_closecb(evcon, http_on_close, NULL);
	return evcon;
}

struct evhttp_request *client_request(void)
{
	struct evhttp_request *req = evhttp_request_new(http_on_done, NULL);

	cr_assert_not_null(req);
	evhttp_request_set_error_cb(req, http_on_error);
	return req;
}

struct evhttp_request *client_get(struct evhttp_connection *evcon, const char *uri)
{
	struct evhttp_request *req = client_request();

	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, uri), 0);
	return req;
}

static int is_done(void *arg)
{
	return http_done >= *(int *)arg;
}

void client_wait(int done)
{
	wait_for(is_done, &done, "a completion");
}
