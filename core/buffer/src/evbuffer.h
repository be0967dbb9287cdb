/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_EVBUFFER_H_INCLUDED
#define EVI_EVBUFFER_H_INCLUDED

/*
 * The inside of an evbuffer, for the files of src/evbuffer/ and for bufferevents, which embed their
 * two buffers.
 *
 * A buffer is a list of chains, each a run of unread bytes; every chain in the list holds at least
 * one byte. `spare` is at most one further chain without bytes: room that was reserved, or memory
 * kept for the next append.
 *
 * Lock: every field is guarded by `lock` once there is one. Functions named evi_evbuffer_* expect
 * the caller to hold it, unless their comment says otherwise.
 */

#include <event2/buffer.h>
#include <event2/component/reactor.h>

#include <stdint.h>

struct evi_chain;
struct evi_marks;
struct evi_deferral;

/* Bits of evbuffer.flags. Each fast path tests those that concern it with one mask. */
enum {
	EVI_BUF_FROZEN_FRONT = 1 << 1, /* no bytes may leave */
	EVI_BUF_FROZEN_END = 1 << 2,   /* no bytes may be appended */
	EVI_BUF_WATCHED = 1 << 3,      /* a callback wants to hear of changes */
	EVI_BUF_UNLOADED = 1 << 4,     /* may hold file ranges that are not in memory */
	EVI_BUF_DRAINS_TO_FD = 1 << 5, /* EVBUFFER_FLAG_DRAINS_TO_FD */
	EVI_BUF_OWN_LOCK = 1 << 6,     /* `lock` is freed with the buffer */
	/* storage belongs to the owner; evbuffer_free() does not apply */
	EVI_BUF_EMBEDDED = 1 << 7,
	/* evbuffer_free() was called; something still holds a reference */
	EVI_BUF_FREED = 1 << 8,
	/* the owner wants to hear of bytes that were added; of bytes that left as well */
	EVI_BUF_OWNER_GROWTH = 1 << 9,
	EVI_BUF_OWNER_LOSS = 1 << 10,
};

/* Somebody is to be told of bytes added; of bytes gone. */
#define EVI_BUF_TELLS_GROWTH (EVI_BUF_WATCHED | EVI_BUF_OWNER_GROWTH)
#define EVI_BUF_TELLS_LOSS (EVI_BUF_WATCHED | EVI_BUF_OWNER_LOSS)

/*
 * How the bufferevent that a buffer belongs to takes part in its life. `changed` runs after the
 * change callbacks of each round, never deferred, if the flags say that the owner wants to hear of
 * such a change; it is the bufferevent's cue to write or to read on. `ref` and `unref` keep it
 * alive while a deferred round is on its way.
 */
struct evi_evbuffer_owner_ops {
	void (*ref)(void *owner);
	void (*unref)(void *owner); /* without the lock held */
	void (*changed)(void *owner, struct evbuffer *buf);
};

struct evbuffer {
	struct evi_chain *first; /* NULL when empty */
	struct evi_chain *last;  /* NULL when empty */
	struct evi_chain *spare; /* owned; no bytes in it; or NULL */
	size_t len;              /* bytes in all chains */
	void *lock;              /* NULL: not shared between threads */
	struct evbuffer_cb_entry *callbacks;
	struct evi_deferral *deferral; /* owned; NULL: callbacks run at once */
	struct evi_marks *marks;       /* owned; remembered positions, or NULL */
	const struct evi_evbuffer_owner_ops *owner_ops;
	void *owner;       /* borrowed; the bufferevent, or NULL */
	uint32_t epoch;    /* counts changes after which positions mean something else */
	uint32_t refs;     /* the creator, rounds that run, a deferred round */
	uint32_t max_read; /* bytes one evbuffer_read() takes at most */
	int plain_fd;      /* the descriptor last found not to be a socket, or -1 */
	uint16_t flags;    /* EVI_BUF_* */
	uint16_t rounds;   /* callback rounds running now: entries are only marked dead */
	uint8_t read_hint; /* see evi_evbuffer_receive() */
	uint8_t has_dead;  /* of `callbacks`: some are marked dead */
};

/* --- Life of an embedded buffer ------------------------------------------------------------- */

/* Prepare a buffer inside the owner's struct: empty, one reference. Cannot fail. */
void evi_evbuffer_init(struct evbuffer *buf);

/*
 * Release what an embedded buffer holds: bytes, callbacks, own lock. No callback runs. The owner
 * sees to it that no deferred round is pending, which its own reference count tells.
 */
void evi_evbuffer_done(struct evbuffer *buf);

/* Give the buffer an owner, who hears of nothing yet; `ops` is borrowed for ever. */
void evi_evbuffer_set_owner(struct evbuffer *buf, const struct evi_evbuffer_owner_ops *ops,
			    void *owner);

/* Which changes the owner hears of from now on: EVI_BUF_OWNER_* bits. */
static inline void evi_evbuffer_set_owner_wants(struct evbuffer *buf, unsigned wants)
{
	buf->flags &= (uint16_t)~(EVI_BUF_OWNER_GROWTH | EVI_BUF_OWNER_LOSS);
	buf->flags |= (uint16_t)wants;
}

/* Use the owner's lock; borrowed. NULL does nothing. */
void evi_evbuffer_share_lock(struct evbuffer *buf, void *lock);

/* --- For the owner: ignore freezing, take no lock ------------------------------------------- */

static inline size_t evi_evbuffer_len(const struct evbuffer *buf)
{
	return buf->len;
}

/*
 * Append what the descriptor delivers, at most `max` bytes, in one system call. The room offered
 * follows what the descriptor delivered before, from 4 KiB up to 256 KiB; there is no other cap.
 * A full read is a hint that more is waiting: *ret_full (may be NULL) tells.
 *
 * Runs change callbacks. Returns bytes read, 0 at end of file, or a negative errno.
 */
ev_ssize_t evi_evbuffer_receive(struct evbuffer *buf, evutil_socket_t fd, size_t max,
				int *ret_full);

/*
 * Write at most `max` bytes from the front, and drain them: in one system call, or a few where
 * bytes in memory and file ranges take turns.
 *
 * Runs change callbacks. Returns bytes written or a negative errno; -EAGAIN when empty.
 */
ev_ssize_t evi_evbuffer_send(struct evbuffer *buf, evutil_socket_t fd, size_t max);

/*
 * How much a read should be offered, by what the reads before delivered; and what the next has to
 * know.
 */
size_t evi_evbuffer_read_size(const struct evbuffer *buf);
void evi_evbuffer_adapt(struct evbuffer *buf, size_t offered, size_t n);

/* A range of a file that may be sent by its descriptor. */
struct evi_file_range {
	int fd;
	ev_off_t offset; /* in the file */
	size_t len;
};

/* Nonzero, and *ret_range set, if that is what comes first and is not in memory. */
int evi_evbuffer_front_file(const struct evbuffer *buf, struct evi_file_range *ret_range);

/* Give unused memory back: an empty buffer holds none afterwards. Any time; costs some 10 ns. */
void evi_evbuffer_trim(struct evbuffer *buf);

/* Like evbuffer_freeze() and evbuffer_unfreeze(), for brackets around one's own operations. */
static inline void evi_evbuffer_freeze(struct evbuffer *buf, unsigned ends)
{
	buf->flags |= (uint16_t)ends;
}

static inline void evi_evbuffer_unfreeze(struct evbuffer *buf, unsigned ends)
{
	buf->flags &= (uint16_t)~ends;
}

/* --- Between the files of src/evbuffer/ ------------------------------------------------------ */

/* Nonzero if one thread has the buffer and none of the flags `slow` is set: nothing else to mind.
 * The lock comes first, for the rest may be read only under it. */
static inline int evi_evbuffer_is_plain(const struct evbuffer *buf, unsigned slow)
{
	return buf->lock == NULL && !((unsigned)buf->flags & slow);
}

static inline void evi_evbuffer_lock(struct evbuffer *buf)
{
	evi_lock(buf->lock);
}

/* Unlock a buffer that has no reference left, and destroy it. */
void evi_evbuffer_unlock_last(struct evbuffer *buf);

/* Unlock; destroys the buffer if its last reference went meanwhile. */
static inline void evi_evbuffer_unlock(struct evbuffer *buf)
{
	if (buf->refs > 0)
		evi_unlock(buf->lock);
	else
		evi_evbuffer_unlock_last(buf);
}

/* Drop a reference with the lock held, then unlock; destroys the buffer with the last one. */
void evi_evbuffer_unref_unlock(struct evbuffer *buf);

/* Run the callbacks for a change. */
void evi_evbuffer_tell(struct evbuffer *buf, size_t added, size_t deleted);

/*
 * Tell of a change of the length that is complete; nothing if both are 0. The buffer survives it.
 */
static inline void evi_evbuffer_notify(struct evbuffer *buf, size_t added, size_t deleted)
{
	if ((added != 0 && (buf->flags & EVI_BUF_TELLS_GROWTH)) ||
	    (deleted != 0 && (buf->flags & EVI_BUF_TELLS_LOSS)))
		evi_evbuffer_tell(buf, added, deleted);
}

/* The end of a changing call: notify, then unlock. The buffer may be gone afterwards. */
static inline void evi_evbuffer_finish(struct evbuffer *buf, size_t added, size_t deleted)
{
	evi_evbuffer_notify(buf, added, deleted);
	evi_evbuffer_unlock(buf);
}

/* Release all callbacks and the deferral; part of destruction. */
void evi_evbuffer_callbacks_done(struct evbuffer *buf);

/* Lock two buffers, which may be one or share a lock, in an order all threads agree on. */
void evi_evbuffer_lock_pair(struct evbuffer *a, struct evbuffer *b);

#endif
