#include <jansson.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "jobs.h"
#include "status.h"
#include "why.h"

#include "api.h"

#define NAME_SIZE	(LIMIT_NAME_BYTES * 2)
#define SESSION_SIZE	256

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
	    (conf = api_conf(c)) == NULL)
		return (NULL);
	work.conf = conf;
	if (api_note(c, "account.refresh", name, err) == 0)
		rc = job_renew(&work, id, err);
	conf_free(conf);
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
