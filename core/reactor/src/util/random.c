/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Secure random numbers: the kernel's, asked for anew each time, so there is no state that threads
 * could race for or a fork could double. Weak numbers are never given out.
 */

#include "../os/os_random.h"

#include <event2/component/reactor.h>

int evutil_secure_rng_init(void)
{
	unsigned char byte;

	return evi_os_random(&byte, sizeof(byte)) < 0 ? -1 : 0;
}

void evutil_secure_rng_get_bytes(void *buf, size_t n)
{
	if (n > 0 && evi_os_random(buf, n) < 0)
		evi_fatal_misuse("the system gives no random numbers");
}

/* The kernel gathers its own. */
void evutil_secure_rng_add_bytes(const char *dat, size_t datlen)
{
	(void)dat;
	(void)datlen;
}

int evutil_secure_rng_set_urandom_device_file(char *fname)
{
	return evi_os_random_set_device(fname);
}
