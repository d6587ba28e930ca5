#include <stdint.h>
#include <string.h>

#include "pool/choose.h"
#include "pool/choose_internal.h"

/* Room that stays free, for the last element and the bracket. */
#define REST	25

static const char *const whys[] = {
	[WHY_FIT] = "fit",
	[WHY_PROBE] = "probe",
	[WHY_UNBOUND] = "unbound",
	[WHY_PLATFORM] = "platform",
	[WHY_DISABLED] = "disabled",
	[WHY_SEALED] = "sealed",
	[WHY_MODEL] = "model",
	[WHY_UNRESERVED] = "unreserved",
	[WHY_TRIED] = "tried",
	[WHY_PARKED] = "parked",
	[WHY_SOFT] = "parked",
	[WHY_PROBED] = "probed",
	[WHY_BUSY] = "busy",
};

_Static_assert(sizeof(whys) / sizeof(whys[0]) == WHY_COUNT,
    "one word for each reason");

static const char *const homes[] = {
	[CHOICE_HOME_NONE] = "",
	[CHOICE_HOME_KEPT] = ",\"session\":\"kept\"",
	[CHOICE_HOME_AWAITED] = ",\"session\":\"awaited\"",
	[CHOICE_HOME_LEFT] = ",\"session\":\"left\"",
};

/* Each choice writes one: printf would take most of the time of it. */
struct text {
	char *p;
	size_t len, max;
	bool full;
};

static void
put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->full || n > t->max - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->len, s, n);
	t->len += n;
}

static void
put_int(struct text *t, int64_t i)
{
	uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;
	char digits[24], *d = digits + sizeof(digits) - 1;

	*d = '\0';
	do
		*--d = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	if (i < 0)
		*--d = '-';
	put(t, d);
}

/* For what: in the words of the cooldown. */
static void
put_reason(struct text *t, const char *before, const struct cooldown *cd,
    const char *after)
{

	if (cd == NULL)
		return;
	put(t, before);
	put(t, cd->reason);
	put(t, after);
}

/* NULL: it is the one that was picked.  Whole, or not at all. */
static bool
put_one(const struct choose_params *p, const struct candidate *c,
    const enum why *why, const struct choice *out, struct text *t)
{
	const struct cooldown *cd = NULL;
	size_t before = t->len;

	if (why == NULL ? out->probe : *why == WHY_PARKED || *why == WHY_SOFT)
		(void)choose_breaker(p, c->account, &cd);
	put(t, before > 1 ? ",{\"account\":" : "{\"account\":");
	put_int(t, c->account->id);
	put(t, ",\"in_use\":");
	put_int(t, c->in_use);
	put(t, ",\"why\":\"");
	put(t, why == NULL ? "picked" : whys[*why]);
	if (why != NULL)
		put_reason(t, ": ", cd, "");
	put(t, "\"");
	if (why == NULL)
		put_reason(t, ",\"probe\":\"", cd, "\"");
	if (c->account->id == p->home)
		put(t, homes[out->home]);
	put(t, "}");
	if (t->full)
		t->len = before;
	return (!t->full);
}

static void
put_rest(struct text *t, int n)
{

	t->max += REST - 1;
	t->full = false;
	if (n > 0) {
		put(t, t->len > 1 ? ",{\"more\":" : "{\"more\":");
		put_int(t, n);
		put(t, "}");
	}
	put(t, "]");
	t->p[t->len] = '\0';
}

void
choose_trace(const struct choose_params *p, const struct candidate *home,
    choose_why_of *why_of, const void *arg, struct choice *out)
{
	const struct candidate *first = NULL;
	struct text t = { .p = out->trace, .max = CHOICE_TRACE_SIZE - REST };
	int left = out->bound;
	enum why why;
	size_t i;

	put(&t, "[");
	if (out->result == CHOICE_PICKED) {
		first = &p->candidates[out->index];
		left -= put_one(p, first, NULL, out, &t);
	}
	if (home != NULL && home != first) {
		why = why_of(arg, (size_t)(home - p->candidates));
		if (why != WHY_UNBOUND)
			left -= put_one(p, home, &why, out, &t);
	}
	for (i = 0; i < p->n && left > 0 && !t.full; i++) {
		if (&p->candidates[i] == first || &p->candidates[i] == home ||
		    (why = why_of(arg, i)) == WHY_UNBOUND)
			continue;
		left -= put_one(p, &p->candidates[i], &why, out, &t);
	}
	put_rest(&t, left);
}

const char *
choose_word(enum why why)
{

	return (whys[why]);
}
