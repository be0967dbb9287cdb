/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_SYS_EVENT_H_INCLUDED
#define MODEL_SYS_EVENT_H_INCLUDED

/*
 * <sys/event.h> of the model of kqueue(2): names, types and values as FreeBSD has them, as far as
 * they are modelled. With MODEL_OLD_KQUEUE it lacks what NetBSD 9 lacks.
 */

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef MODEL_OLD_KQUEUE
typedef intptr_t model_udata;
#else
typedef void *model_udata;
#endif

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned int fflags;
	int64_t data;
	model_udata udata;
	uint64_t ext[4];
};

#define EVFILT_READ   (-1)
#define EVFILT_WRITE  (-2)
#define EVFILT_SIGNAL (-6)

/* Actions. */
#define EV_ADD     0x0001
#define EV_DELETE  0x0002
#define EV_ENABLE  0x0004
#define EV_DISABLE 0x0008

/* Flags. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR   0x0020
#ifndef MODEL_OLD_KQUEUE
#define EV_RECEIPT  0x0040
#define EV_DISPATCH 0x0080
#endif

/* Returned. */
#define EV_ERROR 0x4000
#define EV_EOF   0x8000

#define EV_SET(kev, id, filt, flag, fflag, dat, user)                                              \
	(*(kev) = (struct kevent) { .ident = (uintptr_t)(id),                                      \
				    .filter = (short)(filt),                                       \
				    .flags = (unsigned short)(flag),                               \
				    .fflags = (fflag),                                             \
				    .data = (dat),                                                 \
				    .udata = (user) })

int kqueue(void);
int kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
	   int nevents, const struct timespec *timeout);

#endif
