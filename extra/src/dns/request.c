/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests: one call of the program's, one result. A request with a search list asks for one name
 * after the other until one is found. Results are told from the loop, never inside a call.
 */

#include "dns/base.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct evdns_request *evi_dns_request_of(struct evi_dns_query *query)
{
	if (query->only != NULL)
		return NULL;
	return (struct evdns_request *)(void *)((char *)query -
						offsetof(struct evdns_request, query));
}

/* --- Search ----------------------------------------------------------------------------------- */

/* Whether the name is tried as it is before the domains, rather than after them. */
static int is_bare_first(const struct evdns_request *r)
{
	return evi_dns_name_dots(r->name) >= r->search->ndots;
}

/* The name of a step; 0 if there is no such step, -1 if it is too long to be asked for. */
static int step_name(const struct evdns_request *r, int step, char *name, size_t size)
{
	int domain, len;

	if (step > r->search->count)
		return 0;
	domain = is_bare_first(r) ? step - 1 : step;
	if (domain < 0 || domain == r->search->count)
		len = evutil_snprintf(name, size, "%s", r->name);
	else
		len = evutil_snprintf(name, size, "%s.%s", r->name, r->search->domains[domain]);
	return len >= 0 && (size_t)len < size ? 1 : -1;
}

static int prepare(struct evdns_request *r, const char *name)
{
	uint8_t by_tcp = r->query.by_tcp;

	if (evi_dns_query_init(&r->query, r->query.base, name, r->query.type) < 0)
		return -1;
	r->query.by_tcp = by_tcp;
	r->query.ignores_tc = (r->flags & DNS_QUERY_IGNTC) != 0;
	return 0;
}

/* Prepares the query of the next step that can be asked for; 0, or -1 if there is none. */
static int prepare_step(struct evdns_request *r)
{
	char name[2 * EVI_DNS_NAME_SIZE];
	int exists;

	while ((exists = step_name(r, r->step, name, sizeof(name))) != 0) {
		r->step++;
		if (exists < 0 || prepare(r, name) < 0)
			continue;
		evi_dns_log(0, "Search: now trying %s (%d)", name, r->query.type);
		return 0;
	}
	return -1;
}

/* --- The end ---------------------------------------------------------------------------------- */

static void unlink_request(struct evdns_request *r)
{
	if (r->next != NULL)
		r->next->prev = r->prev;
	else
		r->query.base->requests_last = r->prev;
	*r->prev = r->next;
	r->prev = NULL;
}

static void destroy(struct evdns_request *r)
{
	struct evdns_base *base = r->query.base;

	evi_dns_answer_done(&r->query.answer);
	evi_free(r);
	evi_dns_disposed(base);
}

static void on_deferred(struct evi_deferred *deferred, void *arg)
{
	struct evdns_request *r = arg;

	(void)deferred;
	r->fn(r, &r->query.answer, r->arg);
	destroy(r);
}

/* It is over, and its query stopped: nothing but its result is left of it. */
static void complete(struct evdns_request *r, const struct evi_dns_answer *answer)
{
	r->query.answer = *answer;
	unlink_request(r);
	evi_dns_search_unref(r->search);
	r->search = NULL;
	(void)evi_deferred_schedule(r->query.base->event_base, &r->deferred);
}

void evi_dns_request_end(struct evdns_request *r, int err)
{
	if (r->prev == NULL)
		return;
	evi_dns_query_stop(&r->query);
	if (r->prev == NULL)
		return;
	complete(r, &(struct evi_dns_answer){ .err = err });
}

void evi_dns_request_drop(struct evdns_request *r)
{
	struct evdns_base *base = r->query.base;

	evi_dns_query_stop(&r->query);
	unlink_request(r);
	evi_dns_search_unref(r->search);
	evi_free(r);
	evi_dns_unref(base);
}

/* Whether the next name may still be found where this one was not. */
static int goes_on(int err)
{
	return err == DNS_ERR_NOTEXIST || err == DNS_ERR_NODATA || err == DNS_ERR_FORMAT ||
	       err == DNS_ERR_NOTIMPL || err == DNS_ERR_REFUSED || err == DNS_ERR_UNKNOWN ||
	       err == DNS_ERR_TRUNCATED;
}

void evi_dns_request_answered(struct evdns_request *r, struct evi_dns_answer *answer)
{
	if (answer->err == DNS_ERR_NODATA) {
		r->saw_nodata = 1;
		r->nodata_ttl = answer->ttl;
	}
	if (r->search != NULL && goes_on(answer->err)) {
		if (prepare_step(r) == 0) {
			evi_dns_answer_done(answer);
			evi_dns_query_start(&r->query);
			return;
		}
	}
	if (r->saw_nodata && goes_on(answer->err)) {
		answer->err = DNS_ERR_NODATA;
		answer->ttl = r->nodata_ttl;
	}
	complete(r, answer);
}

/* --- The beginning ---------------------------------------------------------------------------- */

/* A final dot makes a name absolute. */
static int is_searched(struct evdns_base *base, const char *name, size_t len, uint16_t type,
		       int flags)
{
	return type != EVI_DNS_TYPE_PTR && !(flags & DNS_QUERY_NO_SEARCH) &&
	       base->search->count > 0 && (len == 0 || name[len - 1] != '.');
}

static void link_request(struct evdns_base *base, struct evdns_request *r)
{
	r->next = NULL;
	r->prev = base->requests_last;
	*r->prev = r;
	base->requests_last = &r->next;
	base->refs++;
}

/*
 * Memory for a request with the room that its query needs. Without a search the name that is asked
 * for is the request's own, and the query's room begins with it.
 */
static struct evdns_request *make(const char *name, size_t len, int with_search)
{
	size_t name_room = with_search ? EVI_DNS_NAME_SIZE : len + 1;
	size_t own_room = with_search ? len + 1 : 0;
	struct evdns_request *r = evi_malloc(sizeof(*r) + own_room + EVI_DNS_QUERY_ROOM(name_room));

	if (r == NULL)
		return NULL;
	memset(r, 0, sizeof(*r));
	memcpy(r->name, name, len + 1);
	evi_dns_query_set_room(&r->query, r->name + own_room, name_room);
	return r;
}

struct evdns_request *evi_dns_request_new(struct evdns_base *base, const char *name, uint16_t type,
					  int flags, evi_dns_request_fn *fn, void *arg)
{
	size_t len = strlen(name);
	int with_search = is_searched(base, name, len, type, flags);
	struct evdns_request *r;

	/* more of a check follows for each name that is asked for */
	if (len > EVI_DNS_NAME_MAX + 1 || (len == 0 && with_search))
		return NULL;
	r = make(name, len, with_search);
	if (r == NULL)
		return NULL;
	r->query.base = base;
	r->query.type = type;
	r->flags = flags;
	r->fn = fn;
	r->arg = arg;
	evi_deferred_init(&r->deferred, event_base_get_npriorities(base->event_base) / 2,
			  on_deferred, r);
	if (with_search) {
		r->search = base->search;
		r->search->refs++;
	}
	r->query.by_tcp = (flags & DNS_QUERY_USEVC) || base->settings.use_vc;
	if ((with_search ? prepare_step(r) : prepare(r, r->name)) < 0) {
		evi_dns_search_unref(r->search);
		evi_free(r);
		return NULL;
	}
	evi_dns_log(0, "Resolve requested for %s", name);
	link_request(base, r);
	evi_dns_query_start(&r->query);
	return r;
}

/* --- The API ---------------------------------------------------------------------------------- */

static char public_type(uint16_t type)
{
	if (type == EVI_DNS_TYPE_A)
		return DNS_IPv4_A;
	return type == EVI_DNS_TYPE_AAAA ? DNS_IPv6_AAAA : DNS_PTR;
}

static void tell_user(struct evdns_request *r, struct evi_dns_answer *answer, void *arg)
{
	char type = public_type(r->query.type);
	char *alias = type == DNS_PTR ? NULL : answer->name;
	void *data = NULL;

	if (answer->err == DNS_ERR_NONE)
		data = type == DNS_PTR ? (void *)&answer->name : answer->addresses;
	r->user_fn(answer->err, type, answer->err == DNS_ERR_NONE ? answer->count : 0, answer->ttl,
		   data, arg);
	if (answer->err == DNS_ERR_NONE && alias != NULL && (r->flags & DNS_CNAME_CALLBACK))
		r->user_fn(DNS_ERR_NONE, DNS_CNAME, 1, answer->ttl, alias, arg);
}

static struct evdns_request *resolve(struct evdns_base *base, const char *name, uint16_t type,
				     int flags, evdns_callback_type callback, void *arg)
{
	struct evdns_request *r;

	if (base == NULL || name == NULL || callback == NULL)
		return NULL;
	evi_dns_lock(base);
	r = evi_dns_request_new(base, name, type, flags, tell_user, arg);
	if (r != NULL)
		r->user_fn = callback;
	evi_dns_unlock(base);
	return r;
}

struct evdns_request *evdns_base_resolve_ipv4(struct evdns_base *base, const char *name, int flags,
					      evdns_callback_type callback, void *ptr)
{
	return resolve(base, name, EVI_DNS_TYPE_A, flags, callback, ptr);
}

struct evdns_request *evdns_base_resolve_ipv6(struct evdns_base *base, const char *name, int flags,
					      evdns_callback_type callback, void *ptr)
{
	return resolve(base, name, EVI_DNS_TYPE_AAAA, flags, callback, ptr);
}

/* RFC 1035 section 3.5. */
struct evdns_request *evdns_base_resolve_reverse(struct evdns_base *base, const struct in_addr *in,
						 int flags, evdns_callback_type callback, void *ptr)
{
	char name[32];
	uint32_t a;

	if (in == NULL)
		return NULL;
	a = ntohl(in->s_addr);
	(void)evutil_snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", a & 0xff,
			      a >> 8 & 0xff, a >> 16 & 0xff, a >> 24);
	return resolve(base, name, EVI_DNS_TYPE_PTR, flags, callback, ptr);
}

/* RFC 3596 section 2.5. */
struct evdns_request *evdns_base_resolve_reverse_ipv6(struct evdns_base *base,
						      const struct in6_addr *in, int flags,
						      evdns_callback_type callback, void *ptr)
{
	static const char digits[] = "0123456789abcdef";
	char name[80], *p = name;

	if (in == NULL)
		return NULL;
	for (int i = 15; i >= 0; i--) {
		*p++ = digits[in->s6_addr[i] & 15];
		*p++ = '.';
		*p++ = digits[in->s6_addr[i] >> 4];
		*p++ = '.';
	}
	memcpy(p, "ip6.arpa", sizeof("ip6.arpa"));
	return resolve(base, name, EVI_DNS_TYPE_PTR, flags, callback, ptr);
}

void evdns_cancel_request(struct evdns_base *base, struct evdns_request *req)
{
	if (req == NULL)
		return;
	if (base == NULL)
		base = req->query.base;
	evi_dns_lock(base);
	evi_dns_request_end(req, DNS_ERR_CANCEL);
	evi_dns_unlock(base);
}
