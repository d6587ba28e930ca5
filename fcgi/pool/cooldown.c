#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "pool/breaker.h"
#include "pool/cooldown.h"
#include "pool/runner.h"

/* 2^20 times any default is beyond any bound. */
#define STRIKES_MAX	20

/* ${ms} more or less by up to a tenth, so that accounts parked together do not
 * come back together. */
static int64_t
jittered(int64_t ms, int64_t seed)
{
	uint64_t x = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15);
	int64_t permille = (int64_t)((x >> 32) % 201) - 100;

	return (ms + ms / 1000 * permille);
}

static int64_t
back_off(int64_t base_ms, int strikes, int64_t max_ms)
{
	int64_t ms = base_ms;
	int i;

	for (i = 1; i < strikes && ms < max_ms; i++)
		ms *= 2;
	return (ms < max_ms ? ms : max_ms);
}

/* A failure while parked belongs to what it is parked for. */
static int
count_strikes(const struct cooldown *old, const struct cooldown_rule *rule)
{

	if (old == NULL || old->until_ms + rule->max_ms < rule->now_ms)
		return (1);
	if (old->until_ms > rule->now_ms || old->strikes >= STRIKES_MAX)
		return (old->strikes);
	return (old->strikes + 1);
}

/* Is there anything in ${new} that ${old}, which is in force, lacks? */
static bool
says_more(const struct cooldown *old, const struct cooldown *new)
{

	if (old->soft != new->soft)
		return (old->soft);
	if (new->stated && new->observed_ms >= old->observed_ms)
		return (new->until_ms != old->until_ms);
	return (new->until_ms > old->until_ms);
}

bool
cooldown_next(const struct cooldown *old, const struct park *park,
    const struct cooldown_rule *rule, struct cooldown *out)
{
	bool in_force;

	/* Of a clock that was set back since. */
	if (old != NULL && old->observed_ms - rule->now_ms > BREAKER_SLACK_MS)
		old = NULL;
	in_force = old != NULL && breaker_in_force(old, rule->now_ms);
	*out = (struct cooldown) {
		.since_ms = in_force ? old->since_ms : rule->now_ms,
		.until_ms = park->until_ms,
		.observed_ms = rule->now_ms,
		.strikes = count_strikes(old, rule),
		.stated = park->stated,
		.soft = park->soft,
	};
	memcpy(out->family, park->family, sizeof(out->family));
	memcpy(out->reason, park->reason, sizeof(out->reason));
	if (!park->stated)
		out->until_ms = rule->now_ms + jittered(back_off(
		    park->base_ms, out->strikes, rule->max_ms), rule->seed);
	if (out->until_ms <= rule->now_ms)
		return (false);
	return (!in_force || says_more(old, out));
}

static int
cooldown_row(void *arg, const struct store_value *c, size_t n)
{
	struct cooldown *cd = arg;

	(void)n;
	cd->since_ms = store_get_int(&c[0]);
	cd->until_ms = store_get_int(&c[1]);
	cd->observed_ms = store_get_int(&c[2]);
	cd->strikes = (int)store_get_int(&c[3]);
	cd->stated = store_get_int(&c[4]) != 0;
	cd->soft = store_get_int(&c[5]) != 0;
	return (1);
}

int
cooldown_set(struct store *st, const struct cooldown_found *by,
    const struct park *park, struct err *err)
{
	const struct cooldown_rule rule = {
		.now_ms = by->now_ms,
		.max_ms = by->max_ms,
		.seed = by->ledger_id != 0 ? by->ledger_id : by->account_id,
	};
	struct store_value v[11] = {
		store_int(by->account_id), store_text(park->family)
	};
	struct cooldown old = { .since_ms = 0 }, new;
	int64_t found;

	found = store_query(st, STMT_COOLDOWN_GET, v, 2, cooldown_row, &old,
	    err);
	if (found < 0)
		return (-1);
	if (!cooldown_next(found > 0 ? &old : NULL, park, &rule, &new))
		return (0);
	v[2] = store_text(park->reason);
	v[3] = store_text(park->detail);
	v[4] = store_int(new.since_ms);
	v[5] = store_int(new.until_ms);
	v[6] = store_int(new.stated);
	v[7] = store_int(new.strikes);
	v[8] = store_int(by->ledger_id);
	v[9] = store_int(new.observed_ms);
	v[10] = store_int(new.soft);
	return (store_exec(st, STMT_COOLDOWN_PUT, v, 1, 11, NULL, err) ? -1 :
	    1);
}

int
cooldown_put(struct runner *rn, int64_t ledger_id, int64_t account_id,
    const struct park *park, struct err *err)
{
	const struct cooldown_found by = {
		.account_id = account_id,
		.ledger_id = ledger_id,
		.now_ms = rn->now_ms,
		.max_ms = rn->set.cooldown_max_ms,
	};
	const struct store_value id = store_int(account_id);
	int changed;

	if (store_lock(rn->st, STMT_LOCK_ACCOUNT, &id, 1, err) ||
	    (changed = cooldown_set(rn->st, &by, park, err)) == -1)
		return (-1);
	if (changed)
		rn->parks_changed = true;
	return (0);
}

int
cooldown_extend(struct runner *rn, int64_t ledger_id, int64_t account_id,
    const struct park *park, struct err *err)
{
	struct store_value v[2] = {
		store_int(account_id), store_text(park->family)
	};
	struct cooldown old = { .until_ms = 0 };

	if (store_lock(rn->st, STMT_LOCK_ACCOUNT, v, 1, err) ||
	    store_query(rn->st, STMT_COOLDOWN_GET, v, 2, cooldown_row, &old,
	    err) < 0)
		return (-1);
	return (old.until_ms >= park->until_ms ? 0 : cooldown_put(rn,
	    ledger_id, account_id, park, err));
}

static int
undo_park(struct runner *rn, int64_t ledger_id, struct lease *lease,
    struct err *err)
{
	struct store_value v[3] = {
		store_int(lease->parked), store_text(lease->parked_family),
		store_int(ledger_id)
	};

	rn->parks_changed = true;
	if (store_exec(rn->st, STMT_COOLDOWN_UNDO, v, 1, 3, NULL, err))
		return (-1);
	lease->parked = -1;
	return (0);
}

int
cooldown_park(struct runner *rn, int64_t ledger_id, struct lease *lease,
    const struct park *park, bool *undone, struct err *err)
{

	if (undone != NULL)
		*undone = false;
	if (!park->wanted)
		return (0);
	if (park->fact || lease->probe)
		return (cooldown_put(rn, ledger_id, lease->account->id, park,
		    err));
	if (lease->parked < 0)
		return (0);
	if (lease->parked > 0) {
		if (undone != NULL)
			*undone = true;
		return (undo_park(rn, ledger_id, lease, err));
	}
	if (cooldown_put(rn, ledger_id, lease->account->id, park, err))
		return (-1);
	lease->parked = lease->account->id;
	snprintf(lease->parked_family, sizeof(lease->parked_family), "%s",
	    park->family);
	return (0);
}

/* Something that a success is to take away. */
static bool
clears(const struct runner *rn, const struct cooldown *cd, const char *family,
    bool probe)
{

	return ((cd->family[0] == '\0' || strcmp(cd->family, family) == 0) &&
	    (probe || !breaker_in_force(cd, rn->now_ms)));
}

int
cooldown_clear(struct runner *rn, const struct served *what, struct err *err)
{
	const struct account *now = snapshot_account(rn->snapshot,
	    what->account_id);
	char family[POOL_FAMILY_SIZE];
	struct store_value v[5];
	bool found = false;
	size_t i;

	if (now == NULL || now->ncooldowns == 0)
		return (0);
	model_family(what->model, family);
	for (i = 0; i < now->ncooldowns && !found; i++)
		found = clears(rn, &now->cooldowns[i], family,
		    what->probe_id != 0);
	if (!found)
		return (0);
	v[0] = store_int(what->account_id);
	v[1] = store_text(family);
	v[2] = store_int(rn->now_ms);
	v[3] = store_int(rn->now_ms + BREAKER_SLACK_MS);
	v[4] = what->probe_id == 0 ? store_null() : store_int(what->probe_id);
	rn->parks_changed = true;
	return (store_exec(rn->st, STMT_COOLDOWN_CLEAR, v, 1, 5, NULL, err));
}
