#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "ledger/price.h"
#include "store/store.h"

#include "accounts.h"
#include "change.h"
#include "price_file.h"
#include "query.h"

#include "prices.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define SOURCE_SIZE	256
#define TIERS_EVER	32

/* What may change in a row, in the order of price_newest. */
#define VALUES		11

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "platform", .kind = FIELD_TEXT },
	{ .name = "model", .kind = FIELD_TEXT },
	{ .name = "above_tokens", .kind = FIELD_INT },
	{ .name = "valid_from_ms", .kind = FIELD_INT },
	{ .name = "valid_until_ms", .kind = FIELD_INT },
	{ .name = "input_nusd_mtok", .kind = FIELD_INT },
	{ .name = "output_nusd_mtok", .kind = FIELD_INT },
	{ .name = "cache_read_nusd_mtok", .kind = FIELD_INT },
	{ .name = "cache_write_5m_nusd_mtok", .kind = FIELD_INT },
	{ .name = "cache_write_1h_nusd_mtok", .kind = FIELD_INT },
	{ .name = "context_tokens", .kind = FIELD_INT },
	{ .name = "batch_percent", .kind = FIELD_INT },
	{ .name = "fast_percent", .kind = FIELD_INT },
	{ .name = "priority_percent", .kind = FIELD_INT },
	{ .name = "geo_us_percent", .kind = FIELD_INT },
	{ .name = "web_search_nusd", .kind = FIELD_INT },
	{ .name = "source", .kind = FIELD_TEXT },
};

json_t *
prices_read_file(const char *path, struct err *err)
{
	json_error_t e;
	json_t *file;

	if ((file = json_load_file(path, 0, &e))
	    == NULL) {
		err_set(err, e.line == -1 ? ERR_IO : ERR_INVAL,
		    "cannot read prices from %.100s: line %d: %.100s", path,
		    e.line, e.text);
		return (NULL);
	}
	if (json_is_object(file))
		return (file);
	err_set(err, ERR_INVAL, "%.100s is not a price file: it is no JSON "
	    "object", path);
	json_decref(file);
	return (NULL);
}

static void
values_of(const struct price *p, int64_t values[VALUES])
{

	values[0] = p->input_nusd_mtok;
	values[1] = p->output_nusd_mtok;
	values[2] = p->cache_read_nusd_mtok;
	values[3] = p->cache_write_5m_nusd_mtok;
	values[4] = p->cache_write_1h_nusd_mtok;
	values[5] = p->context_tokens;
	values[6] = p->batch_percent;
	values[7] = p->fast_percent;
	values[8] = p->priority_percent;
	values[9] = p->geo_us_percent;
	values[10] = p->web_search_nusd;
}

static int
add_row(struct store *st, const struct price *p, int64_t valid_from_ms,
    const char *source, struct err *err)
{
	struct store_value row[4 + VALUES + 2];
	int64_t values[VALUES];
	size_t i;

	row[0] = store_text(p->platform);
	row[1] = store_text(p->pattern);
	row[2] = store_int(p->above_tokens);
	row[3] = store_int(valid_from_ms);
	values_of(p, values);
	for (i = 0; i < VALUES; i++)
		row[4 + i] = store_int(values[i]);
	row[4 + VALUES] = store_int(p->valid_until_ms);
	row[5 + VALUES] = store_text(source);
	return (store_exec(st, STMT_PRICE_ADD, row, 1, NITEMS(row), NULL,
	    err));
}

/* Is there one since ever, which may have an end? */
static int
has_begun(struct store *st, const struct price *p, struct err *err)
{
	const struct store_value key[] = {
		store_text(p->platform),
		store_text(p->pattern),
		store_int(p->above_tokens),
	};
	int64_t n;

	if (store_one(st, STMT_PRICE_FIRST, key, NITEMS(key), &n, 1, err) !=
	    1)
		return (-1);
	return (n > 0);
}

/* Let ${p} be the price of its model and tier from now on. */
static int
put_row(struct store *st, const struct price *p, bool known_model,
    const char *source, struct prices_done *done, struct err *err)
{
	const struct store_value key[] = {
		store_text(p->platform),
		store_text(p->pattern),
		store_int(p->above_tokens),
	};
	int64_t newest[1 + VALUES], values[VALUES];
	int64_t from = known_model ? store_now_ms(st) : 0;
	int rc;

	if ((rc = store_one(st, STMT_PRICE_NEWEST, key, NITEMS(key), newest,
	    NITEMS(newest), err)) == -1)
		return (-1);
	values_of(p, values);
	if (rc == 1 && memcmp(values, &newest[1], sizeof(values)) == 0) {
		done->unchanged++;
		return (0);
	}
	if (rc == 1 && from <= newest[0])
		from = newest[0] + 1;
	if (from == 0 && (rc = has_begun(st, p, err)) != 0) {
		if (rc == -1)
			return (-1);
		from = store_now_ms(st);
	}
	done->added++;
	return (add_row(st, p, from, source, err));
}

struct tiers {
	int64_t above[TIERS_EVER];
	size_t n;
};

static int
take_tier(void *arg, const struct store_value *cols, size_t ncols)
{
	struct tiers *t = arg;

	(void)ncols;
	if (t->n < TIERS_EVER)
		t->above[t->n++] = store_get_int(&cols[0]);
	return (0);
}

static bool
has_tier(const struct price *rows, size_t n, int64_t above)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (rows[i].above_tokens == above)
			return (true);
	}
	return (false);
}

/* Tiers that the model had and has no more cost what its base does. */
static int
level_tiers(struct store *st, const struct price *rows, size_t n,
    const char *source, struct prices_done *done, struct err *err)
{
	const struct store_value key[] = {
		store_text(rows[0].platform),
		store_text(rows[0].pattern),
	};
	struct tiers ever = { .n = 0 };
	struct price level;
	size_t i;

	if (store_query(st, STMT_PRICE_TIERS, key, NITEMS(key), take_tier,
	    &ever, err) == -1)
		return (-1);
	for (i = 0; i < ever.n; i++) {
		if (has_tier(rows, n, ever.above[i]))
			continue;
		level = rows[0];
		level.above_tokens = ever.above[i];
		if (put_row(st, &level, true, source, done, err))
			return (-1);
	}
	return (0);
}

static int
import_model(struct store *st, const struct price *rows, size_t n,
    const char *source, struct prices_done *done, struct err *err)
{
	const struct store_value key[] = {
		store_text(rows[0].platform),
		store_text(rows[0].pattern),
		store_int(0),
	};
	int64_t newest;
	size_t i;
	int known;

	if ((known = store_one(st, STMT_PRICE_NEWEST, key, NITEMS(key),
	    &newest, 1, err)) == -1)
		return (-1);
	for (i = 0; i < n; i++) {
		if (put_row(st, &rows[i], known == 1, source, done, err))
			return (-1);
	}
	return (level_tiers(st, rows, n, source, done, err));
}

static void
put_on(struct price *rows, size_t n, const char *platform)
{
	size_t i;

	for (i = 0; platform != NULL && i < n; i++)
		(void)snprintf(rows[i].platform, sizeof(rows[i].platform),
		    "%s", platform);
}

static int
import_inside(struct store *st, const struct price_import *what,
    const char *source, struct prices_done *done, struct err *err)
{
	const json_t *file = what->file;
	struct price rows[1 + PRICE_TIERS_MAX];
	const char *name;
	json_t *entry;
	size_t n;

	json_object_foreach((json_t *)(uintptr_t)file, name, entry) {
		if (name[0] == '_')
			continue;
		n = price_file_model(name, entry, rows);
		put_on(rows, n, what->platform);
		if (n == 0)
			done->skipped++;
		else if (import_model(st, rows, n, source, done, err))
			return (-1);
	}
	if (done->added + done->unchanged > 0)
		return (0);
	err_set(err, ERR_INVAL, "the price file has no price of a Claude "
	    "model (litellm_provider \"anthropic\")");
	return (-1);
}

/* What the file says of itself, else ${source}. */
static void
find_source(const json_t *file, const char *source, char out[SOURCE_SIZE])
{
	const json_t *meta = json_object_get(file, "_meta");
	const char *date, *url;

	url = json_string_value(json_object_get(meta, "source"));
	date = json_string_value(json_object_get(meta, "date"));
	(void)snprintf(out, SOURCE_SIZE, "%s%s%s", url != NULL ? url : source,
	    date != NULL ? ", " : "", date != NULL ? date : "");
}

int
prices_import(struct store *st, const struct price_import *what,
    struct prices_done *done, struct err *err)
{
	char noted[SOURCE_SIZE];
	int rc;

	memset(done, 0, sizeof(*done));
	find_source(what->file, what->source, noted);
	if (what->platform != NULL &&
	    accounts_check_platform(what->platform, err))
		return (-1);
	if (change_begin(st, err))
		return (-1);
	rc = import_inside(st, what, noted, done, err);

	/* An import that changed nothing needs no new config version. */
	if (rc == 0 && done->added == 0) {
		store_rollback(st);
		return (0);
	}
	return (change_end(st, rc, err));
}

/* Has the model, in this tier, had a price that has no end? */
static int
is_known(struct store *st, const struct price *p, struct err *err)
{
	const struct store_value key[] = {
		store_text(p->platform),
		store_text(p->pattern),
		store_int(p->above_tokens),
	};
	int64_t newest;

	return (store_one(st, STMT_PRICE_NEWEST, key, NITEMS(key), &newest, 1,
	    err));
}

/* The first price of a model goes for all time before as well. */
static int
set_inside(struct store *st, struct price *p, struct err *err)
{
	int rc;

	if (p->valid_from_ms == 0) {
		if ((rc = is_known(st, p, err)) == 0)
			rc = has_begun(st, p, err);
		if (rc == -1)
			return (-1);
		p->valid_from_ms = rc == 0 ? 0 : store_now_ms(st);
	}
	if (p->valid_until_ms != 0 && p->valid_until_ms <= p->valid_from_ms) {
		err_set(err, ERR_INVAL, "a price cannot end before it begins");
		return (-1);
	}
	if (add_row(st, p, p->valid_from_ms, PRICES_BY_HAND, err))
		return (-1);
	p->id = store_insert_id(st);
	return (0);
}

int
prices_set_in(struct store *st, struct price *p, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	int rc;

	if ((rc = set_inside(st, p, &why)) == -1 && why.code == ERR_EXISTS)
		err_set(err, ERR_EXISTS, "%.127s has another price from that "
		    "very moment on", p->pattern);
	else if (rc == -1)
		err_set(err, why.code, "%s", why.text);
	return (rc);
}

int
prices_set(struct store *st, struct price *p, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, prices_set_in(st, p, err), err));
}

/* Its values never change, but it may be gone, or end. */
static int
check_old(struct store *st, const struct price *old, struct err *err)
{
	struct price now;
	json_t *row;

	if ((row = prices_show(st, old->id, &now, err)) == NULL)
		return (-1);
	json_decref(row);
	if (now.valid_until_ms == old->valid_until_ms)
		return (0);
	err_set(err, ERR_EXISTS, "this price got another end meanwhile");
	return (-1);
}

int
prices_follow(struct store *st, const struct price *old, struct price *p,
    struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, check_old(st, old, err) ? -1 :
	    prices_set_in(st, p, err), err));
}

void
prices_fill_cache(struct price *p)
{

	p->cache_read_nusd_mtok = p->input_nusd_mtok;
	p->cache_write_5m_nusd_mtok = num_add_sat(p->input_nusd_mtok,
	    (p->input_nusd_mtok + 3) / 4);
	p->cache_write_1h_nusd_mtok = num_mul_sat(p->input_nusd_mtok, 2);
}

/* ---- one of them ---- */

static int
remove_inside(struct store *st, int64_t id, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	struct store_value params[] = { store_int(now_ms), store_int(id) };
	struct price p;
	json_t *row;

	if ((row = prices_show(st, id, &p, err)) == NULL)
		return (-1);
	json_decref(row);
	if (p.valid_from_ms > now_ms)
		return (store_exec(st, STMT_PRICE_DROP, &params[1], 1, 1,
		    NULL, err));
	if (p.valid_from_ms == now_ms)
		params[0].i++;
	if (p.valid_until_ms == 0 || p.valid_until_ms > params[0].i)
		return (store_exec(st, STMT_PRICE_END, params, 1, 2, NULL,
		    err));
	err_set(err, ERR_EXISTS, "this price has ended already");
	return (-1);
}

int
prices_remove(struct store *st, int64_t id, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, id, err), err));
}

/* A row as the list has it. */
static void
take_price(const json_t *row, struct price *p)
{
	const struct {
		const char *name;
		int64_t *out;
	} numbers[] = {
		{ "id", &p->id },
		{ "above_tokens", &p->above_tokens },
		{ "valid_from_ms", &p->valid_from_ms },
		{ "valid_until_ms", &p->valid_until_ms },
		{ "input_nusd_mtok", &p->input_nusd_mtok },
		{ "output_nusd_mtok", &p->output_nusd_mtok },
		{ "cache_read_nusd_mtok", &p->cache_read_nusd_mtok },
		{ "cache_write_5m_nusd_mtok", &p->cache_write_5m_nusd_mtok },
		{ "cache_write_1h_nusd_mtok", &p->cache_write_1h_nusd_mtok },
		{ "context_tokens", &p->context_tokens },
		{ "batch_percent", &p->batch_percent },
		{ "fast_percent", &p->fast_percent },
		{ "priority_percent", &p->priority_percent },
		{ "geo_us_percent", &p->geo_us_percent },
		{ "web_search_nusd", &p->web_search_nusd },
	};
	size_t i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < NITEMS(numbers); i++)
		*numbers[i].out = json_integer_value(json_object_get(row,
		    numbers[i].name));
	(void)snprintf(p->platform, sizeof(p->platform), "%s",
	    json_string_value(json_object_get(row, "platform")));
	(void)snprintf(p->pattern, sizeof(p->pattern), "%s",
	    json_string_value(json_object_get(row, "model")));
}

json_t *
prices_show(struct store *st, int64_t id, struct price *p, struct err *err)
{
	const struct store_value param = store_int(id);
	json_t *row;

	row = query_row(st, STMT_PRICE_SHOW, &param, 1, fields,
	    NITEMS(fields), "such price", err);
	if (row != NULL && p != NULL)
		take_price(row, p);
	return (row);
}

json_t *
prices_newest(struct store *st, const char *pattern, struct err *err)
{
	const struct store_value param = store_text(pattern);
	json_t *rows;

	rows = query_rows(st, STMT_PRICE_OF_PATTERN, &param, 1, fields,
	    NITEMS(fields), err);
	if (rows == NULL || json_array_size(rows) > 0)
		return (rows);
	err_set(err, ERR_NOT_FOUND, "there is no price of it");
	json_decref(rows);
	return (NULL);
}

json_t *
prices_list(struct store *st, bool all, struct err *err)
{
	const struct store_value now = store_int(store_now_ms(st));
	const struct store_value params[] = { now, now };

	if (all)
		return (query_rows(st, STMT_PRICE_LIST_ALL, NULL, 0, fields,
		    NITEMS(fields), err));
	return (query_rows(st, STMT_PRICE_LIST, params, NITEMS(params),
	    fields, NITEMS(fields), err));
}

int
prices_any(struct store *st, int *any, struct err *err)
{
	int64_t count;

	if (store_one(st, STMT_PRICE_COUNT, NULL, 0, &count, 1, err) != 1)
		return (-1);
	*any = count > 0;
	return (0);
}
