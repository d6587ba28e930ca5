#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "pool/breaker.h"
#include "pool/snapshot.h"

#include "account_breaker.h"
#include "member.h"

/* As the responders see it. */
static enum breaker
breaker_of_row(const json_t *row, int64_t now_ms)
{
	struct cooldown cd = {
		.until_ms = int_of(row, "until_ms"),
		.observed_ms = int_of(row, "observed_ms"),
		.stated = json_is_true(json_object_get(row, "stated")),
		.soft = json_is_true(json_object_get(row, "soft")),
	};

	(void)snprintf(cd.reason, sizeof(cd.reason), "%s",
	    text_of(row, "reason"));
	return (breaker_one(&cd, now_ms));
}

/* One cooldown that is against ${account}. */
static int
add_one(json_t *account, json_t *own, json_t *row, enum breaker b)
{
	bool probing = !json_is_null(json_object_get(row, "probe"));

	if (json_object_set_new(row, "state", json_string(probing ?
	    "probing" : breaker_word(b))) == -1 ||
	    json_array_append(own, row) == -1)
		return (-1);
	if (*text_of(row, "family") != '\0')
		return (0);
	if (b >= BREAKER_SOFT && json_object_set(account, "parked_until_ms",
	    json_object_get(row, "until_ms")) == -1)
		return (-1);
	return (json_object_set_new(account, "breaker",
	    json_string(breaker_word(b))) == -1 ||
	    json_object_set(account, "breaker_reason",
	    json_object_get(row, "reason")) == -1 ? -1 : 0);
}

static int
add_own(json_t *account, json_t *cooldowns, int64_t now_ms)
{
	const char *name = text_of(account, "name");
	json_t *row, *own = json_array();
	enum breaker b;
	size_t i;

	if (json_object_set_new(account, "cooldowns", own) == -1 ||
	    json_object_set_new(account, "breaker", json_string(
	    breaker_word(BREAKER_CLOSED))) == -1 ||
	    json_object_set_new(account, "breaker_reason",
	    json_null()) == -1 ||
	    json_object_set_new(account, "parked_until_ms",
	    json_null()) == -1)
		return (-1);
	json_array_foreach(cooldowns, i, row) {
		if (strcmp(name, text_of(row, "account")) != 0)
			continue;
		b = breaker_of_row(row, now_ms);
		if (b != BREAKER_CLOSED && add_one(account, own, row, b))
			return (-1);
	}
	return (0);
}

int
account_breakers(json_t *accounts, json_t *cooldowns, int64_t now_ms,
    struct err *err)
{
	json_t *account;
	size_t i;

	json_array_foreach(accounts, i, account) {
		if (add_own(account, cooldowns, now_ms)) {
			err_set(err, ERR_NOMEM, "no memory for an answer");
			return (-1);
		}
	}
	return (0);
}
