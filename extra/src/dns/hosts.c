/* SPDX-License-Identifier: BSD-3-Clause */
/* The hosts table: hosts(5). */

#include "dns/base.h"
#include "dns/file.h"

#include <string.h>

static int add_host(struct evdns_base *base, const union evi_dns_sockaddr *addr, int addr_len,
		    const char *name)
{
	size_t len = strlen(name);
	struct evi_dns_host *host = evi_malloc(sizeof(*host) + len + 1);

	if (host == NULL)
		return -1;
	host->next = NULL;
	host->addr = *addr;
	host->addr_len = addr_len;
	memcpy(host->name, name, len + 1);
	*base->hosts.last = host;
	base->hosts.last = &host->next;
	return 0;
}

static int add_text(struct evdns_base *base, const char *address, const char *name)
{
	union evi_dns_sockaddr addr;
	int len = sizeof(addr);

	if (evutil_parse_sockaddr_port(address, &addr.sa, &len) < 0)
		return -1;
	return add_host(base, &addr, len, name);
}

/* "address name...": a port makes no host. */
static void parse_line(struct evdns_base *base, char *line)
{
	union evi_dns_sockaddr addr;
	int len = sizeof(addr);
	char *word;

	line[strcspn(line, "#")] = '\0';
	word = evi_dns_word_next(&line);
	if (word == NULL || *word == '[' || evutil_parse_sockaddr_port(word, &addr.sa, &len) < 0)
		return;
	if (addr.sa.sa_family == AF_INET ? addr.in.sin_port != 0 : addr.in6.sin6_port != 0)
		return;
	while ((word = evi_dns_word_next(&line)) != NULL)
		(void)add_host(base, &addr, len, word);
}

static void add_localhost(struct evdns_base *base)
{
	(void)add_text(base, "127.0.0.1", "localhost");
	(void)add_text(base, "::1", "localhost");
}

static int has_host(const struct evdns_base *base, const char *name)
{
	const struct evi_dns_host *host = base->hosts.first;

	while (host != NULL && evutil_ascii_strcasecmp(host->name, name) != 0)
		host = host->next;
	return host != NULL;
}

void evi_dns_hosts_need_localhost(struct evdns_base *base)
{
	evi_dns_lock(base);
	if (!has_host(base, "localhost"))
		add_localhost(base);
	evi_dns_unlock(base);
}

static int load(struct evdns_base *base, const char *file)
{
	char *text, *rest, *line;

	if (file == NULL || evi_dns_file_read(file, &text) != 0) {
		add_localhost(base);
		return file == NULL ? 0 : -1;
	}
	rest = text;
	while ((line = evi_dns_line_next(&rest)) != NULL)
		parse_line(base, line);
	evi_free(text);
	return 0;
}

int evdns_base_load_hosts(struct evdns_base *base, const char *hosts_fname)
{
	int result;

	if (base == NULL)
		base = evdns_get_global_base();
	if (base == NULL)
		return -1;
	evi_dns_lock(base);
	result = load(base, hosts_fname);
	evi_dns_unlock(base);
	return result;
}

void evdns_base_clear_host_addresses(struct evdns_base *base)
{
	struct evi_dns_host *host;

	if (base == NULL)
		return;
	evi_dns_lock(base);
	while ((host = base->hosts.first) != NULL) {
		base->hosts.first = host->next;
		evi_free(host);
	}
	base->hosts.last = &base->hosts.first;
	evi_dns_unlock(base);
}
