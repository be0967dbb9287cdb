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

struct wide {
	char byte;
	long long integer;
};

/* Nonzero if the family is one of those above; a 32-bit system with a 64-bit time_t is not. */
static int find_family(enum family *ret_family)
{
	if (sizeof(void *) == 8)
		*ret_family = sizeof(long) == 8 ? LP64 : LLP64;
	else
		*ret_family = offsetof(struct wide, integer) == 4 ? I386 : ILP32;
	return sizeof(void *) == 8 || (sizeof(void *) == 4 && sizeof(time_t) == 4);
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
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	enum family family;
	size_t good = 0;

	if (!find_family(&family)) {
		printf("no layout is pinned for pointers of %zu bytes with a time_t of %zu\n",
		       sizeof(void *), sizeof(time_t));
		return 77;
	}
	printf("family %s\n", names[family]);
	for (size_t i = 0; i < n; i++)
		good += (size_t)check(&rows[i], family);
	printf("%zu passed, %zu failed\n", good, n - good);
	return good == n ? 0 : 1;
}
