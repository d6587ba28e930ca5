#ifndef POOL_MODEL_ASK_H_
#define POOL_MODEL_ASK_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"

/**
 * The models that one body names where a request may name several: those of a
 * batch, of fallbacks, and of tools that ask a model of their own.  As the loop
 * finds them and admission wants them.  Any thread, one at a time.
 */

/* Different models that one body may name. */
#define MODEL_ASK_MAX		8

struct model_ask {
	bool more;		/* it names more than fit */
	bool unnamed;		/* models may answer that it does not name */
	size_t n;
	char names[MODEL_ASK_MAX][LIMIT_NAME_BYTES];
};

/** model_ask_add(a, p, n): One more is named; each is kept once.  Its place in
 * .names, or -1: it does not fit, and .more is set. */
int model_ask_add(struct model_ask *a, const char *p, size_t n);

#endif /* !POOL_MODEL_ASK_H_ */
