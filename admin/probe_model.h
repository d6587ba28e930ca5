#ifndef ADMIN_PROBE_MODEL_H_
#define ADMIN_PROBE_MODEL_H_

#include <stdint.h>

#include "base/limits.h"

struct err;
struct store;

/**
 * probe_model(st, account_id, model, err):
 * A model that the account serves, as it is called upstream, as far as we know
 * one: the first name without wildcards on its list; else where its aliases
 * lead, its own before its group's; else the one that it served last, within
 * 30 days.  1; 0: none is known; -1.
 */
int probe_model(struct store *st, int64_t account_id,
    char model[LIMIT_NAME_BYTES], struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_PROBE_MODEL_H_ */
