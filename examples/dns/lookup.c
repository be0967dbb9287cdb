/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lookup [OPTION]... NAME...: asks nameservers, several names at once.
 *
 *     lookup example.com                        addresses, by the nameservers of this host
 *     lookup -s 127.0.0.1:5300 -t aaaa a.test   IPv6 addresses, by that nameserver
 *     lookup -x 192.0.2.1                       the name of an address
 *
 *     -s ADDRESS[:PORT]  ask this nameserver; may be repeated
 *     -t a|aaaa|ptr|any  what for; any: both kinds of addresses, as getaddrinfo() finds them
 *     -x                 names are addresses, and their names are asked for
 *     -T                 by TCP
 *     -d DOMAIN          search this domain; may be repeated
 *     -o NAME[:VALUE]    an option as in resolv.conf, such as timeout:1 or edns-udp-size:1232
 *
 * One line for each answer: the name, its time to live, and what was found. The exit status is 0 if
 * all were found, 1 if not, 2 if the command line is wrong.
 */

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { KIND_A, KIND_AAAA, KIND_PTR, KIND_ANY, KINDS };

static const char *const kind_names[KINDS] = { "a", "aaaa", "ptr", "any" };

struct lookup {
	struct evdns_base *dns;
	struct event_base *base;
	enum kind kind;
	int flags;
	int pending, failed;
};

/* One name being asked for. */
struct question {
	struct lookup *lookup;
	const char *name;
};

static void end_question(struct question *q, int has_failed)
{
	struct lookup *l = q->lookup;

	l->failed |= has_failed;
	if (--l->pending == 0)
		event_base_loopbreak(l->base);
	free(q);
}

static void print_address(const char *name, int ttl, int family, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	evutil_inet_ntop(family, address, text, sizeof(text));
	printf("%s\t%d\tIN\t%s\t%s\n", name, ttl, family == AF_INET ? "A" : "AAAA", text);
}

/* Called once for each question. What it points to is gone when it returns. */
static void on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct question *q = arg;

	if (result != DNS_ERR_NONE) {
		fprintf(stderr, "%s: %s\n", q->name, evdns_err_to_string(result));
		end_question(q, 1);
		return;
	}
	if (type == DNS_PTR)
		printf("%s\t%d\tIN\tPTR\t%s\n", q->name, ttl, *(char **)addresses);
	for (int i = 0; i < count && type == DNS_IPv4_A; i++)
		print_address(q->name, ttl, AF_INET, (char *)addresses + 4 * i);
	for (int i = 0; i < count && type == DNS_IPv6_AAAA; i++)
		print_address(q->name, ttl, AF_INET6, (char *)addresses + 16 * i);
	end_question(q, 0);
}

static void on_list(int error, struct evutil_addrinfo *list, void *arg)
{
	struct question *q = arg;
	char host[INET6_ADDRSTRLEN];

	if (error != 0)
		fprintf(stderr, "%s: %s\n", q->name, evutil_gai_strerror(error));
	if (list != NULL && list->ai_canonname != NULL)
		printf("%s\tis\t%s\n", q->name, list->ai_canonname);
	for (const struct evutil_addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		const void *address = &((struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr;

		if (ai->ai_family == AF_INET6)
			address = &((struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_addr;
		printf("%s\t%s\n", q->name,
		       evutil_inet_ntop(ai->ai_family, address, host, sizeof(host)));
	}
	evutil_freeaddrinfo(list);
	end_question(q, error != 0);
}

/* The name of an address; NULL if it is none, or nothing could be asked. */
static struct evdns_request *ask_for_name(struct question *q)
{
	struct lookup *l = q->lookup;
	struct in_addr in;
	struct in6_addr in6;

	if (evutil_inet_pton(AF_INET, q->name, &in) == 1)
		return evdns_base_resolve_reverse(l->dns, &in, l->flags, on_answer, q);
	if (evutil_inet_pton(AF_INET6, q->name, &in6) == 1)
		return evdns_base_resolve_reverse_ipv6(l->dns, &in6, l->flags, on_answer, q);
	return NULL;
}

static void ask(struct lookup *l, const char *name)
{
	static const struct evutil_addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = EVUTIL_AI_CANONNAME,
	};
	struct question *q = malloc(sizeof(*q));
	struct evdns_request *request = NULL;

	if (q == NULL)
		abort();
	q->lookup = l;
	q->name = name;
	l->pending++;
	switch (l->kind) {
	case KIND_A:
		request = evdns_base_resolve_ipv4(l->dns, name, l->flags, on_answer, q);
		break;
	case KIND_AAAA:
		request = evdns_base_resolve_ipv6(l->dns, name, l->flags, on_answer, q);
		break;
	case KIND_PTR:
		request = ask_for_name(q);
		break;
	case KIND_ANY: /* NULL means that on_list() has been called already */
	case KINDS:
		evdns_getaddrinfo(l->dns, name, NULL, &hints, on_list, q);
		return;
	}
	if (request == NULL) {
		fprintf(stderr, "%s: cannot be asked for\n", name);
		end_question(q, 1);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: lookup [-xT] [-s SERVER] [-t a|aaaa|ptr|any] [-d DOMAIN] [-o "
			"OPTION] NAME...\n");
	return -1;
}

static int set_kind(struct lookup *l, const char *name)
{
	for (int i = 0; i < KINDS; i++) {
		if (evutil_ascii_strcasecmp(name, kind_names[i]) == 0) {
			l->kind = (enum kind)i;
			return 0;
		}
	}
	return usage();
}

/* "name:value", as in resolv.conf. */
static int set_option(struct lookup *l, const char *option)
{
	const char *colon = strchr(option, ':');

	if (evdns_base_set_option(l->dns, option, colon != NULL ? colon + 1 : NULL) == 0)
		return 0;
	fprintf(stderr, "lookup: %s: not a good value\n", option);
	return -1;
}

static int add_server(struct lookup *l, const char *text)
{
	if (evdns_base_nameserver_ip_add(l->dns, text) == 0)
		return 0;
	fprintf(stderr, "lookup: %s: not an address, or already there\n", text);
	return -1;
}

static int read_options(struct lookup *l, int argc, char **argv)
{
	int option, result = 0;

	while (result == 0 && (option = getopt(argc, argv, "s:t:xTd:o:")) != -1) {
		switch (option) {
		case 's':
			result = add_server(l, optarg);
			break;
		case 't':
			result = set_kind(l, optarg);
			break;
		case 'x':
			l->kind = KIND_PTR;
			break;
		case 'T':
			result = evdns_base_set_option(l->dns, "use-vc", NULL);
			break;
		case 'd':
			evdns_base_search_add(l->dns, optarg);
			break;
		case 'o':
			result = set_option(l, optarg);
			break;
		default:
			result = usage();
		}
	}
	return result == 0 && optind == argc ? usage() : result;
}

/* Without servers on the command line: those of this host, and its search list and hosts file. */
static int find_servers(struct lookup *l)
{
	if (evdns_base_count_nameservers(l->dns) > 0)
		return 0;
	if (evdns_base_resolv_conf_parse(l->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf") !=
	    EVDNS_ERROR_FAILED_TO_STAT_FILE)
		return 0;
	fprintf(stderr, "lookup: /etc/resolv.conf cannot be read\n");
	return -1;
}

int main(int argc, char **argv)
{
	struct lookup l = { .kind = KIND_A };

	l.base = event_base_new();
	l.dns = evdns_base_new(l.base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (l.dns == NULL)
		return 1;
	if (read_options(&l, argc, argv) < 0 || find_servers(&l) < 0)
		return 2;
	l.pending = 1; /* until all are asked for */
	for (int i = optind; i < argc; i++)
		ask(&l, argv[i]);
	if (--l.pending > 0)
		event_base_dispatch(l.base);
	evdns_base_free(l.dns, 0);
	event_base_free(l.base);
	return l.failed;
}
