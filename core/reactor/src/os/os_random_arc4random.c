/* SPDX-License-Identifier: BSD-3-Clause */
/* arc4random(3), where it is the system's own generator: BSD, macOS, illumos. It cannot fail. */

#include "os_random.h"

#include <stdlib.h>

int evi_os_random(void *buf, size_t n)
{
	arc4random_buf(buf, n);
	return 0;
}

int evi_os_random_set_device(const char *name)
{
	(void)name;
	return -1;
}
