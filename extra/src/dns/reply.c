/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading replies. Only what was asked for counts: the question must be repeated, and records are
 * used only if their owner is the name asked or one that it leads to by the aliases in the reply.
 */

#include "dns/reply.h"

#include <event2/dns.h>

#include <string.h>

#define ALIASES_MAX 32

void evi_dns_answer_done(struct evi_dns_answer *answer)
{
	if (!answer->is_in_room)
		evi_free(answer->addresses);
	evi_free(answer->name);
	answer->addresses = NULL;
	answer->name = NULL;
	answer->is_in_room = 0;
}

void evi_dns_answer_copy(struct evi_dns_answer *copy, const struct evi_dns_answer *answer,
			 unsigned type)
{
	size_t size = (size_t)answer->count * (type == EVI_DNS_TYPE_AAAA ? 16 : 4);

	*copy = *answer;
	copy->is_in_room = 0;
	copy->addresses = answer->addresses != NULL ? evi_malloc(size) : NULL;
	copy->name = answer->name != NULL ? evi_strdup(answer->name) : NULL;
	if (copy->addresses != NULL)
		memcpy(copy->addresses, answer->addresses, size);
	if (!copy->addresses == !answer->addresses && !copy->name == !answer->name)
		return;
	evi_dns_answer_done(copy);
	*copy = (struct evi_dns_answer){ .err = DNS_ERR_UNKNOWN };
}

/* Servers that cannot read or will not serve a query may leave its question out. */
static int may_lack_question(unsigned flags)
{
	unsigned rcode = flags & EVI_DNS_RCODE;

	return rcode == 1 || rcode == 2 || rcode == 4 || rcode == 5;
}

enum evi_dns_match evi_dns_reply_matches(struct evi_dns_reader *r,
					 const struct evi_dns_header *header,
					 const struct evi_dns_question *question)
{
	char name[EVI_DNS_NAME_SIZE];
	uint16_t type, class;
	int is_odd;

	if (!(header->flags & EVI_DNS_QR) || (header->flags & EVI_DNS_OPCODE))
		return EVI_DNS_NOT_A_REPLY;
	if (header->counts[0] == 0 && may_lack_question(header->flags))
		return EVI_DNS_NO_QUESTION;
	if (header->counts[0] != 1)
		return EVI_DNS_NOT_A_REPLY;
	if (question->sent != NULL && evi_dns_read_same(r, question->sent, question->sent_len))
		return EVI_DNS_AS_SENT;
	evi_dns_read_name(r, name, &is_odd);
	type = evi_dns_read_u16(r);
	class = evi_dns_read_u16(r);
	if (r->has_failed || is_odd || type != question->type || class != EVI_DNS_CLASS_IN ||
	    !evi_dns_name_equals(name, question->name))
		return EVI_DNS_NOT_A_REPLY;
	return EVI_DNS_IN_OTHER_CASE;
}

struct alias {
	char owner[EVI_DNS_NAME_SIZE];
	char target[EVI_DNS_NAME_SIZE];
	uint32_t ttl;
};

/* The names that the question leads to. */
struct chain {
	struct alias aliases[ALIASES_MAX];
	int alias_count;
	const char *names[ALIASES_MAX + 1]; /* the name asked, then one after the other */
	int name_count;
	uint32_t ttl; /* the smallest of the aliases used */
};

/* A TTL with its top bit set counts as 0: RFC 2181 section 8. */
static uint32_t sane_ttl(uint32_t ttl)
{
	return ttl & 0x80000000u ? 0 : ttl;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What would end a line, an argument or a quotation where the program writes the name. */
static int has_unsafe_bytes(const char *name)
{
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name <= ' ' || *name == 0x7f || *name == '"')
			return 1;
	}
	return 0;
}

/* A name that fills the record's data exactly, and can be told as text; 0 if not. */
static int read_name_data(const struct evi_dns_reader *message, const struct evi_dns_record *record,
			  char name[EVI_DNS_NAME_SIZE])
{
	struct evi_dns_reader r = evi_dns_record_reader(message, record);
	int is_odd;

	evi_dns_read_name(&r, name, &is_odd);
	return !r.has_failed && !is_odd && r.at == record->data + record->len &&
	       !has_unsafe_bytes(name);
}

static int is_in(const struct evi_dns_record *record, unsigned type)
{
	return record->type == type && record->class == EVI_DNS_CLASS_IN;
}

/* The next record; nonzero if it is known at once to belong to the name asked. */
static int read_record(struct evi_dns_reader *r, struct evi_dns_record *record)
{
	if (evi_dns_read_record_of_question(r, record))
		return 1;
	evi_dns_read_record(r, record);
	return 0;
}

/*
 * Checks every record of the answer section, and collects the aliases. 0 if something is malformed.
 */
static int collect_aliases(struct evi_dns_reader *r, unsigned count, const char *asked,
			   struct chain *chain)
{
	struct evi_dns_record record;

	for (; count > 0; count--) {
		struct alias *alias = &chain->aliases[chain->alias_count];
		int is_asked = read_record(r, &record);

		if (r->has_failed)
			return 0;
		if (!is_in(&record, EVI_DNS_TYPE_CNAME) || chain->alias_count == ALIASES_MAX)
			continue;
		if (!read_name_data(r, &record, alias->target))
			return 0;
		if (record.is_odd)
			continue;
		memcpy(alias->owner, is_asked ? asked : record.owner,
		       is_asked ? strlen(asked) + 1 : sizeof(alias->owner));
		alias->ttl = sane_ttl(record.ttl);
		chain->alias_count++;
	}
	return 1;
}

static int is_reached(const struct chain *chain, const char *name)
{
	for (int i = 0; i < chain->name_count; i++) {
		if (evi_dns_name_equals(chain->names[i], name))
			return 1;
	}
	return 0;
}

/* In any order, and each name once, so loops end. */
static void follow_aliases(struct chain *chain, const char *name)
{
	int is_longer = 1;

	chain->names[chain->name_count++] = name;
	while (is_longer) {
		const char *end = chain->names[chain->name_count - 1];

		is_longer = 0;
		for (int i = 0; i < chain->alias_count && !is_longer; i++) {
			struct alias *alias = &chain->aliases[i];

			if (!evi_dns_name_equals(alias->owner, end) ||
			    is_reached(chain, alias->target))
				continue;
			chain->names[chain->name_count++] = alias->target;
			chain->ttl = smaller(chain->ttl, alias->ttl);
			is_longer = 1;
		}
	}
}

static size_t address_size(unsigned type)
{
	return type == EVI_DNS_TYPE_A ? 4 : 16;
}

struct wanted {
	const struct evi_dns_question *question;
	const struct chain *chain;
	struct evi_dns_answer *answer;
	uint32_t ttl;
	size_t room; /* bytes of answer->addresses */
};

/* Room for `need` bytes of addresses, of which `used` have been written; NULL if out of memory. */
static uint8_t *need_room(struct wanted *w, size_t used, size_t need)
{
	struct evi_dns_answer *answer = w->answer;
	const struct evi_dns_question *question = w->question;
	uint8_t *bigger;

	if (need <= w->room)
		return answer->addresses;
	if (need <= question->room_size) {
		answer->is_in_room = 1;
		w->room = question->room_size;
		return question->room;
	}
	bigger = evi_realloc(answer->is_in_room ? NULL : answer->addresses, need * 2);
	if (bigger == NULL)
		return NULL;
	if (answer->is_in_room)
		memcpy(bigger, answer->addresses, used);
	answer->is_in_room = 0;
	w->room = need * 2;
	return bigger;
}

static int add_addresses(struct wanted *w, const struct evi_dns_reader *r,
			 const struct evi_dns_record *record)
{
	size_t size = address_size(w->question->type), used = (size_t)w->answer->count * size;
	uint8_t *addresses;

	if (record->len == 0 || record->len % size != 0)
		return DNS_ERR_UNKNOWN;
	addresses = need_room(w, used, used + record->len);
	if (addresses == NULL)
		return DNS_ERR_UNKNOWN;
	memcpy(addresses + used, r->data + record->data, record->len);
	w->answer->addresses = addresses;
	w->answer->count += (int)(record->len / size);
	return DNS_ERR_NONE;
}

static int add_name(struct wanted *w, const struct evi_dns_reader *r,
		    const struct evi_dns_record *record)
{
	char name[EVI_DNS_NAME_SIZE];

	if (!read_name_data(r, record, name))
		return DNS_ERR_UNKNOWN;
	if (w->answer->name != NULL)
		return DNS_ERR_NONE; /* the first counts */
	w->answer->name = evi_strdup(name);
	w->answer->count = 1;
	return w->answer->name != NULL ? DNS_ERR_NONE : DNS_ERR_UNKNOWN;
}

/* The second pass over the answer section: what was asked for. Returns DNS_ERR_NONE or _UNKNOWN. */
static int collect_wanted(struct evi_dns_reader *r, unsigned count, struct wanted *w)
{
	struct evi_dns_record record;

	for (; count > 0; count--) {
		int is_asked = read_record(r, &record), err;

		if (!is_in(&record, w->question->type) || record.is_odd ||
		    (!is_asked && !is_reached(w->chain, record.owner)))
			continue;
		err = w->question->type == EVI_DNS_TYPE_PTR ? add_name(w, r, &record) :
							      add_addresses(w, r, &record);
		if (err != DNS_ERR_NONE)
			return err;
		w->ttl = smaller(w->ttl, sane_ttl(record.ttl));
	}
	return DNS_ERR_NONE;
}

/* How long "there is nothing" holds: RFC 2308 section 5. -1 if the section is malformed. */
static int64_t negative_ttl(struct evi_dns_reader *r, unsigned count)
{
	struct evi_dns_record record;
	char name[EVI_DNS_NAME_SIZE];
	uint32_t minimum;

	for (; count > 0; count--) {
		struct evi_dns_reader soa;

		(void)read_record(r, &record);
		if (r->has_failed)
			return -1;
		if (!is_in(&record, EVI_DNS_TYPE_SOA))
			continue;
		soa = evi_dns_record_reader(r, &record);
		evi_dns_read_name(&soa, name, NULL);
		evi_dns_read_name(&soa, name, NULL);
		for (int i = 0; i < 4; i++)
			(void)evi_dns_read_u32(&soa);
		minimum = evi_dns_read_u32(&soa);
		if (soa.has_failed || soa.at != record.data + record.len)
			return -1;
		return smaller(sane_ttl(record.ttl), sane_ttl(minimum));
	}
	return 0;
}

static void fail(struct evi_dns_answer *answer, int err)
{
	evi_dns_answer_done(answer);
	answer->err = err;
	answer->count = 0;
	answer->ttl = 0;
}

static void read_nothing(struct evi_dns_reader *r, const struct evi_dns_header *header, int err,
			 struct evi_dns_answer *answer)
{
	int64_t ttl = negative_ttl(r, header->counts[2]);

	fail(answer, ttl < 0 ? DNS_ERR_UNKNOWN : err);
	answer->ttl = ttl > 0 ? (int)ttl : 0;
}

static void read_chain(struct evi_dns_reader *r, const struct evi_dns_header *header,
		       const struct evi_dns_question *question, struct chain *chain,
		       struct evi_dns_answer *answer)
{
	struct wanted wanted = { .question = question, .chain = chain, .answer = answer };
	struct evi_dns_reader again = *r;
	int err;

	chain->alias_count = chain->name_count = 0;
	chain->ttl = UINT32_MAX >> 1;
	if (!collect_aliases(r, header->counts[1], question->name, chain)) {
		fail(answer, DNS_ERR_UNKNOWN);
		return;
	}
	if ((header->flags & EVI_DNS_RCODE) == 3) {
		read_nothing(r, header, DNS_ERR_NOTEXIST, answer);
		return;
	}
	follow_aliases(chain, question->name);
	wanted.ttl = chain->ttl;
	err = collect_wanted(&again, header->counts[1], &wanted);
	if (err != DNS_ERR_NONE) {
		fail(answer, err);
		return;
	}
	if (answer->count == 0) {
		read_nothing(r, header, DNS_ERR_NODATA, answer);
		return;
	}
	answer->err = DNS_ERR_NONE;
	answer->ttl = (int)wanted.ttl;
	/*
	 * Without memory for the alias there is none to tell; the addresses are what was asked for.
	 */
	if (question->type != EVI_DNS_TYPE_PTR && chain->name_count > 1)
		answer->name = evi_strdup(chain->names[chain->name_count - 1]);
}

/*
 * The usual reply: one record or more, each known at once to be what was asked for. 0 if it is not
 * like that, and then nothing has been read.
 */
static int read_plain(const struct evi_dns_reader *reader, const struct evi_dns_header *header,
		      const struct evi_dns_question *question, struct evi_dns_answer *answer)
{
	struct wanted wanted = { .question = question, .answer = answer, .ttl = INT32_MAX };
	struct evi_dns_reader r = *reader;
	struct evi_dns_record record;

	if ((header->flags & EVI_DNS_RCODE) != 0 || header->counts[1] == 0 ||
	    question->type == EVI_DNS_TYPE_PTR)
		return 0;
	for (unsigned i = 0; i < header->counts[1]; i++) {
		if (!evi_dns_read_record_of_question(&r, &record) || r.has_failed ||
		    !is_in(&record, question->type) ||
		    add_addresses(&wanted, &r, &record) != DNS_ERR_NONE) {
			fail(answer, DNS_ERR_NONE);
			return 0;
		}
		wanted.ttl = smaller(wanted.ttl, sane_ttl(record.ttl));
	}
	answer->ttl = (int)wanted.ttl;
	return 1;
}

void evi_dns_reply_read(struct evi_dns_reader *r, const struct evi_dns_header *header,
			const struct evi_dns_question *question, struct evi_dns_answer *answer)
{
	struct chain chain;

	memset(answer, 0, sizeof(*answer));
	if (!read_plain(r, header, question, answer))
		read_chain(r, header, question, &chain, answer);
}
