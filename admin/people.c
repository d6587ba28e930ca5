#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "audit.h"
#include "change.h"
#include "check.h"
#include "passwords.h"
#include "query.h"
#include "sign_in.h"
#include "tries.h"
#include "users.h"

#include "people.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define INVITATION_BYTES	32

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "role", .kind = FIELD_TEXT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "second_factor", .kind = FIELD_BOOL },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "signs_in", .kind = FIELD_BOOL },
	{ .name = "recovery_codes", .kind = FIELD_INT },
};

static const struct field invitation_fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "role", .kind = FIELD_TEXT },
	{ .name = "user", .kind = FIELD_TEXT },
	{ .name = "invited_by", .kind = FIELD_TEXT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "expires_ms", .kind = FIELD_INT },
};

static struct store_value
hashed(const struct seal_pepper *pepper, const char *text,
    unsigned char hash[SEAL_HASH_BYTES])
{

	seal_hash(pepper, text, strlen(text), hash);
	return (store_blob(hash, SEAL_HASH_BYTES));
}

/* The audit log has whom an invitation lets in as what: of one that was made,
 * or that is taken back. */
static int
show_invitation(struct store *st, int64_t id, bool is_over, struct err *err)
{
	const struct store_value param = store_int(id);
	json_t *row;

	row = query_row(st, STMT_INVITATION_ROW, &param, 1, invitation_fields,
	    NITEMS(invitation_fields), "such invitation", err);
	if (row == NULL)
		return (-1);
	change_show(st, is_over ? row : NULL, is_over ? NULL : row);
	return (0);
}

static int
invite_inside(struct store *st, const struct seal_pepper *pepper,
    enum role role, const char *name, const char *invited_by,
    const char *invitation, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	const struct store_value now = store_int(now_ms);
	unsigned char hash[SEAL_HASH_BYTES];
	struct store_value row[6];
	int64_t id;

	if (name != NULL && users_find(st, name, &id, err))
		return (-1);
	row[0] = hashed(pepper, invitation, hash);
	row[1] = store_text(role_word(role));
	row[2] = name == NULL ? store_null() : store_int(id);
	row[3] = store_text(invited_by);
	row[4] = now;
	row[5] = store_int(now_ms + INVITATION_LIFE_MS);
	if (store_exec(st, STMT_INVITATION_PRUNE, &now, 1, 1, NULL, err) ||
	    store_exec(st, STMT_INVITATION_ADD, row, 1, 6, NULL, err))
		return (-1);
	return (show_invitation(st, store_insert_id(st), false, err));
}

int
people_invite(struct store *st, const struct seal_pepper *pepper,
    enum role role, const char *name, const char *invited_by,
    char invitation[INVITATION_SIZE], struct err *err)
{
	unsigned char bytes[INVITATION_BYTES];

	seal_random(bytes, sizeof(bytes));
	(void)sodium_bin2base64(invitation, INVITATION_SIZE, bytes,
	    sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	seal_wipe(bytes, sizeof(bytes));
	if (change_begin(st, err))
		return (-1);
	return (change_end(st, invite_inside(st, pepper, role, name,
	    invited_by, invitation, err), err));
}

json_t *
people_invitations(struct store *st, struct err *err)
{
	const struct store_value now = store_int(store_now_ms(st));

	return (query_rows(st, STMT_INVITATION_LIST, &now, 1,
	    invitation_fields, NITEMS(invitation_fields), err));
}

static int
uninvite_inside(struct store *st, int64_t id, struct err *err)
{
	const struct store_value param = store_int(id);
	int64_t n;

	if (show_invitation(st, id, true, err) ||
	    store_exec(st, STMT_INVITATION_REMOVE, &param, 1, 1, &n, err))
		return (-1);
	if (n > 0)
		return (0);
	err_set(err, ERR_NOT_FOUND, "there is no such invitation");
	return (-1);
}

int
people_uninvite(struct store *st, int64_t id, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, uninvite_inside(st, id, err), err));
}

/* ---- taking one up ---- */

struct invited {
	bool found;
	int64_t id;
	enum role role;
	int64_t person_id;	/* 0: a new one */
	char name[LIMIT_NAME_BYTES];
};

static int
take_invited(void *arg, const struct store_value *cols, size_t ncols)
{
	struct invited *v = arg;
	const char *name = store_get_text(&cols[3]);

	(void)ncols;
	v->id = store_get_int(&cols[0]);
	v->found = role_parse(store_get_text(&cols[1]), &v->role) &&
	    strlen(name) < sizeof(v->name);

	/* A user that was removed meanwhile has no name. */
	v->person_id = store_get_int(&cols[2]);
	if (v->person_id != 0 && name[0] == '\0')
		v->found = false;
	if (v->found)
		strcpy(v->name, name);
	return (1);
}

static int
find_invited(struct store *st, const struct seal_pepper *pepper,
    const char *invitation, struct invited *v, struct err *err)
{
	unsigned char hash[SEAL_HASH_BYTES];
	struct store_value params[2];

	v->found = false;
	params[0] = hashed(pepper, invitation, hash);
	params[1] = store_int(store_now_ms(st));
	if (store_query(st, STMT_INVITATION_FIND, params, 2, take_invited, v,
	    err) == -1)
		return (-1);
	if (v->found)
		return (0);
	err_set(err, ERR_PERM, "the invitation is not good, or not any more");
	return (-1);
}

static int
add_user(struct store *st, const char *name, int64_t *id, struct err *err)
{
	const struct store_value row[] = {
		store_text(name), store_int(0), store_int(store_now_ms(st))
	};

	if (change_exec_named(st, STMT_USER_ADD, row, NITEMS(row), "a user",
	    name, err))
		return (-1);
	*id = store_insert_id(st);
	return (0);
}

/* What is registered, on its way in. */
struct registering {
	struct registration *r;
	struct invited invited;	/* .id 0: none */
	const char *name;
	char hash[PASSWORD_HASH_SIZE];
	const struct seal_pepper *pepper;
	const struct sign_in_life *life;
};

/* Let a user sign in, with the role and password.  Other links for the same
 * user would set another password. */
static int
let_in(struct store *st, const struct registering *g, int64_t id,
    struct err *err)
{
	const enum role role = g->invited.role;
	const struct store_value by_id = store_int(id);
	const struct store_value password[] = { store_text(g->hash), by_id };
	const struct store_value word[] = {
		store_text(role_word(role)), by_id
	};

	if (users_keep_an_admin(st, id, role, err) || users_end_links(st, id,
	    role == ROLE_ADMIN ? "" : g->name, err))
		return (-1);
	if (store_exec(st, STMT_PERSON_SET_PASSWORD, password, 1, 2, NULL,
	    err) || store_exec(st, STMT_PERSON_SET_ROLE, word, 1, 2, NULL,
	    err))
		return (-1);
	return (sign_in_end_others(st, id, 0, err));
}

/* The last of it, with its row in the audit log. */
static int
sign_in_new(struct store *st, const struct registering *g, int64_t id,
    struct err *err)
{
	const struct actor actor = { ACTOR_PERSON, g->name, g->r->address };
	struct who *who = &g->r->who;
	json_t *after;
	int rc;

	if (sign_in_open(st, g->pepper, g->life, id, g->r->address,
	    g->r->agent, g->r->token, err))
		return (-1);
	*who = (struct who) {
		.role = g->invited.role,
		.person_id = id,
		.sign_in_id = store_insert_id(st),
	};
	strcpy(who->name, g->name);
	after = json_pack("{s:s}", "role", role_word(g->invited.role));
	rc = audit_add(st, &actor, "user.register", g->name, NULL, after,
	    err);
	json_decref(after);
	return (rc);
}

static int
register_inside(struct store *st, const struct registering *g,
    struct err *err)
{
	const struct store_value invitation = store_int(g->invited.id);
	int64_t used = 1, id = g->invited.person_id;

	if (g->invited.id != 0 && store_exec(st, STMT_INVITATION_REMOVE,
	    &invitation, 1, 1, &used, err))
		return (-1);
	if (used == 0) {
		err_set(err, ERR_PERM, "the invitation was taken up already");
		return (-1);
	}
	if (id == 0 && add_user(st, g->name, &id, err))
		return (-1);
	return (let_in(st, g, id, err) || sign_in_new(st, g, id, err) ?
	    -1 : 0);
}

static int
register_as(struct store *st, struct registering *g, struct err *err)
{
	const char *password = g->r->password;
	int rc;

	if (check_name("a user", g->name, err) ||
	    password_check(password, g->name, err) ||
	    password_hash(password, g->hash, err))
		return (-1);
	if ((rc = change_begin(st, err)) == 0)
		rc = change_end(st, register_inside(st, g, err), err);
	seal_wipe(g->hash, sizeof(g->hash));
	if (rc != 0)
		seal_wipe(g->r->token, sizeof(g->r->token));
	return (rc);
}

int
people_register(struct store *st, const struct seal_pepper *pepper,
    const struct sign_in_life *life, struct registration *r, struct err *err)
{
	struct registering g = {
		.r = r,
		.invited = { .role = ROLE_USER },
		.name = r->name,
		.pepper = pepper,
		.life = life,
	};

	if (r->invitation != NULL && find_invited(st, pepper, r->invitation,
	    &g.invited, err))
		return (-1);
	if (g.invited.person_id != 0 && r->name != NULL &&
	    strcmp(r->name, g.invited.name) != 0) {
		err_set(err, ERR_INVAL, "the invitation is for user \"%s\"",
		    g.invited.name);
		return (-1);
	}
	if (g.invited.person_id != 0)
		g.name = g.invited.name;
	if (g.name == NULL) {
		err_set(err, ERR_INVAL, "a name is needed");
		return (-1);
	}
	return (register_as(st, &g, err));
}

json_t *
people_show(struct store *st, int64_t person_id, struct err *err)
{
	const struct store_value id = store_int(person_id);

	return (query_row(st, STMT_PERSON_ROW, &id, 1, fields, NITEMS(fields),
	    "such user", err));
}

/* ---- passwords ---- */

static int
take_hash(void *arg, const struct store_value *cols, size_t ncols)
{
	const char *hash = store_get_text(&cols[0]);

	(void)ncols;
	if (strlen(hash) < PASSWORD_HASH_SIZE)
		strcpy(arg, hash);
	return (1);
}

int
people_check_password(struct store *st, int64_t person_id,
    const char *password, struct err *err)
{
	const struct store_value id = store_int(person_id);
	char hash[PASSWORD_HASH_SIZE] = "";

	if (store_query(st, STMT_PERSON_PASSWORD, &id, 1, take_hash, hash,
	    err) == -1)
		return (-1);
	return (password_fits(password, hash[0] == '\0' ? NULL : hash));
}

static int
set_password_inside(struct store *st, const struct who *who,
    const char *hash, const char *address, struct err *err)
{
	const struct actor actor = { ACTOR_PERSON, who->name, address };
	const struct store_value row[] = {
		store_text(hash), store_int(who->person_id)
	};

	if (store_exec(st, STMT_PERSON_SET_PASSWORD, row, 1, 2, NULL, err) ||
	    sign_in_end_others(st, who->person_id, who->sign_in_id, err) ||
	    tries_forget(st, who->name, address, err))
		return (-1);
	return (audit_add(st, &actor, "user.password", who->name, NULL, NULL,
	    err));
}

int
people_set_password(struct store *st, const struct who *who,
    const char *old, const char *new, const char *address, struct err *err)
{
	char hash[PASSWORD_HASH_SIZE];
	int rc;

	if ((rc = people_check_password(st, who->person_id, old, err)) == -1)
		return (-1);
	if (rc == 0) {
		err_set(err, ERR_PERM, "the password is not right");
		return (-1);
	}
	if (password_check(new, who->name, err) ||
	    password_hash(new, hash, err) || store_begin(st, true, err))
		return (-1);
	rc = set_password_inside(st, who, hash, address, err);
	seal_wipe(hash, sizeof(hash));
	return (store_end(st, rc, err));
}
