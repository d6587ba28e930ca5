#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "relay/ratelimit.h"
#include "relay/upstream.h"

/* The headers of one answer, and the time that it came. */
struct headers {
	const struct transfer_header *h;
	size_t n;
	int64_t now_ms;
};

static const char *
find(const struct headers *in, const char *name)
{
	size_t i;

	for (i = 0; i < in->n; i++) {
		if (strcmp(in->h[i].name, name) == 0)
			return (in->h[i].value);
	}
	return (NULL);
}

/* Find "anthropic-ratelimit-${a}${b}". */
static const char *
find_limit(const struct headers *in, const char *a, const char *b)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "anthropic-ratelimit-%s%s", a, b);
	return (find(in, name));
}

static bool
is(const char *value, const char *wanted)
{

	return (value != NULL && strcmp(value, wanted) == 0);
}

/* A number of ${unit_ms}; of "1.5" the whole part, rounded up. */
static int
parse_number(const char *s, int64_t unit_ms, int64_t *ms)
{
	size_t len = strspn(s, "0123456789");
	int64_t n;

	if (s[len] != '\0' && (s[len] != '.' ||
	    s[len + 1 + strspn(s + len + 1, "0123456789")] != '\0'))
		return (-1);
	if (num_parse(s, len, 0, INT64_MAX / 2000, &n))
		return (-1);
	*ms = (n + (s[len] == '.')) * unit_ms;
	return (0);
}

/* Take ${ms} over if it is to come, and later than what is known. */
static bool
state(struct ratelimit *out, const struct headers *in, int64_t ms)
{

	if (ms <= in->now_ms)
		return (false);
	if (ms - in->now_ms > RATELIMIT_MAX_MS)
		ms = in->now_ms + RATELIMIT_MAX_MS;
	if (!out->stated || ms > out->until_ms)
		out->until_ms = ms;
	out->stated = true;
	return (true);
}

static void
name_limit(struct ratelimit *out, const char *what)
{

	(void)snprintf(out->what, sizeof(out->what), "%s", what);
}

/* ---- unified limits (subscriptions) ---- */

/* Limits that hold for one family of models alone. */
static const struct {
	const char *claim, *family;
} families[] = {
	{ "seven_day_opus", "opus" },
	{ "seven_day_sonnet", "sonnet" },
	{ "seven_day_haiku", "haiku" },
};

/* The windows by name in claims and in headers. */
static const struct {
	const char *claim, *header;
	int64_t length_ms;
} windows[] = {
	{ "five_hour", "unified-5h", INT64_C(5) * 3600 * 1000 },
	{ "seven_day", "unified-7d", INT64_C(7) * 24 * 3600 * 1000 },
};

static bool
state_epoch(struct ratelimit *out, const struct headers *in, const char *value)
{
	int64_t ms;

	return (value != NULL && parse_number(value, 1000, &ms) == 0 &&
	    state(out, in, ms));
}

/* A window that says of itself that it is used up. */
static void
read_windows(struct ratelimit *out, const struct headers *in)
{
	size_t i;

	for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		if (!is(find_limit(in, windows[i].header, "-status"),
		    "rejected"))
			continue;
		out->fact = true;
		name_limit(out, windows[i].claim);
		(void)state_epoch(out, in, find_limit(in, windows[i].header,
		    "-reset"));
	}
}

static void
read_claim(struct ratelimit *out, const struct headers *in)
{
	const char *claim = find_limit(in, "unified-representative-claim", "");
	size_t i;

	out->fact = true;
	name_limit(out, claim == NULL ? "unified" : claim);
	for (i = 0; claim != NULL &&
	    i < sizeof(families) / sizeof(families[0]); i++) {
		if (strcmp(claim, families[i].claim) == 0)
			(void)snprintf(out->family, sizeof(out->family), "%s",
			    families[i].family);
	}
	if (state_epoch(out, in, find_limit(in, "unified-reset", "")))
		return;
	for (i = 0; claim != NULL &&
	    i < sizeof(windows) / sizeof(windows[0]); i++) {
		if (strcmp(claim, windows[i].claim) == 0)
			(void)state_epoch(out, in, find_limit(in,
			    windows[i].header, "-reset"));
	}
}

static void
read_unified(struct ratelimit *out, const struct headers *in)
{

	if (is(find_limit(in, "unified-status", ""), "rejected"))
		read_claim(out, in);
	else
		read_windows(out, in);
}

/* ---- retry-after ---- */

static void
read_retry_after(struct ratelimit *out, const struct headers *in)
{
	const char *value;
	int64_t ms;

	if ((value = find(in, "retry-after-ms")) != NULL &&
	    parse_number(value, 1, &ms) == 0 && state(out, in,
	    in->now_ms + ms))
		return;
	if ((value = find(in, "retry-after")) == NULL)
		return;
	if (parse_number(value, 1000, &ms) == 0)
		(void)state(out, in, in->now_ms + ms);
	else if (clock_parse_date(value, &ms) == 0)
		(void)state(out, in, ms);
}

/* ---- limits a minute (API keys) ---- */

static const char *const buckets[] = { "requests", "tokens", "input-tokens",
	"output-tokens" };

static void
read_buckets(struct ratelimit *out, const struct headers *in, bool reset)
{
	const char *value;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		if (!is(find_limit(in, buckets[i], "-remaining"), "0"))
			continue;
		out->fact = true;
		if (out->what[0] == '\0')
			name_limit(out, buckets[i]);
		value = find_limit(in, buckets[i], "-reset");
		if (reset && value != NULL &&
		    clock_parse_date(value, &ms) == 0)
			(void)state(out, in, ms);
	}
}

void
ratelimit_read(const struct transfer_header *h, size_t n, int64_t now_ms,
    struct ratelimit *out)
{
	const struct headers in = { h, n, now_ms };

	memset(out, 0, sizeof(*out));
	read_unified(out, &in);
	if (!out->stated)
		read_retry_after(out, &in);
	read_buckets(out, &in, !out->stated);
}

/* ---- what is left ---- */

/* "0.375", in permille, rounded down; more than 1 is 1. */
static int
parse_part(const char *s, int64_t *permille)
{
	int64_t whole, n = 0, unit = 100;
	size_t len = strspn(s, "0123456789");
	const char *p;

	if (num_parse(s, len, 0, 1000, &whole))
		return (-1);
	if (s[len] == '.')
		len++;
	for (p = s + len; *p >= '0' && *p <= '9'; p++, unit /= 10)
		n += unit * (*p - '0');
	if (*p != '\0')
		return (-1);
	*permille = whole >= 1 ? 1000 : n;
	return (0);
}

/* Take ${s} if nothing was found yet, or it is further behind. */
static void
take_share(const struct headers *in, struct share *s, struct share *out)
{

	s->seen_ms = in->now_ms;
	if (s->reset_ms <= in->now_ms)
		return;
	if (out->seen_ms == 0 || share_pace(s, in->now_ms) <
	    share_pace(out, in->now_ms) || (s->permille < out->permille &&
	    share_spent(s, in->now_ms)))
		*out = *s;
}

static void
share_of_windows(const struct headers *in, struct share *out)
{
	const char *used, *reset;
	int64_t permille;
	struct share s;
	size_t i;

	for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		s = (struct share) { .window_ms = windows[i].length_ms };
		used = find_limit(in, windows[i].header, "-utilization");
		reset = find_limit(in, windows[i].header, "-reset");
		if (used == NULL || parse_part(used, &permille) ||
		    reset == NULL || parse_number(reset, 1000, &s.reset_ms))
			continue;
		s.permille = 1000 - permille;
		take_share(in, &s, out);
	}
}

static void
share_of_buckets(const struct headers *in, struct share *out)
{
	const char *limit, *left, *reset;
	int64_t most, n;
	struct share s;
	size_t i;

	for (i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		s = (struct share) { 0 };
		limit = find_limit(in, buckets[i], "-limit");
		left = find_limit(in, buckets[i], "-remaining");
		reset = find_limit(in, buckets[i], "-reset");
		if (limit == NULL || left == NULL || reset == NULL ||
		    num_parse(limit, strlen(limit), 1, INT64_MAX / 1000,
		    &most) || num_parse(left, strlen(left), 0, most, &n) ||
		    clock_parse_date(reset, &s.reset_ms))
			continue;
		s.permille = n * 1000 / most;
		take_share(in, &s, out);
	}
}

void
ratelimit_share(const struct transfer_header *h, size_t n, int64_t now_ms,
    struct share *out)
{
	static const char prefix[] = "anthropic-ratelimit-";
	struct headers in = { h, n, now_ms };

	memset(out, 0, sizeof(*out));

	/* They come together: most answers of other upstreams have none. */
	while (in.n > 0 && strncmp(in.h->name, prefix,
	    sizeof(prefix) - 1) != 0) {
		in.h++;
		in.n--;
	}
	if (in.n == 0)
		return;
	share_of_windows(&in, out);
	if (out->seen_ms == 0)
		share_of_buckets(&in, out);
}
