#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

#include "ledger/latency.h"

#define COUNT_MAX	INT64_C(1000000000000)
#define BUCKETS_MAX	512	/* more than there are */

/* ---- buckets ---- */

static int64_t
next_of(int64_t from_ms)
{

	return (from_ms + (from_ms < 20 ? 1 : from_ms / 10));
}

static int
bucket_of(int64_t ms)
{
	int64_t from_ms = 0;
	int i;

	if (ms > LATENCY_MAX_MS)
		ms = LATENCY_MAX_MS;
	for (i = 0; next_of(from_ms) <= ms; i++)
		from_ms = next_of(from_ms);
	return (i);
}

static int64_t
middle_of(int bucket)
{
	int64_t from_ms = 0;

	while (bucket-- > 0)
		from_ms = next_of(from_ms);
	return ((from_ms + next_of(from_ms) - 1) / 2);
}

/* ---- counts ---- */

void
latency_init(struct latency *l)
{

	*l = (struct latency) { .n = 0 };
}

void
latency_fini(struct latency *l)
{

	free(l->list);
	latency_init(l);
}

static int
make_room(struct latency *l, struct err *err)
{
	size_t cap = l->cap == 0 ? 4 : 2 * l->cap;
	struct latency_count *list;

	if (l->n < l->cap)
		return (0);
	if ((list = realloc(l->list, cap * sizeof(*list))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for latencies");
		return (-1);
	}
	l->list = list;
	l->cap = cap;
	return (0);
}

static int
count(struct latency *l, int bucket, int64_t n, struct err *err)
{
	size_t at = l->n, i;

	if (n <= 0)
		return (0);
	while (at > 0 && l->list[at - 1].bucket >= bucket)
		at--;
	if (at == l->n || l->list[at].bucket != bucket) {
		if (make_room(l, err))
			return (-1);
		for (i = l->n++; i > at; i--)
			l->list[i] = l->list[i - 1];
		l->list[at] = (struct latency_count) { .bucket = bucket };
	}
	if (n > COUNT_MAX - l->list[at].n)
		n = COUNT_MAX - l->list[at].n;
	l->list[at].n += n;
	l->total += n;
	return (0);
}

int
latency_add(struct latency *l, int64_t ms, struct err *err)
{

	return (count(l, bucket_of(ms), 1, err));
}

int
latency_merge(struct latency *l, const struct latency *from, struct err *err)
{
	size_t i;

	for (i = 0; i < from->n; i++) {
		if (count(l, from->list[i].bucket, from->list[i].n, err))
			return (-1);
	}
	return (0);
}

/* ---- text ---- */

void
latency_text(const struct latency *l, char out[LATENCY_TEXT])
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < l->n && n < LATENCY_TEXT; i++)
		n += (size_t)snprintf(out + n, LATENCY_TEXT - n,
		    "%s%d:%" PRId64, i == 0 ? "" : " ", l->list[i].bucket,
		    l->list[i].n);
}

int
latency_parse(struct latency *l, const char *text, struct err *err)
{
	long long n;
	char *end;
	long b;

	while (*text != '\0') {
		b = strtol(text, &end, 10);
		if (end == text || *end != ':' || b < 0 || b >= BUCKETS_MAX)
			goto bad;
		text = end + 1;
		n = strtoll(text, &end, 10);
		if (end == text || n <= 0 || (*end != ' ' && *end != '\0'))
			goto bad;
		if (count(l, (int)b, n, err))
			return (-1);
		text = *end == ' ' ? end + 1 : end;
	}
	return (0);

bad:
	err_set(err, ERR_INTERNAL, "\"%.40s\" is no count of latencies", text);
	return (-1);
}

/* ---- percentiles ---- */

int64_t
latency_percentile(const struct latency *l, int percent)
{
	int64_t rank = l->total / 100 * percent +
	    (l->total % 100 * percent + 99) / 100, n = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		n += l->list[i].n;
		if (n >= rank)
			return (middle_of(l->list[i].bucket));
	}
	return (-1);
}
