/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_IO_H_INCLUDED
#define EVI_OS_IO_H_INCLUDED

/*
 * System calls on descriptors, one implementation per platform (os_io_*.c, os_sendfile_*.c).
 *
 * All return a negative socket error (EVUTIL_SOCKET_ERROR) on failure, and may be called from any
 * thread.
 */

#include <event2/buffer.h>
#include <event2/util.h>

#include <errno.h>
#include <limits.h>

/* Pieces that one call takes at most. Some systems (Solaris) take 16. */
#if defined(IOV_MAX) && IOV_MAX < 128
#define EVI_IO_PIECES_MAX IOV_MAX
#else
#define EVI_IO_PIECES_MAX 128
#endif

/* The code for "not now, try again when ready". */
#ifdef _WIN32
#define EVI_IO_WOULD_BLOCK WSAEWOULDBLOCK
#else
#define EVI_IO_WOULD_BLOCK EAGAIN
#endif

/* Read into the pieces in order; 0 at end of file. */
ev_ssize_t evi_io_read(evutil_socket_t fd, struct evbuffer_iovec *vec, int n_vec);

/* Bytes that wait to be read; 0 if there are none or the system does not tell. */
size_t evi_io_readable(evutil_socket_t fd);

/*
 * Write the pieces in order; never raises SIGPIPE on a socket. `has_more`: more follows at once, so
 * a packet that is not full may wait for it. *plain_fd is the caller's note of the last descriptor
 * that was no socket, -1 at first.
 */
ev_ssize_t evi_io_write(evutil_socket_t fd, struct evbuffer_iovec *vec, int n_vec, int has_more,
			int *plain_fd);

/*
 * Write `len` bytes of a file from `offset` on, without a copy of ours. -ENOSYS where the platform
 * or this pair of descriptors cannot; 0 if the file has none left there.
 */
ev_ssize_t evi_io_send_file(evutil_socket_t to, int file, ev_off_t offset, size_t len);

/* Run `call`, which writes to a socket in a way that could raise SIGPIPE, without the signal. */
ev_ssize_t evi_io_call_quietly(ev_ssize_t (*call)(void *arg), void *arg);

/* --- Files: plain errno codes ----------------------------------------------------------------- */

/*
 * Read exactly `len` bytes at `offset`, leaving the file's position alone. -EIO if there are fewer.
 */
int evi_io_read_at(int file, void *out, size_t len, ev_off_t offset);

/* The size of a regular file; -ESPIPE for anything else. */
int evi_io_file_size(int file, ev_off_t *ret_size);

void evi_io_close(int file);

#endif
