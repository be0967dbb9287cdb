/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every allocation the library makes, through functions that the program may replace.
 *
 * The replacements are looked up at each call. They are set before the library allocates anything
 * (event_set_mem_functions()), so they are read without a lock.
 */

#include <event2/component/reactor.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* NULL members mean the C library's function. */
static struct {
	void *(*malloc)(size_t size);
	void *(*realloc)(void *block, size_t size);
	void (*free)(void *block);
} replaced;

void *evi_malloc(size_t size)
{
	void *block;

	if (size == 0)
		return NULL;
	block = replaced.malloc != NULL ? replaced.malloc(size) : malloc(size);
	if (block == NULL)
		errno = ENOMEM;
	return block;
}

void *evi_calloc(size_t count, size_t size)
{
	size_t total;
	void *block;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	if (replaced.malloc != NULL) {
		block = evi_malloc(total);
		if (block != NULL)
			memset(block, 0, total);
		return block;
	}
	if (total == 0)
		return NULL;
	block = calloc(1, total);
	if (block == NULL)
		errno = ENOMEM;
	return block;
}

void *evi_realloc(void *block, size_t size)
{
	void *resized;

	if (size == 0 && block == NULL)
		return NULL;
	if (size == 0 && replaced.realloc == NULL) {
		evi_free(block);
		return NULL;
	}
	resized = replaced.realloc != NULL ? replaced.realloc(block, size) : realloc(block, size);
	if (resized == NULL && size != 0)
		errno = ENOMEM;
	return resized;
}

void evi_free(void *block)
{
	if (block == NULL)
		return;
	if (replaced.free != NULL)
		replaced.free(block);
	else
		free(block);
}

char *evi_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = evi_malloc(size);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

void event_set_mem_functions(void *(*malloc_fn)(size_t sz),
			     void *(*realloc_fn)(void *ptr, size_t sz), void (*free_fn)(void *ptr))
{
	replaced.malloc = malloc_fn;
	replaced.realloc = realloc_fn;
	replaced.free = free_fn;
}
