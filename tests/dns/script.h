/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPT_H_INCLUDED
#define SCRIPT_H_INCLUDED

/*
 * A nameserver that follows a script. A script is a line of text:
 *
 *   "silent | a=10.0.0.1 & wrong-id a=10.0.0.2"
 *
 * "|" separates what the first, second, ... query gets; the last part is for all others too. "&"
 * separates replies to one query. A reply is made by words:
 *
 *   rcode=N tc qr0 opcode=N             the head
 *   wrong-id wrong-name wrong-type wrong-class no-question two-questions lower upper empty
 *   a=ADDR[*N][/TTL] aaaa=ADDR cname=NAME ptr=NAME soa[/TTL] txt mx opt     records; TTL 300
 *   tN=HEX[/TTL]                        a record of type N with those bytes
 *   ch                                  the next record has class 3
 *   of=NAME                             the owner of the records that follow; "of=?": the name
 *   asked authority answer the section of those that follow
 *   answers=N cut=N first=N tail        the count, bytes less at the end, bytes in all, bytes more
 *   owner=HEX rdlen=N                   change the last record
 *   silent close elsewhere forged after=MS
 *   formerr-to-opt                      if the query has an OPT record, the whole reply is that
 */

#include "fake.h"

#include <ctype.h>
#include <stdlib.h>

struct script {
	struct fake fake;
	const char *udp, *tcp; /* tcp NULL: the same */
	struct event *delayed;
	uint8_t late[1024];
	size_t late_len;
	struct sockaddr_in late_for;
};

/* A reply being made. */
struct draft {
	uint8_t *bytes;
	size_t len, record; /* where the last record begins */
	size_t owner_len;
	uint8_t owner[300];
	size_t own_owner; /* bytes in `owner`, 0: the name asked */
	int section, class;
	int is_silent, is_closing, is_elsewhere, is_forged, after_ms;
};

/* Text as wire bytes; their number. */
static inline size_t wire_name(const char *text, uint8_t *out)
{
	size_t n = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, ".");

		out[n++] = (uint8_t)len;
		memcpy(out + n, text, len);
		n += len;
		text += len + (text[len] == '.');
	}
	out[n++] = 0;
	return n;
}

static inline size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]); text += 2) {
		char two[3] = { text[0], text[1], '\0' };

		out[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static inline void draft_record(struct draft *d, unsigned type, const char *ttl, const void *data,
				size_t len)
{
	uint32_t seconds = ttl != NULL ? (uint32_t)strtoul(ttl + 1, NULL, 10) : 300;

	d->record = d->len;
	d->owner_len = 2;
	d->len = add_record(d->bytes, d->len, d->section, type, (unsigned)d->class, seconds, data,
			    len);
	d->class = 1;
	if (d->own_owner == 0)
		return;
	memmove(d->bytes + d->record + d->own_owner, d->bytes + d->record + 2,
		d->len - d->record - 2);
	memcpy(d->bytes + d->record, d->owner, d->own_owner);
	d->owner_len = d->own_owner;
	d->len += d->own_owner - 2;
}

static inline void draft_address(struct draft *d, char *value, const char *ttl, int family)
{
	uint8_t address[16];
	char *times = strchr(value, '*');
	int n = times != NULL ? atoi(times + 1) : 1;

	if (times != NULL)
		*times = '\0';
	cr_assert_eq(inet_pton(family, value, address), 1, "%s", value);
	for (int i = 0; i < n; i++) {
		draft_record(d, family == AF_INET ? 1 : 28, ttl, address,
			     family == AF_INET ? 4 : 16);
		if (times != NULL) /* all different */
			address[3]++;
	}
}

static inline void draft_opt(struct draft *d)
{
	static const uint8_t opt[11] = { 0, 0, 41, 4, 208 };

	d->bytes[11]++;
	memcpy(d->bytes + d->len, opt, sizeof(opt));
	d->len += sizeof(opt);
}

/* Words with a value that make a record; 0 if it is none of them. */
static inline int draft_value_record(struct draft *d, const char *word, char *value)
{
	static const uint8_t soa[] = {
		0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60,
	};
	uint8_t data[600];
	char *ttl = strchr(value, '/');

	if (ttl != NULL)
		*ttl = '\0';
	if (strcmp(word, "a") == 0)
		draft_address(d, value, ttl, AF_INET);
	else if (strcmp(word, "aaaa") == 0)
		draft_address(d, value, ttl, AF_INET6);
	else if (strcmp(word, "cname") == 0)
		draft_record(d, 5, ttl, data, wire_name(value, data));
	else if (strcmp(word, "ptr") == 0)
		draft_record(d, 12, ttl, data, wire_name(value, data));
	else if (strcmp(word, "soa") == 0)
		draft_record(d, 6, ttl, soa, sizeof(soa));
	else if (strcmp(word, "txt") == 0)
		draft_record(d, 16, ttl, "\3abc", 4);
	else if (strcmp(word, "mx") == 0)
		draft_record(d, 15, ttl, "\0\1\2mx", 6);
	else if (word[0] == 't' && isdigit((unsigned char)word[1]))
		draft_record(d, (unsigned)atoi(word + 1), ttl, data, from_hex(value, data));
	else
		return 0;
	return 1;
}

static inline void change_case(struct draft *d, int (*fn)(int))
{
	for (size_t at = 12; d->bytes[at] != 0; at += 1u + d->bytes[at])
		for (size_t i = 1; i <= d->bytes[at]; i++)
			d->bytes[at + i] = (uint8_t)fn(d->bytes[at + i]);
}

/* Words that change the head and the question. */
static inline int draft_head(struct draft *d, const char *word, int value)
{
	size_t end = question_end(d->bytes);

	if (strcmp(word, "rcode") == 0)
		d->bytes[3] = (uint8_t)((d->bytes[3] & 0xf0) | value);
	else if (strcmp(word, "tc") == 0)
		d->bytes[2] |= 2;
	else if (strcmp(word, "qr0") == 0)
		d->bytes[2] &= 0x7f;
	else if (strcmp(word, "opcode") == 0)
		d->bytes[2] |= (uint8_t)(value << 3);
	else if (strcmp(word, "wrong-id") == 0)
		d->bytes[0] ^= 1;
	else if (strcmp(word, "wrong-name") == 0)
		d->bytes[13] ^= 2;
	else if (strcmp(word, "wrong-type") == 0)
		d->bytes[end - 3] = 28;
	else if (strcmp(word, "wrong-class") == 0)
		d->bytes[end - 1] = 3;
	else if (strcmp(word, "two-questions") == 0)
		d->bytes[5] = 2;
	else if (strcmp(word, "no-question") == 0)
		d->bytes[5] = 0;
	else if (strcmp(word, "lower") == 0)
		change_case(d, tolower);
	else if (strcmp(word, "upper") == 0)
		change_case(d, toupper);
	else if (strcmp(word, "answers") == 0)
		put16(d->bytes + 6, (unsigned)value);
	else
		return 0;
	return 1;
}

/* Words about the bytes as a whole and where they go. */
static inline int draft_shape(struct draft *d, const char *word, const char *value)
{
	int n = atoi(value);

	if (strcmp(word, "cut") == 0)
		d->len -= (size_t)n;
	else if (strcmp(word, "first") == 0)
		d->len = (size_t)n;
	else if (strcmp(word, "tail") == 0)
		d->len = (size_t)((uint8_t *)memcpy(d->bytes + d->len, "tail", 4) - d->bytes) + 4;
	else if (strcmp(word, "owner") == 0)
		(void)from_hex(value, d->bytes + d->record);
	else if (strcmp(word, "rdlen") == 0)
		put16(d->bytes + d->record + d->owner_len + 8, (unsigned)n);
	else if (strcmp(word, "silent") == 0)
		d->is_silent = 1;
	else if (strcmp(word, "close") == 0)
		d->is_closing = 1;
	else if (strcmp(word, "elsewhere") == 0)
		d->is_elsewhere = 1;
	else if (strcmp(word, "forged") == 0)
		d->is_forged = 1;
	else if (strcmp(word, "after") == 0)
		d->after_ms = n;
	else
		return 0;
	return 1;
}

static inline void draft_word(struct draft *d, char *word)
{
	static char nothing[1];
	char *value = strchr(word, '='), *slash = strchr(word, '/');

	if (value != NULL)
		*value++ = '\0';
	else if (slash != NULL)
		value = slash; /* "soa/60" */
	if (value == slash && slash != NULL) {
		static char ttl[32];

		snprintf(ttl, sizeof(ttl), "%s", slash);
		*slash = '\0';
		value = ttl;
	}
	if (value == NULL)
		value = nothing;
	if (strcmp(word, "empty") == 0)
		return;
	if (strcmp(word, "of") == 0)
		d->own_owner = strcmp(value, "?") == 0 ? 0 : wire_name(value, d->owner);
	else if (strcmp(word, "authority") == 0)
		d->section = 2;
	else if (strcmp(word, "answer") == 0)
		d->section = 1;
	else if (strcmp(word, "ch") == 0)
		d->class = 3;
	else if (strcmp(word, "opt") == 0)
		draft_opt(d);
	else if (!draft_head(d, word, atoi(value)) && !draft_shape(d, word, value))
		cr_assert(draft_value_record(d, word, value), "unknown word %s", word);
}

static inline void script_late(evutil_socket_t fd, short what, void *arg)
{
	struct script *s = arg;

	(void)fd;
	(void)what;
	s->fake.conn = NULL;
	s->fake.from = s->late_for;
	fake_send(&s->fake, s->late, s->late_len);
}

static inline void send_from(const char *address, struct draft *d, const struct sockaddr_in *to)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = inet_addr(address);
	cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	cr_assert_eq(sendto(fd, d->bytes, d->len, 0, (const struct sockaddr *)to, sizeof(*to)),
		     (ssize_t)d->len);
	close(fd);
}

/* Makes and sends one reply; HANG_UP if the connection is to be closed. */
static inline size_t script_reply(struct script *s, const uint8_t *query, char *words)
{
	static uint8_t bytes[PACKET_MAX];
	struct draft d = { .bytes = bytes, .section = 1, .class = 1 };
	char *state = NULL;

	d.len = begin_reply(query, bytes, REPLY_OK);
	if (strstr(words, "formerr-to-opt") != NULL && query[11] != 0) {
		bytes[3] |= 1;
		fake_send(&s->fake, bytes, d.len);
		return 0;
	}
	for (char *word = strtok_r(words, " ", &state); word != NULL;
	     word = strtok_r(NULL, " ", &state)) {
		if (strcmp(word, "formerr-to-opt") != 0)
			draft_word(&d, word);
	}
	if (d.is_closing)
		return HANG_UP;
	if (d.is_silent)
		return 0;
	if (d.is_elsewhere) {
		send_from("127.0.0.1", &d, &s->fake.from);
	} else if (d.is_forged) {
		send_from("127.0.0.2", &d, &s->fake.from);
	} else if (d.after_ms > 0) {
		struct timeval soon = { d.after_ms / 1000, d.after_ms % 1000 * 1000 };

		s->late_len = d.len;
		memcpy(s->late, bytes, d.len);
		s->late_for = s->fake.from;
		event_add(s->delayed, &soon);
	} else {
		fake_send(&s->fake, bytes, d.len);
	}
	return 0;
}

/* What the script says about the query that is number `n` of its kind, from 0. */
static inline size_t script_answer(struct script *s, const uint8_t *query, const char *script,
				   int n)
{
	char part[600], *state = NULL;

	for (; n > 0 && strchr(script, '|') != NULL; n--)
		script = strchr(script, '|') + 1;
	snprintf(part, sizeof(part), "%.*s", (int)strcspn(script, "|"), script);
	for (char *one = strtok_r(part, "&", &state); one != NULL;
	     one = strtok_r(NULL, "&", &state)) {
		if (script_reply(s, query, one) == HANG_UP)
			return HANG_UP;
	}
	return 0;
}

static inline size_t script_fn(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct script *s = fake->arg;

	(void)len;
	(void)reply;
	if (fake->conn == NULL)
		return script_answer(s, query, s->udp, fake->queries - 1);
	return script_answer(s, query, s->tcp != NULL ? s->tcp : s->udp, fake->tcp_queries - 1);
}

static inline void script_start(struct script *s, struct event_base *base, const char *udp,
				const char *tcp)
{
	memset(s, 0, sizeof(*s));
	s->udp = udp;
	s->tcp = tcp;
	fake_start(&s->fake, base, script_fn);
	fake_listen(&s->fake);
	s->fake.arg = s;
	s->delayed = event_new(base, -1, 0, script_late, s);
}

/* Nobody listens for TCP any more; nor can anybody else, on that port. */
static inline void script_refuse_tcp(struct script *s)
{
	cr_assert_eq(event_del(s->fake.acceptable), 0);
	cr_assert_eq(shutdown(s->fake.listener, SHUT_RDWR), 0);
}

static inline void script_stop(struct script *s)
{
	event_free(s->delayed);
	fake_stop(&s->fake);
}

#endif
