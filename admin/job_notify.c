#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/zone.h"
#include "store/store.h"

#include "member.h"
#include "notify_outbox.h"
#include "notify_targets.h"

#include "jobs.h"

/* Messages to one target in one run; the rest has its turn in the next. */
#define ROUND_MAX	20

struct tally {
	int raised, sent, failed;
	char why[160];		/* of the last that failed */
};

static bool
stops(void *arg)
{

	return (job_stops(arg));
}

/* 1: there may be more; 0: not now; -1. */
static int
tell_once(struct job_work *w, const struct notify_sender *s,
    const json_t *target, struct tally *t, struct err *err)
{
	const int64_t id = json_integer_value(json_object_get(target, "id"));
	struct notify_answer answer;
	struct notify_message m;
	int rc;

	if (job_go_on(w, err))
		return (-1);
	if ((rc = notify_next(w->st, id, &m, err)) != 1)
		return (rc);
	rc = -1;
	if (notify_send(s, target, &m, &answer, err) == 0 &&
	    notify_told(w->st, &m, &answer, err) == 0)
		rc = answer.taken;
	notify_message_fini(&m);
	if (rc == 1)
		t->sent++;
	else if (rc == 0) {
		t->failed++;
		(void)snprintf(t->why, sizeof(t->why), "%.60s: %.90s",
		    text_of(target, "name"), answer.detail);
	}
	return (rc);
}

/* One that does not take a message is left alone until the next run. */
static int
tell(struct job_work *w, const struct notify_sender *s,
    const json_t *target, struct tally *t, struct err *err)
{
	const int64_t id = json_integer_value(json_object_get(target, "id"));
	struct zone *z = zone_new(text_of(target, "zone"), NULL);
	int64_t until_ms = 0;
	int from, to, i, rc = 1;

	notify_targets_quiet(target, &from, &to);
	if (z != NULL)
		until_ms = notify_quiet_ms(z, from, to, store_now_ms(w->st));
	zone_free(z);
	if (until_ms > 0)
		return (notify_hold(w->st, id, until_ms, err));
	for (i = 0; i < ROUND_MAX && rc == 1; i++)
		rc = tell_once(w, s, target, t, err);
	return (rc == -1 ? -1 : 0);
}

static int
tell_all(struct job_work *w, const json_t *targets, struct tally *t,
    struct err *err)
{
	struct notify_sender s = {
		.st = w->st, .conf = w->conf, .stops = stops, .arg = w
	};
	struct seal *seal;
	json_t *target;
	size_t i;
	int rc = 0;

	if ((seal = seal_open(w->conf->master_key_file, err)) == NULL)
		return (-1);
	s.seal = seal;
	json_array_foreach(targets, i, target) {
		if ((rc = tell(w, &s, target, t, err)) != 0)
			break;
	}
	seal_free(seal);
	return (rc);
}

/* That messages are not taken is no failure of the job: see notify_log. */
int
job_notify_run(struct job_work *w, struct err *err)
{
	struct tally t = { .raised = 0 };
	json_t *targets;
	int rc = -1;

	if ((targets = notify_targets_list(w->st, true, true, err)) == NULL)
		return (-1);
	if (json_array_size(targets) == 0) {
		json_decref(targets);
		(void)snprintf(w->said, sizeof(w->said), "there is no target "
		    "that is switched on");
		return (0);
	}
	if (notify_spool(w->st, w->conf, err) == 0 &&
	    notify_detect(w->st, targets, &t.raised, err) == 0 &&
	    tell_all(w, targets, &t, err) == 0)
		rc = notify_prune(w->st, err);
	json_decref(targets);
	(void)snprintf(w->said, sizeof(w->said), "%d events, %d messages "
	    "sent, %d not taken%s%s", t.raised, t.sent, t.failed,
	    t.failed > 0 ? "; " : "", t.why);
	return (rc);
}
