#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pool/keys.h"
#include "store/store.h"

#include "probe_model.h"

/* So far back it is looked for what the account served. */
#define USED_MS		(INT64_C(30) * 24 * 3600 * 1000)

struct search {
	char *list;		/* what it serves; "": anything */
	char *model;		/* LIMIT_NAME_BYTES */
	struct err *err;
};

static int
take_list(void *arg, const struct store_value *c, size_t n)
{
	struct search *s = arg;

	(void)n;
	if ((s->list = strdup(store_get_text(&c[0]))) != NULL)
		return (1);
	err_set(s->err, ERR_NOMEM, "no memory for an account's models");
	return (-1);
}

/* The first that is no pattern. */
static int
first_name(const struct search *s)
{
	const char *p = s->list;
	size_t n;

	while (*p != '\0') {
		n = strcspn(p, ",");
		if (n > 0 && n < LIMIT_NAME_BYTES && memchr(p, '*', n) ==
		    NULL) {
			memcpy(s->model, p, n);
			s->model[n] = '\0';
			return (1);
		}
		p += n + (p[n] == ',');
	}
	return (0);
}

/* The first that it serves. */
static int
take_name(void *arg, const struct store_value *c, size_t n)
{
	struct search *s = arg;
	const char *name = store_get_text(&c[0]);

	(void)n;
	if (strlen(name) >= LIMIT_NAME_BYTES ||
	    (s->list[0] != '\0' && !models_allow(s->list, name)))
		return (0);
	(void)snprintf(s->model, LIMIT_NAME_BYTES, "%s", name);
	return (1);
}

static int
search(struct store *st, int64_t account_id, struct search *s)
{
	const struct store_value v[2] = { store_int(account_id),
		store_int(store_now_ms(st) - USED_MS) };
	const struct store_value both[2] = { v[0], v[0] };

	if (store_query(st, STMT_PROBE_SERVES, v, 1, take_list, s, s->err) < 0)
		return (-1);
	if (s->list == NULL)
		return (0);
	if (first_name(s))
		return (1);
	if (store_query(st, STMT_PROBE_ALIASES, both, 2, take_name, s,
	    s->err) < 0)
		return (-1);
	if (s->model[0] == '\0' && store_query(st, STMT_PROBE_USED, v, 2,
	    take_name, s, s->err) < 0)
		return (-1);
	return (s->model[0] != '\0');
}

int
probe_model(struct store *st, int64_t account_id,
    char model[LIMIT_NAME_BYTES], struct err *err)
{
	struct search s = { .model = model, .err = err };
	int rc;

	model[0] = '\0';
	rc = search(st, account_id, &s);
	free(s.list);
	return (rc);
}
