/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_CHAIN_POOL_H_INCLUDED
#define EVI_CHAIN_POOL_H_INCLUDED

/*
 * Blocks for memory chains, kept between uses, so that bytes passing through buffers cost no
 * allocation; never more than EVI_POOL_BYTES a shard.
 *
 * Any thread may call any function. The blocks are the process's: they stay while at least one
 * evbuffer, or one that lent its memory to the system, lives and go with the last, so a program
 * that frees its buffers has no block left.
 */

#include "chain/chain.h"

/* Bytes one shard keeps at most; there are EVI_POOL_SHARDS of them. */
#define EVI_POOL_BYTES ((size_t)2 * 1024 * 1024)
#define EVI_POOL_SHARDS 4

/* An evbuffer was made or is gone. */
void evi_pool_enter(void);
void evi_pool_leave(void);

/* Whether the calling buffer is the only one: what it gave now, leaving would take out again. */
int evi_pool_is_last(void);

/* A block of the class, contents undefined; NULL if none is at hand. */
struct evi_chain *evi_pool_take(unsigned size_class);

/* Keep the block; 0 if it could not be, then it is the caller's still. */
int evi_pool_give(struct evi_chain *chain);

#endif
