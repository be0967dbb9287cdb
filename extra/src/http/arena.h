/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_ARENA_H_INCLUDED
#define HTTP_ARENA_H_INCLUDED

/*
 * Memory of one message: blocks that are filled front to back and let go of all at once.
 *
 * The first block is the owner's; more are taken from the heap only when it is full. One item may
 * be open: it grows at its end, and may move while it does.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct evi_arena_block;

struct evi_arena {
	struct evi_arena_block *blocks; /* from the heap, newest first */
	char *open;                     /* start of the open item */
	char *at;                       /* its end: the next free byte */
	char *end;                      /* of the block */
	size_t next;                    /* how large the next from the heap is to be */
};

/* What items are aligned to; blocks are, at both ends. */
#define EVI_ARENA_ALIGN sizeof(void *)

/* Use `len` bytes of the owner's memory first. */
void evi_arena_init(struct evi_arena *arena, void *memory, size_t len);

/* Let go of everything but the owner's memory. */
void evi_arena_done(struct evi_arena *arena);

/* Start an item, aligned for any pointer. There is none open. Costs nothing until it grows. */
static inline void evi_arena_open(struct evi_arena *arena)
{
	arena->at += -(uintptr_t)arena->at % EVI_ARENA_ALIGN;
	arena->open = arena->at;
}

/* Move the open item to a new block with room for `len` more bytes. 0 or -ENOMEM. */
int evi_arena_grow(struct evi_arena *arena, size_t len);

/* Make room for `len` more bytes at the end of the open item. 0 or -ENOMEM. */
static inline int evi_arena_reserve(struct evi_arena *arena, size_t len)
{
	return (size_t)(arena->end - arena->at) >= len ? 0 : evi_arena_grow(arena, len);
}

/* Add bytes to the open item. 0 or -ENOMEM. */
static inline int evi_arena_add(struct evi_arena *arena, const void *bytes, size_t len)
{
	int err = evi_arena_reserve(arena, len);

	if (err != 0)
		return err;
	memcpy(arena->at, bytes, len);
	arena->at += len;
	return 0;
}

/* Forget the open item. */
void evi_arena_drop(struct evi_arena *arena);

/* A copy of `len` bytes and a NUL, or NULL when out of memory. There is no item open. */
char *evi_arena_copy(struct evi_arena *arena, const void *bytes, size_t len);

#endif
