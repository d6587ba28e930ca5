#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "store/store.h"

#include "command.h"
#include "copy.h"
#include "output.h"

/* Of one answer; a part of the copy is far quicker. */
#define PATIENCE_MS	(10 * 60 * INT64_C(1000))

static struct store *
open_one(const char *url, bool target, struct err *err)
{
	const struct store_options opt = {
		.read_only = !target,
		.create = target,
		.synchronous_full = true,
		.busy_timeout_ms = 5000,
		.io_timeout_ms = PATIENCE_MS,
	};
	int64_t before, after;
	struct store *st;

	if ((st = store_open(url, &opt, err)) == NULL)
		return (NULL);
	if ((!target || store_migrate(st, &before, &after, err) == 0) &&
	    store_prepare(st, err) == 0)
		return (st);
	store_close(st);
	return (NULL);
}

static json_t *
sums_json(const struct copy_sum *sums)
{
	json_t *j = json_object();
	size_t i;

	for (i = 0; i < COPY_TABLES; i++) {
		if (json_object_set_new(j, sums[i].table,
		    json_integer((json_int_t)sums[i].rows)) == -1) {
			json_decref(j);
			return (NULL);
		}
	}
	return (json_pack("{s:o}", "rows", j));
}

static int
report(const struct cli *cli, const struct copy_sum *sums, struct err *err)
{
	json_t *j;
	size_t i;

	if (cli->json) {
		if ((j = sums_json(sums)) == NULL) {
			err_set(err, ERR_NOMEM, "no memory for an answer");
			return (-1);
		}
		output_json(j);
		return (0);
	}
	for (i = 0; i < COPY_TABLES; i++) {
		if (sums[i].rows > 0)
			printf("%-14s %10" PRId64 " rows\n", sums[i].table,
			    sums[i].rows);
	}
	printf("copied; counts and sums agree.  Now set\n    store = %s\nin "
	    "leasehold.conf; the master key file stays what it is.\n",
	    cli->args[1]);
	return (0);
}

static int
run_copy(struct cli *cli, struct err *err)
{
	struct copy_sum sums[COPY_TABLES];
	struct store *from, *to;
	int rc = -1;

	if ((from = open_one(cli->args[0], false, err)) == NULL)
		return (-1);
	if ((to = open_one(cli->args[1], true, err)) != NULL) {
		rc = copy_store(from, to, sums, err);
		store_close(to);
	}
	store_close(from);
	return (rc == 0 ? report(cli, sums, err) : -1);
}

const struct command commands_store[] = {
	{
		.group = "store",
		.name = "copy",
		.args = "FROM TO",
		.args_min = 2,
		.args_max = 2,
		.needs = NEEDS_NOTHING,
		.summary = "copy a whole installation into another database",
		.details = "FROM and TO are as in the setting `store': "
		    "sqlite:/path, or\nmysql://USER@HOST/DATABASE.  Stop the "
		    "responders first.  TO is made and must be\nempty; counts "
		    "and sums are compared in the end.",
		.run = run_copy,
		.once = true,
	},
	{ .name = NULL }
};
