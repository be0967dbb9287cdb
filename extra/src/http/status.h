/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_STATUS_H_INCLUDED
#define HTTP_STATUS_H_INCLUDED

/* The standard phrase of a status code; of its class, if the code is not known. Never NULL. */
const char *evi_status_phrase(int code);

#endif
