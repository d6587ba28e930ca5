#include <string.h>

#include "pool/model_ask.h"

int
model_ask_add(struct model_ask *a, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		if (strlen(a->names[i]) == n &&
		    memcmp(a->names[i], p, n) == 0)
			return ((int)i);
	}
	if (a->n == MODEL_ASK_MAX || n >= LIMIT_NAME_BYTES) {
		a->more = true;
		return (-1);
	}
	memcpy(a->names[a->n], p, n);
	a->names[a->n++][n] = '\0';
	return ((int)a->n - 1);
}
