#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/price.h"

#include "pool/keys.h"
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

/* Platforms that speak what another does. */
static const struct {
	const char *platform, *api;
} dialects[] = {
	{ "claude_console", "claude" },
};

bool
account_alike(const struct account *a, const struct account *b)
{

	return (a->group == b->group && a->naliases == 0 &&
	    b->naliases == 0 && a->models == NULL && b->models == NULL &&
	    strcmp(a->platform, b->platform) == 0);
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

int
model_names_add(char names[MODEL_NAMES_SIZE], const char *platform,
    const char *model)
{
	size_t n = strlen(names), room = MODEL_NAMES_SIZE - n;

	if (strlen(platform) + strlen(model) + 3 > room)
		return (-1);
	(void)snprintf(names + n, room, "%s%s/%s", n > 0 ? "\n" : "",
	    platform, model);
	return (0);
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
model_names_match(const char *names, const char *asked, const char *patterns)
{
	char model[LIMIT_NAME_BYTES];
	struct line l;

	if (names[0] == '\0' || strcmp(names, MODEL_NAMES_ANY) == 0)
		return (models_allow(patterns, asked));
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
