#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "http/response.h"
#include "relay/remains.h"

static int
put(struct buf *out, enum budget_kind kind, const char *what,
    const char *value)
{
	char name[64], *p;

	snprintf(name, sizeof(name), "x-leasehold-budget-%s-%s",
	    budget_kind_name(kind), what);
	for (p = name; (p = strchr(p, '_')) != NULL;)
		*p = '-';
	return (response_header(out, name, value));
}

static int
put_amount(struct buf *out, enum budget_kind kind, const char *what,
    int64_t amount)
{
	char text[NUM_NUSD_SIZE];

	if (kind == BUDGET_MONEY)
		num_format_nusd(amount, text);
	else
		snprintf(text, sizeof(text), "%" PRId64, amount);
	return (put(out, kind, what, text));
}

static int
put_one(struct buf *out, enum budget_kind kind, const struct budget_left *b)
{
	char when[CLOCK_RFC3339_SIZE];

	if (put_amount(out, kind, "limit", b->limit) ||
	    put_amount(out, kind, "remaining", b->left))
		return (-1);
	if (b->renews_ms == 0)
		return (0);
	clock_rfc3339(b->renews_ms, when);
	return (put(out, kind, "reset", when));
}

int
remains_headers(struct buf *out, const struct budget_left left[BUDGET_KINDS])
{
	int kind;

	for (kind = 0; kind < BUDGET_KINDS; kind++) {
		if (left[kind].there &&
		    put_one(out, (enum budget_kind)kind, &left[kind]))
			return (-1);
	}
	return (0);
}
