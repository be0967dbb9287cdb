/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_RPC_COMPAT_H_INCLUDED_
#define EVENT2_RPC_COMPAT_H_INCLUDED_

/**
 * @file event2/rpc_compat.h
 *
 * Old forms of the access macros of event2/rpc.h, which take any number of arguments. They replace
 * the new EVTAG_ASSIGN and EVTAG_GET, so include this after event2/rpc.h, and not in new programs.
 */

#include <event2/rpc.h>

#ifdef __cplusplus
extern "C" {
#endif

#undef EVTAG_ASSIGN
#undef EVTAG_GET

/** @deprecated EVTAG_ASSIGN, EVTAG_ASSIGN_WITH_LEN */
#define EVTAG_ASSIGN(msg, member, ...) ((*(msg)->base->member##_assign)((msg), __VA_ARGS__))
/** @deprecated EVTAG_GET, EVTAG_GET_WITH_LEN */
#define EVTAG_GET(msg, member, ...) ((*(msg)->base->member##_get)((msg), __VA_ARGS__))
/** @deprecated EVTAG_ARRAY_ADD */
#define EVTAG_ADD(msg, member) EVTAG_ARRAY_ADD(msg, member)
/** @deprecated EVTAG_ARRAY_LEN */
#define EVTAG_LEN(msg, member) EVTAG_ARRAY_LEN(msg, member)

#ifdef __cplusplus
}
#endif

#endif
