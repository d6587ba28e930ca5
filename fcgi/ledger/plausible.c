#include <stddef.h>

#include "base/num.h"
#include "ledger/plausible.h"
#include "ledger/usage.h"

/* The counts; first the kinds of input, the cheapest first. */
enum { INPUT_KINDS = 4 };
static const size_t counts[] = {
	offsetof(struct usage, cache_read_tokens),
	offsetof(struct usage, input_tokens),
	offsetof(struct usage, cache_write_5m_tokens),
	offsetof(struct usage, cache_write_1h_tokens),
	offsetof(struct usage, output_tokens),
	offsetof(struct usage, web_searches),
};

#define NCOUNTS	(sizeof(counts) / sizeof(counts[0]))

static int64_t *
count_of(struct usage *u, size_t i)
{

	return ((int64_t *)(void *)((char *)u + counts[i]));
}

void
plausible_counts(struct usage *u)
{
	int64_t *n;
	size_t i;

	for (i = 0; i < NCOUNTS; i++) {
		n = count_of(u, i);
		if (*n < 0)
			*n = 0;
		else if (*n > PLAUSIBLE_COUNT_MAX)
			*n = PLAUSIBLE_COUNT_MAX;
	}
}

static bool
are_counts(const struct usage *u)
{
	struct usage sane = *u;
	size_t i;

	plausible_counts(&sane);
	for (i = 0; i < NCOUNTS; i++)
		if (*count_of(&sane, i) !=
		    *(const int64_t *)(const void *)((const char *)u +
		    counts[i]))
			return (false);
	return (true);
}

/* Take ${n} tokens off the input. */
static void
cut_input(struct usage *u, int64_t n)
{
	int64_t *kind, part;
	size_t i;

	for (i = 0; i < INPUT_KINDS; i++) {
		kind = count_of(u, i);
		part = *kind < n ? *kind : n;
		*kind -= part;
		n -= part;
	}
}

bool
plausible_bound(struct usage *u, const struct plausible_bounds *b)
{
	int64_t input = 0;
	bool cut = false;
	size_t i;

	plausible_counts(u);
	for (i = 0; i < INPUT_KINDS; i++)
		input = num_add_sat(input, *count_of(u, i));
	if (b->input_tokens > 0 && input > b->input_tokens) {
		cut_input(u, input - b->input_tokens);
		cut = true;
	}
	if (b->output_tokens > 0 && u->output_tokens > b->output_tokens) {
		u->output_tokens = b->output_tokens;
		cut = true;
	}
	return (cut);
}

bool
plausible(const struct usage *u, const struct plausible_bounds *b)
{
	struct usage cut = *u;

	return (!u->absurd && are_counts(u) && !plausible_bound(&cut, b));
}
