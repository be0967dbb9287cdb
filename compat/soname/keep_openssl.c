/* SPDX-License-Identifier: BSD-3-Clause */
/* One symbol of each dependency, so that no linker drops it as unneeded. */

#include <event2/bufferevent_ssl.h>

__attribute__((used, visibility("hidden"))) void (*const evi_keep_openssl_[])(void) = {
	(void (*)(void))bufferevent_openssl_socket_new,
};
