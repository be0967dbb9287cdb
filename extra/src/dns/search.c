/* SPDX-License-Identifier: BSD-3-Clause */
/* The search list. */

#include "dns/base.h"

#include <string.h>

struct evi_dns_search *evi_dns_search_new(void)
{
	struct evi_dns_search *search = evi_calloc(1, sizeof(*search));

	if (search == NULL)
		return NULL;
	search->refs = 1;
	search->ndots = 1;
	return search;
}

void evi_dns_search_empty(struct evi_dns_search *search)
{
	for (int i = 0; i < search->count; i++)
		evi_free(search->domains[i]);
	evi_free(search->domains);
	search->domains = NULL;
	search->count = 0;
}

void evi_dns_search_unref(struct evi_dns_search *search)
{
	if (search == NULL || --search->refs > 0)
		return;
	evi_dns_search_empty(search);
	evi_free(search);
}

/* Leading dots, and one final dot, say nothing. */
int evi_dns_search_append(struct evi_dns_search *search, const char *domain, size_t len)
{
	char **domains, *copy;

	while (len > 0 && *domain == '.') {
		domain++;
		len--;
	}
	if (len > 0 && domain[len - 1] == '.')
		len--;
	domains = evi_realloc(search->domains, (size_t)(search->count + 1) * sizeof(*domains));
	if (domains == NULL)
		return -1;
	search->domains = domains;
	copy = evi_malloc(len + 1);
	if (copy == NULL)
		return -1;
	memcpy(copy, domain, len);
	copy[len] = '\0';
	domains[search->count++] = copy;
	return 0;
}

static struct evi_dns_search *copy_of(const struct evi_dns_search *from)
{
	struct evi_dns_search *to = evi_dns_search_new();

	if (to == NULL)
		return NULL;
	to->ndots = from->ndots;
	for (int i = 0; i < from->count; i++) {
		if (evi_dns_search_append(to, from->domains[i], strlen(from->domains[i])) < 0) {
			evi_dns_search_unref(to);
			return NULL;
		}
	}
	return to;
}

struct evi_dns_search *evi_dns_search_own(struct evdns_base *base)
{
	struct evi_dns_search *copy;

	if (base->search->refs == 1)
		return base->search;
	copy = copy_of(base->search);
	if (copy == NULL)
		return NULL;
	evi_dns_search_unref(base->search);
	base->search = copy;
	return copy;
}

void evi_dns_search_from_hostname(struct evdns_base *base)
{
	struct evi_dns_search *search = evi_dns_search_own(base);
	char name[256];
	const char *dot;

	if (search == NULL || gethostname(name, sizeof(name)) != 0)
		return;
	name[sizeof(name) - 1] = '\0';
	evi_dns_search_empty(search);
	dot = strchr(name, '.');
	if (dot != NULL && dot[1] != '\0')
		(void)evi_dns_search_append(search, dot + 1, strlen(dot + 1));
}

/* The newest is tried first. */
void evdns_base_search_add(struct evdns_base *base, const char *domain)
{
	struct evi_dns_search *search;

	if (base == NULL || domain == NULL)
		return;
	evi_dns_lock(base);
	search = evi_dns_search_own(base);
	if (search != NULL && evi_dns_search_append(search, domain, strlen(domain)) == 0) {
		char *newest = search->domains[search->count - 1];

		memmove(search->domains + 1, search->domains,
			(size_t)(search->count - 1) * sizeof(search->domains[0]));
		search->domains[0] = newest;
	}
	evi_dns_unlock(base);
}

void evdns_base_search_clear(struct evdns_base *base)
{
	struct evi_dns_search *search;

	if (base == NULL)
		return;
	evi_dns_lock(base);
	search = evi_dns_search_own(base);
	if (search != NULL) {
		evi_dns_search_empty(search);
		search->ndots = 1;
	}
	evi_dns_unlock(base);
}

void evdns_base_search_ndots_set(struct evdns_base *base, const int ndots)
{
	struct evi_dns_search *search;

	if (base == NULL)
		return;
	evi_dns_lock(base);
	search = evi_dns_search_own(base);
	if (search != NULL)
		search->ndots = ndots;
	evi_dns_unlock(base);
}
