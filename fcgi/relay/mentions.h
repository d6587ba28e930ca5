#ifndef RELAY_MENTIONS_H_
#define RELAY_MENTIONS_H_

#include "pool/model_ask.h"
#include "relay/splice.h"

struct err;
struct json_value;

/**
 * Models that a body names, each with its places: filled in as a scan of the
 * body finds them.  One thread at a time.
 */
struct mentions {
	struct model_ask ask;
	struct splice splice;
	char there[MODEL_ASK_MAX][LIMIT_NAME_BYTES];	/* what each is called
				   at the account that is leased */
};

/** mentions_init(m): None yet.  mentions_fini(m): Free its places. */
void mentions_init(struct mentions *m);
void mentions_fini(struct mentions *m);

/** mentions_fault(v): What is wrong with ${v} as the name of a model, for a
 * sentence: "is empty"; NULL: nothing. */
const char *mentions_fault(const struct json_value *v);

/**
 * mentions_add(m, v, err):
 * One more, without fault.  Where there are more names than fit it has no
 * place, and .ask.more is set.  0, or -1: as splice_add.
 */
int mentions_add(struct mentions *m, const struct json_value *v,
    struct err *err);

#endif /* !RELAY_MENTIONS_H_ */
