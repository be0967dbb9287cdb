/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_KEYVALQ_STRUCT_H_INCLUDED_
#define EVENT2_KEYVALQ_STRUCT_H_INCLUDED_


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
struct evkeyval {
	TAILQ_ENTRY(evkeyval) next;
	char *key;
	char *value;
};
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
