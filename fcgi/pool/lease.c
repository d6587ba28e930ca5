#include <stddef.h>
#include <string.h>

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

const char *
lease_sent_as(const struct lease *l, const char *asked)
{

	if (l->names[0] == '\0')
		return ("");
	return (model_names_are_any(l->names) &&
	    strcmp(l->model, asked) == 0 ? "" : l->model);
}
