/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same questions to this resolver and to c-ares, answered by the same server: each case of the
 * specification's table. Both must come to the same result, or the table says why not.
 */

#include "peer.h"

TestSuite(dns_compare, .init = support_leak_init, .fini = support_leak_fini, .timeout = 300);

/* What a case needs beside its script. */
enum needs {
	BY_TCP = 1,        /* from the start */
	IGNORE_TC = 2,
	EDNS = 4,          /* 1232 bytes */
	/* domains d1 and d2; the script's parts are for d1, d2 and the bare name */
	SEARCH = 8,
	ONE_SERVER = 16,   /* c-ares shall report what it says, not that it found no other */
	TIMES_OUT = 32,    /* nobody answers */
	LATE = 64,         /* an answer comes after the first timeout */
	TCP_REFUSED = 128, /* nobody listens */
};

/*
 * Relation: '=' both are `ours`; '~' the first word is the same; '!' they differ, as `reason` says.
 * `theirs` is given where it is another text than `ours`.
 */
struct comparison {
	const char *id, *name;
	int type;
	const char *udp, *tcp, *second; /* scripts; second: another server, or NULL */
	int needs;
	char relation;
	const char *ours, *theirs, *reason;
};

#define A1 "NONE 10.0.0.1 ttl 300"
#define A2 "NONE 10.0.0.2 ttl 300"

static const struct comparison addresses[] = {
	{ "C-01", "host.test", 1, "a=10.0.0.1/77", NULL, NULL, 0, '=', "NONE 10.0.0.1 ttl 77", NULL,
	  NULL },
	{ "C-02", "host.test", 28, "aaaa=2001:db8::7/77", NULL, NULL, 0, '=',
	  "NONE 2001:db8::7 ttl 77", NULL, NULL },
	{ "C-03", "host.test", 1, "a=10.0.0.3/500 a=10.0.0.1/100 a=10.0.0.2/300", NULL, NULL, 0,
	  '=', "NONE 10.0.0.3 10.0.0.1 10.0.0.2 ttl 100", NULL, NULL },
	{ "C-04", "host.test", 1, "a=10.0.0.1 a=10.0.0.1", NULL, NULL, 0, '=',
	  "NONE 10.0.0.1 10.0.0.1 ttl 300", NULL, NULL },
	{ "C-06 zero", "host.test", 1, "a=10.0.0.1/0", NULL, NULL, 0, '=', "NONE 10.0.0.1 ttl 0",
	  NULL, NULL },
	{ "C-06 large", "host.test", 1, "a=10.0.0.1/2147483647", NULL, NULL, 0, '=',
	  "NONE 10.0.0.1 ttl 2147483647", NULL, NULL },
	{ "C-07", "host.test", 1, "a=10.0.0.1/2147483648", NULL, NULL, 0, '!',
	  "NONE 10.0.0.1 ttl 0", "NONE 10.0.0.1 ttl -2147483648", "the standard says 0" },
	{ "C-08", "host.test", 1, "rcode=3", NULL, NULL, 0, '=', "NOTEXIST", NULL, NULL },
	{ "C-08 soa", "host.test", 1, "rcode=3 authority soa", NULL, NULL, 0, '=', "NOTEXIST", NULL,
	  NULL },
	{ "C-09", "host.test", 1, "empty", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-09 soa", "host.test", 1, "authority soa", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-10", "host.test", 1, "aaaa=2001:db8::7", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-11", "host.test", 1, "txt", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-12", "host.test", 1, "txt mx a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-13", "host.test", 1, "ch a=10.0.0.1", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-14", "host.test", 1, "cname=real.test/200 of=real.test a=10.0.0.1", NULL, NULL, 0, '=',
	  "NONE 10.0.0.1 ttl 200", NULL, NULL },
	{ "C-15", "host.test", 1,
	  "cname=m.test/200 of=m.test cname=n.test/50 of=n.test cname=o.test/90 of=o.test "
	  "a=10.0.0.1",
	  NULL, NULL, 0, '=', "NONE 10.0.0.1 ttl 50", NULL, NULL },
	{ "C-16", "host.test", 1,
	  "of=o.test a=10.0.0.1 of=n.test cname=o.test/90 of=m.test cname=n.test/50 of=? "
	  "cname=m.test/200",
	  NULL, NULL, 0, '!', "NONE 10.0.0.1 ttl 50", "NODATA", "order has no meaning" },
	{ "C-17", "host.test", 1, "cname=real.test", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-18", "host.test", 1, "t5=c00c", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-19", "host.test", 1, "rcode=3 cname=real.test", NULL, NULL, 0, '=', "NOTEXIST", NULL,
	  NULL },
	{ "C-20", "host.test", 1, "a=10.0.0.1 cname=real.test", NULL, NULL, 0, '=', A1, NULL,
	  NULL },
	{ "C-21", "host.test", 1, "of=other.test a=10.0.0.1", NULL, NULL, 0, '=', "NODATA", NULL,
	  NULL },
	{ "C-22", "host.test", 1, "of=other.test a=10.0.0.2 of=? a=10.0.0.1", NULL, NULL, 0, '=',
	  A1, NULL, NULL },
	{ "C-23", "host.test", 1, "rcode=3 a=10.0.0.1", NULL, NULL, 0, '=', "NOTEXIST", NULL,
	  NULL },
	{ "C-24", "host.test", 1, "a=10.0.0.1 tail", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-25", "host.test", 1, "a=10.0.0.1 opt", NULL, NULL, 0, '=', A1, NULL, NULL },
};

static const struct comparison errors[] = {
	{ "C-26", "host.test", 1, "rcode=1", NULL, NULL, 0, '=', "FORMAT", NULL, NULL },
	{ "C-27", "host.test", 1, "rcode=2", NULL, NULL, ONE_SERVER, '=', "SERVERFAILED", NULL,
	  NULL },
	{ "C-27 answers", "host.test", 1, "rcode=2 a=10.0.0.1", NULL, NULL, ONE_SERVER, '=',
	  "SERVERFAILED", NULL, NULL },
	{ "C-28", "host.test", 1, "rcode=4", NULL, NULL, ONE_SERVER, '=', "NOTIMPL", NULL, NULL },
	{ "C-29", "host.test", 1, "rcode=5", NULL, NULL, ONE_SERVER, '=', "REFUSED", NULL, NULL },
	{ "C-30 6", "host.test", 1, "rcode=6", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "an error is not \"no data\"" },
	{ "C-30 9", "host.test", 1, "rcode=9", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "an error is not \"no data\"" },
	{ "C-30 15", "host.test", 1, "rcode=15", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "an error is not \"no data\"" },
	{ "C-31", "host.test", 1, "rcode=2", NULL, "a=10.0.0.2", 0, '=', A2, NULL, NULL },
	{ "C-32 notimp", "host.test", 1, "rcode=4", NULL, "a=10.0.0.2", 0, '=', A2, NULL, NULL },
	{ "C-32 refused", "host.test", 1, "rcode=5", NULL, "a=10.0.0.2", 0, '=', A2, NULL, NULL },
	{ "C-33", "host.test", 1, "silent", NULL, "a=10.0.0.2", LATE, '=', A2, NULL, NULL },
	{ "C-37", "host.test", 1, "silent", NULL, NULL, TIMES_OUT, '=', "TIMEOUT", NULL, NULL },
	{ "C-38", "host.test", 1, "silent | a=10.0.0.1", NULL, NULL, LATE, '=', A1, NULL, NULL },
	{ "C-39", "host.test", 1, "after=390 a=10.0.0.1 | silent", NULL, NULL, LATE, '=', A1, NULL,
	  NULL },
};

static const struct comparison forgeries[] = {
	{ "C-40", "host.test", 1, "wrong-id a=10.0.0.9 & a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL,
	  NULL },
	{ "C-41", "host.test", 1, "wrong-id a=10.0.0.9", NULL, NULL, TIMES_OUT, '=', "TIMEOUT",
	  NULL, NULL },
	{ "C-42", "host.test", 1, "qr0 a=10.0.0.9 & a=10.0.0.1", NULL, NULL, 0, '!', A1,
	  "NONE 10.0.0.9 ttl 300", "it is not a reply" },
	{ "C-43", "host.test", 1, "opcode=2 a=10.0.0.1", NULL, NULL, TIMES_OUT, '!', "TIMEOUT", A1,
	  "it is not an answer to a query" },
	{ "C-44", "host.test", 1, "wrong-name a=10.0.0.9 & a=10.0.0.1", NULL, NULL, 0, '=', A1,
	  NULL, NULL },
	{ "C-45", "host.test", 1, "wrong-name a=10.0.0.9", NULL, NULL, TIMES_OUT, '=', "TIMEOUT",
	  NULL, NULL },
	{ "C-46 type", "host.test", 1, "wrong-type a=10.0.0.9", NULL, NULL, TIMES_OUT, '=',
	  "TIMEOUT", NULL, NULL },
	{ "C-46 class", "host.test", 1, "wrong-class a=10.0.0.9", NULL, NULL, TIMES_OUT, '=',
	  "TIMEOUT", NULL, NULL },
	{ "C-47 none", "host.test", 1, "no-question first=12", NULL, NULL, TIMES_OUT, '=',
	  "TIMEOUT", NULL, NULL },
	{ "C-47 two", "host.test", 1, "two-questions t1=0a000009", NULL, NULL, TIMES_OUT, '=',
	  "TIMEOUT", NULL, NULL },
	{ "C-48 other", "host.test", 1, "rcode=3 wrong-name", NULL, NULL, TIMES_OUT, '=', "TIMEOUT",
	  NULL, NULL },
	{ "C-48 none", "host.test", 1, "rcode=3 no-question first=12", NULL, NULL, TIMES_OUT, '=',
	  "TIMEOUT", NULL, NULL },
	{ "C-49 lower", "Host.Test", 1, "lower a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-49 upper", "Host.Test", 1, "upper a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-50", "host.test", 1, "elsewhere a=10.0.0.9", NULL, NULL, TIMES_OUT, '=', "TIMEOUT",
	  NULL, NULL },
	{ "C-51", "host.test", 1, "forged a=10.0.0.9 & a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL,
	  NULL },
	{ "C-52", "host.test", 1, "first=7 & a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-53 head", "host.test", 1, "first=12", NULL, NULL, TIMES_OUT, '=', "TIMEOUT", NULL,
	  NULL },
	{ "C-53 question", "host.test", 1, "first=20", NULL, NULL, TIMES_OUT, '=', "TIMEOUT", NULL,
	  NULL },
};

static const struct comparison damages[] = {
	{ "C-54", "host.test", 1, "a=10.0.0.1 cut=1", NULL, NULL, 0, '=', "UNKNOWN", NULL, NULL },
	{ "C-55", "host.test", 1, "a=10.0.0.1 answers=2", NULL, NULL, 0, '=', "UNKNOWN", NULL,
	  NULL },
	{ "C-56", "host.test", 1, "a=10.0.0.1 answers=0", NULL, NULL, 0, '=', "NODATA", NULL,
	  NULL },
	{ "C-57 loop", "host.test", 1, "a=10.0.0.1 owner=c01b", NULL, NULL, 0, '=', "UNKNOWN", NULL,
	  NULL },
	{ "C-57 outside", "host.test", 1, "a=10.0.0.1 owner=ffff", NULL, NULL, 0, '=', "UNKNOWN",
	  NULL, NULL },
	/* the owner is in the data of the record behind */
	{ "C-58", "host.test", 1, "a=10.0.0.1 owner=c037 t16=04686f7374047465737400", NULL, NULL, 0,
	  '=', "NONE 10.0.0.1 ttl 300", NULL, NULL },
	{ "C-59 40", "host.test", 1, "a=10.0.0.1 owner=40", NULL, NULL, 0, '=', "UNKNOWN", NULL,
	  NULL },
	{ "C-59 80", "host.test", 1, "a=10.0.0.1 owner=80", NULL, NULL, 0, '=', "UNKNOWN", NULL,
	  NULL },
	{ "C-60 3", "host.test", 1, "t1=0a0000", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "broken is not \"no data\"" },
	{ "C-60 5", "host.test", 1, "t1=0a00000001", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "broken is not \"no data\"" },
	{ "C-60 empty", "host.test", 1, "t1=", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "broken is not \"no data\"" },
	{ "C-61", "host.test", 1, "t1=0a0000010a000002", NULL, NULL, 0, '!',
	  "NONE 10.0.0.1 10.0.0.2 ttl 300", "NODATA", "the packed form of libevent's servers" },
	{ "C-62", "host.test", 1, "a=10.0.0.1 rdlen=5", NULL, NULL, 0, '=', "UNKNOWN", NULL, NULL },
	{ "C-63", "host.test", 1, "a=10.0.0.1 txt rdlen=100", NULL, NULL, 0, '=', "UNKNOWN", NULL,
	  NULL },
	{ "C-64", "host.test", 1, "t5=ffff a=10.0.0.1", NULL, NULL, 0, '=', "UNKNOWN", NULL, NULL },
	{ "C-65", "host.test", 1, "t5=047265616c0012 of=real a=10.0.0.1", NULL, NULL, 0, '!',
	  "UNKNOWN", A1, "the length and the name must agree" },
	{ "C-66", "host.test", 1, "cname=real of=real a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL,
	  NULL },
	{ "C-66 short", "host.test", 1, "cname=real rdlen=3 of=real a=10.0.0.1", NULL, NULL, 0, '=',
	  "UNKNOWN", NULL, NULL },
	{ "C-67", "host.test", 1, "authority t6=0001", NULL, NULL, 0, '!', "UNKNOWN", "NODATA",
	  "we read the SOA for the ttl" },
};

static const struct comparison transports[] = {
	{ "C-05", "host.test", 1, "tc", "a=10.0.1.1*60", NULL, 0, '~', "NONE", NULL, NULL },
	{ "C-68", "host.test", 1, "tc", "a=10.0.0.1", NULL, 0, '=', A1, NULL, NULL },
	{ "C-68 3", "host.test", 1, "tc rcode=3", "a=10.0.0.1", NULL, 0, '=', A1, NULL, NULL },
	{ "C-68 5", "host.test", 1, "tc rcode=5", "a=10.0.0.1", NULL, 0, '=', A1, NULL, NULL },
	{ "C-69", "host.test", 1, "tc a=10.0.0.1", NULL, NULL, IGNORE_TC, '!', "TRUNCATED", A1,
	  "libevent's own tests demand it" },
	{ "C-70", "host.test", 1, "tc", "tc", NULL, 0, '!', "TRUNCATED", "NODATA",
	  "an error is not \"no data\"" },
	{ "C-71 refused", "host.test", 1, "tc", NULL, NULL, TCP_REFUSED | TIMES_OUT, '!', "TIMEOUT",
	  "CONNREFUSED", "the lookup must stay cancellable" },
	{ "C-71 closed", "host.test", 1, "tc", "close", NULL, TIMES_OUT, '!', "TIMEOUT",
	  "CONNREFUSED", "the lookup must stay cancellable" },
	{ "C-72", "host.test", 1, "tc", "silent", NULL, TIMES_OUT, '=', "TIMEOUT", NULL, NULL },
	{ "C-74", "host.test", 1, "a=10.0.1.1*36", NULL, NULL, 0, '~', "NONE", NULL, NULL },
	{ "C-75", "host.test", 1, "a=10.0.1.1*60", NULL, NULL, EDNS, '~', "NONE", NULL, NULL },
	{ "C-76", "host.test", 1, "formerr-to-opt a=10.0.0.1", NULL, NULL, EDNS, '=', A1, NULL,
	  NULL },
};

/* Asked for as 1.2.3.4's. */
static const struct comparison pointers[] = {
	{ "C-77", NULL, 12, "ptr=Name.test", NULL, NULL, 0, '=', "NONE 'Name.test'", NULL, NULL },
	{ "C-77 v6", NULL, 13, "ptr=Name.test", NULL, NULL, 0, '=', "NONE 'Name.test'", NULL,
	  NULL },
	{ "C-78", NULL, 12, "ptr=first.test ptr=second.test", NULL, NULL, 0, '!',
	  "NONE 'first.test'", "NONE 'second.test'", "one name by interface, so the first" },
	{ "C-79", NULL, 12, "cname=x.test of=x.test ptr=name.test", NULL, NULL, 0, '=',
	  "NONE 'name.test'", NULL, NULL },
	{ "C-80", NULL, 12, "of=x.test ptr=name.test", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
	{ "C-81", NULL, 12, "ptr=", NULL, NULL, 0, '=', "NONE ''", NULL, NULL },
	{ "C-82", NULL, 12, "t12=03610062047465737400", NULL, NULL, 0, '=', "UNKNOWN", NULL, NULL },
	{ "C-83", NULL, 12, "empty", NULL, NULL, 0, '=', "NODATA", NULL, NULL },
};

#define L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct comparison names[] = {
	{ "C-84 empty", "", 1, "a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-84 dot", ".", 1, "a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-85 inside", "a..b", 1, "a=10.0.0.1", NULL, NULL, 0, '=', "NULL", NULL, NULL },
	{ "C-85 before", ".a", 1, "a=10.0.0.1", NULL, NULL, 0, '=', "NULL", NULL, NULL },
	{ "C-85 label", L50 "bbbbbbbbbbbbbb.test", 1, "a=10.0.0.1", NULL, NULL, 0, '=', "NULL",
	  NULL, NULL },
	{ "C-86 253",
	  L50 "." L50 "." L50 "." L50 ".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 1,
	  "a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-86 254",
	  L50 "." L50 "." L50 "." L50 ".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 1,
	  "a=10.0.0.1", NULL, NULL, 0, '=', "NULL", NULL, NULL },
	{ "C-87", "a\\.b", 1, "a=10.0.0.1", NULL, NULL, 0, '=', A1, NULL, NULL },
	{ "C-88", "foo.onion", 1, "a=10.0.0.1", NULL, NULL, 0, '!', A1, "NOTEXIST",
	  "no name is special here" },
};

static const struct comparison searches[] = {
	{ "C-89", "nx.", 1, "rcode=3", NULL, NULL, SEARCH, '=', "NOTEXIST: nx", NULL, NULL },
	{ "C-90", "nx", 1, "rcode=3", NULL, NULL, SEARCH, '=', "NOTEXIST: nx.d1 nx.d2 nx", NULL,
	  NULL },
	{ "C-91", "nx.y", 1, "rcode=3", NULL, NULL, SEARCH, '=', "NOTEXIST: nx.y nx.y.d1 nx.y.d2",
	  NULL, NULL },
	{ "C-92", "nx", 1, "rcode=3 | a=10.0.0.1 | rcode=3", NULL, NULL, SEARCH, '=',
	  A1 ": nx.d1 nx.d2", NULL, NULL },
	{ "C-93", "nx", 1, "empty | rcode=3 | rcode=3", NULL, NULL, SEARCH, '=',
	  "NODATA: nx.d1 nx.d2 nx", NULL, NULL },
	{ "C-94", "nx", 1, "rcode=2 | a=10.0.0.1", NULL, NULL, SEARCH, '=', "SERVERFAILED: nx.d1",
	  "CONNREFUSED: nx.d1", NULL }, /* code 11, which may stand for 3, 5 and 6 */
	{ "C-94 silent", "nx", 1, "silent | a=10.0.0.1", NULL, NULL, SEARCH | TIMES_OUT, '~',
	  "TIMEOUT: nx.d1", NULL, NULL },
	{ "C-95 format", "nx", 1, "rcode=1 | a=10.0.0.1", NULL, NULL, SEARCH, '!',
	  A1 ": nx.d1 nx.d2", "FORMAT: nx.d1", "we go on" },
	{ "C-95 refused", "nx", 1, "rcode=5 | a=10.0.0.1", NULL, NULL, SEARCH | ONE_SERVER, '!',
	  A1 ": nx.d1 nx.d2", "REFUSED: nx.d1", "we go on" },
	{ "C-95 broken", "nx", 1, "a=10.0.0.9 cut=1 | a=10.0.0.1", NULL, NULL, SEARCH, '!',
	  A1 ": nx.d1 nx.d2", "UNKNOWN: nx.d1", "we go on" },
};

/* --- Asking both ------------------------------------------------------------------------------ */

/* The part of the script is chosen by the domain. */
static size_t search_fn(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct script *s = fake->arg;
	const char *name = fake->seen[(fake->seen_count - 1) % SEEN_MAX].name;

	(void)len;
	(void)reply;
	return script_answer(s, query, s->udp,
			     strstr(name, ".d1") != NULL   ? 0
			     : strstr(name, ".d2") != NULL ? 1
							   : 2);
}

struct servers {
	struct script first, second;
	int has_second;
	char list[64]; /* as c-ares wants them */
};

static void servers_start(struct servers *s, struct event_base *base, const struct comparison *c)
{
	script_start(&s->first, base, c->udp, c->tcp);
	s->has_second = c->second != NULL;
	if (c->needs & SEARCH)
		s->first.fake.fn = search_fn;
	if (c->needs & TCP_REFUSED)
		script_refuse_tcp(&s->first);
	snprintf(s->list, sizeof(s->list), "127.0.0.1:%d", ntohs(s->first.fake.addr.sin_port));
	if (!s->has_second)
		return;
	script_start(&s->second, base, c->second, NULL);
	snprintf(s->list + strlen(s->list), 24, ",127.0.0.1:%d",
		 ntohs(s->second.fake.addr.sin_port));
}

static void servers_stop(struct servers *s)
{
	script_stop(&s->first);
	if (s->has_second)
		script_stop(&s->second);
}

/* Which names were asked for, each once. */
static void add_names(struct outcome *o, const struct fake *fake)
{
	snprintf(o->text + strlen(o->text), RESULT_MAX - strlen(o->text), ":");
	for (int i = 0; i < fake->seen_count && i < SEEN_MAX; i++) {
		if (i == 0 || strcmp(fake->seen[i].name, fake->seen[i - 1].name) != 0)
			snprintf(o->text + strlen(o->text), RESULT_MAX - strlen(o->text), " %s",
				 fake->seen[i].name);
	}
}

/* Short where nobody answers; far away where that would spoil the result. */
static int timeout_ms(const struct comparison *c)
{
	return c->needs & TIMES_OUT ? 50 : c->needs & LATE ? 300 : 3600000;
}

static struct evdns_base *ours_start(struct event_base *base, struct servers *s,
				     const struct comparison *c)
{
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_NO_CACHE);
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%d.%03d", timeout_ms(c) / 1000, timeout_ms(c) % 1000);
	set_option(dns, "timeout", seconds);
	if (c->needs & EDNS)
		set_option(dns, "edns-udp-size", "1232");
	if (c->needs & SEARCH) {
		struct text_file file = file_with("search d1 d2\n", 13);

		cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTION_SEARCH, file.name), 0);
		file_done(&file);
	}
	fake_use(&s->first.fake, dns);
	if (s->has_second)
		fake_use(&s->second.fake, dns);
	return dns;
}

static struct evdns_request *ours_begin(struct evdns_base *dns, const struct comparison *c,
					struct outcome *o)
{
	struct in_addr in = { htonl(0x01020304) };
	struct in6_addr in6 = IN6ADDR_LOOPBACK_INIT;
	int flags = (c->needs & SEARCH ? 0 : DNS_QUERY_NO_SEARCH) |
		    (c->needs & BY_TCP ? DNS_QUERY_USEVC : 0) |
		    (c->needs & IGNORE_TC ? DNS_QUERY_IGNTC : 0);

	switch (c->type) {
	case 1:
		return evdns_base_resolve_ipv4(dns, c->name, flags, our_result, o);
	case 28:
		return evdns_base_resolve_ipv6(dns, c->name, flags, our_result, o);
	case 12:
		return evdns_base_resolve_reverse(dns, &in, flags, our_result, o);
	default:
		return evdns_base_resolve_reverse_ipv6(dns, &in6, flags, our_result, o);
	}
}

static void ask_ours(const struct comparison *c, struct outcome *o)
{
	struct event_base *base = support_base_new();
	struct servers s;
	struct evdns_base *dns;

	memset(o, 0, sizeof(*o));
	servers_start(&s, base, c);
	dns = ours_start(base, &s, c);
	if (ours_begin(dns, c, o) == NULL)
		snprintf(o->text, RESULT_MAX, "NULL");
	else
		await(base, &o->calls);
	if (c->needs & SEARCH)
		add_names(o, &s.first.fake);
	evdns_base_free(dns, 0);
	servers_stop(&s);
	event_base_free(base);
}

static const char *reverse_name(int type)
{
	return type == 12
		       ? "4.3.2.1.in-addr.arpa"
		       : "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";
}

static void ask_theirs(const struct comparison *c, struct outcome *o)
{
	struct event_base *base = support_base_new();
	struct peer_options options = { .timeout_ms = timeout_ms(c),
					.domains = { (char[]) { "d1" }, (char[]) { "d2" } },
					.domain_count = c->needs & SEARCH ? 2 : 0,
					.edns_size = c->needs & EDNS ? 1232 : 0,
					.lookups = "b" };
	struct servers s;
	ares_channel channel;
	int type = c->type == 13 ? 12 : c->type;

	options.flags = (c->needs & BY_TCP ? ARES_FLAG_USEVC : 0) |
			(c->needs & IGNORE_TC ? ARES_FLAG_IGNTC : 0) |
			(c->needs & ONE_SERVER ? ARES_FLAG_NOCHECKRESP : 0);
	memset(o, 0, sizeof(*o));
	o->type = type;
	servers_start(&s, base, c);
	channel = peer_start(s.list, &options);
	if (c->needs & SEARCH)
		ares_search(channel, c->name, 1, type, their_result, o);
	else
		ares_query(channel, c->name != NULL ? c->name : reverse_name(c->type), 1, type,
			   their_result, o);
	peer_run(channel, base, &o->calls);
	if (c->needs & SEARCH)
		add_names(o, &s.first.fake);
	peer_stop(channel);
	servers_stop(&s);
	event_base_free(base);
}

/* Ours is certain; theirs, and so agreement, with the version that the table is about. */
static void compare(const struct comparison *c)
{
	struct outcome ours, theirs;
	const char *expected = c->theirs != NULL ? c->theirs : c->ours;

	support_capture_log(); /* warnings of what is forged */
	ask_ours(c, &ours);
	ask_theirs(c, &theirs);
	if (c->relation == '~') {
		cr_assert_eq(strncmp(ours.text, c->ours, strlen(c->ours)), 0, "%s: %s", c->id,
			     ours.text);
		expected = ours.text;
	} else {
		cr_assert_str_eq(ours.text, c->ours, "%s: we say %s", c->id, ours.text);
	}
	cr_assert_eq(c->relation == '!', c->reason != NULL, "%s", c->id);
	if (peer_is_known())
		cr_assert_str_eq(theirs.text, expected, "%s: c-ares says %s", c->id, theirs.text);
	else if (strcmp(theirs.text, expected) != 0)
		cr_log_info("%s: c-ares %s says %s, we %s", c->id, ares_version(NULL), theirs.text,
			    ours.text);
}

static void compare_all(const struct comparison *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		compare(&table[i]);
}

#define COMPARE_ALL(table) compare_all(table, sizeof(table) / sizeof((table)[0]))

/* DNS-306..311, DNS-104, DNS-123..126, DNS-129 */
Test(dns_compare, addresses)
{
	COMPARE_ALL(addresses);
}

/* DNS-306..311, DNS-138, DNS-143, DNS-144 */
Test(dns_compare, errors_and_silence)
{
	COMPARE_ALL(errors);
}

/* DNS-306..311, DNS-112..117 */
Test(dns_compare, forgeries)
{
	COMPARE_ALL(forgeries);
}

/* DNS-306..311, DNS-127, DNS-128, DNS-133..136 */
Test(dns_compare, damaged_replies)
{
	COMPARE_ALL(damages);
}

/* DNS-306..311, DNS-111, DNS-171, DNS-172, DNS-176, DNS-177 */
Test(dns_compare, transports)
{
	COMPARE_ALL(transports);
}

/* DNS-306..311, DNS-130, DNS-131 */
Test(dns_compare, names_of_addresses)
{
	COMPARE_ALL(pointers);
}

/* DNS-306..311, DNS-094, DNS-095 */
Test(dns_compare, names_asked_for)
{
	COMPARE_ALL(names);
}

/* DNS-306..311, DNS-163..167 */
Test(dns_compare, searches)
{
	COMPARE_ALL(searches);
}
