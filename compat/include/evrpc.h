/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT1_EVRPC_H_INCLUDED_
#define EVENT1_EVRPC_H_INCLUDED_

/**
 * @file evrpc.h
 *
 * The 1.x header of RPC over HTTP. New programs include event2/rpc.h.
 */

#include <event.h>
#include <event2/rpc.h>
#include <event2/rpc_struct.h>
#include <event2/rpc_compat.h>

#endif
