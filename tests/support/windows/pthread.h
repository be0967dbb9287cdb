/* SPDX-License-Identifier: BSD-3-Clause */
#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <pthread.h>
#include "posix.h"

#define pthread_tryjoin_np(thread, result) _pthread_tryjoin(thread, result)
