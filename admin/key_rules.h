#ifndef ADMIN_KEY_RULES_H_
#define ADMIN_KEY_RULES_H_

#include <stdint.h>

struct err;
struct key_change;
struct store;

/**
 * Whom a key lets in, from where, and how fast: the part of a key's change
 * that keys.c leaves to this.  A rate is a budget of requests in a rolling
 * window, which the key names as its own.
 */

/** key_rules_check(c, err): 0, or -1 with ERR_INVAL that says what is
 * allowed. */
int key_rules_check(const struct key_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** key_rules_set(st, key_id, c, err): Within a change.  0, or -1. */
int key_rules_set(struct store *st, int64_t key_id,
    const struct key_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** key_rate_parse(text, c, err): "60/1m", "none".  0, or -1. */
int key_rate_parse(const char *text, struct key_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_KEY_RULES_H_ */
