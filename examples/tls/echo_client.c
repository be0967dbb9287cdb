/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo_client HOST PORT [AUTHORITY]: sends its input over TLS and prints what comes back, from a
 * server that can prove to be HOST.
 *
 * AUTHORITY is a file with the certificates to trust; the system's are by default.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct timeval patience = { 20, 0 };

struct client {
	struct event_base *base;
	struct bufferevent *bev;
	size_t unanswered; /* bytes that have not come back */
	int has_failed;
};

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct client *client = arg;

	client->unanswered -= evbuffer_get_length(input);
	while (evbuffer_get_length(input) > 0 && evbuffer_write(input, STDOUT_FILENO) > 0)
		continue;
	if (client->unanswered == 0) {
		bufferevent_ssl_shutdown(bev);
		event_base_loopbreak(client->base);
	}
}

/* Why it failed: OpenSSL's reason, or else that of the lookup or the connection. */
static void print_reason(struct client *client, short what)
{
	unsigned long code = bufferevent_get_openssl_error(client->bev);
	int lookup = bufferevent_socket_get_dns_error(client->bev);
	long check = SSL_get_verify_result(bufferevent_openssl_get_ssl(client->bev));

	if (what & BEV_EVENT_TIMEOUT)
		fprintf(stderr, "echo_client: no answer\n");
	else if (lookup != 0)
		fprintf(stderr, "echo_client: %s\n", evutil_gai_strerror(lookup));
	else if (check != X509_V_OK)
		fprintf(stderr, "echo_client: %s\n", X509_verify_cert_error_string(check));
	else if (code != 0)
		fprintf(stderr, "echo_client: %s\n", ERR_reason_error_string(code));
	else
		fprintf(stderr, "echo_client: %s\n",
			evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED)
		return;
	print_reason(client, what);
	client->has_failed = 1;
	event_base_loopbreak(client->base);
}

/* What is written before the handshake waits for it. */
static int read_input(struct client *client)
{
	char block[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, block, sizeof(block))) > 0) {
		if (bufferevent_write(client->bev, block, (size_t)n) != 0)
			return -1;
		client->unanswered += (size_t)n;
	}
	return n < 0 ? -1 : 0;
}

static int run(struct client *client, const char *host, const char *port, SSL_CTX *trust)
{
	static const char *const protocols[] = { "echo" };

	client->bev = bufferevent_openssl_client_new(client->base, -1, host, trust);
	if (client->bev == NULL)
		return 1;
	bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
	bufferevent_set_timeouts(client->bev, &patience, &patience);
	bufferevent_enable(client->bev, EV_READ);
	if (bufferevent_openssl_set_alpn(client->bev, protocols, 1) != 0 || read_input(client) != 0)
		return 1;
	if (client->unanswered == 0)
		return 0;
	if (bufferevent_socket_connect_hostname(client->bev, NULL, AF_UNSPEC, host, atoi(port)) !=
	    0)
		return 1;
	if (!client->has_failed)
		event_base_dispatch(client->base);
	return client->has_failed;
}

static SSL_CTX *trust_file(const char *file)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_load_verify_locations(ctx, file, NULL) == 1)
		return ctx;
	ERR_print_errors_fp(stderr);
	SSL_CTX_free(ctx);
	return NULL;
}

int main(int argc, char **argv)
{
	struct client client = { .base = event_base_new() };
	SSL_CTX *trust = NULL;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: echo_client HOST PORT [AUTHORITY]\n");
		return 2;
	}
	if (argc > 3 && (trust = trust_file(argv[3])) == NULL)
		return 1;
	status = run(&client, argv[1], argv[2], trust);
	if (client.bev != NULL)
		bufferevent_free(client.bev);
	event_base_free(client.base);
	SSL_CTX_free(trust);
	return status;
}
