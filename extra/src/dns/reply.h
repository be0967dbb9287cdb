/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_REPLY_H_INCLUDED
#define DNS_REPLY_H_INCLUDED

/* What a reply says to a question: pure, from bytes to an answer. */

#include "dns/wire.h"

struct evi_dns_question {
	const char *name;
	uint16_t type;
	const uint8_t *sent; /* as it was sent, or NULL: most servers repeat it byte by byte */
	size_t sent_len;
	uint8_t *room; /* for addresses, aligned like them, and as long as the answer; or NULL */
	size_t room_size;
};

/*
 * The result of a lookup. `name` and, unless they stand in the room for them, `addresses` are
 * owned; evi_dns_answer_done() frees them.
 */
struct evi_dns_answer {
	int err; /* DNS_ERR_ */
	int ttl;
	int count;
	int is_in_room;
	uint8_t *addresses; /* count * 4 or 16 bytes, or NULL */
	/* PTR: the name; A and AAAA: the end of the chain of aliases, or NULL */
	char *name;
};

void evi_dns_answer_done(struct evi_dns_answer *answer);

/* Without memory the copy is DNS_ERR_UNKNOWN. */
void evi_dns_answer_copy(struct evi_dns_answer *copy, const struct evi_dns_answer *answer,
			 unsigned type);

enum evi_dns_match {
	EVI_DNS_NOT_A_REPLY,   /* to be ignored: it does not answer this question */
	EVI_DNS_NO_QUESTION,   /* an error, from a server that did not repeat it */
	EVI_DNS_IN_OTHER_CASE, /* the question's letters are not as they were sent */
	EVI_DNS_AS_SENT
};

/*
 * Whether the message, whose header was read, answers that question. The reader is behind it then.
 */
enum evi_dns_match evi_dns_reply_matches(struct evi_dns_reader *reader,
					 const struct evi_dns_header *header,
					 const struct evi_dns_question *question);

/* What a matching message with rcode 0 or 3 says. */
void evi_dns_reply_read(struct evi_dns_reader *reader, const struct evi_dns_header *header,
			const struct evi_dns_question *question, struct evi_dns_answer *answer);

#endif
