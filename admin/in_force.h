#ifndef ADMIN_IN_FORCE_H_
#define ADMIN_IN_FORCE_H_

#include <jansson.h>

struct conf;
struct err;
struct in_force;

/**
 * The settings that a responder works with, as text, for whoever wants to know
 * what the config file has and the responder has not taken over.  Any thread
 * may call.
 */

/** in_force_new(conf, err): As ${conf} has them.  NULL with ERR_NOMEM. */
struct in_force *in_force_new(const struct conf *conf, struct err *err);
void in_force_free(struct in_force *f);

/** in_force_set(f, conf, err): They were read again; 0, or -1: ${f} is as it
 * was. */
int in_force_set(struct in_force *f, const struct conf *conf,
    struct err *err) __attribute__((__warn_unused_result__));

/** in_force_differs(f, conf, err): Where ${conf}, read just now, says something
 * else: [{"name", "in_force", "value", "reloadable"}]. */
json_t *in_force_differs(struct in_force *f, const struct conf *conf,
    struct err *err);

#endif /* !ADMIN_IN_FORCE_H_ */
