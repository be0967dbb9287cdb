/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_DEFLATE_PARAMS_H_INCLUDED
#define WS_DEFLATE_PARAMS_H_INCLUDED

#include <stddef.h>

#define EVI_WS_DEFLATE_NAME "permessage-deflate"

enum evi_ws_deflate_param {
	EVI_WS_SERVER_FORGETS,
	EVI_WS_CLIENT_FORGETS,
	EVI_WS_SERVER_BITS,
	EVI_WS_CLIENT_BITS,
	EVI_WS_DEFLATE_PARAMETERS
};

/* -1: absent; 0: without value */
struct evi_ws_deflate_params {
	int value[EVI_WS_DEFLATE_PARAMETERS];
};

/* Reads one offer or answer, "permessage-deflate; a; b=1"; 0 if it is anything else. */
int evi_ws_deflate_parse(const char *text, size_t len, struct evi_ws_deflate_params *params);

#endif
