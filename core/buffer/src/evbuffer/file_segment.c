/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * File segments; see file_segment.h.
 *
 * Lock: `lock` guards `contents` until it is set; from then on, and for everything set at creation,
 * no lock is needed. References are atomic.
 */

#include "evbuffer/file_segment.h"

#include "chain/chain.h"
#include "os/os_io.h"
#include "evbuffer/store.h"

#include <errno.h>

/* Up to these sizes a segment that is not sent by descriptor is read whole when it is added. */
#define WHOLE_MAX     ((ev_off_t)1024 * 1024)
#define WHOLE_OWN_MAX ((ev_off_t)16384) /* from here on sendfile(2) costs less than copies */

struct evbuffer_file_segment {
	uint32_t refs; /* the creator and all chains */
	unsigned flags;
	int fd;
	ev_off_t offset; /* in the file */
	ev_off_t len;
	int is_regular;
	void *lock;
	unsigned char *contents; /* owned; NULL until read */
	evbuffer_file_segment_cleanup_cb cleanup;
	void *cleanup_arg;
};

void evi_segment_ref(struct evbuffer_file_segment *segment)
{
	__atomic_fetch_add(&segment->refs, 1, __ATOMIC_RELAXED);
}

void evi_segment_unref(struct evbuffer_file_segment *segment)
{
	if (__atomic_fetch_sub(&segment->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	if (segment->flags & EVBUF_FS_CLOSE_ON_FREE)
		evi_io_close(segment->fd);
	if (segment->cleanup != NULL)
		segment->cleanup(segment, (int)segment->flags, segment->cleanup_arg);
	evi_lock_free(segment->lock);
	evi_free(segment->contents);
	evi_free(segment);
}

int evi_segment_read(const struct evbuffer_file_segment *segment, ev_off_t offset, void *out,
		     size_t len)
{
	return evi_io_read_at(segment->fd, out, len, segment->offset + offset);
}

ev_ssize_t evi_segment_send(const struct evbuffer_file_segment *segment, evutil_socket_t to,
			    ev_off_t offset, size_t len)
{
	if (segment->flags & EVBUF_FS_DISABLE_SENDFILE)
		return -ENOSYS;
	return evi_io_send_file(to, segment->fd, segment->offset + offset, len);
}

int evi_segment_place(const struct evbuffer_file_segment *segment, ev_off_t offset, int *ret_fd,
		      ev_off_t *ret_place)
{
	if (segment->flags & EVBUF_FS_DISABLE_SENDFILE)
		return 0;
	*ret_fd = segment->fd;
	*ret_place = segment->offset + offset;
	return 1;
}

static int read_contents(struct evbuffer_file_segment *segment)
{
	unsigned char *contents;
	int err;

	if (segment->contents != NULL || segment->len == 0)
		return 0;
	if (segment->len > (ev_off_t)EV_SSIZE_MAX)
		return -EOVERFLOW;
	contents = evi_malloc((size_t)segment->len);
	if (contents == NULL)
		return -ENOMEM;
	err = evi_segment_read(segment, 0, contents, (size_t)segment->len);
	if (err < 0)
		evi_free(contents);
	else
		segment->contents = contents;
	return err;
}

/*
 * Resolves a length of -1, and checks what can be checked. Returns 1; 0 if it is no regular file,
 * so that the first use will tell; or a negative errno.
 */
static int check_range(int fd, ev_off_t offset, ev_off_t *length)
{
	ev_off_t size;
	int err;

	if (offset < 0 || *length < -1 || (*length > 0 && offset > EV_INT64_MAX - *length))
		return -EINVAL;
	err = evi_io_file_size(fd, &size);
	if (err == -ESPIPE && *length >= 0)
		return 0;
	if (err < 0)
		return err;
	if (*length == -1)
		*length = offset <= size ? size - offset : -1;
	return *length >= 0 && offset + *length <= size ? 1 : -ERANGE;
}

/*
 * What is larger stays in the file. A descriptor that is not ours may be closed too early, which
 * did no harm to small segments before; and what is read once can be sent many times.
 */
static ev_off_t whole_max(const struct evbuffer_file_segment *segment)
{
	return segment->is_regular && segment->flags & EVBUF_FS_CLOSE_ON_FREE ? WHOLE_OWN_MAX
									      : WHOLE_MAX;
}

/* Whether the bytes are taken now, once for all. */
static int is_snapshot(const struct evbuffer_file_segment *segment)
{
	return segment->flags & EVBUF_FS_DISABLE_SENDFILE &&
	       (segment->flags & EVBUF_FS_DISABLE_MMAP || segment->len <= whole_max(segment));
}

struct evbuffer_file_segment *evbuffer_file_segment_new(int fd, ev_off_t offset, ev_off_t length,
							unsigned flags)
{
	struct evbuffer_file_segment *segment;
	int is_regular = check_range(fd, offset, &length);

	if (is_regular < 0)
		return NULL;
	segment = evi_calloc(1, sizeof(*segment));
	if (segment == NULL)
		return NULL;
	segment->refs = 1;
	segment->flags = flags;
	segment->fd = fd;
	segment->offset = offset;
	segment->len = length;
	segment->is_regular = is_regular;
	if (evi_threading_enabled() && !(flags & EVBUF_FS_DISABLE_LOCKING)) {
		segment->lock = evi_lock_new();
		if (segment->lock == NULL)
			goto fail;
	}
	if (is_snapshot(segment) && read_contents(segment) < 0)
		goto fail;
	return segment;

fail: /* the descriptor stays the caller's */
	evi_lock_free(segment->lock);
	evi_free(segment);
	return NULL;
}

void evbuffer_file_segment_free(struct evbuffer_file_segment *segment)
{
	if (segment != NULL)
		evi_segment_unref(segment);
}

void evbuffer_file_segment_add_cleanup_cb(struct evbuffer_file_segment *segment,
					  evbuffer_file_segment_cleanup_cb cleanup, void *arg)
{
	segment->cleanup = cleanup;
	segment->cleanup_arg = arg;
}

/* --- Adding to buffers ------------------------------------------------------------------------ */

/* Whether the bytes stay in the file for now. Reading them piecewise is what a mapping would do. */
static int stays_in_file(const struct evbuffer *buf, const struct evbuffer_file_segment *segment)
{
	if (!(segment->flags & EVBUF_FS_DISABLE_SENDFILE) && buf->flags & EVI_BUF_DRAINS_TO_FD)
		return 1;
	return !(segment->flags & EVBUF_FS_DISABLE_MMAP) && segment->len > whole_max(segment);
}

static int load_once(struct evbuffer_file_segment *segment)
{
	int err;

	evi_lock(segment->lock);
	err = read_contents(segment);
	evi_unlock(segment->lock);
	return err;
}

static int add_locked(struct evbuffer *buf, struct evbuffer_file_segment *segment, ev_off_t offset,
		      size_t len)
{
	struct evi_chain_file *file;
	int is_file = stays_in_file(buf, segment), err;

	if (!is_file) {
		err = load_once(segment);
		if (err < 0)
			return err;
	}
	file = evi_calloc(1, sizeof(*file));
	if (file == NULL)
		return -ENOMEM;
	file->chain.kind = is_file ? EVI_CHAIN_FILE : EVI_CHAIN_SEGMENT;
	file->chain.data = is_file ? NULL : segment->contents + offset;
	file->chain.len = len;
	file->chain.refs = 1;
	file->segment = segment;
	file->end = offset + (ev_off_t)len;
	evi_segment_ref(segment);
	evi_store_link(buf, &file->chain);
	if (is_file)
		buf->flags |= EVI_BUF_UNLOADED;
	return 0;
}

static int check_part(const struct evbuffer *buf, const struct evbuffer_file_segment *segment,
		      ev_off_t offset, ev_off_t *length)
{
	if (buf->flags & EVI_BUF_FROZEN_END)
		return -EPERM;
	if (offset < 0 || offset > segment->len || *length < -1)
		return -EINVAL;
	if (*length == -1)
		*length = segment->len - offset;
	if (*length > segment->len - offset)
		return -EINVAL;
	return (ev_uint64_t)*length > SIZE_MAX - buf->len ? -EOVERFLOW : 0;
}

int evbuffer_add_file_segment(struct evbuffer *buf, struct evbuffer_file_segment *segment,
			      ev_off_t offset, ev_off_t length)
{
	int err;

	evi_evbuffer_lock(buf);
	err = check_part(buf, segment, offset, &length);
	if (err == 0 && length > 0)
		err = add_locked(buf, segment, offset, (size_t)length);
	evi_evbuffer_finish(buf, err < 0 ? 0 : (size_t)length, 0);
	return err < 0 ? -1 : 0;
}

int evbuffer_add_file(struct evbuffer *buf, int fd, ev_off_t offset, ev_off_t length)
{
	struct evbuffer_file_segment *segment;
	int result;

	segment = evbuffer_file_segment_new(fd, offset, length, EVBUF_FS_CLOSE_ON_FREE);
	if (segment == NULL) {
		evi_io_close(fd);
		return -1;
	}
	result = evbuffer_add_file_segment(buf, segment, 0, length);
	evbuffer_file_segment_free(segment);
	return result;
}
