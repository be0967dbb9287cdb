/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target without libFuzzer: the files of a corpus, and mutations of them that are the
 * same on every machine.
 *
 *   fuzz_TARGET CORPUS [MUTATIONS-PER-FILE [SEED]]
 */

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 4096

static uint32_t state;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

/* --- Mutations: each changes `size` bytes of `data`, which has room for INPUT_MAX -------- */

static size_t flip_bit(uint8_t *data, size_t size)
{
	if (size > 0)
		data[draw((uint32_t)size)] ^= (uint8_t)(1u << draw(8));
	return size;
}

static size_t set_byte(uint8_t *data, size_t size)
{
	static const uint8_t telling[] = {
		0, 1, 0x7f, 0x80, 0xff, '\r', '\n', ' ', ':', '%', '.', '-',
	};

	if (size > 0)
		data[draw((uint32_t)size)] =
			draw(2) ? telling[draw(sizeof(telling))] : (uint8_t)draw(256);
	return size;
}

static size_t erase(uint8_t *data, size_t size)
{
	size_t at, len;

	if (size == 0)
		return 0;
	at = draw((uint32_t)size);
	len = draw((uint32_t)(size - at)) + 1;
	memmove(data + at, data + at + len, size - at - len);
	return size - len;
}

static size_t repeat(uint8_t *data, size_t size)
{
	size_t at, len;

	if (size == 0)
		return 0;
	at = draw((uint32_t)size);
	len = draw((uint32_t)(size - at)) + 1;
	if (size + len > INPUT_MAX)
		return size;
	memmove(data + at + len, data + at, size - at);
	return size + len;
}

static size_t insert_byte(uint8_t *data, size_t size)
{
	size_t at = draw((uint32_t)size + 1);

	if (size == INPUT_MAX)
		return size;
	memmove(data + at + 1, data + at, size - at);
	data[at] = (uint8_t)draw(256);
	return size + 1;
}

static size_t (*const mutations[])(uint8_t *data, size_t size) = {
	flip_bit, set_byte, erase, repeat, insert_byte,
};

/* A copy of just this size, so that a read behind the end is noticed. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size + (size == 0));

	FUZZ_REQUIRE(exact != NULL);
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void run_mutations(const uint8_t *seed, size_t seed_size, long count)
{
	uint8_t data[INPUT_MAX];

	while (count-- > 0) {
		size_t size = seed_size;

		memcpy(data, seed, size);
		for (uint32_t n = draw(6) + 1; n > 0; n--)
			size = mutations[draw(sizeof(mutations) / sizeof(mutations[0]))](data,
											 size);
		run(data, size);
	}
}

static void run_file(const char *name, long count)
{
	uint8_t data[INPUT_MAX];
	FILE *file = fopen(name, "rb");
	size_t size;

	if (file == NULL) {
		perror(name);
		exit(2);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run(data, size);
	run_mutations(data, size, count);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;
	struct dirent **entries;
	int files;

	state = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 1;
	files = argc > 1 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
	if (files <= 0) {
		fprintf(stderr, "usage: %s CORPUS [MUTATIONS-PER-FILE [SEED]]: no files found\n",
			argv[0]);
		return 2;
	}
	for (int i = 0; i < files; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", argv[1], entries[i]->d_name);
		run_file(name, count);
		free(entries[i]);
	}
	free(entries);
	printf("%d files, %ld mutations of each, seed %s: nothing broke\n", files, count,
	       argc > 3 ? argv[3] : "1");
	return 0;
}
