#include "pool/share.h"

/* Less than this is nearly nothing: a request or two of some size. */
#define SPENT_PERMILLE	30

/* A bucket is spared from here on; before it is as good as full. */
#define BUCKET_PERMILLE	250

/* What others should know. */
#define TELL_PERMILLE	50
#define TELL_MS		60000

static bool
known(const struct share *s, int64_t now_ms)
{

	return (s->seen_ms > 0 && s->reset_ms > now_ms);
}

static int64_t
bounded(int64_t pace)
{

	if (pace < SHARE_PACE_LEAST)
		return (SHARE_PACE_LEAST);
	return (pace > SHARE_PACE_MOST ? SHARE_PACE_MOST : pace);
}

int64_t
share_pace(const struct share *s, int64_t now_ms)
{
	int64_t time;

	if (!known(s, now_ms))
		return (SHARE_PACE_EVEN);
	if (s->window_ms <= 0)
		return (s->permille >= BUCKET_PERMILLE ? SHARE_PACE_EVEN :
		    bounded(s->permille * SHARE_PACE_EVEN /
		    BUCKET_PERMILLE));
	time = (s->reset_ms - now_ms) * 1000 / s->window_ms;
	return (bounded(s->permille * SHARE_PACE_EVEN /
	    (time > 0 ? time : 1)));
}

bool
share_spent(const struct share *s, int64_t now_ms)
{

	return (known(s, now_ms) && s->permille < SPENT_PERMILLE);
}

int64_t
share_until_ms(const struct share *s, int64_t now_ms)
{
	int64_t time, least_ms;

	if (!known(s, now_ms))
		return (INT64_MAX);
	if (s->window_ms <= 0 ||
	    (time = (s->reset_ms - now_ms) * 1000 / s->window_ms) <= 0)
		return (s->reset_ms);
	least_ms = (time * s->window_ms + 999) / 1000;
	return (s->reset_ms - least_ms + 1);
}

static bool
apart(int64_t a, int64_t b, int64_t by)
{

	return (a - b >= by || b - a >= by);
}

bool
share_differs(const struct share *a, const struct share *b)
{

	return ((a->seen_ms == 0) != (b->seen_ms == 0) ||
	    (a->permille < SPENT_PERMILLE) !=
	    (b->permille < SPENT_PERMILLE) ||
	    apart(a->permille, b->permille, TELL_PERMILLE) ||
	    apart(a->reset_ms, b->reset_ms, TELL_MS));
}
