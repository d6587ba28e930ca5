#include <stdbool.h>
#include <string.h>

#include "pool/runner.h"
#include "pool/spooled.h"

enum kind {
	KIND_I64,
	KIND_INT,
	KIND_MARK,
	KIND_WAY,		/* an enum of usage.h, of four at most */
	KIND_BOOL,
	KIND_TEXT		/* with its NUL in .size bytes */
};

struct field {
	enum kind kind;
	size_t off;		/* in struct spooled */
	size_t size;
};

#define AT(k, f)	{ (k), offsetof(struct spooled, f),		\
			    sizeof(((struct spooled *)0)->f) }

/* In the order in which they are written; see the header before changing. */
static const struct field fields[] = {
	AT(KIND_I64, written_ms),
	AT(KIND_I64, settle.ledger_id),
	AT(KIND_I64, settle.key_id),
	AT(KIND_INT, settle.attempts),
	AT(KIND_BOOL, settle.lease.held),
	AT(KIND_BOOL, settle.lease.slotted),
	AT(KIND_I64, account.id),
	AT(KIND_TEXT, account.platform),
	AT(KIND_I64, settle.lease.slot_n),
	AT(KIND_I64, settle.lease.slot_fence),
	AT(KIND_INT, settle.lease.attempt),
	AT(KIND_BOOL, budgeted),
	AT(KIND_I64, settle.lease.parked),
	AT(KIND_TEXT, settle.lease.parked_family),
	AT(KIND_TEXT, settle.end.outcome),
	AT(KIND_INT, settle.end.status),
	AT(KIND_TEXT, settle.end.upstream_id),
	AT(KIND_MARK, settle.end.mark),
	AT(KIND_I64, settle.end.usage.input_tokens),
	AT(KIND_I64, settle.end.usage.output_tokens),
	AT(KIND_I64, settle.end.usage.cache_read_tokens),
	AT(KIND_I64, settle.end.usage.cache_write_5m_tokens),
	AT(KIND_I64, settle.end.usage.cache_write_1h_tokens),
	AT(KIND_I64, settle.end.usage.web_searches),
	AT(KIND_BOOL, settle.park.wanted),
	AT(KIND_TEXT, settle.park.family),
	AT(KIND_TEXT, settle.park.reason),
	AT(KIND_TEXT, settle.park.detail),
	AT(KIND_BOOL, settle.park.stated),
	AT(KIND_BOOL, settle.park.fact),
	AT(KIND_I64, settle.park.until_ms),
	AT(KIND_I64, settle.park.base_ms),
	AT(KIND_BOOL, settle.success),
	AT(KIND_TEXT, settle.model),
	AT(KIND_TEXT, settle.outcome),
	AT(KIND_INT, settle.status),
	AT(KIND_I64, settle.reserved_nusd),
	AT(KIND_I64, settle.queue_ms),
	AT(KIND_I64, settle.first_byte_ms),
	AT(KIND_I64, settle.total_ms),
	AT(KIND_I64, settle.answer_bytes),
	AT(KIND_TEXT, settle.trace),
	AT(KIND_WAY, settle.end.usage.tier),
	AT(KIND_WAY, settle.end.usage.speed),
	AT(KIND_WAY, settle.end.usage.geo),
	AT(KIND_BOOL, settle.end.usage.absurd),
	AT(KIND_I64, settle.max_tokens),
	AT(KIND_BOOL, settle.repeats),
	AT(KIND_I64, settle.flags),
	AT(KIND_TEXT, settle.disconnect),
	AT(KIND_BOOL, settle.end.usage.other_models),
	AT(KIND_BOOL, settle.end.priced),
	AT(KIND_I64, settle.end.nusd),
	AT(KIND_I64, settle.batch_id),
	AT(KIND_BOOL, settle.park.soft),
	AT(KIND_BOOL, settle.lease.probe),
};

#define NFIELDS		(sizeof(fields) / sizeof(fields[0]))

/* All texts full, with room for fields to come. */
_Static_assert(NFIELDS * 8 + sizeof(((struct spooled *)0)->account.platform) +
    2 * POOL_FAMILY_SIZE + sizeof(struct attempt_end) + sizeof(struct park) +
    sizeof(((struct settle_op *)0)->model) +
    sizeof(((struct settle_op *)0)->outcome) +
    sizeof(((struct settle_op *)0)->trace) +
    sizeof(((struct settle_op *)0)->disconnect) < SPOOL_RECORD_MAX,
    "a record holds any settlement");

/* ---- writing ---- */

static int64_t
int_of(const struct field *f, const void *p)
{

	switch (f->kind) {
	case KIND_I64:
		return (*(const int64_t *)p);
	case KIND_INT:
		return (*(const int *)p);
	case KIND_MARK:
		return ((int64_t)*(const enum usage_mark *)p);
	case KIND_WAY:
		return ((int64_t)*(const unsigned *)p);
	case KIND_BOOL:
		return (*(const bool *)p);
	case KIND_TEXT:
		break;
	}
	return ((int64_t)strnlen(p, f->size - 1));
}

static size_t
put(const struct field *f, const void *p, unsigned char *to)
{
	int64_t i = int_of(f, p);

	memcpy(to, &i, sizeof(i));
	if (f->kind != KIND_TEXT)
		return (sizeof(i));
	memcpy(to + sizeof(i), p, (size_t)i);
	return (sizeof(i) + (size_t)i);
}

size_t
spooled_write(const struct settle_op *op, int64_t now_ms, void *buf)
{
	struct spooled s = { .settle = *op, .written_ms = now_ms };
	unsigned char *to = buf;
	size_t i, n = 0;

	if (op->lease.held) {
		s.account.id = op->lease.account->id;
		memcpy(s.account.platform, op->lease.account->platform,
		    sizeof(s.account.platform));
	}
	for (i = 0; i < NFIELDS; i++)
		n += put(&fields[i], (const char *)&s + fields[i].off, to + n);
	return (n);
}

/* ---- reading ---- */

struct cursor {
	const unsigned char *p;
	size_t n;
};

static bool
take(struct cursor *c, void *to, size_t n)
{

	if (n > c->n)
		return (false);
	memcpy(to, c->p, n);
	c->p += n;
	c->n -= n;
	return (true);
}

static bool
get(const struct field *f, struct cursor *c, void *to)
{
	int64_t i;

	if (!take(c, &i, sizeof(i)))
		return (false);
	switch (f->kind) {
	case KIND_I64:
		*(int64_t *)to = i;
		return (true);
	case KIND_INT:
		*(int *)to = (int)i;
		return (true);
	case KIND_MARK:
		*(enum usage_mark *)to = (enum usage_mark)i;
		return (i >= USAGE_NONE && i <= USAGE_ESTIMATED);
	case KIND_WAY:
		*(unsigned *)to = (unsigned)i;
		return (i >= 0 && i < 4);
	case KIND_BOOL:
		*(bool *)to = i != 0;
		return (true);
	case KIND_TEXT:
		break;
	}
	return (i >= 0 && (uint64_t)i < f->size && take(c, to, (size_t)i));
}

/* Since it was written some of the time is over. */
static void
age_park(struct spooled *s, int64_t now_ms)
{
	struct park *park = &s->settle.park;

	if (park->stated)
		return;
	if (now_ms > s->written_ms)
		park->base_ms -= now_ms - s->written_ms;
	if (park->base_ms <= 0)
		park->wanted = false;
}

int
spooled_read(struct spooled *s, const void *p, size_t n, int64_t now_ms)
{
	struct cursor c = { .p = p, .n = n };
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < NFIELDS && c.n > 0; i++) {
		if (!get(&fields[i], &c, (char *)s + fields[i].off))
			return (-1);
	}
	if (s->settle.ledger_id <= 0 || s->settle.key_id <= 0)
		return (-1);
	s->settle.lease.account = &s->account;
	s->settle.op.kind = OP_SETTLE;
	s->settle.op.must = true;
	s->settle.op.replay = true;
	age_park(s, now_ms);
	return (0);
}
