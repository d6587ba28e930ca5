#include <string.h>

#include "base/conf.h"
#include "base/err.h"

#include "pool/shared.h"
#include "pool/snapshot.h"

int
shared_init(struct shared *sh, struct err *err)
{
	int rc;

	memset(sh, 0, sizeof(*sh));
	if ((rc = pthread_mutex_init(&sh->lock, NULL)) != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot make a lock");
		return (-1);
	}
	return (0);
}

void
shared_fini(struct shared *sh)
{

	snapshot_unref(sh->facts.snapshot);
	seal_free(sh->facts.seal);
	seal_wipe(&sh->facts.pepper, sizeof(sh->facts.pepper));
	pthread_mutex_destroy(&sh->lock);
}

/* A choice of the table of settings, as the number that goes with it. */
static enum unpriced
unpriced_of(const char *choice)
{
	static const char *const names[] = {
		[UNPRICED_ALLOW] = "allow",
		[UNPRICED_REFUSE] = "refuse",
		[UNPRICED_DEFAULT] = "default",
	};
	int i;

	_Static_assert(sizeof(names) / sizeof(names[0]) == NUNPRICED,
	    "a name for each");
	for (i = 0; i < NUNPRICED; i++)
		if (strcmp(choice, names[i]) == 0)
			return ((enum unpriced)i);
	return (UNPRICED_REFUSE);
}

void
shared_configure(struct shared *sh, const struct conf *conf)
{
	struct pool_settings *s = &sh->settings;

	pthread_mutex_lock(&sh->lock);
	s->queue_max = conf->queue_max;
	s->slice_tokens = conf->reserve_slice_tokens;
	s->dead_after_ms = conf->dead_after_ms;
	s->grant_timeout_ms = conf->grant_timeout_ms;
	s->cooldown_max_ms = conf->cooldown_max_ms;
	s->affinity_ttl_ms = conf->affinity_ttl_ms;
	s->affinity_wait_ms = conf->affinity_wait_ms;
	s->refresh_ahead_ms = conf->refresh_ahead_ms;
	s->unpriced = unpriced_of(conf->unpriced);
	s->charge_implausible = strcmp(conf->implausible, "charge") == 0;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_settings(struct shared *sh, struct pool_settings *out)
{

	pthread_mutex_lock(&sh->lock);
	*out = sh->settings;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_note(struct shared *sh, int64_t requests, bool draining)
{

	pthread_mutex_lock(&sh->lock);
	sh->settings.requests = requests;
	sh->settings.draining = draining;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_publish(struct shared *sh, const struct pool_facts *facts)
{
	struct snapshot *old;
	struct seal *old_seal;

	if (facts->snapshot != NULL)
		snapshot_ref(facts->snapshot);
	seal_ref(facts->seal);
	pthread_mutex_lock(&sh->lock);
	old = sh->facts.snapshot;
	old_seal = sh->facts.seal;
	sh->facts = *facts;
	pthread_mutex_unlock(&sh->lock);
	__atomic_add_fetch(&sh->serial, 1, __ATOMIC_RELEASE);
	snapshot_unref(old);
	seal_free(old_seal);
}

void
shared_tell(struct shared *sh, const struct backlog_note *note)
{

	pthread_mutex_lock(&sh->lock);
	if (sh->nnotes < BACKLOG_NOTES)
		sh->notes[sh->nnotes++] = *note;
	pthread_mutex_unlock(&sh->lock);
	__atomic_add_fetch(&sh->serial, 1, __ATOMIC_RELEASE);
}

size_t
shared_told(struct shared *sh, struct backlog_note out[BACKLOG_NOTES])
{
	size_t n;

	pthread_mutex_lock(&sh->lock);
	n = sh->nnotes;
	memcpy(out, sh->notes, n * sizeof(out[0]));
	sh->nnotes = 0;
	pthread_mutex_unlock(&sh->lock);
	return (n);
}

bool
shared_news(struct shared *sh, unsigned *serial, struct pool_facts *out)
{
	unsigned now = __atomic_load_n(&sh->serial, __ATOMIC_ACQUIRE);

	if (now == *serial)
		return (false);
	pthread_mutex_lock(&sh->lock);
	*out = sh->facts;
	if (out->snapshot != NULL)
		snapshot_ref(out->snapshot);
	seal_ref(out->seal);
	pthread_mutex_unlock(&sh->lock);
	*serial = now;
	return (true);
}
