#include <string.h>

#include "base/num.h"

#include "ledger/id.h"

#define SEQ_BITS	12
#define NODE_BITS	10
#define SEQ_MAX		((1 << SEQ_BITS) - 1)

/* 2025-01-01T00:00:00Z. */
#define EPOCH_MS	INT64_C(1735689600000)

#define PREFIX		"req_lh_"
#define PREFIX_LEN	(sizeof(PREFIX) - 1)
#define DIGITS		13

/* Crockford's base 32: no I, L, O and U. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

_Static_assert(PREFIX_LEN + DIGITS + 1 <= LEDGER_ID_SIZE,
    "the text form fits its buffer");

void
ledger_ids_init(struct ledger_ids *ids, int node)
{

	ids->node = node;
	ids->last_ms = 0;
	ids->seq = 0;
}

int64_t
ledger_ids_next(struct ledger_ids *ids, int64_t wall_ms)
{
	int64_t now = wall_ms - EPOCH_MS;

	if (now > ids->last_ms) {
		ids->last_ms = now;
		ids->seq = 0;
	} else if (++ids->seq > SEQ_MAX) {
		ids->last_ms++;
		ids->seq = 0;
	}
	return ((ids->last_ms << (NODE_BITS + SEQ_BITS)) |
	    ((int64_t)ids->node << SEQ_BITS) | ids->seq);
}

void
ledger_id_format(int64_t id, char out[LEDGER_ID_SIZE])
{
	uint64_t rest = (uint64_t)id;
	int i;

	memcpy(out, PREFIX, PREFIX_LEN);
	for (i = DIGITS - 1; i >= 0; i--) {
		out[PREFIX_LEN + (size_t)i] = alphabet[rest & 31];
		rest >>= 5;
	}
	out[PREFIX_LEN + DIGITS] = '\0';
}

/* The value of a base 32 digit in either case, or -1. */
static int
digit_value(char c)
{
	const char *p;

	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');

	/* Letters that people take for digits count as those. */
	if (c == 'o')
		return (0);
	if (c == 'i' || c == 'l')
		return (1);
	if (c == '\0' || (p = strchr(alphabet, c)) == NULL)
		return (-1);
	return ((int)(p - alphabet));
}

static int
parse_base32(const char *s, int64_t *id)
{
	uint64_t value = 0;
	int i, digit;

	for (i = 0; i < DIGITS; i++) {
		if ((digit = digit_value(s[i])) == -1)
			return (-1);
		/* The first digit holds the top 3 of 63 bits. */
		if (i == 0 && digit > 7)
			return (-1);
		value = value << 5 | (uint64_t)digit;
	}
	*id = (int64_t)value;
	return (0);
}

int
ledger_id_parse(const char *s, int64_t *id)
{
	size_t len;

	if (strncmp(s, PREFIX, PREFIX_LEN) == 0) {
		s += PREFIX_LEN;
		return (strlen(s) == DIGITS ? parse_base32(s, id) : -1);
	}

	/* Ids of 13 decimal digits would be from the first minutes of 2025. */
	len = strlen(s);
	if (len == DIGITS)
		return (parse_base32(s, id));
	return (num_parse(s, len, 0, INT64_MAX, id));
}

int64_t
ledger_id_created_ms(int64_t id)
{

	return ((id >> (NODE_BITS + SEQ_BITS)) + EPOCH_MS);
}

int64_t
ledger_id_first(int64_t wall_ms)
{

	if (wall_ms < EPOCH_MS)
		return (0);
	if (wall_ms - EPOCH_MS > INT64_MAX >> (NODE_BITS + SEQ_BITS))
		return (INT64_MAX);
	return ((wall_ms - EPOCH_MS) << (NODE_BITS + SEQ_BITS));
}
