#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "audit.h"
#include "passwords.h"
#include "query.h"
#include "second_factor.h"
#include "tries.h"

#include "sign_in.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define TOKEN_BYTES	32
#define SEEN_MS		60000	/* uses within it are noted once */

_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES,
    sodium_base64_VARIANT_URLSAFE_NO_PADDING) == SIGN_IN_TOKEN_SIZE,
    "256 bits in base64url");

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "seen_ms", .kind = FIELD_INT },
	{ .name = "expires_ms", .kind = FIELD_INT },
	{ .name = "address", .kind = FIELD_TEXT },
	{ .name = "agent", .kind = FIELD_TEXT },
};

/* What the database knows of who signs in. */
struct credentials {
	bool found;
	bool enabled;
	bool has_password;
	bool second_factor;
	int64_t person_id;
	enum role role;
	char hash[PASSWORD_HASH_SIZE];
	char renewed[PASSWORD_HASH_SIZE];	/* "": the hash is as it
						   would be made today */
};

static int
take_credentials(void *arg, const struct store_value *cols, size_t ncols)
{
	struct credentials *c = arg;
	const char *hash = store_get_text(&cols[3]);

	(void)ncols;
	c->found = role_parse(store_get_text(&cols[1]), &c->role);
	c->person_id = store_get_int(&cols[0]);
	c->enabled = store_get_int(&cols[2]) != 0;
	c->second_factor = store_get_int(&cols[4]) != 0;
	if (strlen(hash) > 0 && strlen(hash) < sizeof(c->hash)) {
		strcpy(c->hash, hash);
		c->has_password = true;
	}
	return (1);
}

static int
note(struct store *st, const struct sign_in *s, enum actor_kind kind,
    const char *verb, struct err *err)
{
	const struct actor actor = { kind, s->name, s->address };

	return (audit_add(st, &actor, verb, s->name, NULL, NULL, err));
}

/* Hashing takes a while, so it is done before the transaction. */
static void
renew(struct credentials *c, const char *password)
{

	if (!password_is_dated(c->hash))
		return;
	if (password_hash(password, c->renewed, NULL))
		c->renewed[0] = '\0';
}

static int
keep_renewed(struct store *st, const struct credentials *c, struct err *err)
{
	const struct store_value row[] = {
		store_text(c->renewed), store_int(c->person_id),
		store_text(c->hash),
	};

	return (c->renewed[0] == '\0' ? 0 : store_exec(st,
	    STMT_PERSON_RENEW_PASSWORD, row, 1, NITEMS(row), NULL, err));
}

/* Hashing took a while, in which the user may have got another password, or
 * been disabled, or worse.  *${fits}: it is still right.  In the transaction
 * that opens the sign-in. */
static int
look_again(struct store *st, const struct sign_in *s, struct credentials *c,
    bool *fits, struct err *err)
{
	const struct store_value id = store_int(c->person_id);
	const struct store_value name = query_name(s->name);
	struct credentials now = { .found = false };

	if (store_lock(st, STMT_LOCK_PERSON, &id, 1, err) ||
	    store_query(st, STMT_PERSON_CREDENTIALS, &name, 1,
	    take_credentials, &now, err) == -1)
		return (-1);
	*fits = now.found && now.enabled && now.person_id == c->person_id &&
	    now.has_password;
	if (*fits && strcmp(now.hash, c->hash) != 0)
		*fits = password_fits(s->password, now.hash);
	else
		strcpy(now.renewed, c->renewed);
	*c = now;
	return (0);
}

/* The password was right; inside a transaction. */
static int
finish(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct sign_in_life *life,
    const struct credentials *c, struct sign_in *s,
    enum sign_in_result *result, struct err *err)
{
	int good = 1;

	if (c->second_factor) {
		good = s->code == NULL ? 0 : second_factor_take(st, seal,
		    pepper, c->person_id, s->code, err);
		if (good == -1)
			return (-1);
	}
	if (!good) {
		*result = SIGN_IN_CODE;
		return (s->code == NULL ? 0 : note(st, s, ACTOR_NOBODY,
		    "sign_in.refused", err));
	}
	*result = SIGN_IN_GOOD;
	s->who = (struct who) { .role = c->role, .person_id = c->person_id };
	strcpy(s->who.name, s->name);
	if (tries_forget(st, s->name, s->address, err) ||
	    keep_renewed(st, c, err) ||
	    sign_in_open(st, pepper, life, c->person_id, s->address, s->agent,
	    s->token, err))
		return (-1);
	s->who.sign_in_id = store_insert_id(st);
	return (note(st, s, ACTOR_PERSON, "sign_in", err));
}

int
sign_in(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, const struct sign_in_life *life,
    struct sign_in *s, enum sign_in_result *result, struct err *err)
{
	const struct store_value name = query_name(s->name);
	struct credentials c = { .found = false };
	bool fits;
	int rc;

	*result = SIGN_IN_WRONG;
	if (strlen(s->name) >= sizeof(s->who.name))
		return (0);
	*result = SIGN_IN_WAIT;
	if (!s->counted && tries_take(st, s->name, s->address, &s->wait_ms,
	    err))
		return (-1);
	if (s->wait_ms > 0)
		return (0);
	s->counted = true;
	if (store_query(st, STMT_PERSON_CREDENTIALS, &name, 1,
	    take_credentials, &c, err) == -1)
		return (-1);
	fits = password_fits(s->password, c.has_password ? c.hash : NULL) &&
	    c.found && c.enabled;
	if (fits)
		renew(&c, s->password);
	if (store_begin(st, true, err))
		return (-1);
	rc = fits ? look_again(st, s, &c, &fits, err) : 0;
	if (rc == 0 && fits) {
		rc = finish(st, seal, pepper, life, &c, s, result, err);
	} else if (rc == 0) {
		*result = SIGN_IN_WRONG;
		rc = note(st, s, ACTOR_NOBODY, "sign_in.refused", err);
	}
	return (store_end(st, rc, err));
}

int
sign_in_open(struct store *st, const struct seal_pepper *pepper,
    const struct sign_in_life *life, int64_t person_id, const char *address,
    const char *agent, char token[SIGN_IN_TOKEN_SIZE], struct err *err)
{
	unsigned char bytes[TOKEN_BYTES], hash[SEAL_HASH_BYTES];
	const int64_t now_ms = store_now_ms(st);
	const struct store_value old[] = {
		store_int(now_ms), store_int(now_ms - life->idle_ms)
	};
	struct store_value row[7];

	seal_random(bytes, sizeof(bytes));
	(void)sodium_bin2base64(token, SIGN_IN_TOKEN_SIZE, bytes,
	    sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	seal_wipe(bytes, sizeof(bytes));
	seal_hash(pepper, token, SIGN_IN_TOKEN_SIZE - 1, hash);
	row[0] = store_blob(hash, sizeof(hash));
	row[1] = store_int(person_id);
	row[2] = row[3] = store_int(now_ms);
	row[4] = store_int(now_ms + life->max_ms);
	row[5] = store_text(address);
	row[6] = store_text(agent);
	if (store_exec(st, STMT_SIGN_IN_PRUNE, old, 1, 2, NULL, err))
		return (-1);
	return (store_exec(st, STMT_SIGN_IN_ADD, row, 1, 7, NULL, err));
}

/* A cookie's row. */
struct finding {
	struct who *who;
	int64_t seen_ms;
};

static int
take_sign_in(void *arg, const struct store_value *cols, size_t ncols)
{
	struct finding *f = arg;
	const char *name = store_get_text(&cols[5]);

	(void)ncols;
	f->who->sign_in_id = store_get_int(&cols[0]);
	f->seen_ms = store_get_int(&cols[1]);
	f->who->person_id = store_get_int(&cols[3]);
	if (!role_parse(store_get_text(&cols[4]), &f->who->role))
		f->who->role = ROLE_NONE;
	if (strlen(name) < sizeof(f->who->name))
		strcpy(f->who->name, name);
	return (1);
}

/* That it was not noted is no reason to turn somebody away. */
static void
note_use(struct store *st, int64_t id, int64_t now_ms)
{
	const struct store_value row[] = {
		store_int(now_ms), store_int(id)
	};

	if (store_begin(st, true, NULL))
		return;
	(void)!store_end(st, store_exec(st, STMT_SIGN_IN_SEEN, row, 1, 2,
	    NULL, NULL), NULL);
}

int
sign_in_find(struct store *st, const struct seal_pepper *pepper,
    const struct sign_in_life *life, const char *token, struct who *who,
    struct err *err)
{
	unsigned char hash[SEAL_HASH_BYTES];
	const int64_t now_ms = store_now_ms(st);
	struct finding f = { who, 0 };
	struct store_value params[3];
	int64_t n;

	memset(who, 0, sizeof(*who));
	if (strlen(token) != SIGN_IN_TOKEN_SIZE - 1)
		return (0);
	seal_hash(pepper, token, SIGN_IN_TOKEN_SIZE - 1, hash);
	params[0] = store_blob(hash, sizeof(hash));
	params[1] = store_int(now_ms);
	params[2] = store_int(now_ms - life->idle_ms);
	n = store_query(st, STMT_SIGN_IN_FIND, params, 3, take_sign_in, &f,
	    err);
	if (n <= 0)
		return ((int)n);
	if (now_ms - f.seen_ms >= SEEN_MS)
		note_use(st, who->sign_in_id, now_ms);
	return (who->role != ROLE_NONE);
}

void
sign_in_csrf(const struct seal_pepper *pepper, const char *token,
    char out[SIGN_IN_TOKEN_SIZE])
{
	static const char purpose[] = "csrf:";
	char text[sizeof(purpose) + SIGN_IN_TOKEN_SIZE];
	unsigned char hash[SEAL_HASH_BYTES];

	memcpy(text, purpose, sizeof(purpose) - 1);
	memcpy(text + sizeof(purpose) - 1, token, SIGN_IN_TOKEN_SIZE - 1);
	seal_hash(pepper, text, sizeof(purpose) + SIGN_IN_TOKEN_SIZE - 2,
	    hash);
	(void)sodium_bin2base64(out, SIGN_IN_TOKEN_SIZE, hash, sizeof(hash),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	seal_wipe(text, sizeof(text));
}

json_t *
sign_in_list(struct store *st, const struct sign_in_life *life,
    const struct who *who, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	const struct store_value params[] = {
		store_int(who->person_id), store_int(now_ms),
		store_int(now_ms - life->idle_ms),
	};
	json_t *rows, *row;
	size_t i;

	rows = query_rows(st, STMT_SIGN_IN_LIST, params, NITEMS(params),
	    fields, NITEMS(fields), err);
	json_array_foreach(rows, i, row) {
		if (json_object_set_new(row, "current",
		    json_boolean(json_integer_value(json_object_get(row,
		    "id")) == who->sign_in_id)) == 0)
			continue;
		err_set(err, ERR_NOMEM, "no memory for an answer");
		json_decref(rows);
		return (NULL);
	}
	return (rows);
}

static int
end_inside(struct store *st, const struct who *who, int64_t id,
    const char *address, struct err *err)
{
	const struct actor actor = { ACTOR_PERSON, who->name, address };
	const struct store_value row[] = {
		store_int(id), store_int(who->person_id)
	};
	json_t *before;
	int rc;

	before = query_row(st, STMT_SIGN_IN_ROW, row, 2, fields,
	    NITEMS(fields), "such sign-in", err);
	if (before == NULL)
		return (-1);
	rc = store_exec(st, STMT_SIGN_IN_REMOVE, row, 1, 2, NULL, err);
	if (rc == 0)
		rc = audit_add(st, &actor, id == who->sign_in_id ?
		    "sign_out" : "sign_in.end", who->name, before, NULL, err);
	json_decref(before);
	return (rc);
}

int
sign_in_end(struct store *st, const struct who *who, int64_t id,
    const char *address, struct err *err)
{
	const struct store_value person = store_int(who->person_id);
	int rc;

	if (store_begin(st, true, err))
		return (-1);
	if ((rc = store_lock(st, STMT_LOCK_PERSON, &person, 1, err)) == 0)
		rc = end_inside(st, who, id, address, err);
	return (store_end(st, rc, err));
}

int
sign_in_end_others(struct store *st, int64_t person_id, int64_t stays,
    struct err *err)
{
	const struct store_value row[] = {
		store_int(person_id), store_int(stays)
	};

	return (store_exec(st, STMT_SIGN_IN_REMOVE_OTHERS, row, 1, 2, NULL,
	    err));
}
