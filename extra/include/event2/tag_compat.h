/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_TAG_COMPAT_H_INCLUDED_
#define EVENT2_TAG_COMPAT_H_INCLUDED_

/**
 * @file event2/tag_compat.h
 *
 * Old names of functions of event2/tag.h. They have no prefix: do not include this in new programs.
 */

#include <event2/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Old names. @deprecated use evtag_encode_int() and evtag_encode_int64() */
#define encode_int(evbuf, number) evtag_encode_int(evbuf, number)
#define encode_int64(evbuf, number) evtag_encode_int64(evbuf, number)

#ifdef __cplusplus
}
#endif

#endif
