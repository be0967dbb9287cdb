/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server object: life and settings.
 */

#include "http/server_step.h"
#include "os/os_text.h"

#include <event2/component/reactor.h>

#include <string.h>

#define CACHED_MAX 64 /* used requests kept; more is only of use where as many run at once */

#define METHODS_DEFAULT                                                                           \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE)

#define KNOWN_FLAGS                                                                               \
	(EVHTTP_SERVER_LINGERING_CLOSE | EVHTTP_SERVER_RELAX_HOST |                                \
	 EVHTTP_SERVER_ACCEPT_CODINGS | EVHTTP_SERVER_EOF_IS_GONE)

/* A head may take as long as this while the program has set no limit. */
#define HEAD_SECONDS_DEFAULT 60

/* A body may come as slowly as this. */
#define BODY_RATE_DEFAULT    1024
#define BODY_SECONDS_DEFAULT 60

void evi_server_ref(struct evhttp *http)
{
	http->references++;
}

void evi_server_unref(struct evhttp *http)
{
	if (--http->references > 0)
		return;
	while (http->cache != NULL) {
		struct evi_request *r = http->cache;

		http->cache = r->cached;
		evi_request_destroy(r);
	}
	evi_free(http);
}

const char *evi_server_date(struct evhttp *http)
{
	struct timeval now;
	struct tm parts;

	if (event_base_gettimeofday_cached(http->base, &now) != 0)
		now.tv_sec = time(NULL);
	if (now.tv_sec == http->date_time)
		return http->date;
	http->date_time = now.tv_sec;
	if (evi_time_parts(http->date_time, &parts) < 0 ||
	    evutil_date_rfc1123(http->date, sizeof(http->date), &parts) != EVI_DATE_LEN)
		http->date[0] = '\0';
	return http->date;
}

struct evi_request *evi_server_take_request(struct evhttp *http)
{
	struct evi_request *r = http->cache;

	if (r == NULL)
		return evi_request_make(EVI_SERVER_BLOCK);
	http->cache = r->cached;
	http->cached--;
	r->cached = NULL;
	return r;
}

void evi_server_give_request(struct evhttp *http, struct evi_request *r)
{
	if (r->busy > 0 || (r->pub.flags & EVHTTP_USER_OWNED) != 0 || http->is_freed ||
	    http->cached >= CACHED_MAX) {
		r->pub.flags &= ~EVHTTP_USER_OWNED;
		evi_request_release(r);
		return;
	}
	if (evi_request_reset(r) != 0)
		return;
	r->cached = http->cache;
	http->cache = r;
	http->cached++;
}

void evi_session_add(struct evhttp *http, struct evi_session *session)
{
	evi_server_ref(http);
	session->next = http->sessions;
	session->link = &http->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	http->sessions = session;
	http->connection_count++;
}

void evi_session_remove(struct evhttp *http, struct evi_session *session)
{
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	http->connection_count--;
	evi_server_look_whether_stopped(http);
	evi_server_unref(http);
}

void evi_server_look_whether_stopped(struct evhttp *http)
{
	void (*cb)(struct evhttp *, void *) = http->stop_cb;

	if (!http->is_stopping || http->is_freed || http->connection_count > 0 || cb == NULL)
		return;
	http->stop_cb = NULL;
	cb(http, http->stop_arg);
}

/* A connection between requests: it waits for nothing that it was promised. */
static struct evhttp_connection *find_idle(struct evhttp *http)
{
	struct evhttp_connection *c = http->connections;

	while (c != NULL && !evi_server_is_idle(c))
		c = c->next;
	return c;
}

/* --- Public ----------------------------------------------------------------------------------- */

struct evhttp *evhttp_new(struct event_base *base)
{
	struct evhttp *http = evi_calloc(1, sizeof(*http));

	if (http == NULL)
		return NULL;
	http->base = base;
	http->references = 1;
	http->methods = METHODS_DEFAULT;
	http->content_type = "text/html; charset=ISO-8859-1";
	http->headers_max = EVI_HEAD_SIZE_DEFAULT;
	http->body_max = EVI_UNLIMITED;
	http->head_timeout.tv_sec = HEAD_SECONDS_DEFAULT;
	http->body_rate = BODY_RATE_DEFAULT;
	http->body_window.tv_sec = BODY_SECONDS_DEFAULT;
	http->date_time = -1;
	return http;
}

struct evhttp *evhttp_start(const char *address, ev_uint16_t port)
{
	struct evhttp *http = evhttp_new(evi_current_base());

	if (http == NULL)
		return NULL;
	if (evhttp_bind_socket(http, address, port) != 0) {
		evhttp_free(http);
		return NULL;
	}
	return http;
}

void evhttp_free(struct evhttp *http)
{
	if (http == NULL || http->is_freed)
		return;
	http->is_freed = 1;
	evi_server_unbind(http);
	while (http->connections != NULL)
		evhttp_connection_free(http->connections);
	while (http->sessions != NULL)
		http->sessions->close(http->sessions);
	evi_server_free_routes(http);
	evi_server_unref(http);
}

void evhttp_stop(struct evhttp *http, void (*cb)(struct evhttp *, void *), void *arg)
{
	struct evhttp_connection *c;

	http->is_stopping = 1;
	http->stop_cb = cb;
	http->stop_arg = arg;
	evi_server_unbind(http);
	evi_server_ref(http);
	while (!http->is_freed && (c = find_idle(http)) != NULL) {
		evi_connection_enter(c);
		evi_server_close_written(c);
		evi_connection_leave(c);
	}
	evi_server_look_whether_stopped(http);
	evi_server_unref(http);
}

int evhttp_get_connection_count(struct evhttp *http)
{
	return http->connection_count;
}

void evhttp_set_max_connections(struct evhttp *http, int max_connections)
{
	http->connection_max = max_connections > 0 ? max_connections : 0;
}

void evhttp_set_max_headers_size(struct evhttp *http, ev_ssize_t max_headers_size)
{
	http->headers_max = evi_size_limit(max_headers_size);
}

void evhttp_set_max_body_size(struct evhttp *http, ev_ssize_t max_body_size)
{
	http->body_max = evi_limit(max_body_size);
}

void evhttp_set_allowed_methods(struct evhttp *http, ev_uint32_t methods)
{
	http->methods = methods;
}

void evhttp_set_ext_method_cmp(struct evhttp *http, evhttp_ext_method_cb cmp)
{
	http->ext_method = cmp;
}

void evhttp_set_default_content_type(struct evhttp *http, const char *content_type)
{
	http->content_type = content_type;
}

int evhttp_set_flags(struct evhttp *http, int flags)
{
	if ((flags & ~KNOWN_FLAGS) != 0)
		return -1;
	http->flags = flags;
	return 0;
}

static struct timeval timeout_of(const struct timeval *tv)
{
	return tv != NULL ? *tv : (struct timeval){ 0 };
}

void evhttp_set_timeout(struct evhttp *http, int timeout)
{
	struct timeval tv = { .tv_sec = timeout > 0 ? timeout : 0 };

	evhttp_set_timeout_tv(http, &tv);
}

void evhttp_set_timeout_tv(struct evhttp *http, const struct timeval *tv)
{
	evhttp_set_read_timeout_tv(http, tv);
	evhttp_set_write_timeout_tv(http, tv);
}

void evhttp_set_read_timeout_tv(struct evhttp *http, const struct timeval *tv)
{
	http->read_timeout = timeout_of(tv);
}

void evhttp_set_write_timeout_tv(struct evhttp *http, const struct timeval *tv)
{
	http->write_timeout = timeout_of(tv);
}

void evhttp_set_head_timeout_tv(struct evhttp *http, const struct timeval *tv)
{
	http->head_timeout = timeout_of(tv);
}

void evhttp_set_body_rate(struct evhttp *http, size_t bytes, const struct timeval *tv)
{
	http->body_window = timeout_of(tv);
	http->body_rate = bytes;
}

void evhttp_set_bevcb(struct evhttp *http, struct bufferevent *(*cb)(struct event_base *, void *),
		      void *arg)
{
	http->bevcb = cb;
	http->bevcb_arg = arg;
}

void evhttp_set_newreqcb(struct evhttp *http, int (*cb)(struct evhttp_request *, void *), void *arg)
{
	http->newreqcb = cb;
	http->newreqcb_arg = arg;
}

void evhttp_set_errorcb(struct evhttp *http,
			int (*cb)(struct evhttp_request *req, struct evbuffer *buffer, int error,
				  const char *reason, void *cbarg),
			void *cbarg)
{
	http->errorcb = cb;
	http->errorcb_arg = cbarg;
}

void evhttp_set_gencb(struct evhttp *http, void (*cb)(struct evhttp_request *, void *), void *arg)
{
	http->gencb = cb;
	http->gencb_arg = arg;
}
