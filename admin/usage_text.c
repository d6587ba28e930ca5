#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/rollup.h"

#include "csv.h"
#include "usage_latency.h"

#include "usage.h"

/* ---- what is asked for ---- */

static int
parse_by(const char *s, bool by[USAGE_BY_COUNT], struct err *err)
{
	size_t i, n;

	for (; s != NULL && *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		for (i = 0; i < USAGE_BY_COUNT; i++) {
			if (strlen(usage_by_name[i]) == n &&
			    strncmp(usage_by_name[i], s, n) == 0)
				break;
		}
		if (i == USAGE_BY_COUNT || by[i] || (s[n] == ',' &&
		    s[n + 1] == '\0')) {
			err_set(err, ERR_INVAL, "by takes key, user, account, "
			    "group, model, each once, by comma");
			return (-1);
		}
		by[i] = true;
	}
	return (0);
}

static int
parse_range(const struct usage_words *words, const struct zone *zone,
    int64_t now_ms, struct range *out, struct err *err)
{

	out->from_ms = period_start(PERIOD_MONTH, zone, now_ms);
	out->to_ms = now_ms - now_ms % ROLLUP_HOUR_MS + ROLLUP_HOUR_MS;
	if (words->from != NULL && period_time(words->from, zone, now_ms,
	    &out->from_ms, err))
		return (-1);
	return (words->to == NULL ? 0 : period_time(words->to, zone, now_ms,
	    &out->to_ms, err));
}

int
usage_read(const struct usage_words *words, const struct zone *zone,
    int64_t now_ms, struct usage_query *q, struct err *err)
{

	q->zone = zone;
	q->per = PERIOD_TOTAL;
	if (words->per != NULL &&
	    (q->per = period_of(words->per)) == PERIOD_COUNT) {
		err_set(err, ERR_INVAL, "per takes hour, day, week, month, "
		    "year or total");
		return (-1);
	}
	if (parse_by(words->by, q->by, err))
		return (-1);
	return (parse_range(words, zone, now_ms, &q->range, err));
}

/* ---- CSV ---- */

static void
csv_value(FILE *out, const json_t *v)
{

	csv_next(out);
	if (json_is_string(v))
		csv_text(out, json_string_value(v));
	else if (json_is_integer(v))
		fprintf(out, "%lld", (long long)json_integer_value(v));
}

static void
csv_head(FILE *out, const struct usage_query *q)
{
	size_t i;

	fputs("start", out);
	for (i = 0; i < USAGE_BY_COUNT; i++) {
		if (q->by[i])
			fprintf(out, ",%s", usage_by_name[i]);
	}
	for (i = 0; i < ROLLUP_NSUMS; i++)
		fprintf(out, ",%s", rollup_names[i]);
	fputs(",cost_usd,cache_hit_share", out);
	for (i = 0; i < USAGE_LATENCY_NAMES; i++)
		fprintf(out, ",%s", usage_latency_names[i]);
	putc('\n', out);
}

void
usage_csv(FILE *out, const json_t *report, const struct usage_query *q)
{
	char money[NUM_NUSD_SIZE];
	const json_t *row;
	size_t i, n;

	csv_head(out, q);
	json_array_foreach(json_object_get(report, "rows"), n, row) {
		csv_text(out, json_string_value(json_object_get(row,
		    "start")));
		for (i = 0; i < USAGE_BY_COUNT; i++) {
			if (q->by[i])
				csv_value(out, json_object_get(row,
				    usage_by_name[i]));
		}
		for (i = 0; i < ROLLUP_NSUMS; i++)
			csv_value(out, json_object_get(row, rollup_names[i]));
		num_format_nusd(json_integer_value(json_object_get(row,
		    "cost_nusd")), money);
		fprintf(out, ",%s", money);
		csv_value(out, json_object_get(row, "cache_hit_share"));
		for (i = 0; i < USAGE_LATENCY_NAMES; i++)
			csv_value(out, json_object_get(row,
			    usage_latency_names[i]));
		putc('\n', out);
	}
}
