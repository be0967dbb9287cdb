/* SPDX-License-Identifier: BSD-3-Clause */
/* Domain names as text. */

#include "dns/name.h"

#include <event2/util.h>

#include <string.h>

size_t evi_dns_name_len(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

int evi_dns_name_is_valid(const char *name, size_t max)
{
	size_t len = evi_dns_name_len(name);

	if (len > max)
		return 0;
	while (len > 0) {
		const char *dot = memchr(name, '.', len);
		size_t label = dot != NULL ? (size_t)(dot - name) : len;

		if (label == 0 || label > EVI_DNS_LABEL_MAX || label + 1 == len)
			return 0; /* the last: a dot with nothing behind it */
		if (dot == NULL)
			break;
		name += label + 1;
		len -= label + 1;
	}
	return 1;
}

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

int evi_dns_name_equals(const char *a, const char *b)
{
	size_t len = evi_dns_name_len(a);

	if (len != evi_dns_name_len(b))
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i] && fold((unsigned char)a[i]) != fold((unsigned char)b[i]))
			return 0;
	}
	return 1;
}

int evi_dns_name_dots(const char *name)
{
	int dots = 0;

	for (; *name != '\0'; name++)
		dots += *name == '.';
	return dots;
}

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

/* 0x20 in each byte of `word` that is a letter; that is what tells capitals from small ones. */
static uint64_t letters(uint64_t word)
{
	uint64_t lower = (word | EVERY(0x20)) & EVERY(0x7f);
	uint64_t from_a = lower + EVERY(0x80 - 'a'), behind_z = lower + EVERY(0x7f - 'z');

	return (from_a & ~behind_z & ~word & EVERY(0x80)) >> 2;
}

/* 0x20 in each byte whose bit is set. */
static uint64_t spread(uint8_t bits)
{
	uint64_t chosen = (EVERY(bits) & UINT64_C(0x8040201008040201)) + EVERY(0x7f);

	return (chosen & EVERY(0x80)) >> 2;
}

/* Eight letters at a time; which bit is whose does not matter. */
void evi_dns_name_flip_case(uint8_t *name, size_t len, const uint8_t *bits)
{
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), name += sizeof(word)) {
		memcpy(&word, name, sizeof(word));
		word ^= letters(word) & spread(*bits++);
		memcpy(name, &word, sizeof(word));
	}
	for (size_t i = 0; i < len; i++)
		name[i] ^= (uint8_t)letters(name[i]) & (uint8_t)(*bits >> i << 5);
}

/* Halves multiplied with each other: what a byte does to the result depends on the secret. */
static uint64_t mix(uint64_t hash, uint64_t word, uint64_t secret)
{
	uint64_t sum = (hash ^ (word | letters(word))) + secret;

	return (sum & UINT32_MAX) * (sum >> 32) ^ sum >> 32;
}

/* What is left at the end is read with what stands before it, if there is enough. */
uint32_t evi_dns_name_hash(const char *name, size_t len, uint64_t secret)
{
	uint64_t hash = len, word = 0;
	size_t at = 0;

	for (; at + sizeof(word) < len; at += sizeof(word)) {
		memcpy(&word, name + at, sizeof(word));
		hash = mix(hash, word, secret);
	}
	if (len >= sizeof(word))
		memcpy(&word, name + len - sizeof(word), sizeof(word));
	else
		memcpy(&word, name, len);
	hash = mix(hash, word, secret);
	return (uint32_t)(hash ^ hash >> 32);
}

size_t evi_dns_name_to_wire(const char *name, uint8_t *wire)
{
	size_t len = evi_dns_name_len(name);
	uint8_t *length = wire, *end = wire + len + 1;

	if (len == 0) {
		*wire = 0;
		return 1;
	}
	memcpy(wire + 1, name, len);
	*end = 0;
	for (uint8_t *at = wire + 1; at < end; at++) {
		if (*at != '.')
			continue;
		*length = (uint8_t)(at - length - 1);
		length = at;
	}
	*length = (uint8_t)(end - length - 1);
	return len + 2;
}
