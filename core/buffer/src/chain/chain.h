/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_CHAIN_H_INCLUDED
#define EVI_CHAIN_H_INCLUDED

/*
 * A chain: one run of unread bytes, and whose memory they are in.
 *
 *   memory      | head-room | data .. data+len | room |     block behind the header, ours
 *   reference                 data .. data+len              the caller's memory
 *   view                      data .. data+len              another chain's memory
 *   segment                   data .. data+len              a file segment's copy in memory
 *   file                      len bytes of a descriptor     not in memory: data is NULL
 *
 * Only memory chains have room to write in; all others have `room` 0 and no head-room.
 *
 * Lock: that of the buffer a chain is in, but for `refs`, which is atomic. Once a memory or
 * reference chain is shared, `kind` and `flags` no longer change, so that views in other threads
 * may read them.
 */

#include <event2/buffer.h>

#include <stddef.h>
#include <stdint.h>

#ifndef __GNUC__
#define __builtin_expect(value, expected) (value)
#define evi_noinline
#else
#define evi_noinline __attribute__((noinline)) /* keeps general paths out of the fast ones */
#endif
#define evi_unlikely(condition) __builtin_expect(!!(condition), 0)
#define evi_likely(condition) __builtin_expect(!!(condition), 1)

enum evi_chain_kind {
	EVI_CHAIN_MEMORY,
	EVI_CHAIN_REFERENCE,
	EVI_CHAIN_VIEW,
	EVI_CHAIN_SEGMENT,
	EVI_CHAIN_FILE,
};

enum {
	/* others look at it: bytes before `data + len` are never written */
	EVI_CHAIN_SHARED = 1 << 0,
	/* came by evbuffer_add_buffer_reference(): may not be shared again */
	EVI_CHAIN_GUEST = 1 << 1,
};

#define EVI_CHAIN_CLASS_LARGE 0xff /* a block of no fixed size */

struct evi_chain {
	struct evi_chain *next;
	unsigned char *data; /* first unread byte */
	size_t len;          /* unread bytes */
	size_t room;         /* writable bytes behind them */
	uint32_t refs;       /* holders, counted only once EVI_CHAIN_SHARED is set */
	uint8_t kind;        /* enum evi_chain_kind */
	uint8_t flags;
	uint8_t size_class;  /* of a memory chain's block */
};

struct evi_chain_reference {
	struct evi_chain chain;
	evbuffer_ref_cleanup_cb cleanup; /* may be NULL */
	void *cleanup_arg;
	const void *given; /* what cleanup is told */
	size_t given_len;
};

struct evi_chain_view {
	struct evi_chain chain;
	struct evi_chain *parent; /* a reference of ours; its kind is memory or reference */
};

/* Kinds segment and file. */
struct evi_chain_file {
	struct evi_chain chain;
	struct evbuffer_file_segment *segment; /* a reference of ours */
	/* the range's end, counted from the segment's start */
	ev_off_t end;
};

/* --- Memory chains ---------------------------------------------------------------------------- */

/*
 * Blocks of fixed sizes: room for 512 bytes, twice as much in each further class. The header is
 * beside, so that a power of two, as many reads and writes are, fits in one.
 */
#define EVI_CHAIN_CLASSES 8
#define EVI_CHAIN_ROOM_MIN ((size_t)512)
#define EVI_CHAIN_ROOM_MAX (EVI_CHAIN_ROOM_MIN << (EVI_CHAIN_CLASSES - 1))

/* The room of a chain whose block has the size of this class. */
static inline size_t evi_chain_class_room(unsigned size_class)
{
	return EVI_CHAIN_ROOM_MIN << size_class;
}

static inline size_t evi_chain_class_size(unsigned size_class)
{
	return sizeof(struct evi_chain) + evi_chain_class_room(size_class);
}

/* An empty memory chain with at least `room` bytes of room, all in one; NULL when out of memory. */
struct evi_chain *evi_chain_new(size_t room);

/*
 * One more reference: the bytes stay where they are until it is dropped, whatever the buffer does.
 */
void evi_chain_pin(struct evi_chain *chain);

/* Drop a reference; the last one releases the memory and tells who is to be told. */
void evi_chain_unref(struct evi_chain *chain);

/* The same for a list, which may be NULL. */
void evi_chain_unref_list(struct evi_chain *list);

/* Where a memory chain's block begins. */
static inline unsigned char *evi_chain_base(struct evi_chain *chain)
{
	return (unsigned char *)(chain + 1);
}

/* Whether bytes before the end of the data may be written: whether the memory is ours alone. */
static inline int evi_chain_is_exclusive(const struct evi_chain *chain)
{
	return chain->kind == EVI_CHAIN_MEMORY && !(chain->flags & EVI_CHAIN_SHARED);
}

/* Writable bytes before the data. */
static inline size_t evi_chain_headroom(struct evi_chain *chain)
{
	return evi_chain_is_exclusive(chain) ? (size_t)(chain->data - evi_chain_base(chain)) : 0;
}

static inline unsigned char *evi_chain_tail(struct evi_chain *chain)
{
	return chain->data + chain->len;
}

/* Forget the bytes of an exclusive chain: all of the block is room again. */
static inline void evi_chain_reset(struct evi_chain *chain)
{
	chain->room += (size_t)(chain->data - evi_chain_base(chain)) + chain->len;
	chain->data = evi_chain_base(chain);
	chain->len = 0;
	chain->next = NULL;
}

/* Take `n` bytes, fewer than it holds, off the front. */
static inline void evi_chain_skip(struct evi_chain *chain, size_t n)
{
	chain->len -= n;
	if (evi_likely(chain->kind != EVI_CHAIN_FILE))
		chain->data += n;
}

/* Move the bytes of an exclusive chain to the beginning of its block. */
void evi_chain_realign(struct evi_chain *chain);

/* --- Chains that borrow memory ---------------------------------------------------------------- */

/* Each returns NULL when out of memory; then nothing was borrowed. */
struct evi_chain *evi_chain_new_reference(const void *given, size_t offset, size_t len,
					  evbuffer_ref_cleanup_cb cleanup, void *cleanup_arg);

/* A view of the first `len` bytes of a chain that is neither segment nor file. */
struct evi_chain *evi_chain_new_view(struct evi_chain *seen, size_t len);

/*
 * Another chain for the first `len` bytes of a chain of any kind; no byte is copied. Which kinds
 * are worth it is for the caller to say.
 */
struct evi_chain *evi_chain_split(struct evi_chain *chain, size_t len);

#endif
