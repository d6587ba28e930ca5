#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/price.h"

#include "pool/keys.h"
#include "pool/model_ask.h"
#include "pool/models.h"
#include "pool/snapshot.h"

#define PLAIN_PLATFORM	"claude"

/* ---- names ---- */

static const char *
rename_by(const struct alias *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (price_match(list[i].pattern, name))
			return (list[i].target);
	}
	return (name);
}

const char *
account_model(const struct account *a, const char *asked)
{
	const char *name = asked;

	if (asked[0] == '\0')
		return (asked);
	if (a->group != NULL)
		name = rename_by(a->group->aliases, a->group->naliases, name);
	return (rename_by(a->aliases, a->naliases, name));
}

const char *
account_family(const struct account *a, const char *asked,
    const char *family, char *room)
{
	const char *name = account_model(a, asked);

	if (name == asked)
		return (family);
	model_family(name, room);
	return (room);
}

bool
account_serves(const struct account *a, const char *model)
{

	return (a->models == NULL || model[0] == '\0' ||
	    models_allow(a->models, model));
}

/* What else is in the body: the next of its names, which come first. */
static bool
next_also(const char **names, char name[LIMIT_NAME_BYTES])
{
	size_t n = strcspn(*names, "\n");

	if (**names != '+' || n > LIMIT_NAME_BYTES)
		return (false);
	memcpy(name, *names + 1, n - 1);
	name[n - 1] = '\0';
	*names += n + ((*names)[n] == '\n');
	return (true);
}

bool
account_serves_all(const struct account *a, const char *asked,
    const char *names)
{
	char name[LIMIT_NAME_BYTES];

	if (a->models == NULL)
		return (true);
	if (!account_serves(a, account_model(a, asked)))
		return (false);
	while (next_also(&names, name)) {
		if (name[0] == '\0' ||
		    !account_serves(a, account_model(a, name)))
			return (false);
	}
	return (true);
}

/* Platforms that speak what another does. */
static const struct {
	const char *platform, *api;
} dialects[] = {
	{ "claude_console", "claude" },
};

bool
account_alike(const struct account *a, const struct account *b)
{

	return (a->likeness != 0 && a->likeness == b->likeness);
}

static int
text_cmp(const char *a, const char *b)
{

	return (strcmp(a != NULL ? a : "", b != NULL ? b : ""));
}

int
account_likeness_cmp(const struct account *a, const struct account *b)
{
	size_t i;
	int rc;

	if (a->group_id != b->group_id)
		return (a->group_id < b->group_id ? -1 : 1);
	if (a->naliases != b->naliases)
		return (a->naliases < b->naliases ? -1 : 1);
	if ((rc = strcmp(a->platform, b->platform)) != 0 ||
	    (rc = text_cmp(a->models, b->models)) != 0)
		return (rc);
	for (i = 0; i < a->naliases; i++) {
		if ((rc = text_cmp(a->aliases[i].pattern,
		    b->aliases[i].pattern)) != 0 ||
		    (rc = text_cmp(a->aliases[i].target,
		    b->aliases[i].target)) != 0)
			return (rc);
	}
	return (0);
}

bool
account_speaks(const struct account *a, const char *api)
{
	size_t i;

	if (strcmp(a->platform, api) == 0)
		return (true);
	for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (strcmp(dialects[i].platform, a->platform) == 0)
			return (strcmp(dialects[i].api, api) == 0);
	}
	return (false);
}

static int
alias_cmp(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;
	int sx = price_specificity(x->pattern);
	int sy = price_specificity(y->pattern);

	if (sx != sy)
		return (sx > sy ? -1 : 1);
	return (strcmp(x->pattern, y->pattern));
}

void
alias_sort(struct alias *list, size_t n)
{

	if (n > 1)
		qsort(list, n, sizeof(*list), alias_cmp);
}

/* ---- names of one request ---- */

/* One line: the platform, and the name behind it; moves on to the next. */
struct line {
	const char *platform, *model;
	size_t platform_len, model_len;
};

static const char *
behind_also(const char *names)
{
	char name[LIMIT_NAME_BYTES];

	while (next_also(&names, name))
		;
	return (names);
}

static bool
next_line(const char **names, struct line *l)
{
	size_t n = strcspn(*names, "\n");

	if (n == 0)
		return (false);
	l->platform = *names;
	l->platform_len = strcspn(*names, "/");
	l->model = *names + l->platform_len + 1;
	l->model_len = n - l->platform_len - 1;
	*names += n + ((*names)[n] == '\n');
	return (true);
}

static bool
is_text(const char *p, size_t n, const char *text)
{

	return (strlen(text) == n && memcmp(p, text, n) == 0);
}

static int __attribute__((__format__(__printf__, 2, 3)))
add_line(char names[MODEL_NAMES_SIZE], const char *fmt, ...)
{
	size_t n = strlen(names), room = MODEL_NAMES_SIZE - n;
	const char *end = n > 0 ? "\n" : "";
	va_list ap;
	int len;

	if (room < 2)
		return (-1);
	strcpy(names + n, end);
	va_start(ap, fmt);
	len = vsnprintf(names + n + strlen(end), room - strlen(end), fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < room - strlen(end))
		return (0);
	names[n] = '\0';
	return (-1);
}

int
model_names_add(char names[MODEL_NAMES_SIZE], const char *platform,
    const char *model)
{

	return (add_line(names, "%s/%s", platform, model));
}

int
model_names_also(char names[MODEL_NAMES_SIZE], const struct model_ask *also)
{
	size_t i;

	for (i = 0; also != NULL && i < also->n; i++) {
		if (add_line(names, "+%s", also->names[i]))
			return (-1);
	}
	return (also != NULL && also->unnamed ? add_line(names, "+") : 0);
}

int
model_names_any(char names[MODEL_NAMES_SIZE])
{

	return (add_line(names, MODEL_NAMES_ANY));
}

bool
model_names_are_any(const char *names)
{

	return (strcmp(behind_also(names), MODEL_NAMES_ANY) == 0);
}

void
model_names_plain(char names[MODEL_NAMES_SIZE], const char *asked)
{
	const char *p = names;
	struct line l;

	if (next_line(&p, &l) && *p == '\0' &&
	    is_text(l.platform, l.platform_len, PLAIN_PLATFORM) &&
	    is_text(l.model, l.model_len, asked))
		names[0] = '\0';
}

bool
model_names_have(const char *names, const char *asked, const char *platform,
    const char *model)
{
	struct line l;

	if (names[0] == '\0')
		return (strcmp(model, asked) == 0 &&
		    strcmp(platform, PLAIN_PLATFORM) == 0);
	names = behind_also(names);
	if (strcmp(names, MODEL_NAMES_ANY) == 0)
		return (true);
	while (next_line(&names, &l)) {
		if (is_text(l.platform, l.platform_len, platform) &&
		    is_text(l.model, l.model_len, model))
			return (true);
	}
	return (false);
}

bool
model_names_fit(const char *names, const char *asked, const struct account *a)
{
	const char *rest = names;
	char name[LIMIT_NAME_BYTES];

	if ((asked[0] != '\0' || names[0] == '\0') &&
	    !model_names_have(names, asked, a->platform,
	    account_model(a, asked)))
		return (false);
	while (next_also(&rest, name)) {
		if (name[0] != '\0' && !model_names_have(names, name,
		    a->platform, account_model(a, name)))
			return (false);
	}
	return (true);
}

bool
model_names_match(const char *names, const char *asked, const char *patterns)
{
	char model[LIMIT_NAME_BYTES];
	struct line l;

	if (names[0] == '\0' || model_names_are_any(names))
		return (models_allow(patterns, asked));
	names = behind_also(names);
	while (next_line(&names, &l)) {
		if (l.model_len >= sizeof(model))
			continue;
		memcpy(model, l.model, l.model_len);
		model[l.model_len] = '\0';
		if (models_allow(patterns, model))
			return (true);
	}
	return (false);
}
