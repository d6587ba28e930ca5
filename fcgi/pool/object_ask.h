#ifndef POOL_OBJECT_ASK_H_
#define POOL_OBJECT_ASK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * What a request says of objects that live upstream (see objects.h), as the
 * loop finds it and admission wants it.  Any thread, one at a time.
 */

/* An id of an upstream, with its NUL; those that are known have some 30. */
#define OBJECT_ID_SIZE		128

/* Files that one request may name; the upstream's own bound is on pages. */
#define OBJECT_NAMES_MAX	32

enum object_kind {
	OBJECT_NONE,
	OBJECT_BATCH,
	OBJECT_FILE
};

/** object_kind_name(kind): As the schema has it: "batch". */
const char *object_kind_name(enum object_kind kind);

/** object_id_fits(p, n): Is it one that may be looked for?  Letters, digits,
 * '-' and '_', at most OBJECT_ID_SIZE - 1. */
bool object_id_fits(const char *p, size_t n);

/** What a request says of objects, for its admission. */
struct object_ask {
	/* in */
	enum object_kind makes;		/* it makes one; OBJECT_NONE: not */
	enum object_kind names;		/* kind of .ids */
	bool follows;			/* it is about the one that it names;
					   else it only uses them */
	bool more;			/* it names more than fit */
	size_t n;
	char ids[OBJECT_NAMES_MAX][OBJECT_ID_SIZE];
	int64_t items;			/* requests in a batch */
	/* out, of the one that it follows */
	int64_t id;			/* of its row */
	int64_t created_ms;
	bool counted;			/* its usage is */
	bool gone;			/* the upstream said so when it was
					   asked for last */
};

/** object_ask_id(a, p, n): One more is named; each is kept once. */
void object_ask_id(struct object_ask *a, const char *p, size_t n);

#endif /* !POOL_OBJECT_ASK_H_ */
