/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT1_EVENT_H_INCLUDED_
#define EVENT1_EVENT_H_INCLUDED_

/**
 * @file event.h
 *
 * The 1.x header: the loop, the buffers and the tags in one, with the 1.x calls that
 * work on a global base. New programs include the event2/ headers they use.
 */

#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/event_struct.h>
#include <event2/event.h>
#include <event2/event_compat.h>
#include <event2/buffer.h>
#include <event2/buffer_compat.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/bufferevent_compat.h>
#include <event2/tag.h>
#include <event2/tag_compat.h>

#endif
