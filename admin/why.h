#ifndef ADMIN_WHY_H_
#define ADMIN_WHY_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct seal;
struct store;

/** A request that might be made, and the account that does not serve it. */
struct why_ask {
	const char *account;
	const char *key;
	const char *model;
	const char *session;	/* as requests have it; NULL: a new one */

	/* settings */
	int64_t half_open_ms;
	int64_t affinity_ttl_ms, affinity_wait_ms;
};

/**
 * why_not(st, seal, ask, err):
 * Choose as a relay responder would at this moment: an object with "answer" in
 * words, "fit" (may it serve the request now?), "picked" (would the account be
 * chosen?), and "considered": the accounts that the key may use, each with its
 * load and why it is fit or passed over.
 * ERR_NOT_FOUND: there is no such account or key.
 */
json_t *why_not(struct store *st, const struct seal *seal,
    const struct why_ask *ask, struct err *err);

#endif /* !ADMIN_WHY_H_ */
