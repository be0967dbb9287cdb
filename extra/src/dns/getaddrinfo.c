/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evdns_getaddrinfo(): what is known is answered inside the call; for the rest A and AAAA are asked
 * for at the same time. When one has ended the other has a little longer.
 */

#include "dns/base.h"

#include <string.h>

#define FAMILIES 2

struct half {
	struct evdns_request *request; /* NULL: not asked, or ended */
	int is_asked;
	int has_ended;
	int err; /* DNS_ERR_ */
	int ttl;
	char *canonical;
	struct evutil_addrinfo *list;
};

struct evdns_getaddrinfo_request {
	struct evdns_getaddrinfo_request *next, **prev; /* base->lookups */
	struct evdns_base *base;
	evdns_getaddrinfo_cb cb;
	void *arg;
	struct evutil_addrinfo hints;
	uint16_t port;
	struct half half[FAMILIES]; /* IPv4, IPv6 */
	int running; /* halves that have not told their result */
	int is_decided; /* the result is on its way */
	int was_cut;    /* by the skew timer */
	int result;
	struct evutil_addrinfo *list;
	struct event skew_timer;
	struct evi_deferred deferred;
	char name[];
};

static const struct {
	int family;
	uint16_t type;
	size_t size;
} families[FAMILIES] = {
	{ PF_INET, EVI_DNS_TYPE_A, 4 },
	{ PF_INET6, EVI_DNS_TYPE_AAAA, 16 },
};

/* --- The end ---------------------------------------------------------------------------------- */

static void unlink_lookup(struct evdns_getaddrinfo_request *g)
{
	if (g->next != NULL)
		g->next->prev = g->prev;
	*g->prev = g->next;
}

static void release(struct evdns_getaddrinfo_request *g)
{
	for (int i = 0; i < FAMILIES; i++) {
		evutil_freeaddrinfo(g->half[i].list);
		evi_free(g->half[i].canonical);
	}
	evutil_freeaddrinfo(g->list);
	event_debug_unassign(&g->skew_timer);
	evi_free(g);
}

static void free_lookup(struct event *skew_timer, void *arg)
{
	struct evdns_getaddrinfo_request *g = arg;
	struct evdns_base *base = g->base;

	(void)skew_timer;
	release(g);
	evi_dns_disposed(base);
}

/* Told from the loop, once both halves are quiet. */
static void on_deferred(struct evi_deferred *deferred, void *arg)
{
	struct evdns_getaddrinfo_request *g = arg;
	struct evdns_base *base = g->base;
	struct evutil_addrinfo *list = g->list;

	(void)deferred;
	g->list = NULL;
	g->cb(g->result, list, g->arg);
	evi_dns_lock(base);
	unlink_lookup(g);
	evi_dns_unref(base);
	evi_dns_unlock(base);
	release(g);
}

static void tell_when_quiet(struct evdns_getaddrinfo_request *g)
{
	if (g->running == 0)
		(void)evi_deferred_schedule(g->base->event_base, &g->deferred);
}

/* The result of two failures does not depend on which came first. */
static int combined_error(const struct evdns_getaddrinfo_request *g)
{
	static const struct {
		int err, result;
	} ranking[] = {
		{ DNS_ERR_NODATA, EVUTIL_EAI_NODATA },
		{ DNS_ERR_NOTEXIST, EVUTIL_EAI_NONAME },
		{ DNS_ERR_TIMEOUT, EVUTIL_EAI_AGAIN },
		{ DNS_ERR_SERVERFAILED, EVUTIL_EAI_AGAIN },
	};

	for (size_t rank = 0; rank < sizeof(ranking) / sizeof(ranking[0]); rank++) {
		for (int i = 0; i < FAMILIES; i++) {
			if (g->half[i].has_ended && g->half[i].err == ranking[rank].err)
				return ranking[rank].result;
		}
	}
	return EVUTIL_EAI_FAIL;
}

static void append(struct evutil_addrinfo **list, struct evutil_addrinfo *more)
{
	while (*list != NULL)
		list = &(*list)->ai_next;
	*list = more;
}

/* IPv4 first, whichever came first. */
static void join_halves(struct evdns_getaddrinfo_request *g)
{
	for (int i = 0; i < FAMILIES; i++) {
		struct half *half = &g->half[i];

		if (g->list == NULL && half->list != NULL &&
		    (g->hints.ai_flags & EVUTIL_AI_CANONNAME)) {
			half->list->ai_canonname = half->canonical;
			half->canonical = NULL;
		}
		append(&g->list, half->list);
		half->list = NULL;
	}
}

static int is_final(int err)
{
	return err == DNS_ERR_NONE || err == DNS_ERR_NODATA || err == DNS_ERR_NOTEXIST;
}

/* Only what both families were asked about to the end. */
static void remember(struct evdns_getaddrinfo_request *g)
{
	int ttl = INT_MAX, asked = 0;

	if ((g->base->flags & EVDNS_BASE_NO_CACHE) || g->was_cut)
		return;
	for (int i = 0; i < FAMILIES; i++) {
		const struct half *half = &g->half[i];

		if (!half->is_asked)
			continue;
		if (!half->has_ended || !is_final(half->err))
			return;
		asked |= i == 0 ? EVI_DNS_ASKED_V4 : EVI_DNS_ASKED_V6;
		if (half->err == DNS_ERR_NONE && half->ttl < ttl)
			ttl = half->ttl;
	}
	evi_dns_cache_put(g->base, g->name, g->list, asked, ttl);
}

/* The canonical name is remembered also if this call did not ask for it. */
static void note_canonical(struct evdns_getaddrinfo_request *g, char *canonical)
{
	char *own = g->list->ai_canonname;

	g->list->ai_canonname = own != NULL ? own : canonical;
	remember(g);
	g->list->ai_canonname = own;
}

static void decide(struct evdns_getaddrinfo_request *g)
{
	char *canonical;

	g->is_decided = 1;
	(void)event_del_noblock(&g->skew_timer);
	canonical = g->half[g->half[0].list != NULL ? 0 : 1].canonical;
	join_halves(g);
	if (g->list != NULL && !g->base->is_freed)
		note_canonical(g, canonical);
	g->result = g->list != NULL ? 0 : combined_error(g);
	tell_when_quiet(g);
}

static void decide_error(struct evdns_getaddrinfo_request *g, int result)
{
	g->is_decided = 1;
	g->result = result;
	(void)event_del_noblock(&g->skew_timer);
	for (int i = 0; i < FAMILIES; i++) {
		if (g->half[i].request != NULL)
			evi_dns_request_end(g->half[i].request, DNS_ERR_CANCEL);
	}
	tell_when_quiet(g);
}

/* --- Answers ---------------------------------------------------------------------------------- */

static int add_addresses(struct evdns_getaddrinfo_request *g, int which,
			 const struct evi_dns_answer *answer)
{
	struct evutil_addrinfo **last = &g->half[which].list;

	for (int i = 0; i < answer->count; i++) {
		const uint8_t *bytes = answer->addresses + (size_t)i * families[which].size;
		union evi_dns_sockaddr addr;
		int len = which == 0 ? (int)sizeof(addr.in) : (int)sizeof(addr.in6);

		memset(&addr, 0, sizeof(addr));
		addr.sa.sa_family = (sa_family_t)families[which].family;
		if (which == 0)
			memcpy(&addr.in.sin_addr, bytes, 4);
		else
			memcpy(&addr.in6.sin6_addr, bytes, 16);
		last = evi_dns_list_add(last, &addr.sa, len, g->port, &g->hints);
		if (last == NULL)
			return -1;
	}
	return 0;
}

static void take_answer(struct evdns_getaddrinfo_request *g, int which,
			struct evi_dns_answer *answer)
{
	struct half *half = &g->half[which];

	half->has_ended = 1;
	half->err = answer->err;
	half->ttl = answer->ttl;
	if (answer->err != DNS_ERR_NONE)
		return;
	half->canonical = answer->name;
	answer->name = NULL;
	if (add_addresses(g, which, answer) < 0)
		decide_error(g, EVUTIL_EAI_MEMORY);
	else if (half->list == NULL)
		half->err = DNS_ERR_NODATA;
}

static void half_ended(struct evdns_getaddrinfo_request *g, int which,
		       struct evi_dns_answer *answer)
{
	g->half[which].request = NULL;
	g->running--;
	if (g->is_decided) {
		tell_when_quiet(g);
		return;
	}
	take_answer(g, which, answer);
	if (g->is_decided)
		return;
	if (answer->err == DNS_ERR_SHUTDOWN || g->running == 0)
		decide(g);
	else if (event_add(&g->skew_timer, &g->base->settings.skew) < 0)
		decide_error(g, EVUTIL_EAI_MEMORY);
}

static void on_answer(struct evdns_request *request, struct evi_dns_answer *answer, void *arg)
{
	struct evdns_getaddrinfo_request *g = arg;
	struct evdns_base *base = g->base;

	evi_dns_lock(base);
	half_ended(g, request->query.type == EVI_DNS_TYPE_A ? 0 : 1, answer);
	evi_dns_unlock(base);
}

static void on_skew(evutil_socket_t fd, short what, void *arg)
{
	struct evdns_getaddrinfo_request *g = arg;
	struct evdns_base *base = g->base;

	(void)fd;
	(void)what;
	evi_dns_lock(base);
	if (!g->is_decided) {
		g->was_cut = 1;
		for (int i = 0; i < FAMILIES; i++) {
			if (g->half[i].request != NULL)
				evi_dns_request_end(g->half[i].request, DNS_ERR_CANCEL);
		}
		decide(g);
	}
	evi_dns_unlock(base);
}

/* --- What is known at once -------------------------------------------------------------------- */

/* The port, if the text is a number up to 65535; -1 if not. */
static int port_number(const char *service)
{
	char *end;
	ev_int64_t port;

	if (*service < '0' || *service > '9')
		return -1;
	port = evutil_strtoll(service, &end, 10);
	return *end == '\0' && port >= 0 && port <= 65535 ? (int)port : -1;
}

/* What begins like a number is no name, and some systems would take a part of it. */
static int is_service_name(const char *service)
{
	return *service != '\0' && strchr("0123456789+-", *service) == NULL;
}

/* A name is the system's business; only streams and datagrams have such names. */
static int named_port(const char *service, const struct evutil_addrinfo *hints)
{
	struct evutil_addrinfo ask, *found = NULL;
	int port = -1;

	memset(&ask, 0, sizeof(ask));
	ask.ai_family = PF_INET;
	ask.ai_flags = EVUTIL_AI_NUMERICHOST;
	if (hints->ai_socktype == SOCK_STREAM || hints->ai_socktype == SOCK_DGRAM)
		ask.ai_socktype = hints->ai_socktype;
	if (hints->ai_protocol == IPPROTO_TCP || hints->ai_protocol == IPPROTO_UDP)
		ask.ai_protocol = hints->ai_protocol;
	if (evutil_getaddrinfo("127.0.0.1", service, &ask, &found) == 0)
		port = ntohs(((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_port);
	evutil_freeaddrinfo(found);
	return port;
}

/* 0, or EVUTIL_EAI_NONAME: an unusable service. */
static int parse_service(const char *service, const struct evutil_addrinfo *hints,
			 uint16_t *ret_port)
{
	int port = 0;

	if (service != NULL) {
		port = port_number(service);
		if (port < 0 && is_service_name(service) &&
		    !(hints->ai_flags & EVUTIL_AI_NUMERICSERV))
			port = named_port(service, hints);
	}
	if (port < 0)
		return EVUTIL_EAI_NONAME;
	*ret_port = (uint16_t)port;
	return 0;
}

static int add_text(struct evutil_addrinfo **list, const char *address, uint16_t port,
		    const struct evutil_addrinfo *hints)
{
	union evi_dns_sockaddr addr;
	int len = sizeof(addr);

	if (evutil_parse_sockaddr_port(address, &addr.sa, &len) < 0)
		return EVUTIL_EAI_NONAME;
	if (!evi_dns_wants_family(hints, addr.sa.sa_family))
		return EVUTIL_EAI_ADDRFAMILY;
	while (*list != NULL)
		list = &(*list)->ai_next;
	return evi_dns_list_add(list, &addr.sa, len, port, hints) != NULL ? 0 : EVUTIL_EAI_MEMORY;
}

/* Without a name: this host, or any address of it. */
static int no_name(struct evutil_addrinfo **list, uint16_t port,
		   const struct evutil_addrinfo *hints)
{
	int is_passive = (hints->ai_flags & EVUTIL_AI_PASSIVE) != 0;
	int result = add_text(list, is_passive ? "0.0.0.0" : "127.0.0.1", port, hints);

	if (result == 0 || result == EVUTIL_EAI_ADDRFAMILY)
		result = add_text(list, is_passive ? "::" : "::1", port, hints);
	return result == EVUTIL_EAI_ADDRFAMILY && *list != NULL ? 0 : result;
}

/* 1: the name is not in the table. */
static int from_hosts(struct evdns_base *base, const char *name, uint16_t port,
		      const struct evutil_addrinfo *hints, struct evutil_addrinfo **list)
{
	struct evutil_addrinfo **last = list;
	int is_known = 0;

	for (const struct evi_dns_host *host = base->hosts.first; host != NULL; host = host->next) {
		if (!evi_dns_name_equals(host->name, name))
			continue;
		is_known = 1;
		if (!evi_dns_wants_family(hints, host->addr.sa.sa_family))
			continue;
		last = evi_dns_list_add(last, &host->addr.sa, host->addr_len, port, hints);
		if (last == NULL)
			return EVUTIL_EAI_MEMORY;
	}
	if (!is_known)
		return 1;
	return *list != NULL ? 0 : EVUTIL_EAI_ADDRFAMILY;
}

static int from_cache(struct evdns_base *base, const char *name, uint16_t port,
		      const struct evutil_addrinfo *hints, struct evutil_addrinfo **list)
{
	int result;

	if (base->flags & EVDNS_BASE_NO_CACHE)
		return 1;
	result = evi_dns_cache_get(base, name, hints, port, list);
	return result == -1 ? 1 : result;
}

/* The result and a list, or 1: a server must be asked. */
static int at_once(struct evdns_base *base, const char *node, const char *service,
		   const struct evutil_addrinfo *hints, uint16_t *ret_port,
		   struct evutil_addrinfo **list)
{
	int result;

	if (hints->ai_flags & EVUTIL_AI_NUMERICHOST)
		return evutil_getaddrinfo(node, service, hints, list);
	if (node == NULL && service == NULL)
		return EVUTIL_EAI_NONAME;
	if (hints->ai_family != PF_UNSPEC && hints->ai_family != PF_INET &&
	    hints->ai_family != PF_INET6)
		return EVUTIL_EAI_FAMILY;
	result = parse_service(service, hints, ret_port);
	if (result != 0)
		return result;
	if (node == NULL)
		return no_name(list, *ret_port, hints);
	if (evi_is_address_literal(node))
		return add_text(list, node, *ret_port, hints);
	result = from_hosts(base, node, *ret_port, hints, list);
	return result == 1 ? from_cache(base, node, *ret_port, hints, list) : result;
}

/* --- Asking ----------------------------------------------------------------------------------- */

static void ask(struct evdns_getaddrinfo_request *g, int which)
{
	struct half *half = &g->half[which];

	half->is_asked = 1;
	half->request =
		evi_dns_request_new(g->base, g->name, families[which].type, 0, on_answer, g);
	if (half->request != NULL)
		g->running++;
}

static void choose_families(const struct evutil_addrinfo *hints, int wanted[FAMILIES])
{
	int has_v4 = 1, has_v6 = 1;

	if (hints->ai_family == PF_UNSPEC && (hints->ai_flags & EVUTIL_AI_ADDRCONFIG))
		evi_addrinfo_usable_families(&has_v4, &has_v6);
	if (has_v4 == has_v6)
		has_v4 = has_v6 = 1;
	wanted[0] = evi_dns_wants_family(hints, PF_INET) && has_v4;
	wanted[1] = evi_dns_wants_family(hints, PF_INET6) && has_v6;
}

/* 0, or the error to tell at once. */
static int start(struct evdns_base *base, const char *node, const struct evutil_addrinfo *hints,
		 uint16_t port, evdns_getaddrinfo_cb cb, void *arg,
		 struct evdns_getaddrinfo_request **ret_lookup)
{
	size_t len = strlen(node);
	struct evdns_getaddrinfo_request *g;
	int wanted[FAMILIES];

	if (!evi_dns_name_is_valid(node, EVI_DNS_NAME_MAX))
		return EVUTIL_EAI_FAIL;
	g = evi_malloc(sizeof(*g) + len + 1);
	if (g == NULL)
		return EVUTIL_EAI_MEMORY;
	memset(g, 0, sizeof(*g));
	memcpy(g->name, node, len + 1);
	g->base = base;
	g->cb = cb;
	g->arg = arg;
	g->hints = *hints;
	g->port = port;
	(void)event_assign(&g->skew_timer, base->event_base, -1, 0, on_skew, g);
	evi_deferred_init(&g->deferred, event_base_get_npriorities(base->event_base) / 2,
			  on_deferred, g);
	choose_families(hints, wanted);
	for (int i = 0; i < FAMILIES; i++) {
		if (wanted[i])
			ask(g, i);
	}
	if (g->running == 0) { /* the empty name cannot be searched; all else is lack of memory */
		release(g);
		return *node == '\0' ? EVUTIL_EAI_FAIL : EVUTIL_EAI_MEMORY;
	}
	base->refs++;
	g->next = base->lookups;
	if (g->next != NULL)
		g->next->prev = &g->next;
	g->prev = &base->lookups;
	base->lookups = g;
	*ret_lookup = g;
	return 0;
}

struct evdns_getaddrinfo_request *evdns_getaddrinfo(struct evdns_base *dns_base,
						    const char *nodename, const char *servname,
						    const struct evutil_addrinfo *hints_in,
						    evdns_getaddrinfo_cb cb, void *arg)
{
	struct evdns_getaddrinfo_request *lookup = NULL;
	struct evutil_addrinfo hints, *list = NULL;
	uint16_t port = 0;
	int result;

	if (dns_base == NULL)
		dns_base = evdns_get_global_base();
	if (dns_base == NULL) {
		cb(EVUTIL_EAI_FAIL, NULL, arg);
		return NULL;
	}
	memset(&hints, 0, sizeof(hints));
	if (hints_in != NULL) {
		hints.ai_flags = hints_in->ai_flags;
		hints.ai_family = hints_in->ai_family;
		hints.ai_socktype = hints_in->ai_socktype;
		hints.ai_protocol = hints_in->ai_protocol;
	}
	evi_dns_lock(dns_base);
	result = at_once(dns_base, nodename, servname, &hints, &port, &list);
	if (result == 1)
		result = start(dns_base, nodename, &hints, port, cb, arg, &lookup);
	evi_dns_unlock(dns_base);
	if (lookup != NULL)
		return lookup;
	if (result != 0) {
		evutil_freeaddrinfo(list);
		list = NULL;
	}
	cb(result, list, arg);
	return NULL;
}

void evdns_getaddrinfo_cancel(struct evdns_getaddrinfo_request *req)
{
	struct evdns_base *base;

	if (req == NULL)
		return;
	base = req->base;
	evi_dns_lock(base);
	if (!req->is_decided)
		decide_error(req, EVUTIL_EAI_CANCEL);
	evi_dns_unlock(base);
}

/* Those whose result is on its way are told; the rest disappear with their requests. */
void evi_dns_getaddrinfo_drop_all(struct evdns_base *base)
{
	struct evdns_getaddrinfo_request *g = base->lookups, *next;

	for (; g != NULL; g = next) {
		int is_answer_due = 0;

		next = g->next;
		for (int i = 0; i < FAMILIES; i++) {
			if (g->half[i].request != NULL && g->half[i].request->prev == NULL)
				is_answer_due = 1;
		}
		if (g->is_decided)
			continue;
		if (is_answer_due) {
			decide_error(g, EVUTIL_EAI_FAIL);
			continue;
		}
		for (int i = 0; i < FAMILIES; i++) {
			if (g->half[i].request != NULL)
				evi_dns_request_drop(g->half[i].request);
		}
		(void)event_del_noblock(&g->skew_timer);
		unlink_lookup(g);
		g->is_decided = 1;
		evi_dns_dispose(base, &g->skew_timer, free_lookup);
		evi_dns_unref(base);
	}
}

/* --- For connecting by name ------------------------------------------------------------------- */

static void *resolver_getaddrinfo(struct evdns_base *base, const char *host, const char *service,
				  const struct evutil_addrinfo *hints, evi_resolved_fn cb,
				  void *arg)
{
	return evdns_getaddrinfo(base, host, service, hints, cb, arg);
}

static void resolver_cancel(void *handle)
{
	evdns_getaddrinfo_cancel(handle);
}

void evi_dns_resolver_register(void)
{
	static const struct evi_resolver resolver = { resolver_getaddrinfo, resolver_cancel };

	evi_resolver_register(&resolver);
}
