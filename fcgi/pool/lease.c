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
