#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#include "member.h"
#include "output.h"

#include "budget_text.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define CELL_SIZE	256

static const struct column table[] = {
	{ "BUDGET", "name", COLUMN_TEXT },
	{ "ON", "where", COLUMN_TEXT },
	{ "COUNTS", "what", COLUMN_TEXT },
	{ "LIMIT", "limit", COLUMN_FIGURE },
	{ "SPENT", "spent", COLUMN_FIGURE },
	{ "RESERVED", "reserved", COLUMN_FIGURE },
	{ "LEFT", "left", COLUMN_FIGURE },
	{ "WINDOW", "window", COLUMN_TEXT },
	{ "RENEWS", "renews", COLUMN_TEXT },
	{ "POLICY", "policy", COLUMN_TEXT },
	{ "ENABLED", "enabled", COLUMN_YES_NO },
};

static const struct column one[] = {
	{ "name", "name", COLUMN_TEXT },
	{ "on", "where", COLUMN_TEXT },
	{ "counts", "what", COLUMN_TEXT },
	{ "limit", "limit", COLUMN_TEXT },
	{ "spent", "spent", COLUMN_TEXT },
	{ "reserved", "reserved", COLUMN_TEXT },
	{ "left", "left", COLUMN_TEXT },
	{ "window", "window", COLUMN_TEXT },
	{ "from", "from", COLUMN_TEXT },
	{ "to", "to", COLUMN_TEXT },
	{ "renews", "renews", COLUMN_TEXT },
	{ "policy", "policy", COLUMN_TEXT },
	{ "enabled", "enabled", COLUMN_YES_NO },
	{ "counts since", "created_ms", COLUMN_TIME },
};

/* A number of the unit that the budget counts. */
static json_t *
figure(const json_t *b, const char *key)
{
	const json_t *v = json_object_get(b, key);
	char cell[CELL_SIZE];

	if (!json_is_integer(v))
		return (json_null());
	output_cell(cell, sizeof(cell), v, strcmp(text_of(b, "counts"),
	    "money") == 0 ? COLUMN_MONEY : COLUMN_INT);
	return (json_string(cell));
}

/* "tokens", "money for claude-opus*" */
static json_t *
what(const json_t *b)
{
	const char *models = text_of(b, "models");

	return (json_sprintf("%s%s%s", text_of(b, "counts"), models[0] != '\0' ?
	    " for " : "", models));
}

/* "5h", "36h", "90m": the largest unit that it is a whole number of. */
static json_t *
length(const char *period, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" },
	};
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	return (json_sprintf("%s %lld%s", period, (long long)(ms /
	    units[i].ms), units[i].unit));
}

/* "total", "day Europe/Berlin", "rolling 5h" */
static json_t *
window(const json_t *b)
{
	int64_t ms = json_integer_value(json_object_get(b, "length_ms"));
	const char *period = text_of(b, "period");

	if (ms > 0)
		return (length(period, ms));
	if (strcmp(period, "total") == 0)
		return (json_string(period));
	return (json_sprintf("%s %s", period, text_of(b, "zone")));
}

/* "2026-11-21 00:00:00+01:00" */
static json_t *
when(const json_t *b, const char *key)
{
	char cell[CELL_SIZE], *t;

	if (!json_is_string(json_object_get(b, key)))
		return (json_null());
	(void)snprintf(cell, sizeof(cell), "%s", text_of(b, key));
	if ((t = strchr(cell, 'T')) != NULL)
		*t = ' ';
	return (json_string(cell));
}

/* What the columns show of a budget. */
static json_t *
shown(const json_t *b)
{
	static const char *const as_is[] = {
		"name", "policy", "enabled", "created_ms"
	};
	static const char *const figures[] = {
		"limit", "spent", "reserved", "left"
	};
	static const char *const times[] = { "from", "to", "renews" };
	json_t *row = json_object();
	size_t i;

	for (i = 0; i < NITEMS(as_is); i++)
		(void)json_object_set(row, as_is[i],
		    json_object_get(b, as_is[i]));
	for (i = 0; i < NITEMS(figures); i++)
		(void)json_object_set_new(row, figures[i],
		    figure(b, figures[i]));
	for (i = 0; i < NITEMS(times); i++)
		(void)json_object_set_new(row, times[i], when(b, times[i]));
	(void)json_object_set_new(row, "where", json_sprintf("%s %s",
	    text_of(b, "on"), text_of(b, "of")));
	(void)json_object_set_new(row, "what", what(b));
	(void)json_object_set_new(row, "window", window(b));
	return (row);
}

void
budget_text_table(const json_t *budgets)
{
	json_t *rows = json_array();
	const json_t *b;
	size_t i;

	json_array_foreach(budgets, i, b)
		(void)json_array_append_new(rows, shown(b));
	output_table(rows, table, NITEMS(table));
	json_decref(rows);
}

void
budget_text_fields(const json_t *budget)
{
	json_t *row = shown(budget);

	output_fields(row, one, NITEMS(one));
	json_decref(row);
}
