/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_PTHREADS_H_INCLUDED_
#define EVENT2_COMPONENT_PTHREADS_H_INCLUDED_

/**
 * @file event2/component/pthreads.h
 *
 * Its presence on the include path says that libevent_pthreads is there: event2/event-config.h
 * looks for it and defines EVENT__HAVE_PTHREADS. The functions are declared in event2/thread.h.
 */

#endif
