/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_POLL_MASK_H_INCLUDED
#define EVI_POLL_MASK_H_INCLUDED

/*
 * Interest in the bits of poll(), and back: for all that speak its language. `closed` is the bit
 * that tells of a peer that will send no more; 0 where there is none, and then EVI_CLOSED, which
 * cannot be told from readability, asks for nothing.
 */

#include "../backend.h"

#include <poll.h>

static inline short evi_poll_mask(unsigned interest, int closed)
{
	return (short)((interest & EVI_READ ? POLLIN : 0) | (interest & EVI_WRITE ? POLLOUT : 0) |
		       (interest & EVI_CLOSED ? closed : 0));
}

/* A hangup, an error or a closed descriptor is for everybody. */
static inline unsigned evi_poll_interest(int mask, int closed)
{
	unsigned what = 0;

	if (mask & (POLLHUP | POLLERR | POLLNVAL))
		what |= EVI_READ | EVI_WRITE | (closed != 0 ? EVI_CLOSED : 0);
	if (mask & (POLLIN | POLLPRI))
		what |= EVI_READ;
	if (mask & POLLOUT)
		what |= EVI_WRITE;
	if (mask & closed)
		what |= EVI_CLOSED;
	return what;
}

#endif
