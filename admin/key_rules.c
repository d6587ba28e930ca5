#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/net.h"
#include "base/num.h"
#include "ledger/window.h"
#include "pool/rules.h"
#include "store/store.h"

#include "keys.h"

#include "key_rules.h"

/* As the columns have room. */
#define CLIENTS_MAX	1024
#define NETS_MAX	2048

static int
check_rate(const struct key_change *c, struct err *err)
{

	if (c->rate == -1 || c->rate == KEY_RATE_NONE)
		return (0);
	if (c->rate >= 1 && c->rate <= KEY_RATE_MAX &&
	    c->rate_ms >= WINDOW_MIN_LENGTH_MS &&
	    c->rate_ms <= WINDOW_MAX_LENGTH_MS)
		return (0);
	err_set(err, ERR_INVAL, "a rate is REQUESTS/WINDOW, as 60/1m: from 1 "
	    "to %d requests in any 1m to 400d; or none", KEY_RATE_MAX);
	return (-1);
}

int
key_rules_check(const struct key_change *c, struct err *err)
{

	if ((c->clients != NULL && strlen(c->clients) > CLIENTS_MAX) ||
	    (c->nets != NULL && strlen(c->nets) > NETS_MAX)) {
		err_set(err, ERR_INVAL, "a list of clients has at most %d "
		    "bytes, one of networks %d", CLIENTS_MAX, NETS_MAX);
		return (-1);
	}
	if (c->clients != NULL && rules_check(c->clients, err))
		return (-1);
	if (c->nets != NULL && net_list_check(c->nets, NULL, err))
		return (-1);
	return (check_rate(c, err));
}

int
key_rate_parse(const char *text, struct key_change *c, struct err *err)
{
	const char *slash = strchr(text, '/');

	c->rate = 0;
	c->rate_ms = 0;
	if (strcmp(text, "none") == 0) {
		c->rate = KEY_RATE_NONE;
		return (0);
	}
	if (slash != NULL && slash[1] != '\0' &&
	    (num_parse(text, (size_t)(slash - text), 1, KEY_RATE_MAX,
	    &c->rate) || strspn(slash + 1, "0123456789") ==
	    strlen(slash + 1) || num_parse_duration_ms(slash + 1, 1,
	    &c->rate_ms)))
		c->rate = 0;
	return (check_rate(c, err));
}

static int
set_text(struct store *st, enum stmt_id stmt, int64_t key_id,
    const char *text, struct err *err)
{
	struct store_value row[2];

	if (text == NULL)
		return (0);
	row[0] = store_text(text[strspn(text, " \t")] == '\0' ? "" : text);
	row[1] = store_int(key_id);
	return (store_exec(st, stmt, row, 1, 2, NULL, err));
}

/* A budget for the rate, which counts from now on. */
static int
add_rate(struct store *st, int64_t key_id, const struct key_change *c,
    struct err *err)
{
	struct store_value row[4];

	row[0] = store_int(c->rate_ms);
	row[1] = store_int(c->rate);
	row[2] = store_int(store_now_ms(st));
	row[3] = store_int(key_id);
	if (store_exec(st, STMT_KEY_RATE_ADD, row, 1, 4, NULL, err))
		return (-1);
	row[0] = store_int(store_insert_id(st));
	row[1] = store_int(key_id);
	return (store_exec(st, STMT_KEY_RATE_IS, row, 1, 2, NULL, err));
}

/* The window may change: what was counted is counted by time, and stays. */
static int
set_rate(struct store *st, int64_t key_id, const struct key_change *c,
    struct err *err)
{
	struct store_value row[4] = { store_int(key_id) };
	int64_t was[3];
	int rc;

	if (c->rate == -1)
		return (0);
	if ((rc = store_one(st, STMT_KEY_RATE, row, 1, was, 3, err)) == -1)
		return (-1);
	if (rc == 0)
		return (c->rate == KEY_RATE_NONE ? 0 :
		    add_rate(st, key_id, c, err));
	row[0] = store_int(c->rate == KEY_RATE_NONE ? was[1] : c->rate_ms);
	row[1] = store_int(c->rate == KEY_RATE_NONE ? was[2] : c->rate);
	row[2] = store_int(c->rate != KEY_RATE_NONE);
	row[3] = store_int(was[0]);
	return (store_exec(st, STMT_KEY_RATE_SET, row, 1, 4, NULL, err));
}

int
key_rules_set(struct store *st, int64_t key_id, const struct key_change *c,
    struct err *err)
{

	if (set_text(st, STMT_KEY_CLIENTS_SET, key_id, c->clients, err) ||
	    set_text(st, STMT_KEY_NETS_SET, key_id, c->nets, err))
		return (-1);
	return (set_rate(st, key_id, c, err));
}
