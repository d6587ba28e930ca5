#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/conf.h"
#include "relay/judge.h"
#include "relay/ratelimit.h"

/* Whose fault it was, and of what kind. */
enum fault {
	FAULT_NONE,
	FAULT_REQUEST,		/* the client's own */
	FAULT_RATE,		/* 429 */
	FAULT_AUTH,		/* 401 */
	FAULT_FORBIDDEN,	/* 403 */
	FAULT_CREDIT,		/* 402, and what says the same */
	FAULT_OVERLOAD,		/* 529, 503 */
	FAULT_ERROR,		/* 5xx */
	FAULT_LATE,		/* the upstream's own time-outs */
	FAULT_REDIRECT,
	FAULT_UNREACHED,	/* nothing was sent */
	FAULT_KEPT,		/* a kept connection was being closed */
	FAULT_BROKEN,		/* something was sent, no whole answer came */
	FAULT_SILENT,		/* our time-outs */
	FAULT_INTERNAL,		/* ours */
	NFAULTS
};

/*
 * What follows.  A row without .outcome takes the name of the transfer's
 * result, one without .text says which attempt was the last.
 */
struct fault_row {
	const char *outcome;
	enum judge_action action;
	bool streams_only;	/* a plain call is failed instead of moved */
	bool billed;		/* the upstream may have done the work */
	bool heals;		/* time does: headers and default count */
	bool soft;		/* it may be over at any moment */
	bool pointless;		/* no time heals it */
	size_t cooldown;	/* offset in struct conf; 0: no park */
	int status;		/* where the call fails */
	const char *type;
	const char *text;
};

#define COOLDOWN(name)	offsetof(struct conf, cooldown_##name##_ms)

static const struct fault_row faults[] = {
	[FAULT_NONE] = { .outcome = "ok", .action = JUDGE_RELAY },
	[FAULT_REQUEST] = { .outcome = "client_error",
		.action = JUDGE_RELAY },
	[FAULT_RATE] = { .outcome = "rate_limited", .action = JUDGE_MOVE,
		.heals = true, .cooldown = COOLDOWN(rate),
		.type = "rate_limit_error" },
	[FAULT_AUTH] = { .outcome = "auth", .action = JUDGE_MOVE,
		.cooldown = COOLDOWN(auth), .pointless = true,
		.type = "api_error" },
	/* It may be about what was asked for, a model or a beta that the
	 * account lacks: where no second account tells, one request must not
	 * keep all others out for long. */
	[FAULT_FORBIDDEN] = { .outcome = "auth", .action = JUDGE_MOVE,
		.cooldown = COOLDOWN(error), .pointless = true,
		.type = "api_error" },
	[FAULT_CREDIT] = { .outcome = "credit", .action = JUDGE_MOVE,
		.cooldown = COOLDOWN(auth), .pointless = true,
		.type = "api_error" },
	[FAULT_OVERLOAD] = { .outcome = "overloaded", .action = JUDGE_MOVE,
		.heals = true, .soft = true, .cooldown = COOLDOWN(overload),
		.type = "api_error" },
	[FAULT_ERROR] = { .outcome = "upstream_error", .action = JUDGE_MOVE,
		.heals = true, .soft = true, .cooldown = COOLDOWN(error),
		.type = "api_error" },
	[FAULT_LATE] = { .outcome = "upstream_timeout", .action = JUDGE_MOVE,
		.streams_only = true, .billed = true, .soft = true,
		.cooldown = COOLDOWN(error),
		.status = 504, .type = "timeout_error" },
	[FAULT_REDIRECT] = { .outcome = "redirect", .action = JUDGE_FAIL,
		.status = 502, .type = "api_error",
		.text = "the upstream answered with a redirect, which is not "
		    "followed" },
	[FAULT_UNREACHED] = { .action = JUDGE_MOVE, .soft = true,
		.cooldown = COOLDOWN(error), .type = "api_error" },
	[FAULT_KEPT] = { .action = JUDGE_MOVE, .type = "api_error" },
	[FAULT_BROKEN] = { .action = JUDGE_MOVE, .billed = true,
		.soft = true, .cooldown = COOLDOWN(error),
		.type = "api_error" },
	[FAULT_SILENT] = { .action = JUDGE_MOVE,
		.streams_only = true, .billed = true, .soft = true,
		.cooldown = COOLDOWN(error),
		.status = 504, .type = "timeout_error" },
	[FAULT_INTERNAL] = { .action = JUDGE_FAIL,
		.status = 503, .type = "api_error",
		.text = "the request could not be sent upstream" },
};

_Static_assert(sizeof(faults) / sizeof(faults[0]) == NFAULTS,
    "one row for each fault");

static const enum fault results[] = {
	[TRANSFER_OK] = FAULT_NONE,
	[TRANSFER_RESOLVE] = FAULT_UNREACHED,
	[TRANSFER_CONNECT] = FAULT_UNREACHED,
	[TRANSFER_PROXY] = FAULT_UNREACHED,
	[TRANSFER_TLS] = FAULT_UNREACHED,
	[TRANSFER_SEND] = FAULT_BROKEN,
	[TRANSFER_CUT] = FAULT_BROKEN,
	[TRANSFER_SILENT] = FAULT_SILENT,
	[TRANSFER_STALLED] = FAULT_SILENT,
	[TRANSFER_GARBAGE] = FAULT_BROKEN,
	[TRANSFER_INTERNAL] = FAULT_INTERNAL,
};

_Static_assert(sizeof(results) / sizeof(results[0]) == TRANSFER_INTERNAL + 1,
    "one row for each result");

/*
 * The first row that holds the status.  520 to 524 are Cloudflare's, for an
 * origin that fails behind it ("Cloudflare 5xx errors"); 522 is a time-out
 * connecting, 524 one waiting for the answer.
 */
static const struct {
	int from, to;
	enum fault fault;
} statuses[] = {
	{ 200, 299, FAULT_NONE },
	{ 304, 304, FAULT_NONE },	/* the client asked conditionally */
	{ 300, 399, FAULT_REDIRECT },
	{ 401, 401, FAULT_AUTH },
	{ 402, 402, FAULT_CREDIT },
	{ 403, 403, FAULT_FORBIDDEN },
	{ 408, 408, FAULT_LATE },
	{ 429, 429, FAULT_RATE },
	{ 400, 499, FAULT_REQUEST },
	{ 503, 503, FAULT_OVERLOAD },
	{ 529, 529, FAULT_OVERLOAD },
	{ 500, 599, FAULT_ERROR },
};

/*
 * Statuses of an edge that gave up waiting: the work may have been done.  The
 * call moves even so, as it does for other 5xx.
 */
static bool
is_edge_timeout(int status)
{

	return (status == 504 || status == 524);
}

static enum fault
fault_of_status(int status)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (status >= statuses[i].from && status <= statuses[i].to)
			return (statuses[i].fault);
	}
	return (FAULT_BROKEN);
}

/*
 * Texts with which an upstream says 400 though the account is to blame
 * (Anthropic API: invalid_request_error with these messages).  They begin so:
 * further on a message may repeat what the client sent.
 */
static const char *const account_texts[] = {
	"your credit balance is too low",
	"credit balance is too low",
	"this organization has been disabled",
};

static bool
blames_account(const struct judge_input *in)
{
	size_t i;

	if (in->error_type != NULL &&
	    strcmp(in->error_type, "billing_error") == 0)
		return (true);
	for (i = 0; in->error_message != NULL &&
	    i < sizeof(account_texts) / sizeof(account_texts[0]); i++) {
		if (strncasecmp(in->error_message, account_texts[i],
		    strlen(account_texts[i])) == 0)
			return (true);
	}
	return (false);
}

/*
 * A status that blames the account counts even if its body did not come
 * whole; any other answer that is not whole is a broken one.
 */
static enum fault
find_fault(const struct judge_input *in)
{
	enum fault fault = results[in->result];
	enum fault by_status;

	if (in->result == TRANSFER_SEND && in->kept_alive)
		return (FAULT_KEPT);
	if (in->result != TRANSFER_OK && in->result != TRANSFER_CUT &&
	    in->result != TRANSFER_STALLED)
		return (fault);
	by_status = fault_of_status(in->status);
	if (by_status == FAULT_REQUEST && in->status == 400 &&
	    blames_account(in))
		by_status = FAULT_CREDIT;
	if (by_status == FAULT_ERROR && in->error_type != NULL &&
	    strcmp(in->error_type, "overloaded_error") == 0)
		by_status = FAULT_OVERLOAD;
	if (in->result == TRANSFER_OK || (by_status != FAULT_BROKEN &&
	    faults[by_status].action == JUDGE_MOVE))
		return (by_status);
	return (fault);
}

static int64_t
cooldown_ms(const struct conf *conf, const struct fault_row *row)
{

	return (*(const int64_t *)(const void *)
	    ((const char *)conf + row->cooldown));
}

static void
fill_park(const struct judge_input *in, const struct fault_row *row,
    const struct ratelimit *rl, struct judgement *out)
{
	struct park *park = &out->park;

	park->wanted = true;
	park->base_ms = cooldown_ms(in->conf, row);
	park->soft = row->soft;
	(void)snprintf(park->reason, sizeof(park->reason), "%s",
	    out->outcome);
	if (row->outcome == NULL)
		(void)snprintf(park->detail, sizeof(park->detail),
		    "no whole answer");
	else
		(void)snprintf(park->detail, sizeof(park->detail),
		    "HTTP %d%s%.60s%s%s", in->status,
		    in->error_type != NULL && in->error_type[0] != '\0' ?
		    " " : "", in->error_type != NULL ? in->error_type : "",
		    rl->what[0] != '\0' ? " " : "", rl->what);
	if (!row->heals)
		return;
	park->stated = rl->stated;
	park->fact = rl->fact;
	park->until_ms = rl->until_ms;
	memcpy(park->family, rl->family, sizeof(park->family));
}

static void
fill_fallback(const struct judge_input *in, const struct fault_row *row,
    struct judgement *out)
{
	const struct park *park = &out->park;

	/* Where no account is left clients are to come back: they do after
	 * these two (WIRE.md section 7, rule 13). */
	out->fallback_status = out->action != JUDGE_FAIL ?
	    (row->heals && !row->soft ? 429 : 503) :
	    row->status != 0 ? row->status : 502;
	out->fallback_type = row->type;
	if (row->text != NULL)
		(void)snprintf(out->fallback_message,
		    sizeof(out->fallback_message), "%s", row->text);
	else if (out->doubtful)
		(void)snprintf(out->fallback_message,
		    sizeof(out->fallback_message), "the upstream failed (%s); "
		    "it may have done what was asked for, so it was not asked "
		    "again", out->outcome);
	else if (out->action == JUDGE_FAIL)
		(void)snprintf(out->fallback_message,
		    sizeof(out->fallback_message), "the upstream did not "
		    "answer in time; the request may have been served, so it "
		    "was not sent again");
	else
		(void)snprintf(out->fallback_message,
		    sizeof(out->fallback_message), "no upstream account could "
		    "serve this request (last: %s)", out->outcome);
	out->pointless = row->pointless;
	if (out->action == JUDGE_FAIL || row->pointless)
		return;
	if (park->stated)
		out->retry_after_s = (park->until_ms - in->now_ms + 999) /
		    1000;
	else
		out->retry_after_s = park->base_ms > 1000 ?
		    (park->base_ms + 999) / 1000 : 1;
}

void
judge(const struct judge_input *in, struct judgement *out)
{
	enum fault fault = find_fault(in);
	const struct fault_row *row = &faults[fault];
	struct ratelimit rl;

	memset(out, 0, sizeof(*out));
	out->action = row->action;
	out->doubtful = in->once && (row->billed || fault == FAULT_ERROR ||
	    fault == FAULT_KEPT);
	if ((row->streams_only && !in->stream) || out->doubtful)
		out->action = JUDGE_FAIL;
	out->again = fault == FAULT_KEPT;
	out->success = fault == FAULT_NONE || fault == FAULT_REQUEST;
	out->maybe_billed = row->billed || (fault == FAULT_ERROR &&
	    is_edge_timeout(in->status));
	(void)snprintf(out->outcome, sizeof(out->outcome), "%s",
	    row->outcome != NULL ? row->outcome :
	    transfer_result_name(in->result == TRANSFER_OK ?
	    TRANSFER_GARBAGE : in->result));
	if (out->action == JUDGE_RELAY)
		return;
	ratelimit_read(in->headers, in->nheaders, in->now_ms, &rl);

	/* A plain call that takes too long says little of its account. */
	if (row->cooldown != 0 && out->action == JUDGE_MOVE)
		fill_park(in, row, &rl, out);
	fill_fallback(in, row, out);
}
