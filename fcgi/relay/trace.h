#ifndef RELAY_TRACE_H_
#define RELAY_TRACE_H_

#include <stdint.h>

#include "pool/pool.h"

/**
 * Why these accounts: the choices of one request, one behind the other, as the
 * ledger keeps them.  A JSON array: of each choice the account that was picked
 * and those that were passed over, as choose() has them; the first of a choice
 * has "attempt" (unless nobody was picked) and, if it waited, "waited_ms"; the
 * first of all has "trace_id", if the client's request is a part of a trace.
 * What finds no room is left out, and the last element then is {"cut":true}.
 */
struct trace_part {
	const char *choice;	/* JSON array of objects without parts; "":
				   none was made */
	int attempt;		/* that it led to; 0: none */
	int64_t waited_ms;
	const char *trace_id;	/* in hex; NULL: none */
};

/** trace_add(trace, part): ${trace} is "" at first. */
void trace_add(char trace[POOL_TRACE_SIZE], const struct trace_part *part);

#endif /* !RELAY_TRACE_H_ */
