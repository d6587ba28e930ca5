#ifndef MOCK_JOURNAL_H_
#define MOCK_JOURNAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "base/buf.h"

#include "mock/answer.h"

struct json_t;

/**
 * What the mock upstream served: the last requests, and for each credential
 * how many were in flight at once.  Entries live in a ring and are used
 * again, so that nothing is allocated for a request once the ring is full.
 */

/** How far an answer had come. */
enum journal_phase {
	JOURNAL_HEAD,		/* nothing was sent yet */
	JOURNAL_FIRST,		/* the head was */
	JOURNAL_STREAMING,	/* body bytes were */
	JOURNAL_NPHASES
};

struct journal_entry {
	uint64_t id;			/* 0: unused */
	struct buf head;		/* as received */
	struct buf body;		/* kept only when asked for */
	char method[16], path[1024], credential[128], model[128];
	unsigned char sha256[crypto_hash_sha256_BYTES];
	size_t body_len;
	bool stream;
	uint64_t connection;		/* and which request on it, from 1 */
	uint64_t nth;
	/* microseconds of wall time; 0: not yet */
	int64_t started_us, head_us, first_us, ended_us;
	int status;			/* 0: no head was sent */
	enum journal_phase phase;	/* when it ended */
	const char *ended;		/* NULL: still open */
	int64_t deltas, bytes;		/* sent */
	struct answer_usage usage;	/* stated, or to be stated */
};

struct journal;

/** journal_new(size): Keep ${size} entries; 0: count only. */
struct journal *journal_new(size_t size);
void journal_free(struct journal *j);

/** journal_reset(j): Forget all, but what is in flight now. */
void journal_reset(struct journal *j);

/** journal_keep_bodies(j, keep): From now on. */
void journal_keep_bodies(struct journal *j, bool keep);

/** What stands for a request while it is open. */
struct journal_ticket {
	uint64_t id;		/* grows by one a request */
	int credential;		/* index of its counter; -1: not counted */
	struct journal_entry *entry;	/* NULL: not kept */
};

struct journal_begin {
	const char *method, *path, *credential, *model;
	const unsigned char *head, *body;
	size_t head_len, body_len;
	bool stream;
	bool counted;		/* a model call: it takes a place in flight */
	uint64_t connection, nth;
};

/** journal_begin(j, b, t): A request is whole. */
void journal_begin(struct journal *j, const struct journal_begin *b,
    struct journal_ticket *t);

/** journal_entry(t): The entry, or NULL if it is not (any more) kept. */
struct journal_entry *journal_entry(const struct journal_ticket *t);

/** journal_end(j, t, ended): It ended; ${ended} is a constant. */
void journal_end(struct journal *j, struct journal_ticket *t,
    const char *ended);

/** journal_json(j, since): Entries with a greater id, oldest first,
 * and the counters.  A new reference, or NULL. */
struct json_t *journal_json(const struct journal *j, uint64_t since);

/** journal_now_us(): Wall time in microseconds. */
int64_t journal_now_us(void);

#endif /* !MOCK_JOURNAL_H_ */
