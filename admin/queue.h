#ifndef ADMIN_QUEUE_H_
#define ADMIN_QUEUE_H_

#include <jansson.h>

struct err;
struct store;

/**
 * queue_status(st, err):
 * Who waits for a slot, in the order in which slots are given (fair between
 * keys, see pool/place.h): "waiting", "served_last_minute", and "requests",
 * at most QUEUE_SHOWN, each with its position from 1, how long it has waited,
 * when it gives up, and how long it will still wait ("expected_ms") if the
 * accounts that it may use ("bind", "bind_id") go on at the pace of the last
 * minute; null if that is not known.
 * What GET /api/v1/queue/status answers.
 */
#define QUEUE_SHOWN	1000

json_t *queue_status(struct store *st, struct err *err);

#endif /* !ADMIN_QUEUE_H_ */
