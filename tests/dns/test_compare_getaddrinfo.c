/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rest of the comparison with c-ares: getaddrinfo on both sides, several servers and queries at
 * once, cancelling and freeing. Lists of addresses are compared as sets.
 */

#include "peer.h"

TestSuite(dns_compare_getaddrinfo, .init = support_leak_init, .fini = support_leak_fini,
	  .timeout = 300);

/* --- A server that answers by family ---------------------------------------------------------- */

struct by_family {
	struct script script;
	const char *a, *aaaa;
};

static size_t family_fn(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct by_family *f = fake->arg;

	(void)len;
	(void)reply;
	return script_answer(&f->script, query, question_type(query) == 1 ? f->a : f->aaaa, 0);
}

static void family_start(struct by_family *f, struct event_base *base, const char *a,
			 const char *aaaa)
{
	script_start(&f->script, base, a, NULL);
	f->a = a;
	f->aaaa = aaaa;
	f->script.fake.fn = family_fn;
	f->script.fake.arg = f;
}

static const char *servers_of(const struct by_family *f)
{
	static char list[32];

	snprintf(list, sizeof(list), "127.0.0.1:%d", ntohs(f->script.fake.addr.sin_port));
	return list;
}

/* --- Results as text -------------------------------------------------------------------------- */

static const char *our_error(int error)
{
	static const struct {
		int code;
		const char *name;
	} names[] = { { EVUTIL_EAI_NONAME, "NONAME" }, { EVUTIL_EAI_NODATA, "NODATA" },
		      { EVUTIL_EAI_AGAIN, "AGAIN" },   { EVUTIL_EAI_FAIL, "FAIL" },
		      { EVUTIL_EAI_FAMILY, "FAMILY" }, { EVUTIL_EAI_ADDRFAMILY, "ADDRFAMILY" },
		      { EVUTIL_EAI_CANCEL, "CANCEL" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == error)
			return names[i].name;
	}
	return "?";
}

static const char *their_error(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return "NONAME";
	case ARES_ENODATA:
		return "NODATA";
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
		return "AGAIN";
	case ARES_EBADRESP:
	case ARES_EFORMERR:
		return "FAIL";
	default:
		return their_code(status);
	}
}

/* One address with its port; each only once, in alphabetical order. */
struct set {
	char items[64][64];
	int count;
};

static void set_add(struct set *set, const struct sockaddr *sa)
{
	char host[64], item[96];
	int at = set->count;

	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, host,
			  sizeof(host));
	else
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
			  host, sizeof(host));
	snprintf(item, sizeof(item), "%s#%d", host,
		 ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port));
	for (int i = 0; i < set->count; i++) {
		if (strcmp(set->items[i], item) == 0)
			return;
	}
	cr_assert_lt(set->count, 64);
	for (; at > 0 && strcmp(set->items[at - 1], item) > 0; at--)
		memcpy(set->items[at], set->items[at - 1], sizeof(set->items[0]));
	snprintf(set->items[at], sizeof(set->items[0]), "%.63s", item);
	set->count++;
}

static void set_text(const struct set *set, char *text)
{
	snprintf(text, RESULT_MAX, "NONE");
	for (int i = 0; i < set->count; i++)
		snprintf(text + strlen(text), RESULT_MAX - strlen(text), " %s", set->items[i]);
}

static void our_list(int error, struct evutil_addrinfo *list, void *arg)
{
	struct outcome *o = arg;
	struct set set = { .count = 0 };

	o->calls++;
	for (const struct evutil_addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		set_add(&set, ai->ai_addr);
	set_text(&set, o->text);
	if (error != 0)
		snprintf(o->text, RESULT_MAX, "%s", our_error(error));
	else if (list->ai_canonname != NULL)
		snprintf(o->text + strlen(o->text), RESULT_MAX - strlen(o->text), " is %s",
			 list->ai_canonname);
	evutil_freeaddrinfo(list);
}

static void their_list(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct outcome *o = arg;
	struct set set = { .count = 0 };
	const char *canonical = NULL;

	(void)timeouts;
	o->calls++;
	snprintf(o->text, RESULT_MAX, "%s", their_error(status));
	if (status != ARES_SUCCESS)
		return;
	for (const struct ares_addrinfo_node *node = list->nodes; node != NULL;
	     node = node->ai_next)
		set_add(&set, node->ai_addr);
	set_text(&set, o->text);
	for (const struct ares_addrinfo_cname *c = list->cnames; c != NULL; c = c->next)
		canonical = c->name;
	if (o->type && canonical != NULL)
		snprintf(o->text + strlen(o->text), RESULT_MAX - strlen(o->text), " is %s",
			 canonical);
	ares_freeaddrinfo(list);
}

/* --- The table -------------------------------------------------------------------------------- */

enum needs { TIMES_OUT = 1, SKEW = 2, CANONICAL = 4, HOSTS = 8, ANY_SOCKET = 16 };

struct comparison {
	const char *id, *node, *service;
	int family;
	const char *a, *aaaa; /* scripts */
	int needs;
	char relation;
	const char *ours, *theirs, *reason;
};

#define V4   "a=10.0.0.1"
#define V6   "aaaa=2001:db8::7"
#define BOTH "NONE 10.0.0.1#80 2001:db8::7#80"
#define ONE4 "NONE 10.0.0.1#80"
#define ONE6 "NONE 2001:db8::7#80"

static const struct comparison answers[] = {
	{ "C-96", "host.test", "80", AF_UNSPEC, V4, V6, 0, '=', BOTH, NULL, NULL },
	{ "C-97 no data", "host.test", "80", AF_UNSPEC, V4, "empty", 0, '=', ONE4, NULL, NULL },
	{ "C-97 no name", "host.test", "80", AF_UNSPEC, V4, "rcode=3", 0, '=', ONE4, NULL, NULL },
	{ "C-97 failure", "host.test", "80", AF_UNSPEC, V4, "rcode=2", 0, '=', ONE4, NULL, NULL },
	{ "C-97 no data 4", "host.test", "80", AF_UNSPEC, "empty", V6, 0, '=', ONE6, NULL, NULL },
	{ "C-97 no name 4", "host.test", "80", AF_UNSPEC, "rcode=3", V6, 0, '=', ONE6, NULL, NULL },
	{ "C-97 failure 4", "host.test", "80", AF_UNSPEC, "rcode=2", V6, 0, '=', ONE6, NULL, NULL },
	{ "C-98", "host.test", "80", AF_UNSPEC, V4, "silent", SKEW, '=', ONE4, NULL, NULL },
	{ "C-98 4", "host.test", "80", AF_UNSPEC, "silent", V6, SKEW, '=', ONE6, NULL, NULL },
	{ "C-99", "host.test", "80", AF_UNSPEC, "rcode=3", "rcode=3", 0, '=', "NONAME", NULL,
	  NULL },
	{ "C-100", "host.test", "80", AF_UNSPEC, "empty", "empty", 0, '=', "NODATA", NULL, NULL },
	{ "C-101", "host.test", "80", AF_UNSPEC, "rcode=3", "empty", 0, '=', "NODATA", NULL, NULL },
	{ "C-101 reversed", "host.test", "80", AF_UNSPEC, "empty", "rcode=3", 0, '!', "NODATA",
	  "NONAME", "independent of which answers what" },
	{ "C-102 silent", "host.test", "80", AF_UNSPEC, "silent", "silent", TIMES_OUT, '=', "AGAIN",
	  NULL, NULL },
	{ "C-102 failure", "host.test", "80", AF_UNSPEC, "rcode=2", "rcode=2", 0, '=', "AGAIN",
	  NULL, NULL },
	{ "C-103", "host.test", "80", AF_UNSPEC, V4 " cut=1", V6 " cut=1", 0, '=', "FAIL", NULL,
	  NULL },
	{ "C-104", "host.test", "80", AF_INET,
	  "cname=m.test of=m.test cname=n.test of=n.test a=10.0.0.1", "empty", CANONICAL, '=',
	  ONE4 " is n.test", NULL, NULL },
	/* the orders differ: ours is that of test_getaddrinfo.c, c-ares sorts by RFC 6724 */
	{ "C-105", "host.test", "80", AF_UNSPEC, "a=10.0.0.2 " V4, V6, 0, '=',
	  "NONE 10.0.0.1#80 10.0.0.2#80 2001:db8::7#80", NULL, NULL },
	/*
	 * and so do the kinds of sockets: each address for streams and datagrams, or once of type 0
	 */
	{ "C-112", "host.test", "80", AF_UNSPEC, V4, V6, ANY_SOCKET, '=', BOTH, NULL, NULL },
};

static const struct comparison at_once[] = {
	{ "C-106", "10.0.0.1", "80", AF_INET, "rcode=3", "rcode=3", 0, '=', ONE4, NULL, NULL },
	{ "C-107", "10.0.0.1", "80", AF_UNSPEC, "rcode=3", "rcode=3", 0, '=', ONE4, NULL, NULL },
	{ "C-108", "10.0.0.1", "80", AF_INET6, "rcode=3", "rcode=3", 0, '!', "ADDRFAMILY", ONE4,
	  "it is not of the family asked for" },
	{ "C-109", "host.test", "80", 99, V4, V6, 0, '!', "FAMILY", "NOTIMPL",
	  "the same, by another name" },
	{ "C-110", "host.test", "no-such-service", AF_INET, V4, V6, 0, '!', "NONAME", "SERVICE",
	  "the same, by another name" },
	{ "C-111 99999", "10.0.0.1", "99999", AF_INET, V4, V6, 0, '!', "NONAME",
	  "NONE 10.0.0.1#34463", "no port has that number" },
	{ "C-111 0", "10.0.0.1", "0", AF_INET, V4, V6, 0, '!', "NONE 10.0.0.1#0", "SERVICE",
	  "0 is a number" },
	{ "C-113", "localhost", "80", AF_INET, "rcode=3", "rcode=3", HOSTS, '=',
	  "NONE 127.0.0.1#80", NULL, NULL },
};

static void ask_ours(const struct comparison *c, struct outcome *o)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_NO_CACHE);
	struct evutil_addrinfo hints = { .ai_family = c->family,
		.ai_socktype = c->needs & ANY_SOCKET ? 0 : SOCK_STREAM,
		.ai_flags = c->needs & CANONICAL ? EVUTIL_AI_CANONNAME : 0 };
	struct by_family f;

	memset(o, 0, sizeof(*o));
	family_start(&f, base, c->a, c->aaaa);
	fake_use(&f.script.fake, dns);
	set_option(dns, "timeout", c->needs & TIMES_OUT ? "0.05" : NEVER);
	set_option(dns, "getaddrinfo-allow-skew", c->needs & SKEW ? "0.05" : NEVER);
	if (c->needs & HOSTS)
		cr_assert_eq(evdns_base_load_hosts(dns, "/etc/hosts"), 0);
	(void)evdns_getaddrinfo(dns, c->node, c->service, &hints, our_list, o);
	if (o->calls == 0)
		await(base, &o->calls);
	evdns_base_free(dns, 0);
	script_stop(&f.script);
	event_base_free(base);
}

static void ask_theirs(const struct comparison *c, struct outcome *o)
{
	struct event_base *base = support_base_new();
	struct peer_options options = {
		.timeout_ms = c->needs & (TIMES_OUT | SKEW) ? 50 : 3600000, .lookups = "fb",
	};
	struct ares_addrinfo_hints hints = { .ai_family = c->family,
		.ai_socktype = c->needs & ANY_SOCKET ? 0 : SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT | (c->needs & CANONICAL ? ARES_AI_CANONNAME : 0) };
	struct by_family f;
	ares_channel channel;

	memset(o, 0, sizeof(*o));
	o->type = c->needs & CANONICAL;
	family_start(&f, base, c->a, c->aaaa);
	channel = peer_start(servers_of(&f), &options);
	ares_getaddrinfo(channel, c->node, c->service, &hints, their_list, o);
	peer_run(channel, base, &o->calls);
	peer_stop(channel);
	script_stop(&f.script);
	event_base_free(base);
}

/*
 * The hosts file both read is the system's, and says what such files say everywhere, but not
 * always.
 */
static int hosts_know_localhost(void)
{
	struct evutil_addrinfo hints = { .ai_family = AF_INET }, *list = NULL;
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	struct found found = { 0 };

	if (evdns_base_load_hosts(dns, "/etc/hosts") == 0)
		(void)evdns_getaddrinfo(dns, "localhost", NULL, &hints, find, &found);
	list = found.list;
	evdns_base_free(dns, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	evutil_freeaddrinfo(list);
	return list != NULL;
}

static void compare(const struct comparison *c)
{
	const char *expected = c->theirs != NULL ? c->theirs : c->ours;
	struct outcome ours, theirs;

	if ((c->needs & HOSTS) && !hosts_know_localhost())
		return;
	ask_ours(c, &ours);
	cr_assert_str_eq(ours.text, c->ours, "%s: we say %s", c->id, ours.text);
	cr_assert_eq(c->relation == '!', c->reason != NULL, "%s", c->id);
	ask_theirs(c, &theirs);
	if (peer_is_known())
		cr_assert_str_eq(theirs.text, expected, "%s: c-ares says %s", c->id, theirs.text);
	else if (strcmp(theirs.text, expected) != 0)
		cr_log_info("%s: c-ares %s says %s, we %s", c->id, ares_version(NULL), theirs.text,
			    ours.text);
}

/* DNS-306..311, DNS-195, DNS-198..205 */
Test(dns_compare_getaddrinfo, answers)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		compare(&answers[i]);
}

/* DNS-306..311, DNS-187, DNS-188, DNS-190..192 */
Test(dns_compare_getaddrinfo, what_is_known)
{
	for (size_t i = 0; i < sizeof(at_once) / sizeof(at_once[0]); i++)
		compare(&at_once[i]);
}

/* --- Several at once -------------------------------------------------------------------------- */

/*
 * DNS-306..311, DNS-146, DNS-147: C-34. Ours finds the silent server out, c-ares asks it each time.
 */
Test(dns_compare_getaddrinfo, a_silent_server_is_avoided)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_NO_CACHE);
	struct script silent, good;
	struct peer_options options = { .timeout_ms = 50, .lookups = "b" };
	struct outcome o = { .type = 1 };
	ares_channel channel;
	char servers[64];
	int asked;

	script_start(&silent, base, "silent", NULL);
	script_start(&good, base, "a=10.0.0.1", NULL);
	fake_use(&silent.fake, dns);
	fake_use(&good.fake, dns);
	set_option(dns, "initial-probe-timeout", NEVER);
	set_option(dns, "timeout", "0.3");
	for (int i = 0; i < 20; i++) {
		o.calls = 0;
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host.test", 0, our_result, &o));
		await(base, &o.calls);
		cr_assert_str_eq(o.text, "NONE 10.0.0.1 ttl 300");
	}
	asked = silent.fake.queries;
	cr_assert_leq(asked, 4, "three timeouts are forgiven");
	snprintf(servers, sizeof(servers), "127.0.0.1:%d,127.0.0.1:%d",
		 ntohs(silent.fake.addr.sin_port), ntohs(good.fake.addr.sin_port));
	channel = peer_start(servers, &options);
	for (int i = 0; i < 20; i++) {
		o.calls = 0;
		ares_query(channel, "host.test", 1, 1, their_result, &o);
		peer_run(channel, base, &o.calls);
		cr_assert_str_eq(o.text, "NONE 10.0.0.1 ttl 300");
	}
	if (peer_is_known())
		cr_assert_geq(silent.fake.queries - asked, 20);
	peer_stop(channel);
	evdns_base_free(dns, 0);
	script_stop(&silent);
	script_stop(&good);
	event_base_free(base);
}

/* DNS-306..311, DNS-145: C-35 and C-36. */
Test(dns_compare_getaddrinfo, a_closed_port)
{
	struct event_base *base = support_base_new();
	struct peer_options options = { .timeout_ms = 100, .lookups = "b" };
	struct sockaddr_in addr;
	int closed = closed_port(&addr);
	struct script good;
	char servers[64];

	script_start(&good, base, "a=10.0.0.1", NULL);
	for (int alone = 0; alone < 2; alone++) {
		struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_NO_CACHE);
		struct outcome ours = { .type = 1 }, theirs = { .type = 1 };
		ares_channel channel;

		snprintf(servers, sizeof(servers), "127.0.0.1:%d", ntohs(addr.sin_port));
		cr_assert_eq(evdns_base_nameserver_ip_add(dns, servers), 0);
		if (!alone) {
			fake_use(&good.fake, dns);
			snprintf(servers + strlen(servers), 32, ",127.0.0.1:%d",
				 ntohs(good.fake.addr.sin_port));
		}
		set_option(dns, "timeout", "0.1");
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host.test", 0, our_result, &ours));
		await(base, &ours.calls);
		channel = peer_start(servers, &options);
		ares_query(channel, "host.test", 1, 1, their_result, &theirs);
		peer_run(channel, base, &theirs.calls);
		/* alone: a lookup must stay cancellable, so it is not given up before its time */
		cr_assert_str_eq(ours.text, alone ? "TIMEOUT" : "NONE 10.0.0.1 ttl 300");
		if (peer_is_known())
			cr_assert_str_eq(theirs.text, alone ? "CONNREFUSED" : ours.text);
		peer_stop(channel);
		evdns_base_free(dns, 0);
	}
	close(closed);
	script_stop(&good);
	event_base_free(base);
}

/* DNS-306..311, DNS-173, DNS-174: C-73. */
Test(dns_compare_getaddrinfo, three_at_once_by_tcp)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct peer_options options = {
		.timeout_ms = 3600000, .flags = ARES_FLAG_USEVC | ARES_FLAG_STAYOPEN,
		.lookups = "b",
	};
	struct outcome ours[3], theirs[3];
	struct script s;
	ares_channel channel;
	char servers[32];

	memset(ours, 0, sizeof(ours));
	memset(theirs, 0, sizeof(theirs));
	script_start(&s, base, "silent", "a=10.0.0.1");
	fake_use(&s.fake, dns);
	snprintf(servers, sizeof(servers), "127.0.0.1:%d", ntohs(s.fake.addr.sin_port));
	channel = peer_start(servers, &options);
	for (int i = 0; i < 3; i++) {
		theirs[i].type = 1;
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, "h.test", DNS_QUERY_USEVC,
							   our_result, &ours[i]));
		ares_query(channel, "h.test", 1, 1, their_result, &theirs[i]);
	}
	for (int i = 0; i < 3; i++) {
		await(base, &ours[i].calls);
		peer_run(channel, base, &theirs[i].calls);
		cr_assert_str_eq(ours[i].text, "NONE 10.0.0.1 ttl 300");
		cr_assert_str_eq(theirs[i].text, ours[i].text);
	}
	cr_assert_eq(s.fake.queries, 0);
	peer_stop(channel);
	evdns_base_free(dns, 0);
	script_stop(&s);
	event_base_free(base);
}

/* DNS-306..311, DNS-159, DNS-014, DNS-091: C-114 and C-115. */
Test(dns_compare_getaddrinfo, cancelling_and_freeing)
{
	for (int freeing = 0; freeing < 2; freeing++) {
		struct event_base *base = support_base_new();
		struct evdns_base *dns = patient_dns(base);
		struct peer_options options = { .timeout_ms = 3600000, .lookups = "b" };
		struct outcome ours = { .type = 1 }, theirs = { .type = 1 };
		struct evdns_request *request;
		struct script s;
		ares_channel channel;
		char servers[32];

		script_start(&s, base, "silent", NULL);
		fake_use(&s.fake, dns);
		snprintf(servers, sizeof(servers), "127.0.0.1:%d", ntohs(s.fake.addr.sin_port));
		channel = peer_start(servers, &options);
		request = evdns_base_resolve_ipv4(dns, "h.test", 0, our_result, &ours);
		ares_query(channel, "h.test", 1, 1, their_result, &theirs);
		if (freeing) {
			evdns_base_free(dns, 1);
			peer_stop(channel);
		} else {
			evdns_cancel_request(dns, request);
			ares_cancel(channel);
		}
		cr_assert_eq(ours.calls, 0, "never inside the call");
		await(base, &ours.calls);
		cr_assert_str_eq(ours.text, freeing ? "SHUTDOWN" : "CANCEL");
		cr_assert_str_eq(theirs.text, ours.text);
		if (!freeing) {
			evdns_base_free(dns, 0);
			peer_stop(channel);
		}
		script_stop(&s);
		event_base_free(base);
	}
}

/* DNS-306..311, DNS-120: C-116. */
Test(dns_compare_getaddrinfo, two_replies_are_one)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct peer_options options = { .timeout_ms = 3600000, .lookups = "b" };
	struct outcome ours[4], theirs[4], last = { .type = 1 };
	struct script s;
	ares_channel channel;
	char servers[32];

	memset(ours, 0, sizeof(ours));
	memset(theirs, 0, sizeof(theirs));
	script_start(&s, base, "a=10.0.0.1 & a=10.0.0.1", NULL);
	fake_use(&s.fake, dns);
	snprintf(servers, sizeof(servers), "127.0.0.1:%d", ntohs(s.fake.addr.sin_port));
	channel = peer_start(servers, &options);
	for (int i = 0; i < 4; i++) {
		theirs[i].type = 1;
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, "h.test", 0, our_result, &ours[i]));
		ares_query(channel, "h.test", 1, 1, their_result, &theirs[i]);
		await(base, &ours[i].calls);
		peer_run(channel, base, &theirs[i].calls);
	}
	/* what came before has been read then */
	ares_query(channel, "h.test", 1, 1, their_result, &last);
	peer_run(channel, base, &last.calls);
	run_for(base, 20);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(ours[i].calls, 1);
		cr_assert_eq(theirs[i].calls, 1);
		cr_assert_str_eq(ours[i].text, theirs[i].text);
	}
	peer_stop(channel);
	evdns_base_free(dns, 0);
	script_stop(&s);
	event_base_free(base);
}
