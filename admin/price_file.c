#include <float.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#include "price_file.h"

#define KEY_SIZE	96

/* Dollars a token to nano-dollars for 10^6 tokens. */
#define SCALE		(9 + 6)

#define INPUT		"input_cost_per_token"
#define OUTPUT		"output_cost_per_token"
#define CACHE_READ	"cache_read_input_token_cost"
#define CACHE_WRITE	"cache_creation_input_token_cost"
#define CACHE_WRITE_1H	"cache_creation_input_token_cost_above_1hr"

static const struct {
	const char *litellm;
	const char *platform;
} providers[] = {
	{ "anthropic", "claude" },
};

/*
 * A decimal of up to DBL_DIG digits comes back from a double unchanged, and
 * prices have a handful.
 */
_Static_assert(DBL_DIG == 15, "the format below has so many digits");

static bool
get_decimal(const json_t *entry, const char *key, int scale, int64_t *out)
{
	const json_t *v = json_object_get(entry, key);
	char text[64];
	int n;

	if (json_is_integer(v))
		n = snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
	else if (json_is_real(v))
		n = snprintf(text, sizeof(text), "%.15g",
		    json_real_value(v));
	else
		return (false);
	return (num_parse_decimal(text, (size_t)n, scale, out) == 0);
}

static bool
get_number(const json_t *entry, const char *key, int64_t *out)
{

	return (get_decimal(entry, key, SCALE, out));
}

/* As get_number, for a tier ("_above_200k_tokens", or ""). */
static bool
get_tiered(const json_t *entry, const char *key, const char *tier,
    int64_t *out)
{
	char name[KEY_SIZE];

	(void)snprintf(name, sizeof(name), "%s%s", key, tier);
	return (get_number(entry, name, out));
}

/* Fill the prices of one tier; false if it states no input price. */
static bool
read_tier(const json_t *entry, const char *tier, struct price *p)
{
	int64_t input;

	if (!get_tiered(entry, INPUT, tier, &input))
		return (false);
	p->input_nusd_mtok = input;
	if (!get_tiered(entry, OUTPUT, tier, &p->output_nusd_mtok) &&
	    !get_number(entry, OUTPUT, &p->output_nusd_mtok))
		return (false);
	if (!get_tiered(entry, CACHE_READ, tier, &p->cache_read_nusd_mtok))
		p->cache_read_nusd_mtok = input;
	if (!get_tiered(entry, CACHE_WRITE, tier,
	    &p->cache_write_5m_nusd_mtok))
		p->cache_write_5m_nusd_mtok =
		    num_add_sat(input, (input + 3) / 4);
	if (!get_tiered(entry, CACHE_WRITE_1H, tier,
	    &p->cache_write_1h_nusd_mtok))
		p->cache_write_1h_nusd_mtok = num_mul_sat(input, 2);
	return (true);
}

/* ${part} of ${whole} in percent, rounded up; 0: it cannot be one. */
static int64_t
percent_of(int64_t part, int64_t whole)
{

	if (whole <= 0 || part <= 0 || part / PRICE_PERCENT_MAX > whole / 100)
		return (0);
	return (num_add_sat(num_mul_sat(part, 100), whole - 1) / whole);
}

/* What a way to be served costs ("_batches", "_priority"), of the plain
 * price: the dearer of what is stated of input and output. */
static int64_t
get_percent(const json_t *entry, const char *way, const struct price *p)
{
	int64_t nusd, percent = 0, one;

	if (get_tiered(entry, INPUT, way, &nusd))
		percent = percent_of(nusd, p->input_nusd_mtok);
	if (get_tiered(entry, OUTPUT, way, &nusd) &&
	    (one = percent_of(nusd, p->output_nusd_mtok)) > percent)
		percent = one;
	return (percent);
}

/* A factor, as it stands in "provider_specific_entry". */
static int64_t
get_factor(const json_t *entry, const char *name)
{
	int64_t percent;

	if (!get_decimal(json_object_get(entry, "provider_specific_entry"),
	    name, 2, &percent) || percent > PRICE_PERCENT_MAX)
		return (0);
	return (percent);
}

/* One web search; the kinds that other providers know cost the same here. */
static int64_t
get_search(const json_t *entry)
{
	static const char *const sizes[] = { "search_context_size_low",
		"search_context_size_medium", "search_context_size_high" };
	const json_t *by_size = json_object_get(entry,
	    "search_context_cost_per_query");
	int64_t nusd, most = 0;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (get_decimal(by_size, sizes[i], 9, &nusd) && nusd > most)
			most = nusd;
	}
	return (most);
}

static void
read_ways(const json_t *entry, struct price *p)
{

	p->batch_percent = get_percent(entry, "_batches", p);
	p->priority_percent = get_percent(entry, "_priority", p);
	p->fast_percent = get_factor(entry, "fast");
	p->geo_us_percent = get_factor(entry, "us");
	p->web_search_nusd = get_search(entry);
}

/* "input_cost_per_token_above_200k_tokens": 200000; 0 for other keys. */
static int64_t
tier_of_key(const char *key)
{
	static const char prefix[] = INPUT "_above_";
	static const char suffix[] = "k_tokens";
	const char *end;
	int64_t thousands;

	if (strncmp(key, prefix, sizeof(prefix) - 1) != 0)
		return (0);
	key += sizeof(prefix) - 1;
	end = strstr(key, suffix);
	if (end == NULL || strcmp(end, suffix) != 0 ||
	    num_parse(key, (size_t)(end - key), 1, 100000, &thousands))
		return (0);
	return (thousands * 1000);
}

static const char *
platform_of(const json_t *entry)
{
	const char *provider;
	size_t i;

	provider = json_string_value(json_object_get(entry,
	    "litellm_provider"));
	for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		if (provider != NULL &&
		    strcmp(provider, providers[i].litellm) == 0)
			return (providers[i].platform);
	}
	return (NULL);
}

size_t
price_file_model(const char *name, const json_t *entry,
    struct price rows[1 + PRICE_TIERS_MAX])
{
	const char *platform = platform_of(entry), *key;
	json_t *value, *context;
	size_t n = 1;
	int64_t above;

	/* Names with '/' are LiteLLM's own routes, not names of models. */
	if (platform == NULL || strchr(name, '/') != NULL ||
	    strlen(name) >= sizeof(rows[0].pattern))
		return (0);
	memset(&rows[0], 0, sizeof(rows[0]));
	(void)snprintf(rows[0].platform, sizeof(rows[0].platform), "%s",
	    platform);
	(void)snprintf(rows[0].pattern, sizeof(rows[0].pattern), "%s", name);
	context = json_object_get(entry, "max_input_tokens");
	if (json_is_integer(context) && json_integer_value(context) > 0)
		rows[0].context_tokens = json_integer_value(context);
	if (!read_tier(entry, "", &rows[0]))
		return (0);
	read_ways(entry, &rows[0]);
	json_object_foreach((json_t *)(uintptr_t)entry, key, value) {
		if ((above = tier_of_key(key)) == 0 || n > PRICE_TIERS_MAX)
			continue;
		rows[n] = rows[0];
		rows[n].above_tokens = above;
		if (read_tier(entry, key + sizeof(INPUT) - 1, &rows[n]))
			n++;
	}
	return (n);
}
