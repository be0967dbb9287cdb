/* SPDX-License-Identifier: BSD-3-Clause */
/* The process's asynchronous resolver, if the component that has one is loaded and in use. */

#include <event2/component/buffer.h>

#include <stdatomic.h>

static _Atomic(const struct evi_resolver *) registered;

void evi_resolver_register(const struct evi_resolver *resolver)
{
	atomic_store(&registered, resolver);
}

const struct evi_resolver *evi_resolver_get(void)
{
	return atomic_load(&registered);
}
