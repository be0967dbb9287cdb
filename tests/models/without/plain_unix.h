/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Included before each file of a component that is built as for another Unix: takes away what only
 * Linux, or Linux and some, have beyond POSIX, so that the code for systems without it is what is
 * compiled.
 */

#include <event2/event-config.h>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#undef POLLRDHUP
#undef SOCK_NONBLOCK
#undef SOCK_CLOEXEC
#undef CLOCK_MONOTONIC_COARSE
#undef TCP_DEFER_ACCEPT
#undef TCP_KEEPIDLE
#undef TCP_KEEPINTVL
#undef TCP_KEEPCNT
#undef SO_REUSEPORT
#undef EVENT__HAVE_ACCEPT4
#undef EVENT__HAVE_GETRANDOM
#undef EVENT__HAVE_PIPE2
#undef EVENT__HAVE_SECURE_GETENV
#undef MSG_MORE
#undef MSG_FASTOPEN
#undef TCP_CORK
#undef SO_BINDTODEVICE
#undef SO_DOMAIN
#undef SO_PROTOCOL
#undef O_TMPFILE
#undef TEMP_FAILURE_RETRY

#pragma GCC poison accept4 close_range getrandom gettid memrchr mempcpy pipe2 ppoll prlimit        \
	pthread_setname_np qsort_r rawmemchr recvmmsg secure_getenv sendmmsg sendfile splice       \
		strchrnul vmsplice
