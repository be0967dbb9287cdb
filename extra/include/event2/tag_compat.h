/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_TAG_COMPAT_H_INCLUDED_
#define EVENT2_TAG_COMPAT_H_INCLUDED_

#include <event2/tag.h>

#ifdef __cplusplus
extern "C" {
#endif

#define encode_int(evbuf, number) evtag_encode_int(evbuf, number)
#define encode_int64(evbuf, number) evtag_encode_int64(evbuf, number)




#ifdef __cplusplus
}
#endif

#endif
