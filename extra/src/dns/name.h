/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_NAME_H_INCLUDED
#define DNS_NAME_H_INCLUDED

/* Domain names as text: labels with dots between them, no final dot; the root is "". */

#include <event2/component/reactor.h>

#include <stddef.h>
#include <stdint.h>

/* Text of a name that may be asked for: RFC 1035 section 2.3.4 allows 255 bytes on the wire. */
#define EVI_DNS_NAME_MAX  253
#define EVI_DNS_LABEL_MAX 63

/* Room for the text of any name that is read, with its NUL. */
#define EVI_DNS_NAME_SIZE 256

/* Nonzero if `name`, without one final dot, has proper labels and is not too long. */
int evi_dns_name_is_valid(const char *name, size_t max);

/* The length without one final dot. */
size_t evi_dns_name_len(const char *name);

/* Equal without regard to ASCII case and one final dot. */
int evi_dns_name_equals(const char *a, const char *b);

/* Dots inside, as ndots counts them. */
int evi_dns_name_dots(const char *name);

/*
 * Changes the case of those letters whose bit is set; in text or on the wire, where lengths are no
 * letters.
 */
void evi_dns_name_flip_case(uint8_t *name, size_t len, const uint8_t *bits);

/* The same for names that differ in case only. Who does not know the secret cannot foresee it. */
uint32_t evi_dns_name_hash(const char *name, size_t len, uint64_t secret);

/* A valid name as it stands in messages: up to two bytes more than the text. Its length there. */
size_t evi_dns_name_to_wire(const char *name, uint8_t *wire);

#endif
