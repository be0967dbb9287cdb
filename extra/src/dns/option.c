/* SPDX-License-Identifier: BSD-3-Clause */
/* Options, by name: one table says what each accepts and where it goes. */

#include "dns/base.h"
#include "dns/option.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, TIME, FLAG, SPECIAL };

struct option {
	const char *name;
	int class; /* DNS_OPTION_ */
	enum kind kind;
	int min, max; /* NUMBER, and seconds of TIME; what is outside is clipped */
	size_t offset;
};

#define SETTING(member) offsetof(struct evi_dns_settings, member)

static const struct option options[] = {
	{ "ndots", DNS_OPTION_SEARCH, SPECIAL, 0, INT_MAX, 0 },
	{ "timeout", DNS_OPTION_MISC, TIME, 0, INT_MAX, SETTING(timeout) },
	{ "attempts", DNS_OPTION_MISC, NUMBER, 1, 255, SETTING(attempts) },
	{ "max-timeouts", DNS_OPTION_MISC, NUMBER, 1, 255, SETTING(max_timeouts) },
	{ "max-inflight", DNS_OPTION_MISC, NUMBER, 1, 65000, SETTING(max_inflight) },
	{ "randomize-case", DNS_OPTION_MISC, NUMBER, 0, INT_MAX, SETTING(randomize_case) },
	{ "initial-probe-timeout", DNS_OPTION_MISC, TIME, 0, 3600, SETTING(initial_probe_timeout) },
	{ "max-probe-timeout", DNS_OPTION_MISC, NUMBER, 1, 3600, SETTING(max_probe_timeout) },
	{ "probe-backoff-factor", DNS_OPTION_MISC, NUMBER, 1, 10, SETTING(probe_backoff_factor) },
	{ "getaddrinfo-allow-skew", DNS_OPTION_MISC, TIME, 0, INT_MAX, SETTING(skew) },
	{ "so-rcvbuf", DNS_OPTION_MISC, NUMBER, 0, INT_MAX, SETTING(so_rcvbuf) },
	{ "so-sndbuf", DNS_OPTION_MISC, NUMBER, 0, INT_MAX, SETTING(so_sndbuf) },
	{ "tcp-idle-timeout", DNS_OPTION_MISC, TIME, 0, INT_MAX, SETTING(tcp_idle_timeout) },
	{ "use-vc", DNS_OPTION_MISC, FLAG, 0, 1, SETTING(use_vc) },
	{ "ignore-tc", DNS_OPTION_MISC, FLAG, 0, 1, SETTING(ignore_tc) },
	{ "edns-udp-size", DNS_OPTION_MISC, NUMBER, 512, 65535, SETTING(edns_udp_size) },
	{ "bind-to", DNS_OPTION_NAMESERVERS, SPECIAL, 0, 0, 0 },
};

void evi_dns_settings_init(struct evi_dns_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->timeout.tv_sec = 5;
	s->attempts = 3;
	s->max_timeouts = 3;
	s->max_inflight = 64;
	s->randomize_case = 1;
	s->initial_probe_timeout.tv_sec = 10;
	s->max_probe_timeout = 3600;
	s->probe_backoff_factor = 3;
	s->skew.tv_sec = 3;
	s->tcp_idle_timeout.tv_sec = 5;
	s->edns_udp_size = 512;
}

/* Up to a colon. */
static const struct option *find(const char *name)
{
	size_t len = strcspn(name, ":");

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
			return &options[i];
	}
	return NULL;
}

static int clip(long long value, const struct option *option)
{
	if (value < option->min)
		return option->min;
	return value < option->max ? (int)value : option->max;
}

/* Decimal, the whole text; -1 if it is not, or negative. */
static long long parse_number(const char *text)
{
	char *end;
	long long value;

	if (text == NULL || *text == '\0')
		return -1;
	value = evutil_strtoll(text, &end, 10);
	return *end == '\0' && end != text && value >= 0 ? value : -1;
}

/* Seconds with an optional fraction, at least a millisecond. */
static int parse_time(const char *text, const struct option *option, struct timeval *ret_time)
{
	char *end;
	double seconds;

	if (text == NULL ||
	    strspn(text, "0123456789.+ \t\n\v\f\reExXaAbBcCdDfFpP-") != strlen(text))
		return -1;
	seconds = strtod(text, &end);
	if (*end != '\0' || end == text || !(seconds >= 0.001))
		return -1;
	if (seconds > option->max)
		seconds = option->max;
	ret_time->tv_sec = (time_t)seconds;
	ret_time->tv_usec = (int)((seconds - (double)ret_time->tv_sec) * 1e6);
	return 0;
}

static int set_bind_to(struct evdns_base *base, const char *value)
{
	union evi_dns_sockaddr addr;
	int len = sizeof(addr);

	if (value == NULL || evutil_parse_sockaddr_port(value, &addr.sa, &len) < 0)
		return -1;
	base->settings.bind_to = addr;
	base->settings.bind_to_len = len;
	return 0;
}

static int set_ndots(struct evdns_base *base, const struct option *option, const char *value)
{
	long long ndots = parse_number(value);
	struct evi_dns_search *search;

	if (ndots < 0)
		return -1;
	search = evi_dns_search_own(base);
	if (search == NULL)
		return -1;
	search->ndots = clip(ndots, option);
	return 0;
}

static int set(struct evdns_base *base, const struct option *option, const char *value)
{
	char *place = (char *)&base->settings + option->offset;
	long long number;

	switch (option->kind) {
	case NUMBER:
		number = parse_number(value);
		if (number < 0)
			return -1;
		*(int *)(void *)place = clip(number, option);
		return 0;
	case TIME:
		return parse_time(value, option, (struct timeval *)(void *)place);
	case FLAG:
		if (value != NULL && *value != '\0')
			return -1;
		*(int *)(void *)place = 1;
		return 0;
	case SPECIAL:
		break;
	}
	return option->class == DNS_OPTION_SEARCH ? set_ndots(base, option, value)
						  : set_bind_to(base, value);
}

/* The first probe never waits longer than the longest. */
static void check_probe_timeouts(struct evi_dns_settings *s)
{
	if (s->initial_probe_timeout.tv_sec >= s->max_probe_timeout) {
		s->initial_probe_timeout.tv_sec = s->max_probe_timeout;
		s->initial_probe_timeout.tv_usec = 0;
	}
}

int evi_dns_option_set(struct evdns_base *base, const char *name, const char *value, int classes)
{
	const struct option *option = find(name);
	int result;

	if (option == NULL || !(classes & option->class))
		return 0;
	result = set(base, option, value);
	check_probe_timeouts(&base->settings);
	return result;
}

int evdns_base_set_option(struct evdns_base *base, const char *option, const char *val)
{
	int result;

	if (base == NULL || option == NULL)
		return -1;
	evi_dns_lock(base);
	result = evi_dns_option_set(base, option, val, DNS_OPTIONS_ALL);
	evi_dns_unlock(base);
	return result;
}
