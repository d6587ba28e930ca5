#ifndef TESTS_FUZZ_MUST_H_
#define TESTS_FUZZ_MUST_H_

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/** must(holds, what): An invariant of a fuzzer; names it and aborts. */
static inline void
must(bool holds, const char *what)
{

	if (holds)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

#endif /* !TESTS_FUZZ_MUST_H_ */
