/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NOTES_H_INCLUDED
#define NOTES_H_INCLUDED

/* What both sides of the service need: the messages, and which of them make the RPC. */

#include <event2/rpc.h>
#include <event2/rpc_struct.h>

#include "notes.gen.h"

EVRPC_HEADER(Write, note, receipt)

#endif
