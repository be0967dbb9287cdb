/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a resolver and taking it apart. */

#include "dns/base.h"
#include "os/os_dns.h"

#include <string.h>

#define KNOWN_FLAGS                                                                                \
	(EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE |                    \
	 EVDNS_BASE_NAMESERVERS_NO_DEFAULT | EVDNS_BASE_NO_CACHE)

void evi_dns_lock(struct evdns_base *base)
{
	evi_lock(base->lock);
}

void evi_dns_unlock(struct evdns_base *base)
{
	void *lock = base->lock;

	if (base->refs > 0) {
		evi_unlock(lock);
		return;
	}
	evi_unlock(lock);
	evi_lock_free(lock);
	evi_free(base);
}

void evi_dns_random(struct evdns_base *base, void *bytes, size_t len)
{
	if (len > sizeof(base->random)) {
		evutil_secure_rng_get_bytes(bytes, len);
		return;
	}
	if (len > base->random_left || base->random_forks != evi_fork_count()) {
		evutil_secure_rng_get_bytes(base->random, sizeof(base->random));
		base->random_left = sizeof(base->random);
		/* a child must not go on where its parent does */
		base->random_forks = evi_fork_count();
	}
	base->random_left -= len;
	memcpy(bytes, base->random + base->random_left, len);
}

void evi_dns_unref(struct evdns_base *base)
{
	base->refs--;
}

void evi_dns_dispose(struct evdns_base *base, struct event *event, event_finalize_callback_fn fn)
{
	base->refs++;
	if (evi_base_in_loop_thread(base->event_base) || event_finalize(0, event, fn) < 0)
		fn(event, event_get_callback_arg(event));
}

void evi_dns_disposed(struct evdns_base *base)
{
	evi_dns_lock(base);
	evi_dns_unref(base);
	evi_dns_unlock(base);
}

static int check_flags(int flags)
{
	if (!(flags & ~KNOWN_FLAGS))
		return flags;
	evi_dns_log(1, "evdns_base_new: unknown flags 0x%x", (unsigned)(flags & ~KNOWN_FLAGS));
	return EVDNS_BASE_INITIALIZE_NAMESERVERS;
}

/* The base, without any server yet; NULL if out of memory. */
static struct evdns_base *make(struct event_base *event_base, int flags)
{
	struct evdns_base *base = evi_calloc(1, sizeof(*base));

	if (base == NULL)
		return NULL;
	base->event_base = event_base;
	base->refs = 1;
	base->flags = flags;
	base->is_disabled_when_inactive = (flags & EVDNS_BASE_DISABLE_WHEN_INACTIVE) != 0;
	base->hosts.last = &base->hosts.first;
	base->waiting_last = &base->waiting;
	base->requests_last = &base->requests;
	evi_dns_settings_init(&base->settings);
	evi_dns_random(base, &base->hash_secret, sizeof(base->hash_secret));
	evi_dns_deadlines_init(base);
	evi_dns_outbox_init(base);
	base->search = evi_dns_search_new();
	base->packet = evi_malloc(EVI_DNS_MESSAGE_MAX);
	if (evi_threading_enabled())
		base->lock = evi_lock_new();
	if (base->search != NULL && base->packet != NULL &&
	    (!evi_threading_enabled() || base->lock != NULL))
		return base;
	evi_dns_search_unref(base->search);
	evi_free(base->packet);
	event_debug_unassign(&base->timer);
	evi_lock_free(base->lock);
	evi_free(base);
	return NULL;
}

static int initialize(struct evdns_base *base)
{
	int options = DNS_OPTIONS_ALL, result;

	if (!(base->flags & EVDNS_BASE_INITIALIZE_NAMESERVERS))
		return 0;
	if (base->flags & EVDNS_BASE_NAMESERVERS_NO_DEFAULT)
		options |= DNS_OPTION_NAMESERVERS_NO_DEFAULT;
	result = evi_dns_configure(base, options);
	return result == 0 || result == EVDNS_ERROR_NO_NAMESERVERS_CONFIGURED ? 0 : -1;
}

struct evdns_base *evdns_base_new(struct event_base *event_base, int flags)
{
	struct evdns_base *base;

	if (event_base == NULL)
		event_base = evi_current_base();
	if (event_base == NULL)
		return NULL;
	if (evutil_secure_rng_init() < 0) {
		evi_dns_log(1, "evdns_base_new: no secure random numbers");
		return NULL;
	}
	evi_dns_resolver_register();
	base = make(event_base, check_flags(flags));
	if (base == NULL)
		return NULL;
	if (initialize(base) < 0) {
		evdns_base_free(base, 0);
		return NULL;
	}
	return base;
}

static void free_servers(struct evdns_base *base)
{
	for (int i = 0; i < base->server_count; i++)
		evi_dns_server_free(base->servers[i]);
	evi_free(base->servers);
	base->servers = NULL;
	base->server_count = 0;
}

void evdns_base_free(struct evdns_base *base, int fail_requests)
{
	struct evdns_request *request;

	if (base == NULL)
		return;
	evi_dns_lock(base);
	base->is_freed = 1;
	if (!fail_requests)
		evi_dns_getaddrinfo_drop_all(base);
	while ((request = base->requests) != NULL) {
		if (fail_requests)
			evi_dns_request_end(request, DNS_ERR_SHUTDOWN);
		else
			evi_dns_request_drop(request);
	}
	free_servers(base);
	evi_dns_deadlines_done(base);
	evi_dns_outbox_done(base);
	evdns_base_clear_host_addresses(base);
	evi_dns_cache_done(base);
	evi_dns_search_unref(base->search);
	base->search = NULL;
	evi_free(base->packet);
	evi_free(base->batch);
	base->packet = base->batch = NULL;
	evi_dns_unref(base);
	evi_dns_unlock(base);
}

int evdns_base_clear_nameservers_and_suspend(struct evdns_base *base)
{
	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	base->is_suspended = 1;
	evi_dns_query_suspend_all(base);
	free_servers(base);
	evi_dns_unlock(base);
	return 0;
}

int evdns_base_resume(struct evdns_base *base)
{
	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	base->is_suspended = 0;
	evi_dns_query_resume_all(base);
	evi_dns_unlock(base);
	return 0;
}
