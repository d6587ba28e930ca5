#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"
#include "relay/splice.h"

/* Each byte as \u00XX, and the quotes. */
#define QUOTED_SIZE	(6 * LIMIT_NAME_BYTES + 3)

void
splice_init(struct splice *s)
{

	*s = (struct splice) { .n = 0 };
}

void
splice_fini(struct splice *s)
{

	free(s->places);
	free(s->was);
	splice_init(s);
}

/* ---- places ---- */

static int
grow(struct splice *s, struct err *err)
{
	size_t room = s->room == 0 ? 4 : s->room * 2;
	struct splice_place *p;

	if (s->n == SPLICE_PLACES_MAX) {
		err_set(err, ERR_INVAL, "the body names models in more than "
		    "%d places", SPLICE_PLACES_MAX);
		return (-1);
	}
	if (room > SPLICE_PLACES_MAX)
		room = SPLICE_PLACES_MAX;
	if ((p = realloc(s->places, room * sizeof(*p))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a body's models");
		return (-1);
	}
	s->places = p;
	s->room = room;
	return (0);
}

int
splice_add(struct splice *s, uint64_t start, uint64_t end, size_t name,
    uint64_t len, struct err *err)
{
	size_t i;

	if (s->n == s->room && grow(s, err))
		return (-1);
	for (i = s->n++; i > 0 && s->places[i - 1].start > start; i--)
		s->places[i] = s->places[i - 1];
	s->places[i] = (struct splice_place) {
		.start = start,
		.len = (uint32_t)(end - start),
		.name = (uint8_t)name,
		.plain = end - start == len + 2,
	};
	return (0);
}

size_t
splice_bytes(const struct splice *s)
{

	return (s->room * sizeof(s->places[0]));
}

/* ---- what the client wrote ---- */

/* Room for what stood there: 0 if nothing has to be kept. */
static size_t
was_size(struct splice *s)
{
	const struct splice_place *p;
	bool seen[SPLICE_NAMES] = { false };
	size_t size = 0;

	for (p = s->places; p < s->places + s->n; p++) {
		if (!p->plain || seen[p->name])
			continue;
		seen[p->name] = true;
		s->was_at[p->name] = size;
		size += p->len;
	}
	s->was_odd = size;
	for (p = s->places; p < s->places + s->n; p++)
		size += p->plain ? 0 : p->len;
	return (size);
}

/* It is kept before it goes for the first time. */
static int
remember(struct splice *s, const struct buf *body)
{
	const struct splice_place *p;
	size_t odd, n;

	if (s->was != NULL || (n = was_size(s)) == 0)
		return (0);
	if ((s->was = malloc(n)) == NULL)
		return (-1);
	odd = s->was_odd;
	for (p = s->places; p < s->places + s->n; p++) {
		memcpy(s->was + (p->plain ? s->was_at[p->name] : odd),
		    buf_head(body) + p->start, p->len);
		odd += p->plain ? 0 : p->len;
	}
	return (0);
}

/* ---- another name ---- */

struct quoted {
	char text[SPLICE_NAMES][QUOTED_SIZE];
	size_t len[SPLICE_NAMES];	/* 0: what the client wrote */
};

/* False: all is so already. */
static bool
quote(const struct splice *s, const char *const names[SPLICE_NAMES],
    struct quoted *q)
{
	bool any = false;
	char *text;
	size_t i, n;

	for (i = 0; i < SPLICE_NAMES; i++) {
		q->len[i] = 0;
		any |= s->now[i] != 0 || names[i] != NULL;
		if (names[i] == NULL)
			continue;
		text = q->text[i];
		text[0] = '"';
		n = 1 + json_escape(names[i], strlen(names[i]), text + 1,
		    QUOTED_SIZE - 2);
		text[n++] = '"';
		q->len[i] = n;
	}
	return (any);
}

/* How much the places that grow do so. */
static size_t
growth(const struct splice *s, const struct quoted *q)
{
	const struct splice_place *p;
	size_t sum = 0, old, new;

	for (p = s->places; p < s->places + s->n; p++) {
		old = s->now[p->name] != 0 ? s->now[p->name] : p->len;
		new = q->len[p->name] != 0 ? q->len[p->name] : p->len;
		if (new > old)
			sum += new - old;
	}
	return (sum);
}

/* Room for ${n} bytes more than there are, and no doubling of what is large. */
static int
make_room(struct buf *body, size_t n)
{

	if (n > body->max - buf_len(body))
		body->max = buf_len(body) + n;
	return (buf_reserve(body, n) == NULL ? -1 : 0);
}

/* Copy from ${from}, which lies ${more} bytes behind where it is to be, or
 * there: what is written never reaches what is still to be read. */
static void
rewrite(struct splice *s, struct buf *body, size_t more,
    const struct quoted *q)
{
	const struct splice_place *p;
	const unsigned char *what, *odd = s->was + s->was_odd;
	unsigned char *to = buf_head(body), *from = to + more;
	size_t n, left = buf_len(body) - more;
	uint64_t at = 0;	/* of .from, as the client sent the body */

	for (p = s->places; p < s->places + s->n; p++) {
		n = (size_t)(p->start - at);
		memmove(to, from, n);
		to += n;
		from += n;
		left -= n;
		n = s->now[p->name] != 0 ? s->now[p->name] : p->len;
		from += n;
		left -= n;
		what = p->plain ? s->was + s->was_at[p->name] : odd;
		odd += p->plain ? 0 : p->len;
		n = p->len;
		if (q->len[p->name] != 0) {
			what = (const unsigned char *)q->text[p->name];
			n = q->len[p->name];
		}
		memcpy(to, what, n);
		to += n;
		at = p->start + p->len;
	}
	memmove(to, from, left);
	buf_cut(body, buf_len(body) - (size_t)(to + left - buf_head(body)));
}

int
splice_put(struct splice *s, struct buf *body,
    const char *const names[SPLICE_NAMES])
{
	struct quoted q;
	size_t more, len = buf_len(body);

	if (s->n == 0 || !quote(s, names, &q))
		return (0);
	if (remember(s, body))
		return (-1);
	more = growth(s, &q);
	if (more > 0) {
		if (make_room(body, more))
			return (-1);
		memmove(buf_head(body) + more, buf_head(body), len);
		buf_commit(body, more);
	}
	rewrite(s, body, more, &q);
	memcpy(s->now, q.len, sizeof(s->now));
	return (0);
}
