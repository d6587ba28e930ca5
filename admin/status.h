#ifndef ADMIN_STATUS_H_
#define ADMIN_STATUS_H_

#include <jansson.h>

struct err;
struct store;

/**
 * status_get(st, err):
 * How the pool is doing: responders with the age of their beats, accounts
 * with leases and breakers, probes, jobs, the queue, open requests.  What GET
 * /api/v1/status answers; `leasehold status --json' adds status_spool.
 */
json_t *status_get(struct store *st, struct err *err);

/** status_account(st, name, err): An account as accounts_show has it, with the
 * last health "probe", or null; ERR_NOT_FOUND. */
json_t *status_account(struct store *st, const char *name, struct err *err);

/**
 * status_spool(dir, err):
 * What lies in the spool folder of this host: files, settlements not yet
 * replayed, files put aside.
 */
json_t *status_spool(const char *dir, struct err *err);

/** status_workers(st, err): {"items": responders as above, each with how many
 * "leases" it holds, "leases": the 1000 oldest of all of them}. */
json_t *status_workers(struct store *st, struct err *err);

#endif /* !ADMIN_STATUS_H_ */
