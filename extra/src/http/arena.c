/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of one message. Blocks double, so that a head that arrives in small pieces is moved a
 * bounded number of times.
 */

#include "http/arena.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* The first block from the heap, in lengths of the owner's memory. */
#define FIRST_GROWTH 3

struct evi_arena_block {
	struct evi_arena_block *older;
	max_align_t bytes[];
};

void evi_arena_init(struct evi_arena *arena, void *memory, size_t len)
{
	arena->blocks = NULL;
	arena->open = memory;
	arena->at = memory;
	arena->end = (char *)memory + len - ((uintptr_t)memory + len) % EVI_ARENA_ALIGN;
	arena->next = len * FIRST_GROWTH;
}

void evi_arena_done(struct evi_arena *arena)
{
	while (arena->blocks != NULL) {
		struct evi_arena_block *block = arena->blocks;

		arena->blocks = block->older;
		evi_free(block);
	}
}

/* It starts aligned there, as any block does. */
int evi_arena_grow(struct evi_arena *arena, size_t len)
{
	size_t used = (size_t)(arena->at - arena->open);
	size_t want = arena->next;
	struct evi_arena_block *block;

	if (len > SIZE_MAX / 4 - used)
		return -ENOMEM;
	if (want < (used + len) * 2)
		want = (used + len) * 2;
	want += -want % EVI_ARENA_ALIGN;
	block = evi_malloc(sizeof(*block) + want);
	if (block == NULL)
		return -ENOMEM;

	block->older = arena->blocks;
	if (used > 0)
		memcpy(block->bytes, arena->open, used);
	arena->blocks = block;
	arena->next = want * 2;
	arena->open = (char *)block->bytes;
	arena->at = arena->open + used;
	arena->end = arena->open + want;
	return 0;
}

void evi_arena_drop(struct evi_arena *arena)
{
	arena->at = arena->open;
}

char *evi_arena_copy(struct evi_arena *arena, const void *bytes, size_t len)
{
	evi_arena_open(arena);
	if (evi_arena_reserve(arena, len + 1) != 0)
		return NULL;
	memcpy(arena->at, bytes, len);
	arena->at[len] = '\0';
	arena->at += len + 1;
	return arena->open;
}
