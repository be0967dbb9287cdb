/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_WATCH_H_INCLUDED_
#define EVENT2_WATCH_H_INCLUDED_

/**
 * @file event2/watch.h
 *
 * Watchers: functions that the loop calls right before and right after each wait.
 *
 * For measuring, and for tying other loops to this one. Each kind is called in the order in which
 * its watchers were made, in every round that gets as far as the wait. Callbacks may use the base,
 * and make and free watchers; one made during a walk is first called in the next round. Watchers do
 * not keep the loop alive. With threads they may be made and freed from any.
 */

#include <event2/visibility.h>
#include <sys/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
/** A watcher of either kind. */
struct evwatch;
/** What a check callback can ask about: nothing yet. */
struct evwatch_check_cb_info;
/** What a prepare callback can ask about: evwatch_prepare_get_timeout(). */
struct evwatch_prepare_cb_info;


/** Called before the wait: the watcher, what to ask about (valid during the call), its argument. */
typedef void (*evwatch_prepare_cb)(struct evwatch *, const struct evwatch_prepare_cb_info *,
				   void *);
/** Called after the wait: the watcher, what to ask about (valid during the call), its argument. */
typedef void (*evwatch_check_cb)(struct evwatch *, const struct evwatch_check_cb_info *, void *);

/**
 * Return the base of a watcher. @since 2.2
 */
EVENT2_EXPORT_SYMBOL
struct event_base *evwatch_base(struct evwatch *watcher);

/**
 * Call a function right after each wait, before timeouts and events are processed.
 *
 * Not called after a wait that failed.
 *
 * @param base      the base; NULL gives NULL
 * @param callback  what to call, in the loop's thread and without a lock
 * @param arg       passed to it
 * @return a watcher that the caller gives back with evwatch_free(), or that dies with its base;
 *         NULL without memory
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
struct evwatch *evwatch_check_new(struct event_base *base, evwatch_check_cb callback, void *arg);

/**
 * Remove a watcher and free it.
 *
 * Also in its own callback, or in another watcher's: it is not called any more. Before its base is
 * freed, or not at all.
 *
 * @param watcher  the watcher; NULL does nothing
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evwatch_free(struct evwatch *watcher);

/**
 * Tell how long the wait that follows may take.
 *
 * What prepare watchers change after that (an event made active, an earlier timeout) counts all the
 * same.
 *
 * @param info     as given to the prepare callback
 * @param timeout  out: the planned wait, if it is limited
 * @return 1 if `timeout` was set; 0, leaving it alone, if there is no limit
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evwatch_prepare_get_timeout(const struct evwatch_prepare_cb_info *info,
				struct timeval *timeout);

/**
 * Call a function right before each wait.
 *
 * @param base      the base; NULL gives NULL
 * @param callback  what to call, in the loop's thread and without a lock
 * @param arg       passed to it
 * @return as evwatch_check_new()
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
struct evwatch *evwatch_prepare_new(struct event_base *base, evwatch_prepare_cb callback,
				    void *arg);

#ifdef __cplusplus
}
#endif

#endif
