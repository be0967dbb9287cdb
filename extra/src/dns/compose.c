/* SPDX-License-Identifier: BSD-3-Clause */
/* Putting replies together. */

#include "dns/service.h"

#include <string.h>

#define OPT_SIZE 11

/* The size that replies of this server announce. */
#define UDP_SIZE 512

struct composer {
	struct evi_dns_writer w;
	int is_packed; /* groups of addresses go into one record */
	int is_cut;
};

static void write_questions(struct composer *c, const struct evi_dns_service_request *r)
{
	for (int i = 0; i < r->pub.nquestions; i++) {
		const struct evdns_server_question *q = r->pub.questions[i];

		evi_dns_write_name(&c->w, q->name, 1);
		evi_dns_write_u16(&c->w, (unsigned)q->type);
		evi_dns_write_u16(&c->w, (unsigned)q->dns_question_class);
	}
}

static void write_data(struct composer *c, const struct evi_dns_item *item, const char *data,
		       size_t len)
{
	size_t at = c->w.at;

	evi_dns_write_u16(&c->w, (unsigned)len);
	if (!item->is_name) {
		evi_dns_write_bytes(&c->w, data, len);
		return;
	}
	evi_dns_write_name(&c->w, item->data, 1);
	if (!c->w.has_failed)
		evi_dns_patch_u16(&c->w, at, (unsigned)(c->w.at - at - 2));
}

/* A whole record, or nothing of it: then the rest is cut. */
static int write_record(struct composer *c, const struct evi_dns_item *item, const char *data,
			size_t len)
{
	size_t at = c->w.at;
	int suffixes = c->w.suffix_count;

	evi_dns_write_name(&c->w, item->name, 1);
	evi_dns_write_u16(&c->w, item->type);
	evi_dns_write_u16(&c->w, item->class);
	evi_dns_write_u32(&c->w, item->ttl);
	write_data(c, item, data, len);
	if (!c->w.has_failed)
		return 1;
	c->w.at = at;
	c->w.suffix_count = suffixes;
	c->w.has_failed = 0;
	c->is_cut = 1;
	return 0;
}

static unsigned write_item(struct composer *c, const struct evi_dns_item *item)
{
	unsigned count = 0;

	if (item->unit == 0 || c->is_packed)
		return (unsigned)write_record(c, item, item->data, item->len);
	for (size_t at = 0; at < item->len && !c->is_cut; at += item->unit)
		count += (unsigned)write_record(c, item, item->data + at, item->unit);
	return count;
}

static unsigned write_section(struct composer *c, const struct evi_dns_section *section)
{
	unsigned count = 0;

	for (const struct evi_dns_item *item = section->first; item != NULL && !c->is_cut;
	     item = item->next)
		count += write_item(c, item);
	return count;
}

/* Room for the OPT record is kept, since a cut reply has it, too. */
static size_t compose(struct composer *c, const struct evi_dns_service_request *r, unsigned rcode,
		      uint8_t *data, size_t room)
{
	struct evi_dns_header header = { .id = r->id, .counts = { (uint16_t)r->pub.nquestions } };
	unsigned flags = EVI_DNS_QR | r->opcode | ((unsigned)r->pub.flags & 0xffff) |
			 (rcode & EVI_DNS_RCODE);
	unsigned counts[3];

	evi_dns_writer_init(&c->w, data, room - (r->has_opt ? OPT_SIZE : 0));
	c->is_cut = 0;
	evi_dns_write_header(&c->w, &header);
	write_questions(c, r);
	if (c->w.has_failed)
		return 0;
	for (int i = 0; i < 2; i++)
		counts[i] = write_section(c, &r->sections[i]);
	counts[2] = 0;
	if (r->has_opt) { /* first in the additional section */
		c->w.room = room;
		evi_dns_write_opt(&c->w, UDP_SIZE, rcode >> 4);
		counts[2] = 1;
	}
	counts[2] += write_section(c, &r->sections[2]);
	evi_dns_patch_u16(&c->w, 2, c->is_cut ? flags | EVI_DNS_TC : flags);
	for (int i = 0; i < 3; i++)
		evi_dns_patch_u16(&c->w, 6 + 2 * (size_t)i, counts[i]);
	return c->w.at;
}

static int has_groups(const struct evi_dns_service_request *r)
{
	for (const struct evi_dns_item *item = r->sections[0].first; item != NULL;
	     item = item->next) {
		if (item->unit != 0 && item->len > item->unit)
			return 1;
	}
	return 0;
}

size_t evi_dns_compose(const struct evi_dns_service_request *r, unsigned rcode, uint8_t *data,
		       size_t room)
{
	struct composer c = { .is_packed = 0 };
	size_t len = compose(&c, r, rcode, data, room);

	if (!c.is_cut || !has_groups(r))
		return len;
	/* One record for all addresses of a call may fit where one each does not. */
	c.is_packed = 1;
	len = compose(&c, r, rcode, data, room);
	if (!c.is_cut)
		return len;
	c.is_packed = 0;
	return compose(&c, r, rcode, data, room);
}
