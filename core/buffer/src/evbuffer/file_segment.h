/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_FILE_SEGMENT_H_INCLUDED
#define EVI_FILE_SEGMENT_H_INCLUDED

/*
 * A range of an open file, shared by all chains that show parts of it.
 *
 * Never mapped: a mapped file that somebody truncates kills its readers, and page faults cost more
 * than pread(2). A segment is either read into memory as a whole, once, or sent and read piecewise
 * by descriptor; doc/design has the measurements.
 */

#include <event2/buffer.h>

#include <stddef.h>

struct evbuffer_file_segment;

void evi_segment_ref(struct evbuffer_file_segment *segment);
void evi_segment_unref(struct evbuffer_file_segment *segment);

/*
 * Read `len` bytes from `offset` on, counted from the segment's start; 0 or a negative errno, -EIO
 * if the file has become shorter.
 */
int evi_segment_read(const struct evbuffer_file_segment *segment, ev_off_t offset, void *out,
		     size_t len);

/*
 * Send to a descriptor; bytes sent or a negative errno. -ENOSYS if these bytes have to be read and
 * written.
 */
ev_ssize_t evi_segment_send(const struct evbuffer_file_segment *segment, evutil_socket_t to,
			    ev_off_t offset, size_t len);

/* Where in which file `offset` is; 0, with nothing set, if its descriptor may not be sent from. */
int evi_segment_place(const struct evbuffer_file_segment *segment, ev_off_t offset, int *ret_fd,
		      ev_off_t *ret_place);

#endif
