/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo_server CERTIFICATE KEY [PORT]: sends back what it receives, over TLS.
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test \
 *             -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
 *     echo_server cert.pem key.pem 7777 &
 *     echo hello | echo_client localhost 7777 cert.pem
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* A client that says nothing for so long, in its handshake or later, has to go. */
static const struct timeval patience = { 60, 0 };

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

/* All is sent: say goodbye, so that the client knows that nothing was cut off. */
static void on_all_sent(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_ssl_shutdown(bev);
	bufferevent_free(bev);
}

static void print_error(struct bufferevent *bev)
{
	unsigned long code = bufferevent_get_openssl_error(bev);
	char text[256];

	if (code == 0)
		return; /* the connection failed, not TLS */
	ERR_error_string_n(code, text, sizeof(text));
	fprintf(stderr, "a client failed: %s\n", text);
}

/* BEV_EVENT_EOF is the client's goodbye; a connection that merely ends is an error. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)arg;
	if (what & BEV_EVENT_CONNECTED)
		return;
	if (!(what & BEV_EVENT_EOF)) {
		print_error(bev);
		bufferevent_free(bev);
	} else if (evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
		bufferevent_setcb(bev, NULL, on_all_sent, on_event, NULL);
	} else {
		on_all_sent(bev, NULL);
	}
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	struct event_base *base = evconnlistener_get_base(listener);
	SSL *ssl = SSL_new(arg);
	struct bufferevent *bev = NULL;

	(void)peer;
	(void)len;
	if (ssl != NULL) /* which is freed if this fails */
		bev = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
						     BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		evutil_closesocket(fd);
		return;
	}
	bufferevent_setcb(bev, on_read, NULL, on_event, NULL);
	bufferevent_set_timeouts(bev, &patience, &patience);
	bufferevent_enable(bev, EV_READ);
}

static SSL_CTX *make_context(const char *certificate, const char *key)
{
	static const char *const protocols[] = { "echo" };
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	    bufferevent_openssl_ctx_select_alpn(ctx, protocols, 1) == 0)
		return ctx;
	ERR_print_errors_fp(stderr);
	SSL_CTX_free(ctx);
	return NULL;
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
	(void)number;
	(void)what;
	event_base_loopexit(base, NULL);
}

static int port_of(struct evconnlistener *listener)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len) != 0)
		return 0;
	return ntohs(sin.sin_port);
}

static int serve(SSL_CTX *ctx, unsigned short port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct event_base *base = event_base_new();
	struct evconnlistener *listener;
	struct event *stop;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, on_accept, ctx,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
					   (struct sockaddr *)&sin, sizeof(sin));
	if (listener == NULL) {
		perror("echo_server");
		event_base_free(base);
		return 1;
	}
	stop = evsignal_new(base, SIGTERM, on_signal, base);
	event_add(stop, NULL);
	printf("listening on port %d\n", port_of(listener));
	fflush(stdout);
	event_base_dispatch(base);
	event_free(stop);
	evconnlistener_free(listener);
	event_base_free(base);
	return 0;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: echo_server CERTIFICATE KEY [PORT]\n");
		return 2;
	}
	ctx = make_context(argv[1], argv[2]);
	if (ctx == NULL)
		return 1;
	status = serve(ctx, argc > 3 ? (unsigned short)atoi(argv[3]) : 0);
	SSL_CTX_free(ctx);
	return status;
}
