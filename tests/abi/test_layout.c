/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prints the layout of every visible struct, and pins it: layout_rows.h has what it must be on the
 * family of platforms that this program was built for. Without a harness, so that it runs wherever
 * it compiles.
 */

#include <event2/buffer.h>
#include <event2/bufferevent_struct.h>
#include <event2/dns_struct.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/rpc_struct.h>
#include <event2/thread.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum family {
	LP64,  /* 64-bit Unix */
	I386,  /* 32-bit x86: 64-bit integers are aligned to 4 */
	ILP32, /* other 32-bit Unix */
	LLP64, /* 64-bit Windows: long and the members of a timeval have 32 bits */
	FAMILIES
};

static const char *const names[FAMILIES] = { "LP64", "i386", "ILP32", "LLP64" };

struct place {
	size_t offset, size;
};

struct row {
	const char *record, *field; /* NULL: the whole */
	struct place is;
	struct place pinned[FAMILIES];
};

#define WHOLE(record, lp64, i386, ilp32, llp64)                                                    \
	{ #record, NULL, { 0, sizeof(struct record) },                                             \
	  { { 0, lp64 }, { 0, i386 }, { 0, ilp32 }, { 0, llp64 } } },
#define FIELD(record, field, o64, s64, o386, s386, o32, s32, ol, sl)                               \
	{ #record, #field, { offsetof(struct record, field), sizeof(((struct record *)0)->field) },\
	  { { o64, s64 }, { o386, s386 }, { o32, s32 }, { ol, sl } } },

static const struct row rows[] = {
#include "layout_rows.h"
};

#undef WHOLE
#undef FIELD
#define WHOLE(record, i386, ilp32)                                                                 \
	{ #record, NULL, { 0, sizeof(struct record) },                                             \
	  { [I386] = { 0, i386 }, [ILP32] = { 0, ilp32 } } },
#define FIELD(record, field, o386, s386, o32, s32)                                                 \
	{ #record, #field, { offsetof(struct record, field), sizeof(((struct record *)0)->field) },\
	  { [I386] = { o386, s386 }, [ILP32] = { o32, s32 } } },

/* In place of what `rows` has of the same structs, where time_t has 64 bits and a pointer 32. */
static const struct row rows_time64[] = {
#include "layout_rows_time64.h"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct wide {
	char byte;
	long long integer;
};

static enum family find_family(void)
{
	if (sizeof(void *) == 8)
		return sizeof(long) == 8 ? LP64 : LLP64;
	return offsetof(struct wide, integer) == 4 ? I386 : ILP32;
}

static int is_in_time64(const char *record)
{
	for (size_t i = 0; i < COUNT(rows_time64); i++)
		if (strcmp(rows_time64[i].record, record) == 0)
			return 1;
	return 0;
}

static int check(const struct row *row, enum family family)
{
	const struct place *must = &row->pinned[family];
	int good = row->is.offset == must->offset && row->is.size == must->size;

	printf("%s %s%s%s at %zu, %zu bytes", good ? "ok  " : "FAIL", row->record,
	       row->field != NULL ? "." : "", row->field != NULL ? row->field : "", row->is.offset,
	       row->is.size);
	if (!good)
		printf("; must be at %zu, %zu bytes", must->offset, must->size);
	putchar('\n');
	return good;
}

int main(void)
{
	enum family family = find_family();
	int is_time64 = sizeof(void *) == 4 && sizeof(time_t) == 8;
	size_t good = 0, n = 0;

	printf("family %s, time_t of %zu bytes\n", names[family], sizeof(time_t));
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (is_time64 && is_in_time64(rows[i].record))
			continue;
		good += (size_t)check(&rows[i], family);
		n++;
	}
	for (size_t i = 0; is_time64 && i < COUNT(rows_time64); i++, n++)
		good += (size_t)check(&rows_time64[i], family);
	printf("%zu passed, %zu failed\n", good, n - good);
	return good == n ? 0 : 1;
}
