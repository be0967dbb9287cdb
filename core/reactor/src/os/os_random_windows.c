/* SPDX-License-Identifier: BSD-3-Clause */
/* BCryptGenRandom(). */

#include "os_random.h"

#include <errno.h>
#include <windows.h>
#include <bcrypt.h>

int evi_os_random(void *buf, size_t n)
{
	unsigned char *p = buf;

	while (n > 0) {
		ULONG some = n < 65536 ? (ULONG)n : 65536;

		if (BCryptGenRandom(NULL, p, some, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
			return -EIO;
		p += some;
		n -= some;
	}
	return 0;
}

int evi_os_random_set_device(const char *name)
{
	(void)name;
	return -1;
}
