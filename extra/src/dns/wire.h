/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_WIRE_H_INCLUDED
#define DNS_WIRE_H_INCLUDED

/*
 * All bytes of DNS messages pass through here, so that every length is checked in one place:
 * RFC 1035 section 4.1.
 *
 * A reader that met the end, or anything malformed, has failed and reads zeros from then on: check
 * once at the end. A writer that ran out of room, likewise.
 */

#include "dns/name.h"

#include <stdint.h>

#define EVI_DNS_HEADER_SIZE 12
#define EVI_DNS_MESSAGE_MAX 65535

/* Bits of the header's second word. */
#define EVI_DNS_QR     0x8000u
#define EVI_DNS_OPCODE 0x7800u
#define EVI_DNS_AA     0x0400u
#define EVI_DNS_TC     0x0200u
#define EVI_DNS_RD     0x0100u
#define EVI_DNS_RA     0x0080u
#define EVI_DNS_CD     0x0010u
#define EVI_DNS_RCODE  0x000fu

#define EVI_DNS_TYPE_A     1
#define EVI_DNS_TYPE_CNAME 5
#define EVI_DNS_TYPE_SOA   6
#define EVI_DNS_TYPE_PTR   12
#define EVI_DNS_TYPE_AAAA  28
#define EVI_DNS_TYPE_OPT   41
#define EVI_DNS_CLASS_IN   1

#define EVI_DNS_OPT_SIZE 11 /* a record without options */

struct evi_dns_reader {
	const uint8_t *data;
	size_t len;
	size_t at;
	int has_failed;
};

/* A record's head; its data are the `len` bytes at `data`, all inside the message. */
struct evi_dns_record {
	char owner[EVI_DNS_NAME_SIZE];
	int is_odd; /* the owner has a dot or NUL inside a label */
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	size_t data;
	uint16_t len;
};

struct evi_dns_header {
	uint16_t id, flags, counts[4]; /* questions, answers, authority, additional */
};

void evi_dns_reader_init(struct evi_dns_reader *reader, const void *data, size_t len);
uint8_t evi_dns_read_u8(struct evi_dns_reader *reader);
uint16_t evi_dns_read_u16(struct evi_dns_reader *reader);
uint32_t evi_dns_read_u32(struct evi_dns_reader *reader);
void evi_dns_read_header(struct evi_dns_reader *reader, struct evi_dns_header *header);

/*
 * A name, compressed or not, as text. *ret_is_odd (may be NULL): text cannot tell its labels apart.
 */
void evi_dns_read_name(struct evi_dns_reader *reader, char text[EVI_DNS_NAME_SIZE],
		       int *ret_is_odd);

/* A whole record; the reader is behind it afterwards. */
void evi_dns_read_record(struct evi_dns_reader *reader, struct evi_dns_record *record);

/*
 * The same, if the record's owner is a pointer to the first question, which is not read then; else
 * 0.
 */
int evi_dns_read_record_of_question(struct evi_dns_reader *reader, struct evi_dns_record *record);

/* Goes on behind these bytes if they are the next ones; else 0. */
int evi_dns_read_same(struct evi_dns_reader *reader, const void *bytes, size_t len);

/* A reader of the record's data that may follow pointers out of it, but must end at its end. */
struct evi_dns_reader evi_dns_record_reader(const struct evi_dns_reader *message,
					    const struct evi_dns_record *record);

#define EVI_DNS_SUFFIXES_MAX 256

struct evi_dns_writer {
	uint8_t *data;
	size_t room;
	size_t at;
	int has_failed;
	/* where names and their suffixes begin, for compression */
	uint16_t suffixes[EVI_DNS_SUFFIXES_MAX];
	int suffix_count;
};

void evi_dns_writer_init(struct evi_dns_writer *writer, void *data, size_t room);
void evi_dns_write_u16(struct evi_dns_writer *writer, unsigned value);
void evi_dns_write_u32(struct evi_dns_writer *writer, uint32_t value);
void evi_dns_write_bytes(struct evi_dns_writer *writer, const void *bytes, size_t len);
void evi_dns_write_header(struct evi_dns_writer *writer, const struct evi_dns_header *header);

/* A name; `may_compress`: a suffix that stands in the message already is pointed to. */
void evi_dns_write_name(struct evi_dns_writer *writer, const char *name, int may_compress);

/* Overwrites two bytes at `at`. */
void evi_dns_patch_u16(struct evi_dns_writer *writer, size_t at, unsigned value);

/* The root with the largest UDP message that is taken: RFC 6891 section 6.1.2. */
void evi_dns_write_opt(struct evi_dns_writer *writer, unsigned udp_size, unsigned extended_rcode);

#endif
