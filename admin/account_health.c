#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "store/store.h"

#include "query.h"

#include "account_health.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define ID_SIZE		24

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "first_byte_ms", .kind = FIELD_INT },
	{ .name = "share_permille", .kind = FIELD_INT },
	{ .name = "share_reset_ms", .kind = FIELD_INT },
	{ .name = "share_window_ms", .kind = FIELD_INT },
	{ .name = "share_seen_ms", .kind = FIELD_INT },
};

static void
id_text(const json_t *row, char out[ID_SIZE])
{

	(void)snprintf(out, ID_SIZE, "%" PRId64,
	    (int64_t)json_integer_value(json_object_get(row, "id")));
}

/* The rows, as the members of an object by their id. */
static json_t *
by_id(const json_t *rows)
{
	json_t *index = json_object(), *row;
	char id[ID_SIZE];
	size_t i;

	json_array_foreach(rows, i, row) {
		id_text(row, id);
		if (json_object_set(index, id, row) == -1) {
			json_decref(index);
			return (NULL);
		}
	}
	return (index);
}

/* One of which nobody has told anything has all of it as null. */
static int
add_one(json_t *account, json_t *row)
{
	json_t *value;
	size_t i;

	for (i = 1; i < NITEMS(fields); i++) {
		value = json_object_get(row, fields[i].name);
		if (json_object_set_new(account, fields[i].name, value !=
		    NULL ? json_incref(value) : json_null()) == -1)
			return (-1);
	}
	return (0);
}

int
account_health_add(struct store *st, json_t *accounts, struct err *err)
{
	json_t *rows, *index, *account;
	char id[ID_SIZE];
	size_t i;
	int rc = 0;

	if ((rows = query_rows(st, STMT_HEALTH_LIST, NULL, 0, fields,
	    NITEMS(fields), err)) == NULL)
		return (-1);
	if ((index = by_id(rows)) == NULL)
		rc = -1;
	json_array_foreach(accounts, i, account) {
		id_text(account, id);
		if (rc == 0)
			rc = add_one(account, json_object_get(index, id));
	}
	json_decref(index);
	json_decref(rows);
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (rc);
}
