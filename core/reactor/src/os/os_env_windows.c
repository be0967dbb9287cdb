/* SPDX-License-Identifier: BSD-3-Clause */
/* The environment on Windows, where a program has the rights of who started it. */

#include "env.h"

#include <stdlib.h>

const char *evi_getenv(const char *name)
{
	return getenv(name);
}
