#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

#include "csv.h"

#include "provider_report.h"

/* Half a cent: the Console's exports of cost have two places. */
#define CENT_ERROR_NUSD	INT64_C(5000000)

/* More tokens on a line than this are no tokens. */
#define COUNT_MAX	(INT64_MAX / 1024)

/* ---- names of models ---- */

/* A release: 8 digits, or a year and what follows. */
static bool
is_release(const char *word, size_t n)
{

	return (strspn(word, "0123456789") >= n && (n == 8 ||
	    (n == 4 && (strncmp(word, "20", 2) == 0))));
}

static void
put_word(char *out, const char *word, size_t n)
{
	size_t len = strlen(out), i;

	if (len + n + 2 > PROVIDER_MODEL_SIZE)
		return;
	if (len > 0)
		out[len++] = '-';
	for (i = 0; i < n; i++)
		out[len + i] = (char)tolower((unsigned char)word[i]);
	out[len + n] = '\0';
}

/* The words that are numbers, or those that are not, up to a release or a
 * variant ("[1m]"). */
static void
put_words(char *out, const char *name, bool numbers)
{
	static const char between[] = "-. _@/:";
	size_t n;

	for (; *name != '\0' && *name != '['; name += n) {
		name += strspn(name, between);
		n = strcspn(name, "[-. _@/:");
		if (is_release(name, n))
			return;
		if (n == 0 || (n == 6 && strncasecmp(name, "latest", n) == 0))
			continue;
		if ((strspn(name, "0123456789") >= n) == numbers)
			put_word(out, name, n);
	}
}

void
provider_model(const char *name, char out[PROVIDER_MODEL_SIZE])
{

	out[0] = '\0';
	put_words(out, name, false);
	put_words(out, name, true);
}

/* ---- rows ---- */

/* From text: a decimal that may be negative (a credit). */
static int
parse_money(const char *s, size_t n, int scale, int64_t *out)
{
	bool minus = n > 0 && s[0] == '-';

	if (num_parse_decimal(s + minus, n - minus, scale, out))
		return (-1);
	if (minus)
		*out = -*out;
	return (0);
}

static int
parse_day(const char *s, int64_t *day_ms)
{
	char whole[CLOCK_RFC3339_SIZE];

	if (strlen(s) == strlen("2026-11-20")) {
		(void)snprintf(whole, sizeof(whole), "%sT00:00:00Z", s);
		s = whole;
	}
	if (clock_parse_date(s, day_ms) || *day_ms < 0)
		return (-1);
	*day_ms -= *day_ms % ROLLUP_DAY_MS;
	return (0);
}

static int
add_row(struct provider_report *r, int64_t day_ms, const char *model,
    const int64_t *sums, struct err *err)
{
	struct rollup row = { .key = { .start_ms = day_ms } };

	provider_model(model, row.key.model);
	if (row.key.model[0] != '\0')
		r->has_models = true;
	memcpy(row.sums, sums, sizeof(row.sums));
	row.sums[ROLLUP_REQUESTS] = 1;
	if (day_ms < r->from_ms)
		r->from_ms = day_ms;
	if (day_ms + ROLLUP_DAY_MS > r->to_ms)
		r->to_ms = day_ms + ROLLUP_DAY_MS;
	return (rollup_set_add(&r->rows, &row, 1, err));
}

/* ---- CSV ---- */

enum csv_kind { CSV_DAY, CSV_MODEL, CSV_COUNT, CSV_DOLLARS };

/* What a column may be called, and what it is. */
static const struct {
	const char *name;
	enum csv_kind kind;
	enum rollup_sum sum;
} csv_columns[] = {
	{ "usage_date_utc", CSV_DAY, 0 },
	{ "model_version", CSV_MODEL, 0 },
	{ "model", CSV_MODEL, 0 },
	{ "usage_input_tokens_no_cache", CSV_COUNT, ROLLUP_INPUT_TOKENS },
	{ "usage_input_tokens_cache_write_5m", CSV_COUNT,
	    ROLLUP_CACHE_WRITE_5M_TOKENS },
	{ "usage_input_tokens_cache_write", CSV_COUNT,
	    ROLLUP_CACHE_WRITE_5M_TOKENS },
	{ "usage_input_tokens_cache_write_1h", CSV_COUNT,
	    ROLLUP_CACHE_WRITE_1H_TOKENS },
	{ "usage_input_tokens_cache_read", CSV_COUNT,
	    ROLLUP_CACHE_READ_TOKENS },
	{ "usage_output_tokens", CSV_COUNT, ROLLUP_OUTPUT_TOKENS },
	{ "web_search_count", CSV_COUNT, ROLLUP_WEB_SEARCHES },
	{ "cost_usd", CSV_DOLLARS, ROLLUP_COST_NUSD },
};
#define NCSV	(sizeof(csv_columns) / sizeof(csv_columns[0]))

/* Which row of the table each column of the file is; NCSV: none. */
struct csv_head {
	size_t n;
	size_t is[CSV_VALUES_MAX];
};

static size_t
csv_find(const char *name)
{
	size_t i = 0;

	while (i < NCSV && strcmp(csv_columns[i].name, name) != 0)
		i++;
	return (i);
}

static int
csv_head(struct csv_reader *in, struct csv_head *head,
    struct provider_report *r, struct err *err)
{
	struct csv_line line;
	bool day = false;
	size_t i, is;
	int rc;

	if ((rc = csv_read(in, &line, err)) <= 0) {
		if (rc == 0)
			err_set(err, ERR_INVAL, "it is empty");
		return (-1);
	}
	head->n = line.n;
	for (i = 0; i < line.n; i++) {
		head->is[i] = is = csv_find(line.values[i]);
		if (is == NCSV)
			continue;
		day = day || csv_columns[is].kind == CSV_DAY;
		r->has_cost |= csv_columns[is].kind == CSV_DOLLARS;
		r->has_tokens |= csv_columns[is].sum == ROLLUP_OUTPUT_TOKENS;
		r->merged_writes |= strcmp(csv_columns[is].name,
		    "usage_input_tokens_cache_write") == 0;
	}
	if (day && (r->has_cost || r->has_tokens))
		return (0);
	err_set(err, ERR_INVAL, "its first line names no column "
	    "\"usage_date_utc\" together with \"usage_output_tokens\" or "
	    "\"cost_usd\", as an export of usage or cost does");
	return (-1);
}

static int
csv_value(const char *text, size_t is, int64_t *sums)
{
	size_t n = strlen(text);

	if (n == 0)
		return (0);
	if (csv_columns[is].kind == CSV_DOLLARS)
		return (parse_money(text, n, 9, &sums[csv_columns[is].sum]));
	return (num_parse(text, n, 0, COUNT_MAX, &sums[csv_columns[is].sum]));
}

static int
csv_line(const struct csv_head *head, const struct csv_line *line,
    struct provider_report *r, struct err *err)
{
	int64_t sums[ROLLUP_NSUMS] = { 0 }, day_ms = -1;
	const char *model = "";
	size_t i, is;
	int rc = 0;

	if (line->n != head->n) {
		err_set(err, ERR_INVAL, "line %zu has %zu values instead of "
		    "%zu", line->number, line->n, head->n);
		return (-1);
	}
	for (i = 0; i < line->n && rc == 0; i++) {
		if ((is = head->is[i]) == NCSV)
			continue;
		if (csv_columns[is].kind == CSV_MODEL)
			model = line->values[i];
		else if (csv_columns[is].kind == CSV_DAY)
			rc = parse_day(line->values[i], &day_ms);
		else
			rc = csv_value(line->values[i], is, sums);
		if (rc != 0)
			err_set(err, ERR_INVAL, "line %zu: \"%.40s\" is no "
			    "value for %s", line->number, line->values[i],
			    csv_columns[is].name);
	}
	return (rc != 0 ? -1 : add_row(r, day_ms, model, sums, err));
}

static int
parse_csv(char *text, size_t n, struct provider_report *r, struct err *err)
{
	struct csv_reader in;
	struct csv_head head;
	struct csv_line line;
	int rc;

	csv_reader_init(&in, text, n);
	if (csv_head(&in, &head, r, err))
		return (-1);
	if (r->has_cost)
		r->line_error_nusd = CENT_ERROR_NUSD;
	while ((rc = csv_read(&in, &line, err)) == 1) {
		if (csv_line(&head, &line, r, err))
			return (-1);
	}
	return (rc);
}

/* ---- JSON ---- */

static const struct {
	const char *outer;	/* NULL: none */
	const char *name;
	enum rollup_sum sum;
} json_counts[] = {
	{ NULL, "uncached_input_tokens", ROLLUP_INPUT_TOKENS },
	{ "cache_creation", "ephemeral_5m_input_tokens",
	    ROLLUP_CACHE_WRITE_5M_TOKENS },
	{ "cache_creation", "ephemeral_1h_input_tokens",
	    ROLLUP_CACHE_WRITE_1H_TOKENS },
	{ NULL, "cache_read_input_tokens", ROLLUP_CACHE_READ_TOKENS },
	{ NULL, "output_tokens", ROLLUP_OUTPUT_TOKENS },
	{ "server_tool_use", "web_search_requests", ROLLUP_WEB_SEARCHES },
};

static int
bad_member(const char *name, const char *should, struct err *err)
{

	err_set(err, ERR_INVAL, "its member \"%s\" is no %s", name, should);
	return (-1);
}

static int
json_cost(const json_t *result, struct provider_report *r, int64_t *sums,
    struct err *err)
{
	const json_t *amount = json_object_get(result, "amount");
	const char *currency = json_string_value(json_object_get(result,
	    "currency"));

	if (amount == NULL)
		return (0);
	r->has_cost = true;
	/* Cents: two places less than dollars. */
	if (!json_is_string(amount) || parse_money(json_string_value(amount),
	    json_string_length(amount), 7, &sums[ROLLUP_COST_NUSD]))
		return (bad_member("amount", "decimal number in quotes",
		    err));
	if (currency != NULL && strcmp(currency, "USD") != 0)
		return (bad_member("currency", "\"USD\"", err));
	return (0);
}

static int
json_tokens(const json_t *result, struct provider_report *r, int64_t *sums,
    struct err *err)
{
	const json_t *in, *v;
	size_t i;

	if (json_object_get(result, "output_tokens") == NULL)
		return (0);
	r->has_tokens = true;
	for (i = 0; i < sizeof(json_counts) / sizeof(json_counts[0]); i++) {
		in = json_counts[i].outer == NULL ? result :
		    json_object_get(result, json_counts[i].outer);
		v = json_object_get(in, json_counts[i].name);
		if (v == NULL || json_is_null(v))
			continue;
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
		    json_integer_value(v) > COUNT_MAX)
			return (bad_member(json_counts[i].name,
			    "number of tokens", err));
		sums[json_counts[i].sum] = json_integer_value(v);
	}
	return (0);
}

static int
json_result(const json_t *result, int64_t day_ms, struct provider_report *r,
    struct err *err)
{
	const char *model = json_string_value(json_object_get(result,
	    "model"));
	int64_t sums[ROLLUP_NSUMS] = { 0 };

	if (!json_is_object(result))
		return (bad_member("results", "array of objects", err));
	if (json_cost(result, r, sums, err) ||
	    json_tokens(result, r, sums, err))
		return (-1);
	return (add_row(r, day_ms, model == NULL ? "" : model, sums, err));
}

/* A bucket states its time even when nothing was used. */
static int
json_bucket(const json_t *bucket, struct provider_report *r,
    struct err *err)
{
	const char *start = json_string_value(json_object_get(bucket,
	    "starting_at"));
	const json_t *results = json_object_get(bucket, "results"), *result;
	int64_t day_ms;
	size_t i;

	if (start == NULL || parse_day(start, &day_ms))
		return (bad_member("starting_at", "RFC 3339 time", err));
	if (!json_is_array(results))
		return (bad_member("results", "array of objects", err));
	if (day_ms < r->from_ms)
		r->from_ms = day_ms;
	if (day_ms + ROLLUP_DAY_MS > r->to_ms)
		r->to_ms = day_ms + ROLLUP_DAY_MS;
	json_array_foreach(results, i, result) {
		if (json_result(result, day_ms, r, err))
			return (-1);
	}
	return (0);
}

static int
json_page(const json_t *page, struct provider_report *r, struct err *err)
{
	const json_t *data = json_object_get(page, "data"), *bucket;
	size_t i;

	if (!json_is_array(data))
		return (bad_member("data", "array, as a report of the Admin "
		    "API has", err));
	json_array_foreach(data, i, bucket) {
		if (json_bucket(bucket, r, err))
			return (-1);
	}
	r->incomplete = json_is_true(json_object_get(page, "has_more"));
	return (0);
}

static int
parse_json(const char *text, size_t n, struct provider_report *r,
    struct err *err)
{
	json_error_t why;
	json_t *all, *page;
	size_t i;
	int rc = 0;

	if ((all = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why)) ==
	    NULL) {
		err_set(err, ERR_INVAL, "line %d is not JSON: %s", why.line,
		    why.text);
		return (-1);
	}
	if (json_is_array(all)) {
		json_array_foreach(all, i, page) {
			if ((rc = json_page(page, r, err)) != 0)
				break;
		}
	} else
		rc = json_page(all, r, err);
	json_decref(all);
	return (rc);
}

/* ---- the whole ---- */

void
provider_report_free(struct provider_report *r)
{

	rollup_set_fini(&r->rows);
}

int
provider_report_parse(char *text, size_t n, struct provider_report *r,
    struct err *err)
{
	size_t blank = 0;
	int rc;

	*r = (struct provider_report) { .from_ms = INT64_MAX };
	rollup_set_init(&r->rows);
	while (blank < n && strchr(" \t\r\n", text[blank]) != NULL &&
	    text[blank] != '\0')
		blank++;
	if (blank < n && (text[blank] == '{' || text[blank] == '['))
		rc = parse_json(text, n, r, err);
	else
		rc = parse_csv(text, n, r, err);
	if (rc == 0 && r->to_ms == 0) {
		err_set(err, ERR_INVAL, "it reports no day");
		rc = -1;
	}
	if (rc != 0)
		provider_report_free(r);
	return (rc);
}

static char *
read_whole(FILE *f, size_t *n, struct err *err)
{
	size_t cap = 64 * 1024, got;
	char *text = NULL, *more;

	*n = 0;
	for (;;) {
		if ((more = realloc(text, cap + 1)) == NULL)
			break;
		text = more;
		got = fread(text + *n, 1, cap - *n, f);
		*n += got;
		if (ferror(f)) {
			err_set_errno(err, ERR_IO, errno, "cannot read it");
			free(text);
			return (NULL);
		}
		if (*n < cap)
			return (text);
		if (cap >= PROVIDER_REPORT_MAX) {
			err_set(err, ERR_TOO_LARGE, "it is longer than %d MB",
			    PROVIDER_REPORT_MAX / 1024 / 1024);
			free(text);
			return (NULL);
		}
		cap *= 2;
	}
	free(text);
	err_set(err, ERR_NOMEM, "no memory for a report");
	return (NULL);
}

int
provider_report_read(const char *path, struct provider_report *r,
    struct err *err)
{
	bool std = strcmp(path, "-") == 0;
	struct err why = { .code = ERR_NONE };
	FILE *f = std ? stdin : fopen(path, "r");
	char *text;
	size_t n;
	int rc = -1;

	if (f == NULL) {
		err_set_errno(err, ERR_NOT_FOUND, errno, "cannot open %s",
		    path);
		return (-1);
	}
	if ((text = read_whole(f, &n, &why)) != NULL)
		rc = provider_report_parse(text, n, r, &why);
	if (rc != 0)
		err_set(err, why.code, "%s: %s", std ? "standard input" :
		    path, why.text);
	free(text);
	if (!std)
		fclose(f);
	return (rc);
}
