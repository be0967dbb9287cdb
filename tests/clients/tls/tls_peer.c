/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our side of tests with other TLS programs; see run_tls.
 *
 *     tls_peer LIBRARY serve CERT KEY [AUTHORITY] an echo; a web page for who asks with GET
 *     tls_peer LIBRARY talk HOST PORT AUTHORITY [CERT KEY]  sends its input, prints what comes
 *     tls_peer LIBRARY again HOST PORT AUTHORITY            does so twice, in one TLS session
 *
 * LIBRARY is "openssl" or "mbedtls". The server prints its port; with AUTHORITY it wants
 * certificates. The client ends when it got as much as it sent, with a goodbye, or when the
 * server's goodbye comes. Exit: 0, or 1 and the reason on standard error, as does every connection
 * of the server that fails.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_LEN 300000

static const struct timeval patience = { 100, 0 };
static struct event_base *base;
static int is_mbedtls, has_failed;
static char *question;
static size_t question_len, unanswered;

static SSL_CTX *ctx;
static mbedtls_ssl_config config;

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* --- The libraries ---------------------------------------------------------------------------- */

static void set_up_openssl(int is_server, const char *cert, const char *key, const char *authority)
{
	static const char *const protocols[] = { "h2", "http/1.1", "echo" };

	ctx = SSL_CTX_new(TLS_method());
	if (cert != NULL && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
			     SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		fail("certificate");
	if (authority != NULL && SSL_CTX_load_verify_locations(ctx, authority, NULL) != 1)
		fail("authority");
	if (authority != NULL)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (is_server) {
		SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"peer", 4);
		if (bufferevent_openssl_ctx_select_alpn(ctx, protocols + 1, 2) != 0)
			fail("protocols");
	}
}

static void set_up_mbedtls(int is_server, const char *cert, const char *key, const char *authority)
{
	static const char *protocols[] = { "http/1.1", "echo", NULL };
	static mbedtls_entropy_context entropy;
	static mbedtls_ctr_drbg_context random;
	static mbedtls_x509_crt chain, trusted;
	static mbedtls_pk_context private_key;

	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random);
	mbedtls_x509_crt_init(&chain);
	mbedtls_x509_crt_init(&trusted);
	mbedtls_pk_init(&private_key);
	mbedtls_ssl_config_init(&config);
	if (mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) != 0 ||
	    mbedtls_ssl_config_defaults(
		    &config, is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
		    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		fail("configuration");
	mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
	if (cert != NULL && (mbedtls_x509_crt_parse_file(&chain, cert) != 0 ||
			     mbedtls_pk_parse_keyfile(&private_key, key, NULL) != 0 ||
			     mbedtls_ssl_conf_own_cert(&config, &chain, &private_key) != 0))
		fail("certificate");
	if (authority != NULL && mbedtls_x509_crt_parse_file(&trusted, authority) != 0)
		fail("authority");
	if (authority != NULL)
		mbedtls_ssl_conf_ca_chain(&config, &trusted, NULL);
	mbedtls_ssl_conf_authmode(&config, authority != NULL ? MBEDTLS_SSL_VERIFY_REQUIRED
							     : MBEDTLS_SSL_VERIFY_NONE);
	if (is_server && bufferevent_mbedtls_conf_set_alpn(&config, protocols) != 0)
		fail("protocols");
}

static struct bufferevent *accept_tls(evutil_socket_t fd)
{
	if (is_mbedtls)
		return bufferevent_mbedtls_socket_new(
			base, fd, bufferevent_mbedtls_dyncontext_new(&config),
			BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	return bufferevent_openssl_socket_new(base, fd, SSL_new(ctx), BUFFEREVENT_SSL_ACCEPTING,
					      BEV_OPT_CLOSE_ON_FREE);
}

static struct bufferevent *client_tls(const char *host)
{
	return is_mbedtls ? bufferevent_mbedtls_client_new(base, -1, host, &config)
			  : bufferevent_openssl_client_new(base, -1, host, ctx);
}

/* Why the peer was refused, if it was; else what the library says, or NULL. */
static const char *openssl_reason(struct bufferevent *bev)
{
	long verdict = SSL_get_verify_result(bufferevent_openssl_get_ssl(bev));
	unsigned long code = bufferevent_get_openssl_error(bev);

	if (code == 0)
		return NULL;
	return verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
				    : ERR_reason_error_string(code);
}

static const char *mbedtls_reason(struct bufferevent *bev)
{
	static char text[256];
	uint32_t verdict = mbedtls_ssl_get_verify_result(bufferevent_mbedtls_get_ssl(bev));
	unsigned long code = bufferevent_get_mbedtls_error(bev);

	if (code == 0)
		return NULL;
	if (verdict == 0 || verdict == UINT32_MAX ||
	    mbedtls_x509_crt_verify_info(text, sizeof(text), "", verdict) <= 0)
		mbedtls_strerror(-(int)code, text, sizeof(text));
	return text;
}

static void print_reason(struct bufferevent *bev, short what)
{
	const char *reason = is_mbedtls ? mbedtls_reason(bev) : openssl_reason(bev);

	fprintf(stderr, "event 0x%x: %s\n", (unsigned)what,
		reason != NULL ? reason : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

/* --- Sessions --------------------------------------------------------------------------------- */

static SSL_SESSION *session;
static mbedtls_ssl_session session_of_mbedtls;

static void use_session(struct bufferevent *bev)
{
	int is_set = is_mbedtls ? mbedtls_ssl_set_session(bufferevent_mbedtls_get_ssl(bev),
							  &session_of_mbedtls) == 0
				: SSL_set_session(bufferevent_openssl_get_ssl(bev), session) == 1;

	if (!is_set)
		fail("session");
}

static void keep_session(struct bufferevent *bev)
{
	if (is_mbedtls)
		mbedtls_ssl_get_session(bufferevent_mbedtls_get_ssl(bev), &session_of_mbedtls);
	else
		session = SSL_get1_session(bufferevent_openssl_get_ssl(bev));
}

/* --- Server ----------------------------------------------------------------------------------- */

static void end_all(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_ssl_shutdown(bev);
	bufferevent_free(bev);
}

static void send_page(struct bufferevent *bev)
{
	char *page = malloc(PAGE_LEN);

	memset(page, 'p', PAGE_LEN);
	evbuffer_add_printf(
		bufferevent_get_output(bev),
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n");
	bufferevent_write(bev, page, PAGE_LEN);
	free(page);
	bufferevent_setcb(bev, NULL, end_all, NULL, NULL);
}

static void serve_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	char start[4] = "";

	(void)arg;
	evbuffer_copyout(input, start, 4);
	if (memcmp(start, "GET ", 4) != 0)
		bufferevent_write_buffer(bev, input);
	else if (evbuffer_search(input, "\r\n\r\n", 4, NULL).pos >= 0)
		send_page(bev);
}

static void serve_event(struct bufferevent *bev, short what, void *arg)
{
	(void)arg;
	if (what & BEV_EVENT_CONNECTED) {
		if (!is_mbedtls && SSL_session_reused(bufferevent_openssl_get_ssl(bev)))
			fprintf(stderr, "reused\n");
		return;
	}
	if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
		bufferevent_setcb(bev, NULL, end_all, serve_event, NULL);
		return;
	}
	if (what & BEV_EVENT_EOF)
		bufferevent_ssl_shutdown(bev);
	else
		print_reason(bev, what);
	bufferevent_free(bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	struct bufferevent *bev = accept_tls(fd);

	(void)listener;
	(void)sa;
	(void)len;
	(void)arg;
	bufferevent_setcb(bev, serve_read, NULL, serve_event, NULL);
	bufferevent_set_timeouts(bev, &patience, &patience);
	bufferevent_enable(bev, EV_READ);
}

static void serve(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct evconnlistener *listener;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
					   (struct sockaddr *)&sin, sizeof(sin));
	if (listener == NULL)
		fail("listen");
	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len);
	printf("%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	event_base_dispatch(base);
}

/* --- Client ----------------------------------------------------------------------------------- */

static void talk_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);

	(void)arg;
	unanswered -= len < unanswered ? len : unanswered;
	while (evbuffer_get_length(input) > 0 && evbuffer_write(input, STDOUT_FILENO) > 0)
		continue;
	if (unanswered == 0) {
		bufferevent_ssl_shutdown(bev);
		event_base_loopbreak(base);
	}
}

static void talk_event(struct bufferevent *bev, short what, void *arg)
{
	(void)arg;
	if (what & BEV_EVENT_CONNECTED)
		return;
	if (!(what & BEV_EVENT_EOF)) {
		print_reason(bev, what);
		has_failed = 1;
	}
	event_base_loopbreak(base);
}

static void read_question(void)
{
	size_t size = 1 << 20;
	ssize_t n;

	question = malloc(size);
	while ((n = read(STDIN_FILENO, question + question_len, size - question_len)) > 0)
		question_len += (size_t)n;
}

static struct bufferevent *talk(const char *host, int port, int is_again)
{
	struct bufferevent *bev = client_tls(host);

	if (bev == NULL)
		fail("client");
	if (is_again)
		use_session(bev);
	bufferevent_setcb(bev, talk_read, NULL, talk_event, NULL);
	bufferevent_set_timeouts(bev, &patience, &patience);
	bufferevent_enable(bev, EV_READ);
	bufferevent_write(bev, question, question_len);
	unanswered = question_len;
	if (bufferevent_socket_connect_hostname(bev, NULL, AF_INET, host, port) != 0)
		fail("connect");
	if (!has_failed)
		event_base_dispatch(base);
	return bev;
}

static void talk_twice(const char *host, int port)
{
	struct bufferevent *bev = talk(host, port, 0);

	keep_session(bev);
	bufferevent_free(bev);
	bev = talk(host, port, 1);
	if (!is_mbedtls)
		fprintf(stderr, "%s\n",
			SSL_session_reused(bufferevent_openssl_get_ssl(bev)) ? "reused" : "new");
	bufferevent_free(bev);
}

int main(int argc, char **argv)
{
	int is_server = argc > 2 && strcmp(argv[2], "serve") == 0;

	if (argc < 5)
		return 2;
	is_mbedtls = strcmp(argv[1], "mbedtls") == 0;
	base = event_base_new();
	if (is_server)
		(is_mbedtls ? set_up_mbedtls : set_up_openssl)(1, argv[3], argv[4],
							       argc > 5 ? argv[5] : NULL);
	else
		(is_mbedtls ? set_up_mbedtls : set_up_openssl)(0, argc > 7 ? argv[6] : NULL,
							       argc > 7 ? argv[7] : NULL, argv[5]);
	if (is_server) {
		serve();
	} else {
		read_question();
		if (strcmp(argv[2], "again") == 0)
			talk_twice(argv[3], atoi(argv[4]));
		else
			bufferevent_free(talk(argv[3], atoi(argv[4]), 0));
	}
	event_base_free(base);
	return has_failed;
}
