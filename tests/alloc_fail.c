#include <stddef.h>

#include "alloc_fail.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

/* Allocations that still succeed; -1: all of them. */
static int left = -1;
static int failed;

void
alloc_fail_after(int n)
{

	left = n;
	failed = 0;
}

int
alloc_fail_stop(void)
{

	left = -1;
	return (failed);
}

static int
fails(void)
{

	if (left == -1)
		return (0);
	if (left > 0) {
		left--;
		return (0);
	}
	left = -1;
	failed = 1;
	return (1);
}

void *
__wrap_malloc(size_t size)
{

	return (fails() ? NULL : __real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{

	return (fails() ? NULL : __real_calloc(n, size));
}

void *
__wrap_realloc(void *p, size_t size)
{

	return (fails() ? NULL : __real_realloc(p, size));
}

char *
__wrap_strdup(const char *s)
{

	return (fails() ? NULL : __real_strdup(s));
}

char *
__wrap_strndup(const char *s, size_t n)
{

	return (fails() ? NULL : __real_strndup(s, n));
}
