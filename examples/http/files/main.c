/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * files [OPTION...] [DIRECTORY]: serves the files of a directory by HTTP or HTTPS; see usage.
 *
 * With several loops, each has a thread and listens for itself (SO_REUSEPORT); the kernel spreads
 * connections among them, and nothing is shared but the directory.
 */

#include "files.h"

#include <event2/listener.h>
#include <event2/thread.h>

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOPS_MAX 64

static const char usage[] =
	"files [OPTION...] [DIRECTORY]\n"
	"  -l ADDRESS:PORT  listen there (127.0.0.1:8080); without a port, at any\n"
	"  -j N             serve with N threads\n"
	"  -c FILE -k FILE  https with this certificate and key\n"
	"  -L               follow symbolic links, also out of the directory\n"
	"  -q               no line per request\n"
	"SIGINT or SIGTERM stops it when what is being sent has been sent; a second one, at "
	"once.\n";

struct loop {
	struct event_base *base;
	struct evhttp *http;
	struct event *stop; /* activated by the signal */
	int is_stopping;
	pthread_t thread; /* not of the first */
};

static struct loop loops[LOOPS_MAX];
static int n_loops = 1;

static void on_stopped(struct evhttp *http, void *base)
{
	(void)http;
	event_base_loopexit(base, NULL);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	if (loop->is_stopping)
		event_base_loopbreak(loop->base);
	else
		evhttp_stop(loop->http, on_stopped, loop->base);
	loop->is_stopping = 1;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	(void)arg;
	for (int i = 0; i < n_loops; i++)
		event_active(loops[i].stop, 0, 0);
}

/* Listens, and sets the address to what it got: the port may have been 0. */
static int listen_at(struct loop *loop, struct sockaddr_storage *address, int len)
{
	unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE |
			 (n_loops > 1 ? LEV_OPT_REUSEABLE_PORT : 0);
	struct evconnlistener *listener = evconnlistener_new_bind(loop->base, NULL, NULL, flags, -1,
								  (struct sockaddr *)address, len);
	socklen_t room = sizeof(*address);

	if (listener == NULL)
		return -1;
	if (evhttp_bind_listener(loop->http, listener) == NULL) {
		evconnlistener_free(listener);
		return -1;
	}
	return getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)address, &room);
}

static int open_loop(struct loop *loop, struct site *site, struct sockaddr_storage *address,
		     int len)
{
	loop->base = event_base_new();
	loop->http = loop->base != NULL ? evhttp_new(loop->base) : NULL;
	loop->stop = loop->http != NULL ? event_new(loop->base, -1, 0, on_stop, loop) : NULL;
	if (loop->stop == NULL || listen_at(loop, address, len) != 0)
		return -1;
	evhttp_set_gencb(loop->http, serve, site);
	evhttp_set_timeout(loop->http, 60);
	evhttp_set_max_body_size(loop->http, 65536); /* nothing is done with it */
	evhttp_set_max_connections(loop->http, 10000);
	if (site->secure != NULL)
		evhttp_set_bevcb(loop->http, secure_transport, site->secure);
	return 0;
}

static void close_loop(struct loop *loop)
{
	if (loop->stop != NULL)
		event_free(loop->stop);
	if (loop->http != NULL)
		evhttp_free(loop->http);
	if (loop->base != NULL)
		event_base_free(loop->base);
}

static void *run_loop(void *arg)
{
	struct loop *loop = arg;

	event_base_dispatch(loop->base);
	return NULL;
}

static void print_url(const struct site *site, const struct sockaddr_storage *address)
{
	char host[64] = "?", port[16] = "?";
	int is_v6 = address->ss_family == AF_INET6;

	(void)getnameinfo((const struct sockaddr *)address, sizeof(*address), host, sizeof(host),
			  port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	printf("%s://%s%s%s:%s\n", site->secure != NULL ? "https" : "http", is_v6 ? "[" : "", host,
	       is_v6 ? "]" : "", port);
	fflush(stdout);
}

/* Runs the first loop here and each of the others in a thread, until all have stopped. */
static int run_all(const struct site *site, const struct sockaddr_storage *address)
{
	int running = 1, is_short;

	while (running < n_loops &&
	       pthread_create(&loops[running].thread, NULL, run_loop, &loops[running]) == 0)
		running++;
	is_short = running < n_loops;
	if (is_short)
		on_signal(0, 0, NULL);
	else
		print_url(site, address);
	run_loop(&loops[0]);
	while (running-- > 1)
		pthread_join(loops[running].thread, NULL);
	return is_short ? -1 : 0;
}

/* 0 when it has been stopped, 1 after a message. */
static int run(struct site *site, struct sockaddr_storage *address, int len)
{
	static const int numbers[] = { SIGINT, SIGTERM };
	struct event *signals[2] = { NULL };
	int status = 0;

	for (int i = 0; status == 0 && i < n_loops; i++)
		status = open_loop(&loops[i], site, address, len);
	for (int i = 0; status == 0 && i < 2; i++) {
		signals[i] = evsignal_new(loops[0].base, numbers[i], on_signal, NULL);
		status = signals[i] != NULL ? event_add(signals[i], NULL) : -1;
	}
	if (status == 0)
		status = run_all(site, address);
	if (status != 0)
		perror("files");
	for (int i = 0; i < 2; i++)
		if (signals[i] != NULL)
			event_free(signals[i]);
	for (int i = 0; i < n_loops; i++)
		close_loop(&loops[i]);
	return status != 0;
}

static int serve_directory(struct site *site, const char *directory, const char *where)
{
	struct sockaddr_storage address;
	int len = sizeof(address), status = 1;

	if (evutil_parse_sockaddr_port(where, (struct sockaddr *)&address, &len) != 0) {
		fprintf(stderr, "files: %s is no address and port\n", where);
		return 2;
	}
	site->root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (site->root < 0) {
		perror(directory);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	if (evthread_use_pthreads() == 0)
		status = run(site, &address, len);
	close(site->root);
	return status;
}

int main(int argc, char **argv)
{
	const char *where = "127.0.0.1:8080", *certificate = NULL, *key = NULL;
	struct site site = { 0 };
	int option, status;

	while ((option = getopt(argc, argv, "l:j:c:k:Lqh")) != -1) {
		switch (option) {
		case 'l':
			where = optarg;
			break;
		case 'j':
			n_loops = atoi(optarg);
			break;
		case 'c':
			certificate = optarg;
			break;
		case 'k':
			key = optarg;
			break;
		case 'L':
			site.follows_links = 1;
			break;
		case 'q':
			site.is_quiet = 1;
			break;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (argc - optind > 1 || n_loops < 1 || n_loops > LOOPS_MAX || !certificate != !key) {
		fputs(usage, stderr);
		return 2;
	}
	if (certificate != NULL && (site.secure = secure_open(certificate, key)) == NULL)
		return 1;
	status = serve_directory(&site, optind < argc ? argv[optind] : ".", where);
	if (site.secure != NULL)
		secure_close(site.secure);
	return status;
}
