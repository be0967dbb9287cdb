/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server of HTTP: requests answered per second of its own processor time, or of the clock. The
 * load comes from another process, on bare system calls: every reply ends with the byte MARK.
 */

#include "../bench.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK	'\1'
#define UPLOAD	65536
#define CHUNK	4096

/* --- Server ----------------------------------------------------------------------------------- */

static char page[10240];

static void send_page(struct evhttp_request *req, size_t len)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(body, page + sizeof(page) - len, len);
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}

static void on_hello(struct evhttp_request *req, void *arg)
{
	(void)arg;
	send_page(req, 13);
}

static void on_page(struct evhttp_request *req, void *arg)
{
	(void)arg;
	send_page(req, sizeof(page));
}

static void on_pieces(struct evhttp_request *req, void *arg)
{
	struct evbuffer *piece = evbuffer_new();

	(void)arg;
	evhttp_send_reply_start(req, 200, "OK");
	for (int i = 0; i < 8; i++) {
		evbuffer_add(piece, i < 7 ? page : page + sizeof(page) - 1024, 1024);
		evhttp_send_reply_chunk(req, piece);
	}
	evhttp_send_reply_end(req);
	evbuffer_free(piece);
}

static struct evhttp *serve(struct event_base *base, uint16_t *ret_port)
{
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	if (bound == NULL ||
	    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len) != 0)
		bench_die("bind");
	*ret_port = ntohs(name.sin_port);
	memset(page, 'x', sizeof(page));
	page[sizeof(page) - 1] = MARK;
	evhttp_set_cb(http, "/hello", on_hello, NULL);
	evhttp_set_cb(http, "/page", on_page, NULL);
	evhttp_set_cb(http, "/pieces", on_pieces, NULL);
	return http;
}

/* --- Load ------------------------------------------------------------------------------------- */

struct load {
	const char *request; /* one round's bytes */
	size_t len;
	int replies; /* to a round */
	int connections;
	int closes; /* after each round */
	long rounds;
};

struct client {
	size_t sent;
	int missing; /* replies */
};

static int dial(uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0)
		bench_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Sends what the socket takes of the round. */
static void push(int epoll, int fd, struct client *client, const struct load *load)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	ssize_t n = 0;

	while (client->sent < load->len) {
		n = send(fd, load->request + client->sent, load->len - client->sent, MSG_NOSIGNAL);
		if (n < 0)
			break;
		client->sent += (size_t)n;
	}
	if (client->sent < load->len)
		event.events |= EPOLLOUT;
	if (load->len > UPLOAD / 2)
		epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

static int count_marks(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	int count = 0;

	while ((bytes = memchr(bytes, MARK, (size_t)(end - bytes))) != NULL) {
		bytes++;
		count++;
	}
	return count;
}

static void begin(int epoll, int fd, struct client *client, const struct load *load)
{
	client->sent = 0;
	client->missing = load->replies;
	push(epoll, fd, client, load);
}

static int connect_one(int epoll, uint16_t port, struct client *clients, const struct load *load)
{
	int fd = dial(port);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= 4096)
		bench_die("too many descriptors");
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	begin(epoll, fd, &clients[fd], load);
	return fd;
}

/* Until all rounds are answered. */
static void run_load(uint16_t port, const struct load *load)
{
	static struct client clients[4096];
	static char bytes[1 << 18];
	struct epoll_event events[256];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	long started = load->connections, finished = 0;

	for (int i = 0; i < load->connections; i++)
		connect_one(epoll, port, clients, load);
	while (finished < load->rounds) {
		int n = epoll_wait(epoll, events, 256, 10000);

		if (n <= 0)
			bench_die("the server does not answer");
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			struct client *client = &clients[fd];
			ssize_t got;

			if ((events[i].events & EPOLLOUT) != 0)
				push(epoll, fd, client, load);
			if ((events[i].events & EPOLLIN) == 0)
				continue;
			got = recv(fd, bytes, sizeof(bytes), 0);
			if (got <= 0)
				bench_die("recv");
			client->missing -= count_marks(bytes, (size_t)got);
			if (client->missing > 0)
				continue;
			finished++;
			if (load->closes)
				close(fd);
			if (started++ >= load->rounds)
				continue;
			if (load->closes)
				connect_one(epoll, port, clients, load);
			else
				begin(epoll, fd, client, load);
		}
	}
}

/* --- Cases ------------------------------------------------------------------------------------ */

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void run_case(const struct load *load, int by_clock)
{
	struct event_base *base = event_base_new();
	struct event *ended;
	uint16_t port;
	struct evhttp *http = serve(base, &port);
	uint64_t cpu, clock;
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		bench_die("fork");
	if (pid == 0) {
		close(ends[0]);
		run_load(port, load);
		_exit(0);
	}
	close(ends[1]);
	ended = event_new(base, ends[0], EV_READ, on_child, base);
	event_add(ended, NULL);
	cpu = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	clock = bench_now_ns();
	event_base_dispatch(base);
	cpu = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	clock = bench_now_ns() - clock;
	waitpid(pid, NULL, 0);
	event_free(ended);
	evhttp_free(http);
	event_base_free(base);
	if (by_clock)
		bench_report_rate(clock, (double)load->rounds * load->replies);
	else
		bench_report_ns(cpu, (double)load->rounds * load->replies);
}

#define FIELDS_OF_WRK "Host: 127.0.0.1:8080\r\n"
#define REQUEST(path) "GET " path " HTTP/1.1\r\n" FIELDS_OF_WRK "\r\n"
#define TEN(x)	      x x x x x x x x x x
#define SIXTEEN(x)    x x x x x x x x x x x x x x x x

static const char *const requests[] = {
	REQUEST("/hello"),
	REQUEST("/page"),
	"GET /hello HTTP/1.1\r\n" FIELDS_OF_WRK TEN(
		"X-Some-Field: and a value of forty bytes, more or less\r\n"
		"Accept-Whatever: text/html, application/xhtml+xml;q=0.9\r\n"
		"Cookie: name=value; other=thing; third=1234567890\r\n") "\r\n",
	SIXTEEN(REQUEST("/hello")),
	REQUEST("/pieces"),
};

enum { HELLO, PAGE, HEADERS30, PIPELINE16, PIECES, UPLOADS, POST, CLOSE };

#define BY_CLOCK 0x10000

static char *upload_request(size_t *ret_len)
{
	static char text[UPLOAD * 2];
	size_t len = (size_t)sprintf(text, "POST /hello HTTP/1.1\r\n" FIELDS_OF_WRK
					   "Transfer-Encoding: chunked\r\n\r\n");

	for (int i = 0; i < UPLOAD / CHUNK; i++) {
		len += (size_t)sprintf(text + len, "%x\r\n", CHUNK);
		memset(text + len, 'u', CHUNK);
		len += CHUNK;
		len += (size_t)sprintf(text + len, "\r\n");
	}
	len += (size_t)sprintf(text + len, "0\r\n\r\n");
	*ret_len = len;
	return text;
}

static char *post_request(size_t *ret_len)
{
	static char text[CHUNK * 2];
	size_t len = (size_t)sprintf(text, "POST /hello HTTP/1.1\r\n" FIELDS_OF_WRK
					   "Content-Length: %d\r\n\r\n", CHUNK);

	memset(text + len, 'p', CHUNK);
	*ret_len = len + CHUNK;
	return text;
}

static void run(long n, const struct bench_case *which)
{
	int kind = (int)(which->a & 0xffff);
	struct load load = { .connections = (int)which->b, .replies = kind == PIPELINE16 ? 16 : 1 };

	load.rounds = n / load.replies;
	load.closes = kind == CLOSE;
	if (load.rounds < load.connections)
		load.rounds = load.connections;
	if (kind == UPLOADS) {
		load.request = upload_request(&load.len);
	} else if (kind == POST) {
		load.request = post_request(&load.len);
	} else {
		load.request = requests[kind == CLOSE ? HELLO : kind];
		load.len = strlen(load.request);
	}
	run_case(&load, (which->a & BY_CLOCK) != 0);
}

/* Bytes that an idle connection costs, after a request, by what the allocator has handed out. */
static size_t live;
static long allocations;

static void *count_malloc(size_t size)
{
	size_t *block = malloc(size + 16);

	if (block == NULL)
		return NULL;
	*block = size;
	live += size;
	allocations++;
	return (char *)block + 16;
}

static void count_free(void *mem)
{
	if (mem == NULL)
		return;
	mem = (char *)mem - 16;
	live -= *(size_t *)mem;
	free(mem);
}

static void *count_realloc(void *mem, size_t size)
{
	void *other = count_malloc(size);
	size_t old = mem != NULL ? *(size_t *)(void *)((char *)mem - 16) : 0;

	if (other != NULL && mem != NULL)
		memcpy(other, mem, old < size ? old : size);
	if (other != NULL)
		count_free(mem);
	return other;
}

static void run_memory(long n, const struct bench_case *which)
{
	struct rlimit many = { 65536, 65536 };
	struct event_base *base;
	struct evhttp *http;
	uint16_t port;
	size_t before;
	char reply[1024];

	(void)which;
	(void)setrlimit(RLIMIT_NOFILE, &many);
	event_set_mem_functions(count_malloc, count_realloc, count_free);
	base = event_base_new();
	http = serve(base, &port);
	/* The base's own tables grow by doubling: let them do so before. */
	event_base_loop(base, EVLOOP_NONBLOCK);
	before = live;
	for (long i = 0; i < n; i++) {
		int fd = dial(port);

		(void)!write(fd, requests[HELLO], strlen(requests[HELLO]));
		while (recv(fd, reply, sizeof(reply), 0) <= 0)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	for (int i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	printf("%.1f bytes\n", (double)(live - before) / (double)n);
	evhttp_free(http);
	event_base_free(base);
}

/* Allocations that a request costs on a connection that has served some. */
static void run_allocations(long n, const struct bench_case *which)
{
	const char *request = requests[which->a];
	struct event_base *base;
	struct evhttp *http;
	uint16_t port;
	int fd;

	event_set_mem_functions(count_malloc, count_realloc, count_free);
	base = event_base_new();
	http = serve(base, &port);
	fd = dial(port);
	for (long i = -10; i < n; i++) {
		char reply[sizeof(page) + 1024];
		ssize_t got;

		if (i == 0)
			allocations = 0;
		(void)!write(fd, request, strlen(request));
		do {
			event_base_loop(base, EVLOOP_NONBLOCK);
			got = recv(fd, reply, sizeof(reply), 0);
		} while (got <= 0 || reply[got - 1] != MARK);
	}
	printf("%.3f allocs\n", (double)allocations / (double)n);
	evhttp_free(http);
	event_base_free(base);
	close(fd);
}

static const struct bench_case cases[] = {
	{ "hello64:cpu", run, HELLO, 64, 100000 },
	{ "hello256:cpu", run, HELLO, 256, 100000 },
	{ "page64:cpu", run, PAGE, 64, 100000 },
	{ "headers30:cpu", run, HEADERS30, 64, 50000 },
	{ "pipeline16:cpu", run, PIPELINE16, 64, 320000 },
	{ "pieces64:cpu", run, PIECES, 64, 50000 },
	{ "upload16:cpu", run, UPLOADS, 16, 10000 },
	{ "post64:cpu", run, POST, 64, 50000 },
	{ "close32:cpu", run, CLOSE, 32, 20000 },
	{ "hello64", run, HELLO | BY_CLOCK, 64, 100000 },
	{ "hello256", run, HELLO | BY_CLOCK, 256, 100000 },
	{ "page64", run, PAGE | BY_CLOCK, 64, 100000 },
	{ "headers30", run, HEADERS30 | BY_CLOCK, 64, 50000 },
	{ "pipeline16", run, PIPELINE16 | BY_CLOCK, 64, 320000 },
	{ "pieces64", run, PIECES | BY_CLOCK, 64, 50000 },
	{ "upload16", run, UPLOADS | BY_CLOCK, 16, 10000 },
	{ "close32", run, CLOSE | BY_CLOCK, 32, 20000 },
	{ "idle_memory", run_memory, 0, 0, 1000 },
	{ "alloc/hello", run_allocations, HELLO, 0, 1000 },
	{ "alloc/page", run_allocations, PAGE, 0, 1000 },
	{ "alloc/headers30", run_allocations, HEADERS30, 0, 1000 },
	{ NULL, NULL, 0, 0, 0 },
};

/* For load from elsewhere (bench/http/wrk): prints its port, ends by a signal. */
static int serve_others(void)
{
	struct event_base *base = event_base_new();
	uint16_t port;
	struct evhttp *http = serve(base, &port);

	printf("%d\n", port);
	fflush(stdout);
	event_base_dispatch(base);
	evhttp_free(http);
	event_base_free(base);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve_others();
	return bench_main(argc, argv, cases);
}
