/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a zone. Only what the example needs: no origin, no classes, no continued lines. */

#include "zone.h"

#include <event2/dns.h>
#include <event2/util.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int type;
} types[] = { { "A", EVDNS_TYPE_A }, { "AAAA", EVDNS_TYPE_AAAA }, { "CNAME", EVDNS_TYPE_CNAME },
	{ "NS", EVDNS_TYPE_NS }, { "PTR", EVDNS_TYPE_PTR }, { "MX", EVDNS_TYPE_MX },
	{ "TXT", EVDNS_TYPE_TXT }, { "SOA", EVDNS_TYPE_SOA } };

static int type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (evutil_ascii_strcasecmp(name, types[i].name) == 0)
			return types[i].type;
	}
	return -1;
}

/* In lower case, without a final dot; -1 if it is too long. */
static int copy_name(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len > 0 && from[len - 1] == '.')
		len--;
	if (len >= size)
		return -1;
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
	to[len] = '\0';
	return 0;
}

static void put(struct record *r, const void *data, size_t len)
{
	if ((size_t)r->len + len > sizeof(r->data))
		return; /* no name or text that was accepted is so long */
	memcpy(r->data + r->len, data, len);
	r->len += (int)len;
}

static void put_number(struct record *r, unsigned long value, int bytes)
{
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
		uint8_t byte = (uint8_t)(value >> shift);

		put(r, &byte, 1);
	}
}

/* Labels with their lengths; -1 if one is empty or too long. */
static int put_name(struct record *r, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > 63)
			return -1;
		put_number(r, len, 1);
		put(r, name, len);
		name += len + (name[len] == '.');
	}
	put_number(r, 0, 1);
	return 0;
}

/* "PRIMARY MAILBOX SERIAL REFRESH RETRY EXPIRE MINIMUM" */
static int read_soa(struct record *r, char *data)
{
	char *rest = NULL, *word = strtok_r(data, " \t", &rest);

	for (int i = 0; i < 2; i++) {
		if (word == NULL || put_name(r, word) < 0)
			return -1;
		word = strtok_r(NULL, " \t", &rest);
	}
	for (int i = 0; i < 5; i++) {
		if (word == NULL)
			return -1;
		put_number(r, strtoul(word, NULL, 10), 4);
		word = strtok_r(NULL, " \t", &rest);
	}
	return 0;
}

static int read_mx(struct record *r, char *data)
{
	char *name = strpbrk(data, " \t");

	if (name == NULL)
		return -1;
	put_number(r, strtoul(data, NULL, 10), 2);
	return put_name(r, name + strspn(name, " \t"));
}

static int read_data(struct record *r, char *data)
{
	switch (r->type) {
	case EVDNS_TYPE_A:
		r->len = 4;
		return evutil_inet_pton(AF_INET, data, r->data) == 1 ? 0 : -1;
	case EVDNS_TYPE_AAAA:
		r->len = 16;
		return evutil_inet_pton(AF_INET6, data, r->data) == 1 ? 0 : -1;
	case EVDNS_TYPE_SOA:
		return read_soa(r, data);
	case EVDNS_TYPE_MX:
		return read_mx(r, data);
	case EVDNS_TYPE_TXT:
		if (strlen(data) > 255)
			return -1;
		put_number(r, strlen(data), 1);
		put(r, data, strlen(data));
		return 0;
	default:
		return copy_name(r->target, sizeof(r->target), data);
	}
}

static struct record *read_line(char *line)
{
	struct record *r = calloc(1, sizeof(*r));
	char *rest = NULL, *name = strtok_r(line, " \t", &rest),
	     *ttl = strtok_r(NULL, " \t", &rest);
	char *type = strtok_r(NULL, " \t", &rest);

	if (r != NULL && type != NULL && copy_name(r->name, sizeof(r->name), name) == 0) {
		r->ttl = atoi(ttl);
		r->type = type_of(type);
		if (r->type > 0 && read_data(r, rest + strspn(rest, " \t")) == 0)
			return r;
	}
	free(r);
	return NULL;
}

static int read_lines(struct zone *zone, FILE *in, const char *file)
{
	struct record **last = &zone->records;
	char line[1024];

	for (int number = 1; fgets(line, sizeof(line), in) != NULL; number++) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0' || line[0] == ';')
			continue;
		*last = read_line(line);
		if (*last == NULL) {
			fprintf(stderr, "%s, line %d: not a record\n", file, number);
			return -1;
		}
		if ((*last)->type == EVDNS_TYPE_SOA)
			zone->soa = *last;
		last = &(*last)->next;
	}
	if (zone->soa == NULL) {
		fprintf(stderr, "%s: no SOA record\n", file);
		return -1;
	}
	memcpy(zone->origin, zone->soa->name, sizeof(zone->origin));
	return 0;
}

int zone_read(struct zone *zone, const char *file)
{
	FILE *in = fopen(file, "r");
	int result;

	memset(zone, 0, sizeof(*zone));
	if (in == NULL) {
		perror(file);
		return -1;
	}
	result = read_lines(zone, in, file);
	fclose(in);
	return result;
}

void zone_free(struct zone *zone)
{
	struct record *r;

	while ((r = zone->records) != NULL) {
		zone->records = r->next;
		free(r);
	}
}

int zone_contains(const struct zone *zone, const char *name)
{
	size_t len = strlen(name), origin_len = strlen(zone->origin);

	if (len < origin_len || evutil_ascii_strcasecmp(name + len - origin_len, zone->origin) != 0)
		return 0;
	return len == origin_len || origin_len == 0 || name[len - origin_len - 1] == '.';
}

const struct record *zone_find(const struct record *from, const char *name, int type)
{
	for (; from != NULL; from = from->next) {
		if ((type == EVDNS_QTYPE_ALL || from->type == type) &&
		    evutil_ascii_strcasecmp(from->name, name) == 0)
			return from;
	}
	return NULL;
}
