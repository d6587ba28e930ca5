#ifndef MOCK_CONTROL_H_
#define MOCK_CONTROL_H_

#include <stddef.h>

#include "base/buf.h"

#include "mock/head.h"
#include "mock/journal.h"
#include "mock/plan.h"

/**
 * The control API, under /__mock/:
 *	POST rules	{"rules": [...]}: after those before (see plan.h)
 *	POST keep	{"bodies": true}: keep request bodies from now on
 *	POST reset	forget rules and journal
 *	GET log?since=N	requests with a greater id, and the counters
 *	POST end	all batches end (see objects.h)
 *	GET objects	batches and files
 */

/** control_wants(h): Is it a request for the control API? */
bool control_wants(const struct head *h);

/** What it works on. */
struct control {
	struct rules *rules;
	struct journal *journal;
	struct objects *objects;
};

/**
 * control_answer(control, h, body, len, out):
 * Carry the request out and write the JSON answer's body to ${out}.  Returns
 * the HTTP status.
 */
int control_answer(const struct control *control, const struct head *h,
    const unsigned char *body, size_t len, struct buf *out);

#endif /* !MOCK_CONTROL_H_ */
