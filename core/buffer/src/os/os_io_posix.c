/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on descriptors: POSIX. A single piece goes by the plain call, which is cheaper.
 */

#include "os/os_io.h"

#include <event2/event-config.h>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* these systems have SO_NOSIGPIPE, which the reactor sets on its sockets */
#endif

#ifndef MSG_MORE
#define MSG_MORE 0
#endif

/* The most a single read(2) may be asked for everywhere. */
#define READ_AT_MOST ((size_t)0x40000000)

ev_ssize_t evi_io_read(evutil_socket_t fd, struct evbuffer_iovec *vec, int n_vec)
{
	ssize_t n = n_vec == 1 ? read(fd, vec->iov_base, vec->iov_len) : readv(fd, vec, n_vec);

	return n < 0 ? -errno : n;
}

size_t evi_io_readable(evutil_socket_t fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

static ssize_t write_socket(int fd, struct evbuffer_iovec *vec, int n_vec, int flags)
{
	struct msghdr message = { .msg_iov = vec };

	if (n_vec == 1)
		return send(fd, vec->iov_base, vec->iov_len, flags);
	message.msg_iovlen = (size_t)n_vec;
	return sendmsg(fd, &message, flags);
}

static ssize_t write_plain(int fd, struct evbuffer_iovec *vec, int n_vec)
{
	return n_vec == 1 ? write(fd, vec->iov_base, vec->iov_len) : writev(fd, vec, n_vec);
}

ev_ssize_t evi_io_write(evutil_socket_t fd, struct evbuffer_iovec *vec, int n_vec, int has_more,
			int *plain_fd)
{
	ssize_t n;

	if (fd != *plain_fd) {
		n = write_socket(fd, vec, n_vec, MSG_NOSIGNAL | (has_more ? MSG_MORE : 0));
		if (n >= 0 || errno != ENOTSOCK)
			return n < 0 ? -errno : n;
		*plain_fd = fd;
	}
	n = write_plain(fd, vec, n_vec);
	return n < 0 ? -errno : n;
}

int evi_io_read_at(int file, void *out, size_t len, ev_off_t offset)
{
	unsigned char *to = out;

	while (len > 0) {
		ssize_t n = pread(file, to, len < READ_AT_MOST ? len : READ_AT_MOST, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		to += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

int evi_io_file_size(int file, ev_off_t *ret_size)
{
	struct stat st;

	if (fstat(file, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ESPIPE;
	*ret_size = st.st_size;
	return 0;
}

void evi_io_close(int file)
{
	close(file);
}
