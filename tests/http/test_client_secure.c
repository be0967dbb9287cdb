/* SPDX-License-Identifier: BSD-3-Clause */
/* https: connections that check their server. */

#include "http_test.h"

#include <event2/bufferevent_ssl.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* --- Certificates ----------------------------------------------------------------------------- */

static EVP_PKEY *key;
static X509 *certificate;
static char trust_file[64];

static void make_certificate(const char *alternatives)
{
	X509_NAME *name;
	X509_EXTENSION *names;

	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternatives);
	X509_add_ext(certificate, names, -1);
	X509_EXTENSION_free(names);
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
}

/* The system's trust is what these variables say; they are read when the first client is made. */
static void trust(int is_trusted)
{
	FILE *file;

	strcpy(trust_file, "/tmp/http-trust-XXXXXX");
	file = fdopen(mkstemp(trust_file), "w");
	if (is_trusted)
		PEM_write_X509(file, certificate);
	fclose(file);
	setenv("SSL_CERT_FILE", trust_file, 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
}

/* --- Server ----------------------------------------------------------------------------------- */

static SSL_CTX *server_ctx;
static char server_name[64];

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)arg;
	snprintf(server_name, sizeof(server_name), "%s", name != NULL ? name : "none");
	return SSL_TLSEXT_ERR_OK;
}

static struct bufferevent *make_tls(struct event_base *b, void *arg)
{
	(void)arg;
	return bufferevent_openssl_socket_new(b, -1, SSL_new(server_ctx), BUFFEREVENT_SSL_ACCEPTING,
					      BEV_OPT_CLOSE_ON_FREE);
}

static void open_secure(void)
{
	/* What OpenSSL allocates once and keeps is not ours to count. */
	server_ctx = SSL_CTX_new(TLS_server_method());
	make_certificate("DNS:localhost,IP:127.0.0.1");
	SSL_CTX_use_certificate(server_ctx, certificate);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	SSL_CTX_set_tlsext_servername_callback(server_ctx, on_server_name);
	http_open();
	evhttp_set_bevcb(http, make_tls, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
}

static void close_secure(void)
{
	http_close();
	SSL_CTX_free(server_ctx);
	X509_free(certificate);
	EVP_PKEY_free(key);
	if (trust_file[0] != '\0')
		unlink(trust_file);
}

TestSuite(http_client_secure, .init = open_secure, .fini = close_secure, .timeout = 60);

/* --- Client ----------------------------------------------------------------------------------- */

static enum evhttp_failure_stage stage;
static unsigned long tls_error;
static char text[200];

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg)
{
	(void)req;
	(void)arg;
	stage = failure->stage;
	tls_error = failure->tls_error;
	snprintf(text, sizeof(text), "%s", failure->text);
	http_note("failure");
}

static struct evhttp_connection *secure(const char *host)
{
	struct evhttp_connection *evcon = evhttp_connection_base_secure_new(
		base, NULL, bufferevent_openssl_client_new, NULL, host, port);

	cr_assert_not_null(evcon);
	evhttp_connection_set_family(evcon, AF_INET);
	evhttp_connection_set_closecb(evcon, http_on_close, NULL);
	return evcon;
}

static void ask(struct evhttp_connection *evcon)
{
	struct evhttp_request *req = client_request();
	int before = http_done;

	evhttp_request_set_failure_cb(req, on_failure, NULL);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
	client_wait(before + 1);
}

/* HTTP-307, HTTP-229, T13 */
Test(http_client_secure, a_server_of_that_name_that_is_trusted)
{
	struct evhttp_connection *evcon;

	trust(1);
	evcon = secure("localhost");
	ask(evcon);
	ask(evcon);
	cr_assert_str_eq(http_log, "done-200 done-200", "%s (%s)", http_log, text);
	cr_assert_str_eq(http_body, "hello");
	cr_assert_str_eq(server_name, "localhost");
	cr_assert_eq(evhttp_get_connection_count(http), 1);
	evhttp_connection_free(evcon);
}

/* T13 */
Test(http_client_secure, an_address_is_checked_and_not_told_as_a_name)
{
	struct evhttp_connection *evcon;

	trust(1);
	evcon = secure("127.0.0.1");
	ask(evcon);
	cr_assert_str_eq(http_log, "done-200", "%s (%s)", http_log, text);
	cr_assert_str_eq(server_name, "none");
	evhttp_connection_free(evcon);
}

/* The server shows another certificate, which is trusted just as well. */
static void become(const char *alternatives)
{
	X509_free(certificate);
	EVP_PKEY_free(key);
	make_certificate(alternatives);
	SSL_CTX_use_certificate(server_ctx, certificate);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	trust(1);
}

static void expect_refusal(const char *host, const char *why)
{
	struct evhttp_connection *evcon = secure(host);

	evhttp_connection_set_retries(evcon, 3);
	ask(evcon);
	cr_assert_str_eq(http_log, "failure error-1 done-null", "%s", http_log);
	cr_assert_eq(stage, EVHTTP_STAGE_TLS);
	cr_assert_neq(tls_error, 0);
	cr_assert_not_null(strstr(text, why), "%s", text);
	cr_assert_eq(times(http_log, "handler"), 0);
	evhttp_connection_free(evcon);
}

Test(http_client_secure, another_name_is_refused)
{
	become("DNS:localhost.example,DNS:*.localhost,IP:127.0.0.1");
	expect_refusal("localhost", "mismatch");
}

Test(http_client_secure, another_address_is_refused)
{
	become("DNS:localhost,DNS:127.0.0.1,IP:127.0.0.2");
	expect_refusal("127.0.0.1", "mismatch");
}

Test(http_client_secure, a_server_nobody_vouches_for_is_refused)
{
	trust(0);
	expect_refusal("localhost", "self-signed");
}

/* With a context of the program's own. */
Test(http_client_secure, the_programs_trust)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct evhttp_connection *evcon;

	trust(0);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate);
	evcon = evhttp_connection_base_secure_new(base, NULL, bufferevent_openssl_client_new, ctx,
						  "localhost", port);
	SSL_CTX_free(ctx);
	evhttp_connection_set_family(evcon, AF_INET);
	ask(evcon);
	cr_assert_str_eq(http_log, "done-200", "%s (%s)", http_log, text);
	evhttp_connection_free(evcon);
}

Test(http_client_secure, a_reconnect_shakes_hands_and_checks_again)
{
	struct evhttp_connection *evcon;

	trust(1);
	evcon = secure("localhost");
	for (int i = 0; i < 3; i++) {
		struct evhttp_request *req = client_request();

		evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
		evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	}
	client_wait(3);
	cr_assert_str_eq(http_log, "close done-200 close done-200 close done-200");
	evhttp_connection_free(evcon);
}

static struct bufferevent *make_nothing(struct event_base *b, evutil_socket_t fd, const char *host,
					void *arg)
{
	(void)b;
	(void)fd;
	(void)host;
	(void)arg;
	return NULL;
}

/* Never in the clear instead. */
Test(http_client_secure, without_transport_there_is_no_connection)
{
	cr_assert_null(evhttp_connection_base_secure_new(base, NULL, make_nothing, NULL,
							 "localhost", port));
	cr_assert_null(evhttp_connection_base_secure_new(base, NULL, bufferevent_openssl_client_new,
							 NULL, "", port));
}

/* A server without TLS: what it says is no handshake. */
Test(http_client_secure, a_server_without_tls_is_a_failure)
{
	struct evhttp_connection *evcon;

	trust(1);
	evhttp_set_bevcb(http, NULL, NULL);
	evcon = secure("localhost");
	ask(evcon);
	cr_assert_str_eq(http_log, "failure error-1 done-null", "%s", http_log);
	cr_assert_eq(stage, EVHTTP_STAGE_TLS);
	evhttp_connection_free(evcon);
}

/* --- The end of a body ------------------------------------------------------------------------ */

static struct bufferevent *raw;
static const char *raw_reply;
static int raw_is_clean;

static void raw_drained(struct bufferevent *bev, void *arg)
{
	evutil_socket_t fd = bufferevent_getfd(bev);

	(void)arg;
	if (raw_reply != NULL || evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	if (raw_is_clean)
		SSL_shutdown(bufferevent_openssl_get_ssl(bev));
	shutdown(fd, SHUT_WR);
}

static void raw_read(struct bufferevent *bev, void *arg)
{
	(void)arg;
	evbuffer_drain(bufferevent_get_input(bev), evbuffer_get_length(bufferevent_get_input(bev)));
	if (raw_reply != NULL)
		bufferevent_write(bev, raw_reply, strlen(raw_reply));
	raw_reply = NULL;
}

static void raw_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		       int len, void *arg)
{
	(void)listener;
	(void)sa;
	(void)len;
	(void)arg;
	raw = bufferevent_openssl_socket_new(base, fd, SSL_new(server_ctx),
					     BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(raw, raw_read, raw_drained, NULL, NULL);
	bufferevent_enable(raw, EV_READ | EV_WRITE);
}

static void talk_raw(const char *reply, int is_clean, const char *log)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);
	struct evconnlistener *listener;
	struct evhttp_connection *evcon;

	http_log[0] = '\0';
	raw_reply = reply;
	raw_is_clean = is_clean;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, raw_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 8,
					   (struct sockaddr *)&name, sizeof(name));
	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&name, &len);
	port = ntohs(name.sin_port);
	evcon = secure("localhost");
	ask(evcon);
	log_wait("close");
	cr_assert_str_eq(http_log, log, "%s: %s: %s", reply, http_log, text);
	evhttp_connection_free(evcon);
	evconnlistener_free(listener);
	bufferevent_free(raw);
}

/* HTTP-307 */
Test(http_client_secure, an_unclean_end_cuts_a_body_that_needs_one)
{
	trust(1);
	talk_raw("HTTP/1.1 200 OK\r\n\r\nhello", 1, "close done-200");
	talk_raw("HTTP/1.1 200 OK\r\n\r\nhello", 0, "close failure error-3 done-null");
	talk_raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 0,
		 "close failure error-3 done-null");
	talk_raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, "done-200 close");
}
