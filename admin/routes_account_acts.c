#include <jansson.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "check.h"
#include "jobs.h"
#include "probe.h"
#include "query.h"
#include "status.h"
#include "why.h"

#include "api.h"

#define NAME_SIZE	(LIMIT_NAME_BYTES * 2)
#define SESSION_SIZE	256

/* ---- test ---- */

/* All of one; who looks at it would not wait for longer. */
#define TEST_MS		60000

static void
tell_step(void *arg, const char *name, int64_t ms, const char *text)
{

	api_event(arg, "step", json_pack("{s:s, s:I, s:s}", "name", name,
	    "ms", (json_int_t)ms, "text", text));
}

static void
tell_text(void *arg, const char *text)
{

	api_event(arg, "text", json_pack("{s:s}", "text", text));
}

static bool
stops(void *arg)
{

	return (api_stops(arg));
}

static void
tell_end(struct api_call *c, const struct probe_result *r)
{
	const bool ok = r->status >= 200 && r->status <= 299 &&
	    r->message[0] == '\0';

	api_event(c, "done", json_pack("{s:b, s:s, s:i, s:I, s:o, s:o}",
	    "ok", ok, "url", r->url, "status", r->status,
	    "ms", (json_int_t)r->latency_ms,
	    "first_byte_ms", r->first_byte_ms < 0 ? json_null() :
	    json_integer(r->first_byte_ms),
	    "text", query_text(r->message, strlen(r->message))));
}

/* What fails before it begins is answered as ever. */
static int
run_test(struct api_call *c, const struct conf *conf, const char *name,
    const char *model, struct err *err)
{
	const struct probe_watch watch = {
		.timeout_ms = TEST_MS,
		.step = tell_step,
		.text = tell_text,
		.stops = stops,
		.arg = c,
	};
	struct probe_result r;

	if (api_note(c, "account.test", name, err) ||
	    probe_account_watched(c->store, c->seal, conf, name, model,
	    &watch, &r, err))
		return (-1);
	tell_end(c, &r);
	return (0);
}

json_t *
api_test_account(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "model", NULL };
	char name[LIMIT_NAME_BYTES];
	const char *model = NULL;
	struct conf *conf;
	int rc = -1;

	if (api_members(c, members, err) ||
	    api_text(c, "model", &model, err) ||
	    (model != NULL && check_name("a model", model, err)) ||
	    api_name(c, STMT_NAME_OF_ACCOUNT, name, err) || api_begin_long(c))
		return (NULL);
	if ((conf = api_conf(c)) != NULL)
		rc = run_test(c, conf, name, model, err);
	conf_free(conf);
	api_end_long(c);
	return (rc ? NULL : api_done(c));
}

/* ---- tokens ---- */

json_t *
api_refresh_account(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct job_work work = { .st = c->store };
	struct conf *conf;
	int64_t id;
	int rc = -1;

	if (api_id(c, 0, &id, err) ||
	    api_name(c, STMT_NAME_OF_ACCOUNT, name, err) ||
	    api_begin_long(c))
		return (NULL);
	work.conf = conf = api_conf(c);
	if (conf != NULL && api_note(c, "account.refresh", name, err) == 0)
		rc = job_renew(&work, id, err);
	conf_free(conf);
	api_end_long(c);
	return (rc ? NULL : status_account(c->store, name, err));
}

/* ---- why not ---- */

/* The answer in words stands for itself where it would be chosen. */
static int
add_reasons(json_t *j)
{
	json_t *reasons = json_array();

	if (reasons == NULL || json_object_set_new(j, "reasons", reasons))
		return (-1);
	return (json_is_true(json_object_get(j, "picked")) ? 0 :
	    json_array_append(reasons, json_object_get(j, "answer")));
}

json_t *
api_why_not(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES], key[NAME_SIZE], model[NAME_SIZE];
	char session[SESSION_SIZE];
	struct why_ask ask = {
		.account = name,
		.key = api_query(c, "key", key, sizeof(key)),
		.model = api_query(c, "model", model, sizeof(model)),
		.session = api_query(c, "session", session, sizeof(session)),
	};
	struct conf *conf;
	json_t *j;

	if (api_name(c, STMT_NAME_OF_ACCOUNT, name, err))
		return (NULL);
	if (ask.key == NULL || ask.model == NULL)
		return (api_refuse(c, 400, "key and model are needed: whose "
		    "request is it, and for what?"));
	if ((conf = api_conf(c)) == NULL)
		return (NULL);
	ask.half_open_ms = conf->half_open_ms;
	ask.affinity_ttl_ms = conf->affinity_ttl_ms;
	ask.affinity_wait_ms = conf->affinity_wait_ms;
	conf_free(conf);
	if ((j = why_not(c->store, c->seal, &ask, err)) == NULL ||
	    add_reasons(j) == 0)
		return (j);
	json_decref(j);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (NULL);
}
