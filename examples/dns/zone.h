/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ZONE_H_INCLUDED
#define ZONE_H_INCLUDED

/* The records of a zone, read from a file of lines "NAME TTL TYPE DATA". */

#include <stddef.h>
#include <stdint.h>

struct record {
	struct record *next;
	char name[256]; /* in lower case, without final dot */
	int type;
	int ttl;
	char target[256]; /* CNAME, NS and PTR: the name it points to */
	uint8_t data[600]; /* all others, as on the wire */
	int len;
};

struct zone {
	char origin[256]; /* the owner of the SOA record */
	const struct record *soa;
	struct record *records;
};

/* 0, or -1 after saying why. */
int zone_read(struct zone *zone, const char *file);
void zone_free(struct zone *zone);

/* Whether the name is the zone's, or below it. */
int zone_contains(const struct zone *zone, const char *name);

/* The first record of that name and type at or after `from`; type 255 is any. */
const struct record *zone_find(const struct record *from, const char *name, int type);

#endif
