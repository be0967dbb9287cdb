/* SPDX-License-Identifier: BSD-3-Clause */
/* Nameservers: adding them, choosing one, and knowing which work. */

#include "dns/base.h"

#include <errno.h>
#include <string.h>

#define PROBE_NAME "google.com" /* those who watch for probes look for this name */

#define MAX_SERVERS 1024

const char *evi_dns_sockaddr_text(const struct sockaddr *sa, char *buf, size_t len)
{
	const union evi_dns_sockaddr *addr = (const void *)sa;
	char host[64];

	if (sa->sa_family == AF_INET) {
		(void)evutil_inet_ntop(AF_INET, &addr->in.sin_addr, host, sizeof(host));
		(void)evutil_snprintf(buf, len, "%s:%d", host, ntohs(addr->in.sin_port));
	} else {
		(void)evutil_inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof(host));
		(void)evutil_snprintf(buf, len, "[%s]:%d", host, ntohs(addr->in6.sin6_port));
	}
	return buf;
}

static int is_same(const union evi_dns_sockaddr *a, const union evi_dns_sockaddr *b)
{
	if (evutil_sockaddr_cmp(&a->sa, &b->sa, 1) != 0)
		return 0;
	return a->sa.sa_family != AF_INET6 || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

static int is_known(const struct evdns_base *base, const union evi_dns_sockaddr *addr)
{
	for (int i = 0; i < base->server_count; i++) {
		if (is_same(&base->servers[i]->addr, addr))
			return 1;
	}
	return 0;
}

static int copy_address(const struct sockaddr *sa, int len, union evi_dns_sockaddr *ret_addr)
{
	uint16_t *port;
	int need;

	if (sa == NULL || len < (int)sizeof(sa->sa_family))
		return -1;
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return -1;
	need = sa->sa_family == AF_INET ? (int)sizeof(ret_addr->in) : (int)sizeof(ret_addr->in6);
	if (len < need)
		return -1;
	memset(ret_addr, 0, sizeof(*ret_addr));
	memcpy(ret_addr, sa, (size_t)need);
	port = sa->sa_family == AF_INET ? &ret_addr->in.sin_port : &ret_addr->in6.sin6_port;
	if (*port == 0)
		*port = htons(53);
	return need;
}

static void on_probe_time(evutil_socket_t fd, short what, void *arg);

static struct evi_dns_server *make(struct evdns_base *base, const union evi_dns_sockaddr *addr,
				   int len)
{
	struct evi_dns_server *server = evi_calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	server->base = base;
	server->addr = *addr;
	server->addr_len = len;
	(void)event_assign(&server->probe_timer, base->event_base, -1, 0, on_probe_time, server);
	return server;
}

/* 0, or: 3 known already, 4 no address, another number for everything else. */
int evi_dns_server_add(struct evdns_base *base, const struct sockaddr *sa, int len)
{
	union evi_dns_sockaddr addr;
	struct evi_dns_server **servers, *server;
	int addr_len = copy_address(sa, len, &addr), err;

	if (addr_len < 0)
		return 4;
	if (is_known(base, &addr))
		return 3;
	if (base->server_count >= MAX_SERVERS)
		return -1;
	servers = evi_realloc(base->servers,
			      (size_t)(base->server_count + 1) * sizeof(struct evi_dns_server *));
	if (servers == NULL)
		return -1;
	base->servers = servers;
	server = make(base, &addr, addr_len);
	if (server == NULL)
		return -1;
	err = evi_dns_socket_open_main(server);
	if (err < 0) {
		event_debug_unassign(&server->probe_timer);
		evi_free(server);
		return err == -EMFILE || err == -ENFILE ? 1 : 2;
	}
	servers[base->server_count++] = server;
	if (!base->is_suspended)
		evi_dns_query_start_waiting(base);
	return 0;
}

static void stop_probing(struct evi_dns_server *server)
{
	if (server->is_probe_passive)
		evi_base_passive(server->base->event_base, -1);
	server->is_probe_passive = 0;
	(void)event_del_noblock(&server->probe_timer);
	if (server->probe != NULL)
		evi_dns_query_free_probe(server->probe);
	server->probe = NULL;
}

static void free_server(struct event *probe_timer, void *arg)
{
	struct evi_dns_server *server = arg;
	struct evdns_base *base = server->base;

	event_debug_unassign(probe_timer);
	evi_free(server);
	evi_dns_disposed(base);
}

void evi_dns_server_free(struct evi_dns_server *server)
{
	server->is_gone = 1;
	stop_probing(server);
	evi_dns_tcp_close(server);
	evi_dns_socket_retire_all(server);
	evi_dns_socket_unref(server->main);
	evi_dns_dispose(server->base, &server->probe_timer, free_server);
}

struct evi_dns_server *evi_dns_server_choose(struct evdns_base *base,
					     const struct evi_dns_server *except)
{
	struct evi_dns_server *any = NULL;

	for (int i = 0; i < base->server_count; i++) {
		unsigned at = (base->rotation + (unsigned)i) % (unsigned)base->server_count;
		struct evi_dns_server *server = base->servers[at];

		if (server == except)
			continue;
		if (any == NULL)
			any = server;
		if (server->is_down)
			continue;
		base->rotation = at + 1;
		return server;
	}
	if (any != NULL)
		base->rotation++;
	return any != NULL ? any : base->server_count > 0 ? base->servers[0] : NULL;
}

/* --- Up and down ------------------------------------------------------------------------------ */

/* initial * factor ^ failed probes, at most the longest. */
static struct timeval probe_delay(const struct evi_dns_server *server)
{
	const struct evi_dns_settings *s = &server->base->settings;
	double seconds = (double)s->initial_probe_timeout.tv_sec +
			 (double)s->initial_probe_timeout.tv_usec / 1e6;
	struct timeval delay;

	for (int i = 0; i < server->failed_probes && seconds < s->max_probe_timeout; i++)
		seconds *= s->probe_backoff_factor;
	if (seconds > s->max_probe_timeout)
		seconds = s->max_probe_timeout;
	delay.tv_sec = (time_t)seconds;
	delay.tv_usec = (int)((seconds - (double)delay.tv_sec) * 1e6);
	return delay;
}

static void schedule_probe(struct evi_dns_server *server)
{
	struct timeval delay = probe_delay(server);

	if (event_add(&server->probe_timer, &delay) < 0)
		return;
	server->is_probe_passive = server->base->is_disabled_when_inactive;
	if (server->is_probe_passive)
		evi_base_passive(server->base->event_base, 1);
}

static void start_probe(struct evi_dns_server *server)
{
	size_t name_room = sizeof(PROBE_NAME);

	server->probe = evi_calloc(1, sizeof(*server->probe) + EVI_DNS_QUERY_ROOM(name_room));
	if (server->probe != NULL)
		evi_dns_query_set_room(server->probe, server->probe + 1, name_room);
	if (server->probe == NULL ||
	    evi_dns_query_init(server->probe, server->base, PROBE_NAME, EVI_DNS_TYPE_A) < 0) {
		evi_free(server->probe);
		server->probe = NULL;
		schedule_probe(server);
		return;
	}
	server->probe->only = server;
	evi_dns_query_start(server->probe);
}

static void on_probe_time(evutil_socket_t fd, short what, void *arg)
{
	struct evi_dns_server *server = arg;
	struct evdns_base *base = server->base;

	(void)fd;
	(void)what;
	evi_dns_lock(base);
	if (server->is_probe_passive)
		evi_base_passive(base->event_base, -1);
	server->is_probe_passive = 0;
	if (!server->is_gone && server->is_down && server->probe == NULL)
		start_probe(server);
	evi_dns_unlock(base);
}

void evi_dns_server_probe_failed(struct evi_dns_server *server)
{
	server->probe = NULL;
	if (!server->is_down)
		return;
	server->failed_probes++;
	schedule_probe(server);
}

static int all_are_down(const struct evdns_base *base)
{
	for (int i = 0; i < base->server_count; i++) {
		if (!base->servers[i]->is_down)
			return 0;
	}
	return 1;
}

void evi_dns_server_failed(struct evi_dns_server *server, const char *reason)
{
	char text[80];

	if (server->is_down)
		return;
	evi_dns_log(0, "Nameserver %s has failed: %s",
		    evi_dns_sockaddr_text(&server->addr.sa, text, sizeof(text)), reason);
	server->is_down = 1;
	server->failed_probes = 0;
	if (all_are_down(server->base))
		evi_dns_log(0, "All nameservers have failed");
	schedule_probe(server);
}

void evi_dns_server_works(struct evi_dns_server *server)
{
	char text[80];

	server->timeouts = 0;
	if (!server->is_down)
		return;
	evi_dns_log(0, "Nameserver %s is back up",
		    evi_dns_sockaddr_text(&server->addr.sa, text, sizeof(text)));
	server->is_down = 0;
	server->failed_probes = 0;
	stop_probing(server);
}

void evi_dns_server_timed_out(struct evi_dns_server *server)
{
	if (++server->timeouts > server->base->settings.max_timeouts)
		evi_dns_server_failed(server, "request timed out.");
}

static int has_capitals(const struct evi_dns_question *question)
{
	for (size_t i = 0; i < question->sent_len; i++) {
		if (question->sent[i] >= 'A' && question->sent[i] <= 'Z')
			return 1;
	}
	return 0;
}

/* Some servers make all letters small. One that does not is not taken for one that does later. */
static int is_case_credible(struct evi_dns_server *server, const struct evi_dns_query *query,
			    const struct evi_dns_question *question, enum evi_dns_match match)
{
	if (!query->base->settings.randomize_case || query->by_tcp)
		return 1;
	if (match == EVI_DNS_AS_SENT && !server->keeps_case)
		server->keeps_case = has_capitals(question);
	return match != EVI_DNS_IN_OTHER_CASE || !server->keeps_case ||
	       query->distrust == EVI_DNS_RESIGNED || !evi_dns_query_may_go_by_tcp(query);
}

/*
 * FORMERR without the question is a guess of the id away. Servers that cannot read OPT say so, too.
 */
static int is_cheap_error(const struct evi_dns_query *query, const struct evi_dns_header *header,
			  enum evi_dns_match match)
{
	return match == EVI_DNS_NO_QUESTION && (header->flags & EVI_DNS_RCODE) == 1 &&
	       !query->has_opt && !query->by_tcp && query->distrust != EVI_DNS_RESIGNED &&
	       evi_dns_query_may_go_by_tcp(query);
}

/* The query that the message answers, or NULL; the reader is behind the question. */
static struct evi_dns_query *query_of(struct evi_dns_server *server, struct evi_dns_socket *socket,
				      struct evi_dns_reader *reader, struct evi_dns_header *header)
{
	struct evi_dns_question question;
	struct evi_dns_query *query;
	enum evi_dns_match match;

	evi_dns_read_header(reader, header);
	if (reader->has_failed || !(header->flags & EVI_DNS_QR))
		return NULL;
	server->timeouts = 0;
	query = evi_dns_query_find(server->base, header->id);
	if (query == NULL || !evi_dns_query_was_sent_by(query, server, socket))
		return NULL;
	question = (struct evi_dns_question){ .name = query->name, .type = query->type,
		.sent = query->message + EVI_DNS_HEADER_SIZE, .sent_len = query->question_len };
	match = evi_dns_reply_matches(reader, header, &question);
	if (match == EVI_DNS_NOT_A_REPLY)
		return NULL;
	if (is_case_credible(server, query, &question, match) &&
	    !is_cheap_error(query, header, match))
		return query;
	evi_dns_query_distrust(query, server);
	return NULL;
}

int evi_dns_server_message(struct evi_dns_server *server, struct evi_dns_socket *socket,
			   const uint8_t *data, size_t len)
{
	struct evi_dns_reader reader;
	struct evi_dns_header header;
	struct evi_dns_query *query;

	evi_dns_reader_init(&reader, data, len);
	query = query_of(server, socket, &reader, &header);
	if (query != NULL)
		evi_dns_query_replied(query, server, &reader, &header);
	else if (socket != NULL)
		evi_dns_socket_mistaken(socket);
	return query != NULL;
}

/* --- The API ---------------------------------------------------------------------------------- */

int evdns_base_nameserver_sockaddr_add(struct evdns_base *base, const struct sockaddr *sa,
				       ev_socklen_t len, unsigned flags)
{
	int result;

	(void)flags;
	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	result = evi_dns_server_add(base, sa, (int)len);
	evi_dns_unlock(base);
	return result;
}

int evdns_base_nameserver_ip_add(struct evdns_base *base, const char *ip_as_string)
{
	union evi_dns_sockaddr addr;
	int len = sizeof(addr);

	if (base == NULL)
		return -1;
	if (ip_as_string == NULL || evutil_parse_sockaddr_port(ip_as_string, &addr.sa, &len) < 0)
		return 4;
	return evdns_base_nameserver_sockaddr_add(base, &addr.sa, (ev_socklen_t)len, 0);
}

int evdns_base_nameserver_add(struct evdns_base *base, unsigned long int address)
{
	struct sockaddr_in in;

	memset(&in, 0, sizeof(in));
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = (uint32_t)address;
	return evdns_base_nameserver_sockaddr_add(base, (const struct sockaddr *)&in, sizeof(in),
						  0);
}

int evdns_base_count_nameservers(struct evdns_base *base)
{
	int count;

	if (base == NULL)
		return 0;
	evi_dns_lock(base);
	count = base->server_count;
	evi_dns_unlock(base);
	return count;
}

int evdns_base_get_nameserver_addr(struct evdns_base *base, int idx, struct sockaddr *sa,
				   ev_socklen_t len)
{
	int result = -1;

	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	if (idx >= 0 && idx < base->server_count) {
		result = base->servers[idx]->addr_len;
		if ((int)len >= result)
			memcpy(sa, &base->servers[idx]->addr, (size_t)result);
	}
	evi_dns_unlock(base);
	return result;
}

/* From now on the program may set options on it, so every query must go that way. */
int evdns_base_get_nameserver_fd(struct evdns_base *base, int idx)
{
	int result = -1;

	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	if (idx >= 0 && idx < base->server_count) {
		base->servers[idx]->is_main_fixed = 1;
		evi_dns_socket_retire_all(base->servers[idx]);
		result = (int)base->servers[idx]->main->fd;
	}
	evi_dns_unlock(base);
	return result;
}
