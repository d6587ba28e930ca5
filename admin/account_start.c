#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"
#include "store/store.h"

#include "account_start.h"

#define CONTEXT_SIZE	(sizeof("oauth_start:") + 2 * SEAL_HASH_BYTES)
#define ACTOR_SIZE	32

/* Of one user at once. */
#define STARTS_MAX	20

/* A row is known by its state's hash, which its sealed part is bound to. */
struct place {
	unsigned char hash[SEAL_HASH_BYTES];
	char context[CONTEXT_SIZE];
	char actor[ACTOR_SIZE];
};

static void
find_place(const struct seal_pepper *pepper, const struct who *who,
    const char *state, struct place *p)
{
	char hex[2 * SEAL_HASH_BYTES + 1];

	seal_hash(pepper, state, strlen(state), p->hash);
	(void)sodium_bin2hex(hex, sizeof(hex), p->hash, sizeof(p->hash));
	(void)snprintf(p->context, sizeof(p->context), "oauth_start:%s", hex);
	(void)snprintf(p->actor, sizeof(p->actor), "%s:%lld",
	    who->person_id != 0 ? "person" : "token",
	    (long long)(who->person_id != 0 ? who->person_id :
	    who->token_id));
}

/* ---- put ---- */

static int
add_inside(struct store *st, const struct place *p, int64_t account_id,
    const void *box, size_t n, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	const struct store_value now = store_int(now_ms);
	const struct store_value actor = store_text(p->actor);
	const struct store_value row[] = {
		store_blob(p->hash, sizeof(p->hash)), actor,
		account_id != 0 ? store_int(account_id) : store_null(),
		store_blob(box, n), now,
		store_int(now_ms + ACCOUNT_START_MS),
	};
	int64_t begun;

	if (store_exec(st, STMT_OAUTH_START_PRUNE, &now, 1, 1, NULL, err) ||
	    store_one(st, STMT_OAUTH_START_COUNT, &actor, 1, &begun, 1, err)
	    == -1)
		return (-1);
	if (begun < STARTS_MAX)
		return (store_exec(st, STMT_OAUTH_START_ADD, row, 1,
		    sizeof(row) / sizeof(row[0]), NULL, err));
	err_set(err, ERR_RANGE, "%d sign-ins to accounts are begun already; "
	    "end one, or wait for a quarter of an hour", STARTS_MAX);
	return (-1);
}

/* What is sealed, as text; the caller wipes it. */
static char *
dump(const struct account_start *s, struct err *err)
{
	json_t *j;
	char *text;

	j = json_pack("{s:s, s:s, s:O?}", "state", s->login.state,
	    "verifier", s->login.verifier, "account", s->account);
	text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	if (text == NULL)
		err_set(err, ERR_NOMEM, "no memory for a sign-in");
	else if (strlen(text) > LIMIT_SECRET_BYTES) {
		err_set(err, ERR_TOO_LARGE, "what is said of the account is "
		    "too long");
		seal_wipe_free(text, strlen(text));
		text = NULL;
	}
	return (text);
}

int
account_start_put(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct who *who,
    const struct account_start *s, struct err *err)
{
	unsigned char *box;
	struct place p;
	char *text;
	size_t n;
	int rc;

	find_place(pepper, who, s->login.state, &p);
	if ((text = dump(s, err)) == NULL)
		return (-1);
	rc = seal_box(seal, p.context, text, strlen(text), &box, &n, err);
	seal_wipe_free(text, strlen(text));
	if (rc)
		return (-1);
	if ((rc = store_begin(st, true, err)) == 0)
		rc = store_end(st, add_inside(st, &p, s->account_id, box, n,
		    err), err);
	free(box);
	return (rc);
}

/* ---- take ---- */

struct sealed {
	unsigned char *box;	/* NULL: there is none, or no memory */
	size_t n;
};

static int
take_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct sealed *s = arg;

	(void)ncols;
	s->n = cols[0].n;
	if ((s->box = malloc(s->n + 1)) != NULL)
		memcpy(s->box, cols[0].p, s->n);
	return (1);
}

static int
take_inside(struct store *st, const struct place *p, int64_t account_id,
    struct sealed *s, struct err *err)
{
	const struct store_value key[] = {
		store_blob(p->hash, sizeof(p->hash)), store_text(p->actor),
		store_int(account_id), store_int(store_now_ms(st)),
	};
	int64_t changes = 0;

	if (store_query(st, STMT_OAUTH_START_FIND, key, 4, take_row, s, err)
	    == -1 || (s->box != NULL && store_exec(st,
	    STMT_OAUTH_START_REMOVE, key, 1, 1, &changes, err)))
		return (-1);
	if (changes == 1)
		return (0);
	err_set(err, ERR_NOT_FOUND, "there is no such sign-in: it is another "
	    "user's, was ended already, or took too long; begin anew");
	return (-1);
}

static void
copy_text(char out[44], const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	(void)snprintf(out, 44, "%s", s != NULL ? s : "");
}

static int
read_text(const char *text, size_t n, const char *state,
    struct account_start *s, struct err *err)
{
	json_t *j = json_loadb(text, n, 0, NULL);
	const json_t *account = json_object_get(j, "account");

	copy_text(s->login.state, j, "state");
	copy_text(s->login.verifier, j, "verifier");
	s->account = json_is_object(account) ? json_deep_copy(account) : NULL;
	json_decref(j);
	if (strlen(state) == strlen(s->login.state) &&
	    sodium_memcmp(state, s->login.state, strlen(state)) == 0)
		return (0);
	account_start_fini(s);
	err_set(err, ERR_NOT_FOUND, "there is no such sign-in");
	return (-1);
}

int
account_start_take(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct who *who,
    int64_t account_id, const char *state, struct account_start *s,
    struct err *err)
{
	struct sealed sealed = { .box = NULL };
	struct place p;
	char *text;
	size_t n;
	int rc;

	*s = (struct account_start) { .account_id = account_id };
	find_place(pepper, who, state, &p);
	if ((rc = store_begin(st, true, err)) == 0)
		rc = store_end(st, take_inside(st, &p, account_id, &sealed,
		    err), err);
	if (rc == 0)
		rc = seal_unbox(seal, p.context, sealed.box, sealed.n, &text,
		    &n, err);
	free(sealed.box);
	if (rc)
		return (-1);
	rc = read_text(text, n, state, s, err);
	seal_wipe_free(text, n);
	return (rc);
}

void
account_start_fini(struct account_start *s)
{

	json_decref(s->account);
	s->account = NULL;
	seal_wipe(&s->login, sizeof(s->login));
}
