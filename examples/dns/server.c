/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server ZONE [PORT]: an authoritative nameserver for one zone, by UDP and TCP, on 127.0.0.1.
 *
 *     printf '%s\n' 'a.test 300 SOA ns.a.test admin.a.test 1 3600 600 86400 60' \
 *             'www.a.test 300 A 192.0.2.1' 'ftp.a.test 300 CNAME www.a.test' > zone
 *     server zone 5300 &
 *     dig -p 5300 @127.0.0.1 ftp.a.test
 *
 * Names outside of the zone are refused, those that it lacks do not exist, and what the zone says
 * of its SOA record tells how long that may be remembered. SIGINT and SIGTERM end it.
 */

#include "zone.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum rcode { NO_ERROR, NO_SUCH_NAME = 3, REFUSED = 5 };

#define ALIASES_MAX 16

static int add(struct evdns_server_request *request, int section, const char *name,
	       const struct record *r)
{
	int is_name = r->target[0] != '\0';

	return evdns_server_request_add_reply(request, section, name, r->type, EVDNS_CLASS_INET,
					      r->ttl, r->len, is_name,
					      is_name ? r->target : (const char *)r->data);
}

/* All records of that name and type; how many. */
static int add_all(struct evdns_server_request *request, const struct zone *zone, const char *name,
		   int type)
{
	const struct record *r = zone_find(zone->records, name, type);
	int count = 0;

	for (; r != NULL; r = zone_find(r->next, name, type)) {
		if (add(request, EVDNS_ANSWER_SECTION, name, r) == 0)
			count++;
	}
	return count;
}

/* What the zone says, following aliases as long as they stay in it. */
static enum rcode answer(struct evdns_server_request *request, const struct zone *zone,
			 const char *name, int type)
{
	const struct record *alias;
	int count = add_all(request, zone, name, type);

	for (int i = 0; count == 0 && i < ALIASES_MAX; i++) {
		alias = zone_find(zone->records, name, EVDNS_TYPE_CNAME);
		if (alias == NULL)
			break;
		(void)add(request, EVDNS_ANSWER_SECTION, name, alias);
		name = alias->target;
		if (!zone_contains(zone, name))
			return NO_ERROR; /* somebody else's to say */
		count = add_all(request, zone, name, type);
	}
	if (count > 0)
		return NO_ERROR;
	(void)add(request, EVDNS_AUTHORITY_SECTION, zone->origin, zone->soa);
	return zone_find(zone->records, name, EVDNS_QTYPE_ALL) != NULL ? NO_ERROR : NO_SUCH_NAME;
}

static void on_request(struct evdns_server_request *request, void *arg)
{
	const struct zone *zone = arg;
	const struct evdns_server_question *question = request->questions[0];
	enum rcode rcode = REFUSED;

	if (request->nquestions == 1 && question->dns_question_class == EVDNS_CLASS_INET &&
	    question->type != EVDNS_QTYPE_AXFR && zone_contains(zone, question->name)) {
		evdns_server_request_set_flags(request, EVDNS_FLAGS_AA);
		rcode = answer(request, zone, question->name, question->type);
	}
	if (evdns_server_request_respond(request, (int)rcode) < 0)
		evdns_server_request_drop(request);
}

/* --- Starting and stopping -------------------------------------------------------------------- */

struct server {
	struct zone zone;
	struct event_base *base;
	struct evdns_server_port *udp, *tcp;
	struct event *signals[2];
};

static int listen_udp(struct server *s, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	evutil_socket_t fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)address, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)address, &len) == 0)
		s->udp = evdns_add_server_port_with_base(s->base, fd, 0, on_request, &s->zone);
	if (s->udp == NULL)
		evutil_closesocket(fd);
	return s->udp != NULL ? 0 : -1;
}

static int listen_tcp(struct server *s, const struct sockaddr_in *address)
{
	struct evconnlistener *listener = evconnlistener_new_bind(
		s->base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, -1,
		(const struct sockaddr *)address, sizeof(*address));

	if (listener == NULL)
		return -1;
	s->tcp = evdns_add_server_port_with_listener(s->base, listener, 0, on_request, &s->zone);
	if (s->tcp == NULL)
		evconnlistener_free(listener);
	return s->tcp != NULL ? 0 : -1;
}

/* Port 0: one that is free for both; a port that only UDP could have is given back. */
static int listen_both(struct server *s, int port)
{
	for (int tries = 0; tries < 20; tries++) {
		struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		};

		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (listen_udp(s, &address) < 0)
			break;
		if (listen_tcp(s, &address) == 0)
			return ntohs(address.sin_port);
		evdns_close_server_port(s->udp);
		s->udp = NULL;
		if (port != 0)
			break;
	}
	return -1;
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	event_base_loopbreak(arg);
}

static void stop(struct server *s)
{
	for (int i = 0; i < 2; i++)
		event_free(s->signals[i]);
	evdns_close_server_port(s->udp);
	evdns_close_server_port(s->tcp);
	event_base_free(s->base);
	zone_free(&s->zone);
}

int main(int argc, char **argv)
{
	static const int ends[2] = { SIGINT, SIGTERM };
	struct server s = { .base = NULL };
	int port;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: server ZONE [PORT]\n");
		return 2;
	}
	if (zone_read(&s.zone, argv[1]) < 0) {
		zone_free(&s.zone);
		return 1;
	}
	s.base = event_base_new();
	for (int i = 0; i < 2; i++) {
		s.signals[i] = evsignal_new(s.base, ends[i], on_signal, s.base);
		event_add(s.signals[i], NULL);
	}
	port = listen_both(&s, argc == 3 ? atoi(argv[2]) : 0);
	if (port < 0) {
		perror("server");
		stop(&s);
		return 1;
	}
	printf("%s on port %d\n", s.zone.origin, port);
	fflush(stdout);
	event_base_dispatch(s.base);
	stop(&s);
	return 0;
}
