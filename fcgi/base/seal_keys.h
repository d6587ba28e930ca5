#ifndef BASE_SEAL_KEYS_H_
#define BASE_SEAL_KEYS_H_

#include <stddef.h>

#include "base/seal.h"

struct err;

#define SEAL_ID_MAX	32
#define SEAL_MASTER_BYTES 32

/** The master keys of a file, newest first.  Secret: wipe after use. */
struct seal_keys {
	size_t n;
	struct {
		char id[SEAL_ID_MAX + 1];
		unsigned char master[SEAL_MASTER_BYTES];
	} keys[SEAL_KEYS_MAX];
};

/**
 * seal_keys_read(keys, path, err):
 * Read the file as seal_open does; at least one key.  0, or -1 with ${keys}
 * wiped.
 */
int seal_keys_read(struct seal_keys *keys, const char *path, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_SEAL_KEYS_H_ */
