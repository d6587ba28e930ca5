#include "relay/judge.h"
#include "relay/refusal.h"
#include "relay/throttle.h"

/* Longer waits make some clients sleep for hours and others give up at once
 * (WIRE.md section 7, rule 13): they are told not to try again. */
#define RETRY_AFTER_MAX_S	60

/* What is hardly longer is said to be as long as that: a rate by the minute
 * renews after 61 s at the most, and who comes a moment early is told the
 * rest. */
#define RETRY_AFTER_NEAR_S	62

/*
 * A wrong key is told with x-should-retry: false, since Claude Code would try
 * again for minutes (WIRE.md section 7, rule 12); so is what no waiting heals.
 */
static const struct refusal_row rows[] = {
	[REFUSAL_BAD_REQUEST] = { "bad_request", { .status = 400,
	    .message = "The request makes no sense.", .should_retry = -1 } },
	[REFUSAL_TOO_LARGE] = { "too_large", { .status = 413,
	    .message = "The request body is larger than this relay allows "
	    "(body_max_bytes; upload_max_bytes for batches and files).",
	    .should_retry = -1 } },
	[REFUSAL_ENCODED] = { "encoded", { .status = 415,
	    .message = "The request body has a content-encoding, which this "
	    "relay does not read: send it uncompressed." } },
	[REFUSAL_BODIES_FULL] = { "bodies_full", { .status = 503,
	    .type = "api_error",
	    .message = "The relay holds as many request bodies as it may.",
	    .retry_after_s = 1, .should_retry = -1 } },
	[REFUSAL_KEY_MISSING] = { "no_key", { .status = 401,
	    .type = "authentication_error",
	    .message = "No API key came with the request: send it as "
	    "x-api-key or Authorization: Bearer." } },
	[REFUSAL_KEY_UNKNOWN] = { "no_key", { .status = 401,
	    .type = "authentication_error",
	    .message = "The API key is not known here." } },
	[REFUSAL_KEY_REVOKED] = { "key_revoked", { .status = 401,
	    .type = "authentication_error",
	    .message = "The API key was revoked or disabled." } },
	[REFUSAL_KEY_EXPIRED] = { "key_expired", { .status = 401,
	    .type = "authentication_error",
	    .message = "The API key has expired." } },
	[REFUSAL_THROTTLED] = { "throttled", { .status = 429,
	    .type = "rate_limit_error",
	    .message = "Too many requests with a wrong key came from your "
	    "address; wait a moment.",
	    .retry_after_s = THROTTLE_WINDOW_MS / 1000, .should_retry = -1 } },
	[REFUSAL_STORE_DOWN] = { "store_down", { .status = 503,
	    .type = "api_error",
	    .message = "The relay's database cannot be used at the moment.",
	    .retry_after_s = 2, .should_retry = -1 } },
	[REFUSAL_MODEL] = { "model_refused", { .status = 403,
	    .type = "permission_error",
	    .message = "The API key may not use this model." } },
	[REFUSAL_CLIENT] = { "client_refused", { .status = 403,
	    .type = "permission_error",
	    .message = "The API key is not for this kind of client." } },
	[REFUSAL_ADDRESS] = { "address_refused", { .status = 403,
	    .type = "permission_error",
	    .message = "The API key may not be used from this address." } },
	[REFUSAL_UNSERVED] = { "model_unserved", { .status = 404,
	    .type = "not_found_error",
	    .message = "No account here serves this model." } },
	[REFUSAL_BUDGET] = { "budget", { .status = 402,
	    .type = "billing_error",
	    .message = "The budget of this API key is used up." } },
	[REFUSAL_BUDGET_RENEWS] = { "budget", { .status = 429,
	    .type = "rate_limit_error",
	    .message = "A budget of this API key is used up for now.",
	    .retry_after_s = 60, .should_retry = -1 } },
	[REFUSAL_BUDGET_HELD] = { "budget_held", { .status = 429,
	    .type = "rate_limit_error",
	    .message = "What is left of this API key's budget is reserved by "
	    "requests that run.",
	    .retry_after_s = 5, .should_retry = -1 } },
	[REFUSAL_UNPRICED] = { "unpriced", { .status = 403,
	    .type = "permission_error",
	    .message = "This model has no price here, so it cannot be used "
	    "under a budget." } },
	[REFUSAL_FEATURE] = { "feature_refused", { .status = 403,
	    .type = "permission_error",
	    .message = "What the request may cost cannot be told beforehand, "
	    "so it cannot be made under a budget." } },
	[REFUSAL_OBJECT] = { "no_object", { .status = 404,
	    .message = "There is no such object.", .should_retry = -1 } },
	[REFUSAL_APART] = { "objects_apart", { .status = 400,
	    .message = "What the request names cannot be used together.",
	    .should_retry = -1 } },
	[REFUSAL_UNHEARD] = { "unheard", { .status = 503,
	    .type = "api_error",
	    .message = "The upstream did what was asked for, but it could not "
	    "be noted whose it is: look for it in your list before you ask "
	    "again." } },
	[REFUSAL_QUEUE_FULL] = { "queue_full", { .status = 429,
	    .type = "rate_limit_error",
	    .message = "Too many requests are waiting for an account.",
	    .retry_after_s = 5, .should_retry = -1 } },
	[REFUSAL_QUEUE_TIMEOUT] = { "queue_timeout", { .status = 429,
	    .type = "rate_limit_error",
	    .message = "No account became free in time.",
	    .retry_after_s = 5, .should_retry = -1 } },
	[REFUSAL_NO_ACCOUNT] = { "no_account", { .status = 503,
	    .type = "api_error",
	    .message = "No account is set up for this request.",
	    .retry_after_s = 30, .should_retry = -1 } },
	[REFUSAL_PARKED] = { "parked", { .status = 429,
	    .type = "rate_limit_error",
	    .message = "All accounts rest for the moment.",
	    .retry_after_s = 30, .should_retry = -1 } },
	[REFUSAL_RESTING] = { "parked", { .status = 503,
	    .type = "api_error",
	    .message = "All accounts rest for the moment.",
	    .retry_after_s = 30, .should_retry = -1 } },
	[REFUSAL_STOPPING] = { "stopped", { .status = 503,
	    .type = "api_error",
	    .message = "The relay is being stopped.",
	    .retry_after_s = 1, .should_retry = -1 } }
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) == NREFUSALS,
    "one row a refusal");

static const enum refusal verdicts[] = {
	[ADMIT_NO_KEY] = REFUSAL_KEY_REVOKED,
	[ADMIT_KEY_EXPIRED] = REFUSAL_KEY_EXPIRED,
	[ADMIT_MODEL] = REFUSAL_MODEL,
	[ADMIT_CLIENT] = REFUSAL_CLIENT,
	[ADMIT_ADDRESS] = REFUSAL_ADDRESS,
	[ADMIT_UNSERVED] = REFUSAL_UNSERVED,
	[ADMIT_BUDGET] = REFUSAL_BUDGET,
	[ADMIT_BUDGET_RENEWS] = REFUSAL_BUDGET_RENEWS,
	[ADMIT_BUDGET_HELD] = REFUSAL_BUDGET_HELD,
	[ADMIT_UNPRICED] = REFUSAL_UNPRICED,
	[ADMIT_FEATURE] = REFUSAL_FEATURE,
	[ADMIT_OBJECT] = REFUSAL_OBJECT,
	[ADMIT_APART] = REFUSAL_APART,
	[ADMIT_QUEUE_FULL] = REFUSAL_QUEUE_FULL,
	[ADMIT_QUEUE_TIMEOUT] = REFUSAL_QUEUE_TIMEOUT,
	[ADMIT_NO_ACCOUNT] = REFUSAL_NO_ACCOUNT,
	[ADMIT_PARKED] = REFUSAL_PARKED
};

_Static_assert(sizeof(verdicts) / sizeof(verdicts[0]) == ADMIT_PARKED + 1,
    "one entry a verdict");

const struct refusal_row *
refusal_row(enum refusal r)
{

	return (&rows[r]);
}

enum refusal
refusal_of(enum admit_verdict verdict)
{

	return (verdicts[verdict]);
}

void
refusal_wait(struct response_error *e, int64_t retry_ms, int64_t now_ms)
{
	int64_t ms = retry_ms - now_ms;

	if (retry_ms == 0)
		return;
	e->retry_after_s = ms <= 0 ? 1 : (ms + 999) / 1000;
	if (e->retry_after_s > RETRY_AFTER_NEAR_S)
		e->should_retry = 0;
	else if (e->retry_after_s > RETRY_AFTER_MAX_S)
		e->retry_after_s = RETRY_AFTER_MAX_S;
}

void
refusal_give_up(const struct judgement *v, const struct admit_op *moved,
    int64_t now_ms, struct response_error *e)
{
	bool heals = moved != NULL && moved->heals;

	*e = (struct response_error) {
		.status = v->fallback_status,
		.type = v->fallback_type,
		.message = v->fallback_message,
		.retry_after_s = v->retry_after_s,
		.should_retry = -1
	};
	if (moved != NULL)
		refusal_wait(e, moved->retry_ms, now_ms);
	if (e->retry_after_s > RETRY_AFTER_MAX_S || v->doubtful ||
	    (v->pointless && !heals))
		e->should_retry = 0;
}
