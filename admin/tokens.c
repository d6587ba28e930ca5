#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "change.h"
#include "check.h"
#include "query.h"

#include "tokens.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define PREFIX		"lh-adm-"
#define PREFIX_LEN	(sizeof(PREFIX) - 1)
#define TOKEN_BYTES	32
#define VISIBLE_LEN	(PREFIX_LEN + 6)

_Static_assert(PREFIX_LEN + sodium_base64_ENCODED_LEN(TOKEN_BYTES,
    sodium_base64_VARIANT_URLSAFE_NO_PADDING) == TOKEN_SIZE,
    "the prefix and 43 characters");

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "visible", .kind = FIELD_TEXT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "expires_ms", .kind = FIELD_INT },
	{ .name = "user", .kind = FIELD_TEXT },
	{ .name = "scope", .kind = FIELD_TEXT },
};

static void
make_token(char token[TOKEN_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];

	seal_random(bytes, sizeof(bytes));
	memcpy(token, PREFIX, PREFIX_LEN);
	(void)sodium_bin2base64(token + PREFIX_LEN, TOKEN_SIZE - PREFIX_LEN,
	    bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	seal_wipe(bytes, sizeof(bytes));
}

/* Lists of one's own are read whole. */
static int
check_room(struct store *st, int64_t person_id, struct err *err)
{
	const struct store_value param = store_int(person_id);
	int64_t n;

	if (store_one(st, STMT_TOKEN_COUNT, &param, 1, &n, 1, err) == -1)
		return (-1);
	if (n < TOKENS_MAX)
		return (0);
	err_set(err, ERR_EXISTS, "there are %d tokens already: revoke one",
	    TOKENS_MAX);
	return (-1);
}

static int
add_inside(struct store *st, const struct token_spec *spec,
    const struct seal_pepper *pepper, const char *token, struct err *err)
{
	unsigned char hash[SEAL_HASH_BYTES];
	char visible[VISIBLE_LEN + 1];
	struct store_value row[7];

	if (spec->person_id != 0 && check_room(st, spec->person_id, err))
		return (-1);
	memcpy(visible, token, VISIBLE_LEN);
	visible[VISIBLE_LEN] = '\0';
	seal_hash(pepper, token, TOKEN_SIZE - 1, hash);
	row[0] = store_text(spec->name);
	row[1] = store_text(visible);
	row[2] = store_blob(hash, sizeof(hash));
	row[3] = store_int(store_now_ms(st));
	row[4] = spec->expires_ms == 0 ? store_null() :
	    store_int(spec->expires_ms);
	row[5] = spec->person_id == 0 ? store_null() :
	    store_int(spec->person_id);
	row[6] = store_text(spec->read_only ? "read" : "all");
	return (change_exec_named(st, STMT_TOKEN_ADD, row, NITEMS(row),
	    "a token", spec->name, err));
}

int
tokens_create(struct store *st, const struct seal_pepper *pepper,
    const struct token_spec *spec, char token[TOKEN_SIZE], struct err *err)
{
	int rc;

	if (check_name("a token", spec->name, err) || change_begin(st, err))
		return (-1);
	make_token(token);
	rc = change_end(st, add_inside(st, spec, pepper, token, err), err);
	if (rc != 0)
		seal_wipe(token, TOKEN_SIZE);
	return (rc);
}

json_t *
tokens_list(struct store *st, int64_t person_id, struct err *err)
{
	const struct store_value params[] = {
		store_int(person_id), store_int(person_id)
	};

	return (query_rows(st, STMT_TOKEN_LIST, params, NITEMS(params),
	    fields, NITEMS(fields), err));
}

/* Run a statement that removes one; ${none}: what to say of none. */
static int
remove_inside(struct store *st, enum stmt_id stmt,
    const struct store_value *row, size_t n, const char *none,
    struct err *err)
{
	int64_t changes;

	if (store_exec(st, stmt, row, 1, n, &changes, err))
		return (-1);
	if (changes > 0)
		return (0);
	err_set(err, ERR_NOT_FOUND, "%s", none);
	return (-1);
}

static int
revoke(struct store *st, enum stmt_id stmt, const struct store_value *row,
    size_t n, const char *none, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, stmt, row, n, none, err),
	    err));
}

int
tokens_revoke(struct store *st, const char *name, struct err *err)
{
	const struct store_value row = query_name(name);
	char none[LIMIT_NAME_BYTES + 32];

	(void)snprintf(none, sizeof(none), "there is no token \"%s\"", name);
	return (revoke(st, STMT_TOKEN_REMOVE, &row, 1, none, err));
}

int
tokens_revoke_own(struct store *st, int64_t person_id, int64_t id,
    struct err *err)
{
	const struct store_value row[] = {
		store_int(id), store_int(person_id)
	};

	/* In the words of an id that nobody has. */
	return (revoke(st, STMT_TOKEN_REMOVE_OWN, row, 2, "there is no such "
	    "id", err));
}

static int
take_who(void *arg, const struct store_value *cols, size_t ncols)
{
	struct who *who = arg;
	const char *name;

	(void)ncols;
	who->token_id = store_get_int(&cols[0]);
	who->person_id = store_get_int(&cols[3]);
	who->read_only = strcmp(store_get_text(&cols[2]), "read") == 0;
	who->role = ROLE_ADMIN;
	if (who->person_id != 0 &&
	    !role_parse(store_get_text(&cols[4]), &who->role))
		who->role = ROLE_NONE;
	name = store_get_text(&cols[who->person_id != 0 ? 5 : 1]);
	if (strlen(name) < sizeof(who->name))
		strcpy(who->name, name);
	return (1);
}

int
tokens_find(struct store *st, const struct seal_pepper *pepper,
    const char *token, struct who *who, struct err *err)
{
	unsigned char hash[SEAL_HASH_BYTES];
	struct store_value params[2];

	memset(who, 0, sizeof(*who));
	if (strncmp(token, PREFIX, PREFIX_LEN) != 0 ||
	    strlen(token) != TOKEN_SIZE - 1)
		return (0);
	seal_hash(pepper, token, TOKEN_SIZE - 1, hash);
	params[0] = store_blob(hash, sizeof(hash));
	params[1] = store_int(store_now_ms(st));
	return ((int)store_query(st, STMT_TOKEN_FIND, params, 2, take_who, who,
	    err));
}
