/* SPDX-License-Identifier: BSD-3-Clause */
/* event2/util.h and its macros from C++: UTIL-010. Compiling is most of the test. */

#include <event2/listener.h>
#include <event2/util.h>

#include <cstring>

struct pair {
	char first;
	int second;
};

int main()
{
	struct timeval a = { 1, 500000 }, b = { 2, 700000 }, c;
	ev_uint64_t big = EV_UINT64_MAX;

	evutil_timersub(&a, &b, &c);
	if (c.tv_sec != -2 || c.tv_usec != 800000 || !evutil_timercmp(&a, &b, <))
		return 1;
	evutil_timeradd(&a, &b, &c);
	evutil_timerclear(&a);
	if (evutil_timerisset(&a) || evutil_gettimeofday(&a, nullptr) != 0)
		return 2;
	if (evutil_offsetof(struct pair, second) != sizeof(int) || ++big != 0)
		return 3;
	EVUTIL_SET_SOCKET_ERROR(EINTR);
	return EVUTIL_SOCKET_ERROR() == EINTR && evutil_ascii_strcasecmp("A", "a") == 0 ? 0 : 4;
}
