#ifndef ADMIN_PROVIDER_REPORT_H_
#define ADMIN_PROVIDER_REPORT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/rollup.h"

struct err;

/**
 * What the provider says was used: its exported reports, in these shapes.
 *
 * Usage, CSV, as the Claude Console exports it (Usage, Export).  A line a day,
 * model, key, ...; columns are found by their names, others do not matter:
 *
 *	usage_date_utc, model_version, api_key, workspace, usage_type,
 *	context_window, usage_input_tokens_no_cache,
 *	usage_input_tokens_cache_write_5m, usage_input_tokens_cache_write_1h,
 *	usage_input_tokens_cache_read, usage_output_tokens,
 *	web_search_count, ...
 *
 * (older exports: usage_input_tokens_cache_write for both).
 *
 * Cost, CSV, of the Console (Cost, Export); models by their display names, a
 * line for each type of token, dollars rounded to cents:
 *
 *	usage_date_utc, model, workspace, api_key, usage_type, context_window,
 *	token_type, cost_usd, ...
 *
 * Usage and cost, JSON, of the Admin API; a page, or an array of pages:
 *
 *	GET /v1/organizations/usage_report/messages, best with
 *	group_by[]=model: data[].starting_at, .ending_at, .results[]:
 *	uncached_input_tokens, cache_creation.ephemeral_5m_input_tokens and
 *	.ephemeral_1h_input_tokens, cache_read_input_tokens, output_tokens,
 *	server_tool_use.web_search_requests, model
 *	GET /v1/organizations/cost_report, best with group_by[]=description:
 *	.results[]: amount (cents, a decimal as text), currency, model
 *
 * Sources: support.claude.com/en/articles/9534590 (the exports; their columns
 * as found in exported files), platform.claude.com/docs/en/api/admin-api/
 * usage-cost/get-messages-usage-report and .../get-cost-report.
 */
struct provider_report {
	struct rollup_set rows;		/* by day of UTC and plain model; of
					   the sums tokens, searches, cost,
					   and as .REQUESTS the lines */
	bool has_tokens, has_cost;
	bool has_models;		/* else the model is "" in all rows */
	bool merged_writes;		/* all cache writes stand as 5 m */
	bool incomplete;		/* the last page says that there are
					   more */
	int64_t line_error_nusd;	/* a line's cost may be off by so much
					   from rounding */
	int64_t from_ms, to_ms;		/* whole days */
};

/* A report is read whole. */
#define PROVIDER_REPORT_MAX	(64 * 1024 * 1024)

/** provider_report_read(path, r, err): "-" is standard input.  0, or -1:
 * ERR_INVAL that names the line or member; nothing is to be freed then. */
int provider_report_read(const char *path, struct provider_report *r,
    struct err *err) __attribute__((__warn_unused_result__));
void provider_report_free(struct provider_report *r);

/** provider_report_parse(text, n, r, err): Likewise, of ${n} bytes, which are
 * changed; ${text}[${n}] must be writable as well. */
int provider_report_parse(char *text, size_t n, struct provider_report *r,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * provider_model(name, out):
 * The plain form of a model's name, for clients, reports of usage and reports
 * of cost name the same model differently: "claude-3-5-haiku-20241022",
 * "Claude Haiku 3.5" and "claude-3-5-haiku-latest" are "claude-haiku-3-5".
 */
#define PROVIDER_MODEL_SIZE 128
void provider_model(const char *name, char out[PROVIDER_MODEL_SIZE]);

#endif /* !ADMIN_PROVIDER_REPORT_H_ */
