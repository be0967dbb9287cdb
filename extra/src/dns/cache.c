/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Results of lookups, by the name as it was given. Bounded: the oldest goes first. Nothing runs
 * when an entry expires; it is dropped when it is next met.
 */

#include "dns/base.h"

#include <string.h>

#define BUCKETS_MIN   64
#define ENTRIES_MAX   4096
#define ADDRESSES_MAX 256 /* of one name; answers with more are not kept */
#define BYTES_MAX     (4u << 20)

struct evi_dns_cached {
	struct evi_dns_cached *next, **prev;         /* in the bucket */
	struct evi_dns_cached *newer, **older_link;  /* all, oldest first */
	uint64_t expires_ns;
	uint32_t hash;
	int asked;
	char *canonical;
	size_t size;
	int count;
	union evi_dns_sockaddr *addresses; /* behind the name, in the same block */
	char name[];
};

static uint64_t now_ns(struct evdns_base *base)
{
	struct timeval tv;

	(void)event_gettime_monotonic(base->event_base, &tv);
	return (uint64_t)tv.tv_sec * 1000000000u + (uint64_t)tv.tv_usec * 1000u;
}

static uint32_t hash_of(const struct evdns_base *base, const char *name)
{
	return evi_dns_name_hash(name, evi_dns_name_len(name), base->hash_secret);
}

static struct evi_dns_cached **bucket_of(const struct evi_dns_cache *cache, uint32_t hash)
{
	return &cache->buckets[hash % cache->bucket_count];
}

static void drop(struct evi_dns_cache *cache, struct evi_dns_cached *entry)
{
	*entry->prev = entry->next;
	if (entry->next != NULL)
		entry->next->prev = entry->prev;
	*entry->older_link = entry->newer;
	if (entry->newer != NULL)
		entry->newer->older_link = entry->older_link;
	else
		cache->newest = entry->older_link;
	cache->count--;
	cache->size -= entry->size;
	evi_free(entry->canonical);
	evi_free(entry);
}

static struct evi_dns_cached *find(const struct evi_dns_cache *cache, const char *name,
				   uint32_t hash)
{
	struct evi_dns_cached *entry =
		cache->bucket_count > 0 ? *bucket_of(cache, hash) : NULL;

	while (entry != NULL && (entry->hash != hash || !evi_dns_name_equals(entry->name, name)))
		entry = entry->next;
	return entry;
}

static int is_address(const struct evutil_addrinfo *ai)
{
	return ai->ai_addr != NULL &&
	       (ai->ai_addr->sa_family == AF_INET || ai->ai_addr->sa_family == AF_INET6);
}

static int address_len(const union evi_dns_sockaddr *addr)
{
	return addr->sa.sa_family == AF_INET ? (int)sizeof(addr->in) : (int)sizeof(addr->in6);
}

/* Twins that differ in their kind of socket only are one address. */
static int add_address(struct evi_dns_cached *entry, const struct sockaddr *sa)
{
	union evi_dns_sockaddr *to = &entry->addresses[entry->count];

	for (int i = 0; i < entry->count; i++) {
		if (evutil_sockaddr_cmp(&entry->addresses[i].sa, sa, 0) == 0)
			return 0;
	}
	memcpy(to, sa, sa->sa_family == AF_INET ? sizeof(to->in) : sizeof(to->in6));
	entry->count++;
	return 1;
}

/* Twins counted twice. */
static int count_of(const struct evutil_addrinfo *list)
{
	int count = 0;

	for (; list != NULL; list = list->ai_next)
		count += is_address(list);
	return count;
}

static struct evi_dns_cached *make(const char *name, const struct evutil_addrinfo *list)
{
	size_t name_len = evi_dns_name_len(name);
	size_t at = (sizeof(struct evi_dns_cached) + name_len + 1 + 15) & ~(size_t)15;
	size_t size = at + (size_t)count_of(list) * sizeof(union evi_dns_sockaddr);
	struct evi_dns_cached *entry = evi_malloc(size);

	if (entry == NULL)
		return NULL;
	memset(entry, 0, at);
	entry->size = size;
	memcpy(entry->name, name, name_len);
	entry->addresses = (union evi_dns_sockaddr *)(void *)((char *)entry + at);
	if (list->ai_canonname != NULL) {
		entry->canonical = evi_strdup(list->ai_canonname);
		if (entry->canonical == NULL) {
			evi_free(entry);
			return NULL;
		}
	}
	for (; list != NULL; list = list->ai_next) {
		if (is_address(list))
			(void)add_address(entry, list->ai_addr);
	}
	return entry;
}

static void enter_bucket(struct evi_dns_cache *cache, struct evi_dns_cached *entry)
{
	struct evi_dns_cached **bucket = bucket_of(cache, entry->hash);

	entry->next = *bucket;
	if (entry->next != NULL)
		entry->next->prev = &entry->next;
	entry->prev = bucket;
	*bucket = entry;
}

static void insert(struct evi_dns_cache *cache, struct evi_dns_cached *entry)
{
	enter_bucket(cache, entry);
	entry->newer = NULL;
	entry->older_link = cache->newest;
	*cache->newest = entry;
	cache->newest = &entry->newer;
	cache->count++;
	cache->size += entry->size;
}

/* Room for one more; 0 if there is none at all. Where memory is short the buckets get longer. */
static int prepare(struct evi_dns_cache *cache)
{
	unsigned count = cache->bucket_count > 0 ? 4 * cache->bucket_count : BUCKETS_MIN;
	struct evi_dns_cached **bigger;

	if (cache->bucket_count > (unsigned)cache->count)
		return 1;
	bigger = evi_calloc(count, sizeof(bigger[0]));
	if (bigger == NULL)
		return cache->bucket_count > 0;
	evi_free(cache->buckets);
	cache->buckets = bigger;
	cache->bucket_count = count;
	if (cache->newest == NULL)
		cache->newest = &cache->oldest;
	for (struct evi_dns_cached *entry = cache->oldest; entry != NULL; entry = entry->newer)
		enter_bucket(cache, entry);
	return 1;
}

void evi_dns_cache_put(struct evdns_base *base, const char *name,
		       const struct evutil_addrinfo *list, int asked, int ttl)
{
	struct evi_dns_cache *cache = &base->cache;
	uint32_t hash = hash_of(base, name);
	struct evi_dns_cached *old = find(cache, name, hash), *entry;

	if (old != NULL)
		drop(cache, old);
	if (list == NULL || ttl <= 0 || count_of(list) > 2 * ADDRESSES_MAX)
		return;
	if (cache->count >= ENTRIES_MAX)
		drop(cache, cache->oldest);
	if (!prepare(cache))
		return;
	entry = make(name, list);
	if (entry == NULL)
		return;
	entry->hash = hash;
	entry->asked = asked;
	entry->expires_ns = now_ns(base) + (uint64_t)ttl * 1000000000u;
	while (cache->size + entry->size > BYTES_MAX)
		drop(cache, cache->oldest);
	insert(cache, entry);
}

static int families_of(const struct evutil_addrinfo *hints)
{
	return (evi_dns_wants_family(hints, PF_INET) ? EVI_DNS_ASKED_V4 : 0) |
	       (evi_dns_wants_family(hints, PF_INET6) ? EVI_DNS_ASKED_V6 : 0);
}

static int fill(const struct evi_dns_cached *entry, const struct evutil_addrinfo *hints,
		uint16_t port, struct evutil_addrinfo **list)
{
	struct evutil_addrinfo **last = list;

	for (int i = 0; i < entry->count; i++) {
		const union evi_dns_sockaddr *addr = &entry->addresses[i];

		if (!evi_dns_wants_family(hints, addr->sa.sa_family))
			continue;
		last = evi_dns_list_add(last, &addr->sa, address_len(addr), port, hints);
		if (last == NULL)
			return -1;
	}
	if (*list != NULL && (hints->ai_flags & EVUTIL_AI_CANONNAME)) {
		(*list)->ai_canonname = evi_strdup(entry->canonical);
		if ((*list)->ai_canonname == NULL)
			return -1;
	}
	return 0;
}

int evi_dns_cache_get(struct evdns_base *base, const char *name,
		      const struct evutil_addrinfo *hints, uint16_t port,
		      struct evutil_addrinfo **ret_list)
{
	struct evi_dns_cached *entry = find(&base->cache, name, hash_of(base, name));
	struct evutil_addrinfo *list = NULL;
	int wanted = families_of(hints);

	if (entry != NULL && entry->expires_ns <= now_ns(base)) {
		drop(&base->cache, entry);
		entry = NULL;
	}
	if (entry == NULL || (wanted & ~entry->asked))
		return -1;
	if ((hints->ai_flags & EVUTIL_AI_CANONNAME) && entry->canonical == NULL)
		return -1;
	if (fill(entry, hints, port, &list) < 0) {
		evutil_freeaddrinfo(list);
		return EVUTIL_EAI_MEMORY;
	}
	if (list == NULL)
		return EVUTIL_EAI_ADDRFAMILY;
	*ret_list = list;
	return 0;
}

void evi_dns_cache_done(struct evdns_base *base)
{
	while (base->cache.oldest != NULL)
		drop(&base->cache, base->cache.oldest);
	evi_free(base->cache.buckets);
	base->cache.buckets = NULL;
	base->cache.bucket_count = 0;
}

void evdns_cache_write(struct evdns_base *dns_base, char *nodename, struct evutil_addrinfo *res,
		       int ttl)
{
	if (dns_base == NULL || nodename == NULL)
		return;
	evi_dns_lock(dns_base);
	evi_dns_cache_put(dns_base, nodename, res, EVI_DNS_ASKED_V4 | EVI_DNS_ASKED_V6, ttl);
	evi_dns_unlock(dns_base);
}

int evdns_cache_lookup(struct evdns_base *base, const char *nodename, struct evutil_addrinfo *hints,
		       ev_uint16_t port, struct evutil_addrinfo **res)
{
	int result;

	if (base == NULL || nodename == NULL || hints == NULL || res == NULL)
		return -1;
	evi_dns_lock(base);
	result = evi_dns_cache_get(base, nodename, hints, port, res);
	evi_dns_unlock(base);
	return result;
}
