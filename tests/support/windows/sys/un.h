/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_WINDOWS_UN_H_INCLUDED
#define SUPPORT_WINDOWS_UN_H_INCLUDED
#include "../posix.h"
struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};
#endif
