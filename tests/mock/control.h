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
 */

/** control_wants(h): Is it a request for the control API? */
bool control_wants(const struct head *h);

/**
 * control_answer(h, body, len, rules, journal, out):
 * Carry the request out and write the JSON answer's body to ${out}.  Returns
 * the HTTP status.
 */
int control_answer(const struct head *h, const unsigned char *body,
    size_t len, struct rules *rules, struct journal *journal,
    struct buf *out);

#endif /* !MOCK_CONTROL_H_ */
