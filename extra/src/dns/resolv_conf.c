/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file: resolv.conf(5). */

#include "dns/base.h"
#include "dns/file.h"
#include "dns/option.h"
#include "os/os_dns.h"

#include <string.h>

struct parse {
	struct evdns_base *base;
	int flags;
};

/* A comment ends the line wherever a word begins with its sign. */
static char *next_word(char **line)
{
	char *word = evi_dns_word_next(line);

	return word != NULL && *word != '#' && *word != ';' ? word : NULL;
}

static void parse_nameserver(struct parse *p, char *rest)
{
	const char *word = next_word(&rest);

	if (word != NULL && (p->flags & DNS_OPTION_NAMESERVERS) &&
	    evdns_base_nameserver_ip_add(p->base, word) != 0)
		evi_dns_log(1, "Unusable nameserver \"%s\" in the configuration", word);
}

static void replace_search(struct parse *p, char *rest, int max)
{
	struct evi_dns_search *search;
	const char *word;

	if (!(p->flags & DNS_OPTION_SEARCH))
		return;
	search = evi_dns_search_own(p->base);
	if (search == NULL)
		return;
	evi_dns_search_empty(search);
	while (max-- > 0 && (word = next_word(&rest)) != NULL)
		(void)evi_dns_search_append(search, word, strlen(word));
}

static void parse_domain(struct parse *p, char *rest)
{
	replace_search(p, rest, 1);
}

static void parse_search(struct parse *p, char *rest)
{
	replace_search(p, rest, INT_MAX);
}

static void parse_options(struct parse *p, char *rest)
{
	const char *word;

	while ((word = next_word(&rest)) != NULL) {
		const char *colon = strchr(word, ':');

		(void)evi_dns_option_set(p->base, word, colon != NULL ? colon + 1 : NULL, p->flags);
	}
}

static const struct {
	const char *name;
	void (*parse)(struct parse *p, char *rest);
} directives[] = {
	{ "nameserver", parse_nameserver },
	{ "domain", parse_domain },
	{ "search", parse_search },
	{ "options", parse_options },
};

static void parse_line(struct parse *p, char *line)
{
	const char *word = next_word(&line);

	for (size_t i = 0; word != NULL && i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strcmp(word, directives[i].name) == 0) {
			directives[i].parse(p, line);
			return;
		}
	}
}

static int wants_default(int flags)
{
	return (flags & DNS_OPTION_NAMESERVERS) && !(flags & DNS_OPTION_NAMESERVERS_NO_DEFAULT);
}

static void use_defaults(struct evdns_base *base, int flags)
{
	if (flags & DNS_OPTION_SEARCH)
		evi_dns_search_from_hostname(base);
	if (wants_default(flags))
		(void)evdns_base_nameserver_ip_add(base, "127.0.0.1");
}

static int parse_file(struct evdns_base *base, int flags, const char *file)
{
	struct parse p = { .base = base, .flags = flags };
	char *text, *rest, *line;
	int result =
		file != NULL ? evi_dns_file_read(file, &text) : EVDNS_ERROR_FAILED_TO_OPEN_FILE;

	if (result != 0) {
		if (result == EVDNS_ERROR_FAILED_TO_OPEN_FILE)
			use_defaults(base, flags);
		return result;
	}
	rest = text;
	while ((line = evi_dns_line_next(&rest)) != NULL)
		parse_line(&p, line);
	evi_free(text);
	if ((flags & DNS_OPTION_SEARCH) && base->search->count == 0)
		evi_dns_search_from_hostname(base);
	if (base->server_count == 0 && wants_default(flags)) {
		(void)evdns_base_nameserver_ip_add(base, "127.0.0.1");
		return EVDNS_ERROR_NO_NAMESERVERS_CONFIGURED;
	}
	return 0;
}

int evdns_base_resolv_conf_parse(struct evdns_base *base, int flags, const char *const filename)
{
	int result;

	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	if (flags & DNS_OPTION_HOSTSFILE)
		evi_dns_load_system_hosts(base);
	result = parse_file(base, flags, filename);
	evi_dns_unlock(base);
	return result;
}
