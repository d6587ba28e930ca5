#ifndef TESTS_ALLOC_FAIL_H_
#define TESTS_ALLOC_FAIL_H_

/**
 * Lets the n-th allocation of a test fail, in turn.  A program that uses it
 * adds tests/alloc_fail.c to its sources and $(ALLOC_FAIL_LINK) to its
 * link flags; the linker then leads malloc, calloc, realloc, strdup and
 * strndup of the code under test here.
 */

/** alloc_fail_after(n): ${n} allocations succeed, the one after fails. */
void alloc_fail_after(int n);

/**
 * alloc_fail_stop(): Allocations succeed again.  Nonzero if one failed since
 * alloc_fail_after, so a loop over n ends when it returns 0.
 */
int alloc_fail_stop(void);

#endif /* !TESTS_ALLOC_FAIL_H_ */
