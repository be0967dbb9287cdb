/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and writing of DNS messages, every byte checked. */

#include "dns/wire.h"

#include <string.h>

/* More pointers than a name of 127 labels could need are a loop. */
#define POINTERS_MAX 127

/* Of a record, between its owner and its data: type, class, TTL and length. */
#define RECORD_HEAD_SIZE 10

/* A pointer has 14 bits. */
#define POINTER_REACH 0x3fff

void evi_dns_reader_init(struct evi_dns_reader *r, const void *data, size_t len)
{
	*r = (struct evi_dns_reader){ .data = data, .len = len };
}

/* `len` bytes, or NULL, and then the reader has failed. */
static const uint8_t *take(struct evi_dns_reader *r, size_t len)
{
	const uint8_t *bytes;

	if (r->has_failed || len > r->len - r->at) {
		r->has_failed = 1;
		return NULL;
	}
	bytes = r->data + r->at;
	r->at += len;
	return bytes;
}

static uint16_t u16_at(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t u32_at(const uint8_t *b)
{
	return (uint32_t)u16_at(b) << 16 | u16_at(b + 2);
}

uint8_t evi_dns_read_u8(struct evi_dns_reader *r)
{
	const uint8_t *b = take(r, 1);

	return b != NULL ? b[0] : 0;
}

uint16_t evi_dns_read_u16(struct evi_dns_reader *r)
{
	const uint8_t *b = take(r, 2);

	return b != NULL ? u16_at(b) : 0;
}

uint32_t evi_dns_read_u32(struct evi_dns_reader *r)
{
	const uint8_t *b = take(r, 4);

	return b != NULL ? u32_at(b) : 0;
}

void evi_dns_read_header(struct evi_dns_reader *r, struct evi_dns_header *header)
{
	static const uint8_t nothing[EVI_DNS_HEADER_SIZE];
	const uint8_t *b = take(r, EVI_DNS_HEADER_SIZE);

	if (b == NULL)
		b = nothing;
	header->id = u16_at(b);
	header->flags = u16_at(b + 2);
	for (int i = 0; i < 4; i++)
		header->counts[i] = u16_at(b + 4 + 2 * i);
}

struct text {
	char *out;
	size_t len;
	int is_odd;
};

/* Appends a label; 0 if the name becomes too long. */
static int add_label(struct text *text, const uint8_t *label, size_t len)
{
	if (text->len + (text->len > 0) + len > EVI_DNS_NAME_SIZE - 2)
		return 0;
	if (text->len > 0)
		text->out[text->len++] = '.';
	text->is_odd |= memchr(label, '.', len) != NULL || memchr(label, '\0', len) != NULL;
	memcpy(text->out + text->len, label, len);
	text->len += len;
	return 1;
}

/* One step along a name: a label, a pointer or the end. Nonzero if there is more. */
static int read_label(struct evi_dns_reader *r, struct text *text, size_t *behind, int *pointers)
{
	uint8_t len = evi_dns_read_u8(r);
	const uint8_t *label;

	if (len == 0)
		return 0;
	if ((len & 0xc0) == 0xc0) {
		size_t target = (size_t)(len & 0x3f) << 8 | evi_dns_read_u8(r);

		if (*behind == 0)
			*behind = r->at;
		if (++*pointers > POINTERS_MAX || target >= r->len)
			r->has_failed = 1;
		r->at = target < r->len ? target : r->len;
		return !r->has_failed;
	}
	if (len & 0xc0) {
		r->has_failed = 1;
		return 0;
	}
	label = take(r, len);
	if (label == NULL || !add_label(text, label, len)) {
		r->has_failed = 1;
		return 0;
	}
	return 1;
}

void evi_dns_read_name(struct evi_dns_reader *r, char out[EVI_DNS_NAME_SIZE], int *ret_is_odd)
{
	struct text text = { .out = out };
	size_t behind = 0;
	int pointers = 0;

	while (read_label(r, &text, &behind, &pointers))
		continue;
	out[text.len] = '\0';
	if (behind != 0)
		r->at = behind;
	if (ret_is_odd != NULL)
		*ret_is_odd = text.is_odd;
}

static void read_behind_owner(struct evi_dns_reader *r, struct evi_dns_record *record)
{
	static const uint8_t nothing[RECORD_HEAD_SIZE];
	const uint8_t *b = take(r, RECORD_HEAD_SIZE);

	if (b == NULL)
		b = nothing;
	record->type = u16_at(b);
	record->class = u16_at(b + 2);
	record->ttl = u32_at(b + 4);
	record->len = u16_at(b + 8);
	record->data = r->at;
	(void)take(r, record->len);
}

void evi_dns_read_record(struct evi_dns_reader *r, struct evi_dns_record *record)
{
	evi_dns_read_name(r, record->owner, &record->is_odd);
	read_behind_owner(r, record);
}

int evi_dns_read_same(struct evi_dns_reader *r, const void *bytes, size_t len)
{
	if (r->has_failed || len > r->len - r->at || memcmp(r->data + r->at, bytes, len) != 0)
		return 0;
	r->at += len;
	return 1;
}

int evi_dns_read_record_of_question(struct evi_dns_reader *r, struct evi_dns_record *record)
{
	static const uint8_t pointer[2] = { 0xc0, EVI_DNS_HEADER_SIZE };

	if (!evi_dns_read_same(r, pointer, sizeof(pointer)))
		return 0;
	record->owner[0] = '\0';
	record->is_odd = 0;
	read_behind_owner(r, record);
	return 1;
}

struct evi_dns_reader evi_dns_record_reader(const struct evi_dns_reader *message,
					    const struct evi_dns_record *record)
{
	struct evi_dns_reader r = *message;

	r.at = record->data;
	return r;
}

/* --- Writing ---------------------------------------------------------------------------------- */

void evi_dns_writer_init(struct evi_dns_writer *w, void *data, size_t room)
{
	w->data = data;
	w->room = room;
	w->at = 0;
	w->has_failed = 0;
	w->suffix_count = 0;
}

void evi_dns_write_bytes(struct evi_dns_writer *w, const void *bytes, size_t len)
{
	if (w->has_failed || len > w->room - w->at) {
		w->has_failed = 1;
		return;
	}
	if (len > 0)
		memcpy(w->data + w->at, bytes, len);
	w->at += len;
}

void evi_dns_write_u16(struct evi_dns_writer *w, unsigned value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	evi_dns_write_bytes(w, bytes, sizeof(bytes));
}

void evi_dns_write_u32(struct evi_dns_writer *w, uint32_t value)
{
	evi_dns_write_u16(w, value >> 16);
	evi_dns_write_u16(w, value & 0xffff);
}

void evi_dns_write_header(struct evi_dns_writer *w, const struct evi_dns_header *header)
{
	evi_dns_write_u16(w, header->id);
	evi_dns_write_u16(w, header->flags);
	for (int i = 0; i < 4; i++)
		evi_dns_write_u16(w, header->counts[i]);
}

void evi_dns_patch_u16(struct evi_dns_writer *w, size_t at, unsigned value)
{
	w->data[at] = (uint8_t)(value >> 8);
	w->data[at + 1] = (uint8_t)value;
}

/* Nonzero if the name at `at` in the message reads exactly like `name`. */
static int is_name_at(const struct evi_dns_writer *w, size_t at, const char *name, size_t len)
{
	struct evi_dns_reader r;
	char text[EVI_DNS_NAME_SIZE];

	evi_dns_reader_init(&r, w->data, w->at);
	r.at = at;
	evi_dns_read_name(&r, text, NULL);
	return !r.has_failed && strlen(text) == len && memcmp(text, name, len) == 0;
}

/* Where `name` stands already, or 0. */
static size_t find_suffix(const struct evi_dns_writer *w, const char *name, size_t len)
{
	for (int i = 0; i < w->suffix_count; i++) {
		if (is_name_at(w, w->suffixes[i], name, len))
			return w->suffixes[i];
	}
	return 0;
}

static void note_suffix(struct evi_dns_writer *w)
{
	if (w->at <= POINTER_REACH && w->suffix_count < EVI_DNS_SUFFIXES_MAX)
		w->suffixes[w->suffix_count++] = (uint16_t)w->at;
}

void evi_dns_write_name(struct evi_dns_writer *w, const char *name, int may_compress)
{
	size_t len = evi_dns_name_len(name);
	int first_new = w->suffix_count;

	while (len > 0 && !w->has_failed) {
		const char *dot = memchr(name, '.', len);
		size_t label = dot != NULL ? (size_t)(dot - name) : len, target;
		uint8_t head = (uint8_t)label;

		target = may_compress ? find_suffix(w, name, len) : 0;
		if (target != 0) {
			evi_dns_write_u16(w, 0xc000u | (unsigned)target);
			return;
		}
		if (label == 0 || label > EVI_DNS_LABEL_MAX) {
			w->has_failed = 1;
			break;
		}
		note_suffix(w);
		evi_dns_write_bytes(w, &head, 1);
		evi_dns_write_bytes(w, name, label);
		name += label + (dot != NULL);
		len -= label + (dot != NULL);
	}
	evi_dns_write_bytes(w, "", 1);
	if (w->has_failed)
		w->suffix_count = first_new;
}

void evi_dns_write_opt(struct evi_dns_writer *w, unsigned udp_size, unsigned extended_rcode)
{
	evi_dns_write_bytes(w, "", 1);
	evi_dns_write_u16(w, EVI_DNS_TYPE_OPT);
	evi_dns_write_u16(w, udp_size);
	evi_dns_write_u32(w, (uint32_t)extended_rcode << 24);
	evi_dns_write_u16(w, 0);
}
