/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_ADDRESS_H_INCLUDED
#define EVI_ADDRESS_H_INCLUDED

/* What the address functions share. */

#include "../os/os_net.h"

#include <event2/util.h>

union evi_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Sets the family, and the length where the system has such a member; returns the length. */
static inline int evi_sockaddr_set_family(union evi_sockaddr *sa, int family)
{
	int len = family == AF_INET ? (int)sizeof(sa->in) : (int)sizeof(sa->in6);

	sa->sa.sa_family = (unsigned char)family;
#ifdef EVENT__HAVE_STRUCT_SOCKADDR_IN_SIN_LEN
	sa->in.sin_len = (uint8_t)len;
#endif
	return len;
}

/*
 * A decimal number up to `max`, digits only; the end of it, or NULL if there is none or it is
 * above.
 */
const char *evi_parse_decimal(const char *text, uint32_t max, uint32_t *ret_value);

#endif
