/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The structs that have a timeval inside, where pointers have 32 bits and both members of a timeval
 * 64 (_TIME_BITS=64); the others are as in layout_rows.h.
 *
 *   WHOLE(struct, size on i386, ILP32)
 *   FIELD(struct, member, offset and size on i386, on ILP32)
 */

/* clang-format off */
WHOLE(event, 80, 88)
FIELD(event, ev_evcallback, 0, 20, 0, 20)
FIELD(event, ev_timeout_pos, 20, 8, 20, 8)
FIELD(event, ev_fd, 28, 4, 28, 4)
FIELD(event, ev_base, 32, 4, 32, 4)
FIELD(event, ev_, 36, 24, 40, 24)
FIELD(event, ev_.ev_io, 36, 24, 40, 24)
FIELD(event, ev_.ev_io.ev_io_next, 36, 8, 40, 8)
FIELD(event, ev_.ev_io.ev_timeout, 44, 16, 48, 16)
FIELD(event, ev_.ev_signal.ev_signal_next, 36, 8, 40, 8)
FIELD(event, ev_.ev_signal.ev_ncalls, 44, 2, 48, 2)
FIELD(event, ev_.ev_signal.ev_pncalls, 48, 4, 52, 4)
FIELD(event, ev_events, 60, 2, 64, 2)
FIELD(event, ev_res, 62, 2, 66, 2)
FIELD(event, ev_timeout, 64, 16, 72, 16)

WHOLE(bufferevent, 244, 264)
FIELD(bufferevent, ev_base, 0, 4, 0, 4)
FIELD(bufferevent, be_ops, 4, 4, 4, 4)
FIELD(bufferevent, ev_read, 8, 80, 8, 88)
FIELD(bufferevent, ev_write, 88, 80, 96, 88)
FIELD(bufferevent, input, 168, 4, 184, 4)
FIELD(bufferevent, output, 172, 4, 188, 4)
FIELD(bufferevent, wm_read, 176, 8, 192, 8)
FIELD(bufferevent, wm_write, 184, 8, 200, 8)
FIELD(bufferevent, readcb, 192, 4, 208, 4)
FIELD(bufferevent, writecb, 196, 4, 212, 4)
FIELD(bufferevent, errorcb, 200, 4, 216, 4)
FIELD(bufferevent, cbarg, 204, 4, 220, 4)
FIELD(bufferevent, timeout_read, 208, 16, 224, 16)
FIELD(bufferevent, timeout_write, 224, 16, 240, 16)
FIELD(bufferevent, enabled, 240, 2, 256, 2)
/* clang-format on */
