/*
 * Reports of the provider, CSV or JSON: any text is refused with a reason, or
 * gives rows within the days that it says it is of.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "must.h"
#include "provider_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_row(const struct provider_report *r, const struct rollup *row)
{
	char again[PROVIDER_MODEL_SIZE];
	size_t i;

	must(row->key.start_ms % ROLLUP_DAY_MS == 0, "a row is of a day");
	must(row->key.start_ms >= r->from_ms && row->key.start_ms < r->to_ms,
	    "it is one of the report's");
	must(row->sums[ROLLUP_REQUESTS] > 0, "it comes from a line");
	for (i = 0; i < ROLLUP_NSUMS; i++)
		must(i == ROLLUP_COST_NUSD || row->sums[i] >= 0,
		    "counts are not negative");

	/* A plain name is its own plain form. */
	provider_model(row->key.model, again);
	must(strcmp(again, row->key.model) == 0, "names are plain");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct provider_report r;
	struct err err;
	size_t i;

	must(text != NULL, "memory");
	if (size > 0)
		memcpy(text, data, size);
	err_clear(&err);
	if (provider_report_parse(text, size, &r, &err) == 0) {
		must(err.code == ERR_NONE, "a report without an error");
		must(r.from_ms < r.to_ms, "it is of some day");
		for (i = 0; i < r.rows.n; i++)
			check_row(&r, &r.rows.list[i]);
		provider_report_free(&r);
	} else
		must(err.code != ERR_NONE && err.text[0] != '\0',
		    "a reason");
	free(text);
	return (0);
}
