#include <stddef.h>

#include "pool/pool.h"

void
lease_drop(struct lease *l)
{

	snapshot_unref(l->snapshot);
	l->snapshot = NULL;
	l->account = NULL;
	l->held = false;
}

void
lease_follow(struct lease *l, struct snapshot *s, const struct account *a)
{

	snapshot_ref(s);
	snapshot_unref(l->snapshot);
	l->snapshot = s;
	l->account = a;
}
