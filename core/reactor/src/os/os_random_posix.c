/* SPDX-License-Identifier: BSD-3-Clause */
/* getrandom(2) where there is one, and the device otherwise (random(4)). */

#include "os_random.h"

#include <event2/event-config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(EVENT__HAVE_GETRANDOM) && defined(EVENT__HAVE_SYS_RANDOM_H)
#include <sys/random.h>

static ssize_t ask_kernel(void *buf, size_t n)
{
	return getrandom(buf, n, 0);
}

#else

static ssize_t ask_kernel(void *buf, size_t n)
{
	(void)buf;
	(void)n;
	errno = ENOSYS;
	return -1;
}

#endif

static const char *device = "/dev/urandom";

static int read_device(unsigned char *buf, size_t n)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC | O_NOCTTY), err = 0;

	if (fd < 0)
		return -errno;
	while (n > 0 && err == 0) {
		ssize_t got = read(fd, buf, n);

		if (got > 0) {
			buf += got;
			n -= (size_t)got;
		} else if (got == 0 || errno != EINTR) {
			err = got == 0 ? -EIO : -errno;
		}
	}
	(void)close(fd);
	return err;
}

int evi_os_random(void *buf, size_t n)
{
	unsigned char *p = buf;

	while (n > 0) {
		ssize_t got = ask_kernel(p, n);

		if (got < 0 && errno == ENOSYS)
			return read_device(p, n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

int evi_os_random_set_device(const char *name)
{
	unsigned char byte;

	if (name == NULL || ask_kernel(&byte, sizeof(byte)) > 0)
		return -1;
	device = name;
	return 0;
}
