/* SPDX-License-Identifier: BSD-3-Clause */
/* The library is all re-exports; a translation unit may not be empty. */

extern const char evi_reexport_[];
const char evi_reexport_[] = "libevent";
