/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT1_EVHTTP_H_INCLUDED_
#define EVENT1_EVHTTP_H_INCLUDED_

/**
 * @file evhttp.h
 *
 * The 1.x header of HTTP. New programs include event2/http.h.
 */

#include <event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/http_compat.h>

#endif
