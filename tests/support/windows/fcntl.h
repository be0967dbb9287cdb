/* SPDX-License-Identifier: BSD-3-Clause */
#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <fcntl.h>
#include <io.h>
#include "posix.h"
