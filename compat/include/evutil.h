/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT1_EVUTIL_H_INCLUDED_
#define EVENT1_EVUTIL_H_INCLUDED_

/**
 * @file evutil.h
 *
 * The 1.x name of event2/util.h.
 */

#include <event2/util.h>

#endif
