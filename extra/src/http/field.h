/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_FIELD_H_INCLUDED
#define HTTP_FIELD_H_INCLUDED

/*
 * One entry of a header list, as this library makes them: the public pair and both strings in one
 * block. Entries of a received message lie in the message's arena, all others on the heap.
 *
 * A program may put entries of its own making into a list: three separate blocks, as the public
 * struct suggests. They are told apart by where the key lies: `text` is at an odd offset, where no
 * allocator would put a string of its own.
 */

#include <event2/component/reactor.h>
#include <event2/keyvalq_struct.h>

#include <stddef.h>

struct evi_field {
	struct evkeyval pair; /* first; pair.key == text */
	char in_arena;        /* nonzero: the arena owns the block */
	char text[];          /* key NUL value NUL */
};

#define EVI_FIELD_TEXT offsetof(struct evi_field, text)

_Static_assert(EVI_FIELD_TEXT % 2 == 1, "the key of an entry must lie where no block starts");

/* Release one entry that is in no list any more, whoever made it. */
static inline void evi_field_free(struct evkeyval *pair)
{
	struct evi_field *field = (struct evi_field *)pair;

	if (pair->key != (char *)pair + EVI_FIELD_TEXT) {
		evi_free(pair->key);
		evi_free(pair->value);
	} else if (field->in_arena) {
		return;
	}
	evi_free(pair);
}

#endif
