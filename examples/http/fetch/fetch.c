/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One transfer: requests, one after the other while there are redirects, and what becomes of the
 * body.
 */

#include "fetch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define SOCKS_PORT 1080
#define PIECE      (64 * 1024)
#define LARGE_BODY (1024 * 1024) /* worth asking first whether it is wanted */

struct fetch {
	const struct options *options;
	struct event_base *base;
	struct evdns_base *dns;
	struct event *limit;
	struct evhttp_connection *evcon;
	struct evhttp_uri *uri;
	enum evhttp_cmd_type method;
	int sends_body;
	int is_elsewhere; /* a redirect has led to another server: what is secret stays at home */
	int redirects_left;
	FILE *in;
	FILE *out;
	int drops_body; /* of a redirect, or of an error with -f */
	int has_head;
	int is_over;
	enum outcome outcome;
	struct progress progress;
};

static const struct {
	const char *name;
	enum evhttp_cmd_type type;
} methods[] = {
	{ "GET", EVHTTP_REQ_GET }, { "POST", EVHTTP_REQ_POST },
	{ "HEAD", EVHTTP_REQ_HEAD }, { "PUT", EVHTTP_REQ_PUT },
	{ "DELETE", EVHTTP_REQ_DELETE }, { "OPTIONS", EVHTTP_REQ_OPTIONS },
	{ "TRACE", EVHTTP_REQ_TRACE }, { "PATCH", EVHTTP_REQ_PATCH },
	{ "PROPFIND", EVHTTP_REQ_PROPFIND }, { "PROPPATCH", EVHTTP_REQ_PROPPATCH },
	{ "MKCOL", EVHTTP_REQ_MKCOL }, { "LOCK", EVHTTP_REQ_LOCK },
	{ "UNLOCK", EVHTTP_REQ_UNLOCK }, { "COPY", EVHTTP_REQ_COPY },
	{ "MOVE", EVHTTP_REQ_MOVE },
};

/* The transfer is over: well, or with a message. The first outcome counts. */
__attribute__((__format__(__printf__, 3, 4)))
static void end(struct fetch *f, enum outcome outcome, const char *format, ...)
{
	va_list args;

	if (f->is_over)
		return;
	f->is_over = 1;
	f->outcome = outcome;
	progress_stop(&f->progress);
	if (format != NULL && !f->options->is_silent) {
		va_start(args, format);
		fputs("fetch: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
		va_end(args);
	}
	event_base_loopbreak(f->base);
}

__attribute__((__format__(__printf__, 2, 3)))
static void tell(const struct fetch *f, const char *format, ...)
{
	va_list args;

	if (!f->options->is_verbose)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

/* --- The response ----------------------------------------------------------------------------- */

static int open_output(struct fetch *f)
{
	if (f->out != NULL)
		return 0;
	f->out = f->options->output != NULL ? fopen(f->options->output, "wb") : stdout;
	if (f->out != NULL)
		return 0;
	end(f, FETCH_CANNOT_WRITE, "%s: %s", f->options->output, strerror(errno));
	return -1;
}

static void write_head(struct fetch *f, struct evhttp_request *req)
{
	const struct evkeyval *field = evhttp_request_get_input_headers(req)->tqh_first;

	fprintf(f->out, "HTTP/1.1 %d %s\r\n", evhttp_request_get_response_code(req),
		evhttp_request_get_response_code_line(req));
	for (; field != NULL; field = field->next.tqe_next)
		fprintf(f->out, "%s: %s\r\n", field->key, field->value);
	fputs("\r\n", f->out);
}

/* Where the response sends us; NULL if it does not, or we do not go. */
static const char *redirect_of(const struct fetch *f, struct evhttp_request *req)
{
	switch (evhttp_request_get_response_code(req)) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return f->options->redirects > 0
			       ? evhttp_find_header(evhttp_request_get_input_headers(req),
						    "Location")
			       : NULL;
	default:
		return NULL;
	}
}

static int on_head(struct evhttp_request *req, void *arg)
{
	struct fetch *f = arg;
	int code = evhttp_request_get_response_code(req);
	const char *size =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Length");

	tell(f, "< %d %s\n", code, evhttp_request_get_response_code_line(req));
	if (code < 200)
		return 0;
	f->has_head = 1;
	f->drops_body = redirect_of(f, req) != NULL || (f->options->fails_on_error && code >= 400);
	f->progress.size = size != NULL && !f->drops_body ? strtod(size, NULL) : -1;
	if (f->drops_body && !f->options->shows_head)
		return 0;
	if (open_output(f) != 0)
		return -1;
	if (f->options->shows_head)
		write_head(f, req);
	return 0;
}

static void on_piece(struct evhttp_request *req, void *arg)
{
	struct fetch *f = arg;
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	char block[16384];
	int len;

	f->progress.received += (double)evbuffer_get_length(in);
	if (f->drops_body)
		return;
	while ((len = evbuffer_remove(in, block, sizeof(block))) > 0) {
		if (fwrite(block, 1, (size_t)len, f->out) == (size_t)len)
			continue;
		end(f, FETCH_CANNOT_WRITE, "cannot write: %s", strerror(errno));
		return;
	}
}

/* --- What went wrong -------------------------------------------------------------------------- */

static enum outcome outcome_of(const struct fetch *f, const struct evhttp_failure *failure)
{
	if (failure->reason == EVREQ_HTTP_TIMEOUT)
		return FETCH_TIMEOUT;
	if (failure->reason == EVREQ_HTTP_DATA_TOO_LONG)
		return FETCH_TOO_LARGE;
	switch (failure->stage) {
	case EVHTTP_STAGE_LOOKUP:
		return f->options->proxy != NULL ? FETCH_NO_PROXY : FETCH_NO_HOST;
	case EVHTTP_STAGE_CONNECT:
		return FETCH_NO_CONNECTION;
	case EVHTTP_STAGE_TLS:
		return strstr(failure->text, "certificate") != NULL ? FETCH_NOT_TRUSTED
								    : FETCH_BAD_TLS;
	case EVHTTP_STAGE_PROXY:
		return FETCH_PROXY_REFUSED;
	case EVHTTP_STAGE_SEND:
		return FETCH_SEND_FAILED;
	default:
		if (failure->reason != EVREQ_HTTP_EOF)
			return FETCH_RECEIVE_FAILED;
		return f->has_head ? FETCH_CUT_SHORT : FETCH_NOTHING;
	}
}

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg)
{
	static const char *const stages[] = {
		[EVHTTP_STAGE_LOOKUP] = "cannot find",
		[EVHTTP_STAGE_CONNECT] = "cannot connect to",
		[EVHTTP_STAGE_SEND] = "cannot send to",
		[EVHTTP_STAGE_RECEIVE] = "no good answer from",
		[EVHTTP_STAGE_TLS] = "no secure connection to",
		[EVHTTP_STAGE_PROXY] = "no tunnel to",
	};
	struct fetch *f = arg;
	const char *host = evhttp_uri_get_host(f->uri);

	(void)req;
	if (failure->stage == EVHTTP_STAGE_PROXY && failure->proxy_status != 0)
		end(f, FETCH_PROXY_REFUSED, "%s %s: the proxy answered %d", stages[failure->stage],
		    host, failure->proxy_status);
	else
		end(f, outcome_of(f, failure), "%s %s: %s", stages[failure->stage], host,
		    failure->text);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, FETCH_TIMEOUT, "not done within the time given");
}

/* --- The request's body ----------------------------------------------------------------------- */

static void give_piece(struct evhttp_request *req, void *arg)
{
	struct fetch *f = arg;
	struct evbuffer *piece = evbuffer_new();
	struct evbuffer_iovec space;
	size_t len;

	if (piece == NULL || evbuffer_reserve_space(piece, PIECE, &space, 1) != 1) {
		end(f, FETCH_NO_MEMORY, "no memory");
		return;
	}
	len = fread(space.iov_base, 1, PIECE, f->in);
	space.iov_len = len;
	evbuffer_commit_space(piece, &space, 1);
	if (ferror(f->in))
		end(f, FETCH_CANNOT_READ, "%s: %s", f->options->upload, strerror(errno));
	else if (len == 0 ? evhttp_request_end_body(req) != 0
			  : evhttp_request_write_body(req, piece) != 0)
		end(f, FETCH_SEND_FAILED, "%s: its size has changed", f->options->upload);
	f->progress.sent += (double)len;
	evbuffer_free(piece);
}

/* Prepares sending the file. 0, or -1 and it is over. */
static int add_file(struct fetch *f, struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	const char *name = f->options->upload;
	int is_stdin = strcmp(name, "-") == 0;
	struct stat status;
	char number[24];

	if (f->in == NULL)
		f->in = is_stdin ? stdin : fopen(name, "rb");
	else if (is_stdin || fseek(f->in, 0, SEEK_SET) != 0) {
		end(f, FETCH_CANNOT_READ, "%s cannot be sent a second time", name);
		return -1;
	}
	if (f->in == NULL || fstat(fileno(f->in), &status) != 0) {
		end(f, FETCH_CANNOT_READ, "%s: %s", name, strerror(errno));
		return -1;
	}
	if (S_ISREG(status.st_mode) && !is_stdin) {
		snprintf(number, sizeof(number), "%lld", (long long)status.st_size);
		evhttp_add_header(headers, "Content-Length", number);
	}
	if (!S_ISREG(status.st_mode) || status.st_size > LARGE_BODY)
		evhttp_add_header(headers, "Expect", "100-continue");
	evhttp_request_set_body_cb(req, give_piece, f);
	return 0;
}

static int add_body(struct fetch *f, struct evhttp_request *req)
{
	const char *data = f->options->data;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	if (!f->sends_body)
		return 0;
	if (f->options->upload != NULL)
		return add_file(f, req);
	evbuffer_add(evhttp_request_get_output_buffer(req), data, strlen(data));
	if (evhttp_find_header(headers, "Content-Type") == NULL)
		evhttp_add_header(headers, "Content-Type", "application/x-www-form-urlencoded");
	return 0;
}

/* --- The request ------------------------------------------------------------------------------ */

static int port_of(const struct evhttp_uri *uri)
{
	int port = evhttp_uri_get_port(uri);

	if (port >= 0)
		return port;
	return strcasecmp(evhttp_uri_get_scheme(uri), "https") == 0 ? 443 : 80;
}

/* What may not stand in a request is escaped. Behind what was written. */
static char *append(char *at, const char *part)
{
	for (; *part != '\0'; part++) {
		unsigned char byte = (unsigned char)*part;

		if (byte > ' ' && byte < 0x7f)
			*at++ = (char)byte;
		else
			at += sprintf(at, "%%%02X", byte);
	}
	*at = '\0';
	return at;
}

/* Path and query. For free(). */
static char *target_of(const struct evhttp_uri *uri)
{
	const char *path = evhttp_uri_get_path(uri);
	const char *query = evhttp_uri_get_query(uri);
	char *target = malloc(3 * (strlen(path) + (query != NULL ? strlen(query) : 0)) + 3);
	char *at = target;

	if (target == NULL)
		return NULL;
	if (*path != '/')
		*at++ = '/';
	at = append(at, path);
	if (query != NULL) {
		*at++ = '?';
		append(at, query);
	}
	return target;
}

/* Not told to a server that the user has not named. */
static int is_secret(const char *name)
{
	return strcasecmp(name, "Authorization") == 0 || strcasecmp(name, "Cookie") == 0 ||
	       strcasecmp(name, "Host") == 0;
}

static int add_headers(struct fetch *f, struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	for (int i = 0; i < f->options->n_headers; i++) {
		const char *colon = strchr(f->options->headers[i], ':');
		char name[256];
		int result = -1;

		if (colon != NULL && (size_t)(colon - f->options->headers[i]) < sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", (int)(colon - f->options->headers[i]),
				 f->options->headers[i]);
			if (f->is_elsewhere && is_secret(name))
				continue;
			colon += 1 + strspn(colon + 1, " \t");
			result = evhttp_add_header(headers, name, colon);
		}
		if (result != 0) {
			end(f, FETCH_BAD_USAGE, "not a header field: %s", f->options->headers[i]);
			return -1;
		}
	}
	if (evhttp_find_header(headers, "User-Agent") == NULL)
		evhttp_add_header(headers, "User-Agent", "fetch/2.2");
	if (evhttp_find_header(headers, "Accept") == NULL)
		evhttp_add_header(headers, "Accept", "*/*");
	return 0;
}

static int use_proxy(struct fetch *f)
{
	const char *text = f->options->proxy;
	char whole[1024];
	struct evhttp_uri *uri;
	char *credentials;
	int is_socks, port, result;

	snprintf(whole, sizeof(whole), "%s%s", strstr(text, "://") == NULL ? "http://" : "", text);
	uri = evhttp_uri_parse_with_flags(whole, EVHTTP_URI_HOST_STRIP_BRACKETS);
	is_socks = uri != NULL && strcasecmp(evhttp_uri_get_scheme(uri), "socks5") == 0;
	if (uri == NULL || evhttp_uri_get_host(uri) == NULL ||
	    (!is_socks && strcasecmp(evhttp_uri_get_scheme(uri), "http") != 0)) {
		if (uri != NULL)
			evhttp_uri_free(uri);
		return -1;
	}
	credentials = evhttp_uri_get_userinfo(uri) != NULL
			      ? evhttp_uridecode(evhttp_uri_get_userinfo(uri), 0, NULL)
			      : NULL;
	port = is_socks && evhttp_uri_get_port(uri) < 0 ? SOCKS_PORT : port_of(uri);
	result = (is_socks ? evhttp_connection_set_socks_proxy : evhttp_connection_set_proxy)(
		f->evcon, evhttp_uri_get_host(uri), (ev_uint16_t)port, credentials);
	free(credentials);
	evhttp_uri_free(uri);
	return result;
}

static struct timeval seconds(double s)
{
	return (struct timeval){ (time_t)s, (suseconds_t)((s - (double)(time_t)s) * 1e6) };
}

/* 0, or -1 and it is over. */
static int open_connection(struct fetch *f)
{
	const struct options *options = f->options;
	const char *scheme = evhttp_uri_get_scheme(f->uri);
	const char *host = evhttp_uri_get_host(f->uri);
	struct timeval connect = seconds(options->connect_s);

	if (options->unix_socket != NULL && strcasecmp(scheme, "http") == 0)
		f->evcon = evhttp_connection_base_bufferevent_unix_new(f->base, NULL,
								       options->unix_socket);
	else if (strcasecmp(scheme, "https") == 0)
		f->evcon = secure_connection(f->base, f->dns, options->authorities, host,
					     port_of(f->uri));
	else
		f->evcon = evhttp_connection_base_new(f->base, f->dns, host,
						      (ev_uint16_t)port_of(f->uri));
	if (f->evcon == NULL) {
		end(f, FETCH_NO_CONNECTION, "no connection could be made");
		return -1;
	}
	if (options->proxy != NULL && use_proxy(f) != 0) {
		end(f, FETCH_BAD_USAGE, "not a proxy: %s", options->proxy);
		return -1;
	}
	evhttp_connection_set_family(f->evcon, options->family);
	evhttp_connection_set_max_headers_size(f->evcon, 1 << 20);
	evhttp_connection_set_max_body_size(f->evcon, (ev_ssize_t)options->size_max);
	if (options->connect_s > 0)
		evhttp_connection_set_connect_timeout_tv(f->evcon, &connect);
	return 0;
}

static void on_done(struct evhttp_request *req, void *arg);

/* Send a request for f->uri. */
static void ask(struct fetch *f)
{
	struct evhttp_request *req;
	char *target;

	if (f->evcon == NULL && open_connection(f) != 0)
		return;
	req = evhttp_request_new(on_done, f);
	target = target_of(f->uri);
	f->has_head = 0;
	if (req == NULL || target == NULL) {
		if (req != NULL)
			evhttp_request_free(req);
		end(f, FETCH_NO_MEMORY, "no memory");
	} else if (add_headers(f, req) != 0 || add_body(f, req) != 0) {
		evhttp_request_free(req);
	} else {
		evhttp_request_set_header_cb(req, on_head);
		evhttp_request_set_chunked_cb(req, on_piece);
		evhttp_request_set_failure_cb(req, on_failure, f);
		tell(f, "> %s at %s\n", target, evhttp_uri_get_host(f->uri));
		if (evhttp_make_request(f->evcon, req, f->method, target) != 0)
			end(f, FETCH_SEND_FAILED, "the request cannot be sent");
	}
	free(target);
}

/* --- Redirects -------------------------------------------------------------------------------- */

static int is_fetchable(const struct evhttp_uri *uri)
{
	const char *scheme = evhttp_uri_get_scheme(uri);
	const char *host = evhttp_uri_get_host(uri);

	return scheme != NULL && host != NULL && *host != '\0' &&
	       (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);
}

static int is_same_server(const struct evhttp_uri *a, const struct evhttp_uri *b)
{
	return strcasecmp(evhttp_uri_get_scheme(a), evhttp_uri_get_scheme(b)) == 0 &&
	       strcasecmp(evhttp_uri_get_host(a), evhttp_uri_get_host(b)) == 0 &&
	       port_of(a) == port_of(b);
}

static void follow(struct fetch *f, struct evhttp_request *req, const char *location)
{
	struct evhttp_uri *old = f->uri, *uri;
	enum evhttp_cmd_type method;

	uri = evhttp_request_get_redirect(
		req, old, EVHTTP_URI_NONCONFORMANT | EVHTTP_URI_HOST_STRIP_BRACKETS, &method);
	if (uri == NULL) {
		end(f, FETCH_BAD_URL, "redirected to where we do not go: %s", location);
		return;
	}
	if (f->redirects_left-- == 0) {
		end(f, FETCH_TOO_MANY_REDIRECTS, "more than %d redirects", f->options->redirects);
		evhttp_uri_free(uri);
		return;
	}
	if (method != f->method || evhttp_request_get_response_code(req) == 303)
		f->sends_body = 0;
	f->method = method;
	if (!is_same_server(old, uri)) {
		f->is_elsewhere = 1;
		evhttp_connection_free(f->evcon);
		f->evcon = NULL;
	}
	f->uri = uri;
	evhttp_uri_free(old);
	ask(f);
}

static void on_done(struct evhttp_request *req, void *arg)
{
	struct fetch *f = arg;
	const char *location;
	int code;

	/* Failures have been told. */
	if (f->is_over || req == NULL || evhttp_request_get_response_code(req) == 0)
		return;
	code = evhttp_request_get_response_code(req);
	location = redirect_of(f, req);
	if (location != NULL)
		follow(f, req, location);
	else if (f->options->fails_on_error && code >= 400)
		end(f, FETCH_HTTP_ERROR, "the server answered %d %s", code,
		    evhttp_request_get_response_code_line(req));
	else
		end(f, FETCH_OK, NULL);
}

/* --- Beginning and end ------------------------------------------------------------------------ */

static int choose_method(struct fetch *f)
{
	const struct options *options = f->options;

	f->sends_body = options->data != NULL || options->upload != NULL;
	f->method = options->is_head		? EVHTTP_REQ_HEAD
		    : options->upload != NULL ? EVHTTP_REQ_PUT
		    : options->data != NULL   ? EVHTTP_REQ_POST
					      : EVHTTP_REQ_GET;
	if (options->method == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, options->method) == 0) {
			f->method = methods[i].type;
			return 0;
		}
	}
	end(f, FETCH_BAD_USAGE, "unknown method: %s", options->method);
	return -1;
}

static void start(struct fetch *f)
{
	struct timeval limit = seconds(f->options->limit_s);

	f->uri = evhttp_uri_parse_with_flags(f->options->url, EVHTTP_URI_HOST_STRIP_BRACKETS);
	if (f->uri == NULL || !is_fetchable(f->uri)) {
		end(f, FETCH_BAD_URL, "not an http or https URL: %s", f->options->url);
		return;
	}
	if (evhttp_uri_get_userinfo(f->uri) != NULL) {
		end(f, FETCH_BAD_URL, "credentials belong into a header field, not into the URL");
		return;
	}
	if (choose_method(f) != 0)
		return;
	if (f->options->limit_s > 0) {
		f->limit = evtimer_new(f->base, on_limit, f);
		evtimer_add(f->limit, &limit);
	}
	if (f->options->shows_progress)
		progress_start(&f->progress, f->base);
	ask(f);
}

static void close_files(struct fetch *f)
{
	if (f->in != NULL && f->in != stdin)
		fclose(f->in);
	if (f->out == NULL)
		return;
	if ((f->out == stdout ? fflush(f->out) : fclose(f->out)) != 0 && f->outcome == FETCH_OK) {
		fprintf(stderr, "fetch: cannot write: %s\n", strerror(errno));
		f->outcome = FETCH_CANNOT_WRITE;
	}
}

enum outcome fetch(const struct options *options)
{
	struct fetch f = { .options = options, .redirects_left = options->redirects };

	f.base = event_base_new();
	f.dns = f.base != NULL ? evdns_base_new(f.base, EVDNS_BASE_INITIALIZE_NAMESERVERS) : NULL;
	if (f.base == NULL) {
		fputs("fetch: no memory\n", stderr);
		return FETCH_NO_MEMORY;
	}
	start(&f);
	if (!f.is_over)
		event_base_dispatch(f.base);
	progress_stop(&f.progress);
	close_files(&f);
	if (f.evcon != NULL)
		evhttp_connection_free(f.evcon);
	if (f.uri != NULL)
		evhttp_uri_free(f.uri);
	if (f.limit != NULL)
		event_free(f.limit);
	if (f.dns != NULL)
		evdns_base_free(f.dns, 0);
	event_base_free(f.base);
	libevent_global_shutdown();
	return f.outcome;
}
