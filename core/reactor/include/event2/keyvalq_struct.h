/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_KEYVALQ_STRUCT_H_INCLUDED_
#define EVENT2_KEYVALQ_STRUCT_H_INCLUDED_

/**
 * @file event2/keyvalq_struct.h
 *
 * A list of names and values, as of headers and queries (event2/http.h): a tail queue in the manner
 * of <sys/queue.h>, which is not needed. Walk it with its macros or by hand: from `tqh_first` along
 * `next.tqe_next`. Use evhttp_add_header() and evhttp_remove_header() to change it, and
 * evhttp_clear_headers() to empty it: the library allocates entries in its own way.
 *
 * Available since 2.0.
 */

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TAILQ_ENTRY
#define EVI_DEFINED_TQENTRY_
#define TAILQ_ENTRY(type) struct { struct type *tqe_next; struct type **tqe_prev; }
#endif
#ifndef TAILQ_HEAD
#define EVI_DEFINED_TQHEAD_
#define TAILQ_HEAD(name, type) struct name { struct type *tqh_first; struct type **tqh_last; }
#endif
/** A pair; both strings are the list's. */
struct evkeyval {
	TAILQ_ENTRY(evkeyval) next;
	char *key;
	char *value;
};
/** The list. */
TAILQ_HEAD(evkeyvalq, evkeyval);
#ifdef EVI_DEFINED_TQENTRY_
#undef TAILQ_ENTRY
#undef EVI_DEFINED_TQENTRY_
#endif
#ifdef EVI_DEFINED_TQHEAD_
#undef TAILQ_HEAD
#undef EVI_DEFINED_TQHEAD_
#endif
#ifdef EVI_DEFINED_LISTENTRY_
#undef LIST_ENTRY
#undef EVI_DEFINED_LISTENTRY_
#endif
#ifdef EVI_DEFINED_LISTHEAD_
#undef LIST_HEAD
#undef EVI_DEFINED_LISTHEAD_
#endif

#ifdef __cplusplus
}
#endif

#endif
