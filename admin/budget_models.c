#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/price.h"

#include "budget_notes.h"

/* One pattern of a list by comma; "" (any) is "*". */
static const char *
next_pattern(const char *list, char out[LIMIT_NAME_BYTES])
{
	size_t n = strcspn(list, ",");

	if (n >= LIMIT_NAME_BYTES)
		n = LIMIT_NAME_BYTES - 1;
	memcpy(out, list, n);
	out[n] = '\0';
	if (n == 0)
		strcpy(out, "*");
	list += strcspn(list, ",");
	return (*list == ',' ? list + 1 : NULL);
}

/*
 * Is there a text that both patterns match?  ends[k]: what was read of ${a}
 * can be met by the first k characters of ${b}.
 */
static bool
patterns_meet(const char *a, const char *b)
{
	bool ends[LIMIT_NAME_BYTES + 1] = { true }, diagonal, above;
	size_t k, n = strlen(b);

	for (k = 0; k < n; k++)
		ends[k + 1] = ends[k] && b[k] == '*';
	for (; *a != '\0'; a++) {
		diagonal = ends[0];
		ends[0] = ends[0] && *a == '*';
		for (k = 0; k < n; k++) {
			above = ends[k + 1];
			if (*a == '*' || b[k] == '*')
				ends[k + 1] = above || ends[k] || diagonal;
			else
				ends[k + 1] = diagonal && *a == b[k];
			diagonal = above;
		}
	}
	return (ends[n]);
}

bool
budget_models_meet(const char *a, const char *b)
{
	char one[LIMIT_NAME_BYTES], other[LIMIT_NAME_BYTES];
	const char *p, *q;

	for (p = a; p != NULL; ) {
		p = next_pattern(p, one);
		for (q = b; q != NULL; ) {
			q = next_pattern(q, other);
			if (patterns_meet(one, other))
				return (true);
		}
	}
	return (false);
}

/* Does one pattern of ${a} match ${b} letter by letter, its stars too? */
static bool
any_matches(const char *a, const char *b)
{
	char one[LIMIT_NAME_BYTES];

	while (a != NULL) {
		a = next_pattern(a, one);
		if (price_match(one, b))
			return (true);
	}
	return (false);
}

bool
budget_models_cover(const char *a, const char *b)
{
	char one[LIMIT_NAME_BYTES];

	while (b != NULL) {
		b = next_pattern(b, one);
		if (!any_matches(a, one))
			return (false);
	}
	return (true);
}
