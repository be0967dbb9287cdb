/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_H_INCLUDED
#define FUZZ_H_INCLUDED

/*
 * What the fuzz targets share. A target is one file that defines LLVMFuzzerTestOneInput(): bytes
 * in, an abort when something that must always hold does not.
 *
 * The same file is linked to libFuzzer, which looks for new paths, and to replay.c, which runs the
 * corpus and a fixed number of its mutations wherever there is no libFuzzer.
 */

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/util.h>

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input that a target takes its decisions from; all zeroes once it is used up. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

unsigned fuzz_byte(struct fuzz_input *in);
unsigned fuzz_u16(struct fuzz_input *in);

/* Up to `max` bytes of the input; *len of them are there. */
const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t max, size_t *len);

/* A copy of the rest with a NUL behind; free() it. */
char *fuzz_text(struct fuzz_input *in);

/* Ends the process, and says where, unless `holds`. */
#define FUZZ_REQUIRE(holds) fuzz_require((holds) != 0, #holds, __FILE__, __LINE__)
void fuzz_require(int holds, const char *what, const char *file, int line);

/*
 * The base of this process, made at the first call; what the library logs goes nowhere from then
 * on.
 */
struct event_base *fuzz_base(void);

/* Turns the loop until *flag is nonzero; the process ends if that takes seconds. */
void fuzz_run_until(const int *flag);

/* Turns the loop until nothing more happens at once. */
void fuzz_settle(void);

/* A listening TCP socket on 127.0.0.1, nonblocking; and a blocking connection to it. */
evutil_socket_t fuzz_listen(struct sockaddr_storage *address, ev_socklen_t *len);
evutil_socket_t fuzz_connect(const struct sockaddr_storage *address, ev_socklen_t len);

/* A name through which the bytes can be read as a file, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/*
 * From here on count what the library has allocated: now, and at most. Before anything is
 * allocated.
 */
void fuzz_count_memory(void);
void fuzz_free(void *block); /* what the library handed out meanwhile */
size_t fuzz_memory_now(void);
size_t fuzz_memory_peak(void);
void fuzz_memory_restart(void);

#endif
