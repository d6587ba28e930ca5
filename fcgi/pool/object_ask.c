#include <string.h>

#include "pool/object_ask.h"

static const char *const kinds[] = {
	[OBJECT_NONE] = "",
	[OBJECT_BATCH] = "batch",
	[OBJECT_FILE] = "file",
};

const char *
object_kind_name(enum object_kind kind)
{

	return (kinds[kind]);
}

bool
object_id_fits(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || n >= OBJECT_ID_SIZE)
		return (false);
	for (i = 0; i < n; i++) {
		if (!((p[i] >= 'a' && p[i] <= 'z') ||
		    (p[i] >= 'A' && p[i] <= 'Z') ||
		    (p[i] >= '0' && p[i] <= '9') || p[i] == '-' ||
		    p[i] == '_'))
			return (false);
	}
	return (true);
}

/* What does not fit is none that anybody has: it is looked for as "". */
void
object_ask_id(struct object_ask *a, const char *p, size_t n)
{
	size_t i;

	if (!object_id_fits(p, n))
		n = 0;
	for (i = 0; i < a->n; i++) {
		if (strlen(a->ids[i]) == n && memcmp(a->ids[i], p, n) == 0)
			return;
	}
	if (a->n == OBJECT_NAMES_MAX) {
		a->more = true;
		return;
	}
	memcpy(a->ids[a->n], p, n);
	a->ids[a->n++][n] = '\0';
}
