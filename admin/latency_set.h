#ifndef ADMIN_LATENCY_SET_H_
#define ADMIN_LATENCY_SET_H_

#include <stddef.h>

#include "ledger/latency.h"
#include "ledger/rollup.h"

struct err;

/** How long requests took, by whose they are. */
struct latency_of {
	struct rollup_key key;
	struct latency first_byte;	/* since the request was whole */
	struct latency whole;		/* of the same requests */
};

struct latency_set {
	struct latency_of *list;	/* in no order */
	size_t n, cap;
	struct rollup_set index;
};

void latency_set_init(struct latency_set *s);
void latency_set_fini(struct latency_set *s);

/** latency_set_at(s, key, err): The entry of ${key}, made if need be; borrowed
 * until the next.  NULL without memory. */
struct latency_of *latency_set_at(struct latency_set *s,
    const struct rollup_key *key, struct err *err);

/** latency_set_find(s, key): NULL if there is none. */
const struct latency_of *latency_set_find(const struct latency_set *s,
    const struct rollup_key *key);

#endif /* !ADMIN_LATENCY_SET_H_ */
