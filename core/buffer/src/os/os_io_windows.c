/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on descriptors: Windows. Sockets only, but for the file calls.
 */

#include "os/os_io.h"

#include <winsock2.h>
#include <windows.h>
#include <io.h>
#include <sys/stat.h>

#define READ_AT_MOST ((size_t)0x40000000)

/* Fills WSABUFs from the pieces; returns how many. */
static DWORD to_wsabuf(const struct evbuffer_iovec *vec, int n_vec, WSABUF *ret_bufs)
{
	int n = n_vec < EVI_IO_PIECES_MAX ? n_vec : EVI_IO_PIECES_MAX;

	for (int i = 0; i < n; i++) {
		ret_bufs[i].buf = vec[i].iov_base;
		ret_bufs[i].len = (ULONG)(vec[i].iov_len < READ_AT_MOST ? vec[i].iov_len
									: READ_AT_MOST);
	}
	return (DWORD)n;
}

ev_ssize_t evi_io_read(evutil_socket_t fd, struct evbuffer_iovec *vec, int n_vec)
{
	WSABUF bufs[EVI_IO_PIECES_MAX];
	DWORD n = 0, flags = 0;

	if (WSARecv(fd, bufs, to_wsabuf(vec, n_vec, bufs), &n, &flags, NULL, NULL) == 0)
		return (ev_ssize_t)n;
	return WSAGetLastError() == WSAEDISCON ? 0 : -WSAGetLastError();
}

size_t evi_io_readable(evutil_socket_t fd)
{
	u_long n;

	return ioctlsocket(fd, FIONREAD, &n) == 0 ? n : 0;
}

ev_ssize_t evi_io_write(evutil_socket_t fd, struct evbuffer_iovec *vec, int n_vec, int has_more,
			int *plain_fd)
{
	WSABUF bufs[EVI_IO_PIECES_MAX];
	DWORD n = 0;

	(void)has_more;
	(void)plain_fd;
	if (WSASend(fd, bufs, to_wsabuf(vec, n_vec, bufs), &n, 0, NULL, NULL) == 0)
		return (ev_ssize_t)n;
	return -WSAGetLastError();
}

static int read_at(HANDLE handle, unsigned char *to, size_t len, ev_off_t offset)
{
	while (len > 0) {
		OVERLAPPED at = { .Offset = (DWORD)offset,
				  .OffsetHigh = (DWORD)((ev_uint64_t)offset >> 32) };
		DWORD n = 0;

		if (!ReadFile(handle, to, (DWORD)(len < READ_AT_MOST ? len : READ_AT_MOST), &n,
			      &at) ||
		    n == 0)
			return -EIO;
		to += n;
		len -= n;
		offset += n;
	}
	return 0;
}

/*
 * ReadFile() moves the position of the file, also when it is told where to read; it is the user's.
 */
int evi_io_read_at(int file, void *out, size_t len, ev_off_t offset)
{
	HANDLE handle = (HANDLE)_get_osfhandle(file);
	LARGE_INTEGER nowhere = { .QuadPart = 0 }, position;
	int has_position = SetFilePointerEx(handle, nowhere, &position, FILE_CURRENT);
	int err = read_at(handle, out, len, offset);

	if (has_position)
		(void)SetFilePointerEx(handle, position, NULL, FILE_BEGIN);
	return err;
}

int evi_io_file_size(int file, ev_off_t *ret_size)
{
	struct _stat64 st;

	if (_fstat64(file, &st) < 0)
		return -errno;
	if (!(st.st_mode & _S_IFREG))
		return -ESPIPE;
	*ret_size = st.st_size;
	return 0;
}

void evi_io_close(int file)
{
	_close(file);
}
