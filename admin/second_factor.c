#include <ctype.h>
#include <liboath/oath.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"
#include "store/store.h"

#include "second_factor.h"

#define SECRET_BYTES	20	/* of SHA-1, RFC 4226 section 4 */
#define STEP_S		30
#define WINDOW		1	/* steps to both sides */
#define CODE_DIGITS	6

/* Recovery codes: 80 bits, as "abcd-efgh-ijkl-mnop". */
#define RECOVERY_BYTES	10
#define RECOVERY_CHARS	16

#define CONTEXT_SIZE	48
#define URL_SIZE	(3 * LIMIT_NAME_BYTES + 128)

static void
make_context(char context[CONTEXT_SIZE], int64_t person_id)
{

	(void)snprintf(context, CONTEXT_SIZE, "person:%lld:totp",
	    (long long)person_id);
}

static int
put_secret(struct store *st, const struct seal *seal, int64_t person_id,
    const void *secret, size_t n, struct err *err)
{
	struct store_value row[2];
	char context[CONTEXT_SIZE];
	unsigned char *box;
	size_t boxlen;
	int rc;

	make_context(context, person_id);
	if (seal_box(seal, context, secret, n, &box, &boxlen, err))
		return (-1);
	row[0] = store_blob(box, boxlen);
	row[1] = store_int(person_id);
	rc = store_exec(st, STMT_PERSON_SET_TOTP, row, 1, 2, NULL, err);
	free(box);
	return (rc);
}

/* A secret on its way out of its row. */
struct opening {
	const struct seal *seal;
	int64_t person_id;
	char *secret;		/* NULL: there is none */
	size_t n;
	struct err *err;
};

static int
open_secret(void *arg, const struct store_value *cols, size_t ncols)
{
	struct opening *o = arg;
	char context[CONTEXT_SIZE];

	make_context(context, o->person_id);
	return (seal_unbox(o->seal, context, cols[ncols - 1].p,
	    cols[ncols - 1].n, &o->secret, &o->n, o->err));
}

static int
get_secret(struct store *st, struct opening *o)
{
	const struct store_value id = store_int(o->person_id);

	return (store_query(st, STMT_PERSON_TOTP, &id, 1, open_secret, o,
	    o->err) == -1 ? -1 : 0);
}

/* In the letters that apps understand (RFC 4648, without padding). */
static char *
base32(const void *p, size_t n)
{
	char *text;

	if (oath_base32_encode(p, n, &text, NULL) != OATH_OK)
		return (NULL);
	text[strcspn(text, "=")] = '\0';
	return (text);
}

/* What an app reads from a QR code:
 * https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
static json_t *
present(const char *secret, const char *name)
{
	char url[URL_SIZE];
	json_t *j;
	char escaped[3 * LIMIT_NAME_BYTES + 1];
	size_t i, n = 0;

	for (i = 0; name[i] != '\0' && n + 4 <= sizeof(escaped); i++) {
		if (isalnum((unsigned char)name[i]))
			escaped[n++] = name[i];
		else
			n += (size_t)snprintf(escaped + n, 4, "%%%02X",
			    (unsigned char)name[i]);
	}
	escaped[n] = '\0';
	(void)snprintf(url, sizeof(url), "otpauth://totp/Leasehold:%s?secret=%s"
	    "&issuer=Leasehold", escaped, secret);
	j = json_pack("{s:s, s:s}", "secret", secret, "url", url);
	seal_wipe(url, sizeof(url));
	return (j);
}

/* 0: it is off; -1. */
static int
check_off(struct store *st, int64_t person_id, struct err *err)
{
	const struct store_value id = store_int(person_id);
	int64_t row[8];

	if (store_one(st, STMT_PERSON_ROW, &id, 1, row, 8, err) == -1)
		return (-1);
	if (row[4] == 0)
		return (0);
	err_set(err, ERR_EXISTS, "a second factor is on already");
	return (-1);
}

json_t *
second_factor_begin(struct store *st, const struct seal *seal,
    int64_t person_id, const char *name, struct err *err)
{
	unsigned char secret[SECRET_BYTES];
	char *text = NULL;
	json_t *j = NULL;

	if (check_off(st, person_id, err))
		return (NULL);
	seal_random(secret, sizeof(secret));
	if (put_secret(st, seal, person_id, secret, sizeof(secret), err) == 0 &&
	    ((text = base32(secret, sizeof(secret))) == NULL ||
	    (j = present(text, name)) == NULL))
		err_set(err, ERR_NOMEM, "no memory for a second factor");
	seal_wipe(secret, sizeof(secret));
	if (text != NULL)
		seal_wipe_free(text, strlen(text));
	return (j);
}

static bool
looks_like_totp(const char *code)
{

	return (strlen(code) == CODE_DIGITS &&
	    strspn(code, "0123456789") == CODE_DIGITS);
}

/* 1: the code is of a step that was not taken yet, which now is; 0: no. */
static int
take_totp(struct store *st, const struct seal *seal, int64_t person_id,
    const char *code, struct err *err)
{
	struct opening o = { seal, person_id, NULL, 0, err };
	const int64_t now_s = store_now_ms(st) / 1000;
	struct store_value row[4];
	uint64_t step = 0;
	int64_t taken = 0;
	int rc;

	if (!looks_like_totp(code))
		return (0);
	if (get_secret(st, &o))
		return (-1);
	if (o.secret == NULL)
		return (0);
	rc = oath_init();
	if (rc == OATH_OK)
		rc = oath_totp_validate3(o.secret, o.n, (time_t)now_s, STEP_S,
		    0, WINDOW, NULL, &step, code);
	seal_wipe_free(o.secret, o.n);
	if (rc < 0)
		return (0);
	row[0] = row[3] = store_int((int64_t)step);
	row[1] = store_int(1);
	row[2] = store_int(person_id);
	if (store_exec(st, STMT_PERSON_TOTP_USE, row, 1, 4, &taken, err))
		return (-1);
	return (taken > 0);
}

/* Blanks, dashes and case do not matter.  false: it is not like one. */
static bool
normal_recovery(const char *code, char out[RECOVERY_CHARS + 1])
{
	size_t n = 0;

	for (; *code != '\0'; code++) {
		if (*code == '-' || *code == ' ')
			continue;
		if (n == RECOVERY_CHARS || !isalnum((unsigned char)*code))
			return (false);
		out[n++] = (char)toupper((unsigned char)*code);
	}
	out[n] = '\0';
	return (n == RECOVERY_CHARS);
}

static int
take_recovery(struct store *st, const struct seal_pepper *pepper,
    int64_t person_id, const char *code, struct err *err)
{
	unsigned char hash[SEAL_HASH_BYTES];
	char normal[RECOVERY_CHARS + 1];
	struct store_value row[2];
	int64_t taken = 0;

	if (!normal_recovery(code, normal))
		return (0);
	seal_hash(pepper, normal, RECOVERY_CHARS, hash);
	row[0] = store_int(person_id);
	row[1] = store_blob(hash, sizeof(hash));
	if (store_exec(st, STMT_RECOVERY_USE, row, 1, 2, &taken, err))
		return (-1);
	return (taken > 0);
}

int
second_factor_take(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, int64_t person_id, const char *code,
    struct err *err)
{

	if (looks_like_totp(code))
		return (take_totp(st, seal, person_id, code, err));
	return (take_recovery(st, pepper, person_id, code, err));
}

/* One recovery code more, as it is shown. */
static int
add_recovery(struct store *st, const struct seal_pepper *pepper,
    int64_t person_id, json_t *shown, struct err *err)
{
	unsigned char bytes[RECOVERY_BYTES], hash[SEAL_HASH_BYTES];
	struct store_value row[2];
	char *code;
	int rc = -1;

	seal_random(bytes, sizeof(bytes));
	if ((code = base32(bytes, sizeof(bytes))) == NULL ||
	    json_array_append_new(shown, json_sprintf("%.4s-%.4s-%.4s-%.4s",
	    code, code + 4, code + 8, code + 12)) == -1) {
		err_set(err, ERR_NOMEM, "no memory for recovery codes");
	} else {
		seal_hash(pepper, code, RECOVERY_CHARS, hash);
		row[0] = store_int(person_id);
		row[1] = store_blob(hash, sizeof(hash));
		rc = store_exec(st, STMT_RECOVERY_ADD, row, 1, 2, NULL, err);
	}
	seal_wipe(bytes, sizeof(bytes));
	if (code != NULL)
		seal_wipe_free(code, strlen(code));
	return (rc);
}

json_t *
second_factor_confirm(struct store *st, const struct seal *seal,
    const struct seal_pepper *pepper, int64_t person_id, const char *code,
    struct err *err)
{
	const struct store_value id = store_int(person_id);
	json_t *shown;
	int i, rc;

	/* Or codes could be guessed here, and new recovery codes be had. */
	if (check_off(st, person_id, err) ||
	    (rc = take_totp(st, seal, person_id, code, err)) == -1)
		return (NULL);
	if (rc == 0) {
		err_set(err, ERR_INVAL, "the code is not right, or was used "
		    "already");
		return (NULL);
	}
	if (store_exec(st, STMT_RECOVERY_CLEAR, &id, 1, 1, NULL, err))
		return (NULL);
	if ((shown = json_array()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for recovery codes");
		return (NULL);
	}
	for (i = 0; i < RECOVERY_CODES; i++) {
		if (add_recovery(st, pepper, person_id, shown, err)) {
			json_decref(shown);
			return (NULL);
		}
	}
	return (shown);
}

int
second_factor_off(struct store *st, int64_t person_id, struct err *err)
{
	const struct store_value id = store_int(person_id);

	if (store_exec(st, STMT_RECOVERY_CLEAR, &id, 1, 1, NULL, err))
		return (-1);
	return (store_exec(st, STMT_PERSON_TOTP_OFF, &id, 1, 1, NULL, err));
}

/* ---- a new master key ---- */

/* One secret of all that are sealed anew. */
struct resealing {
	const struct seal *seal;
	struct opening *v;
	size_t n;
	struct err *err;
};

static int
open_next(void *arg, const struct store_value *cols, size_t ncols)
{
	struct resealing *r = arg;
	struct opening *v = realloc(r->v, (r->n + 1) * sizeof(*v));

	if (v == NULL) {
		err_set(r->err, ERR_NOMEM, "no memory for the secrets");
		return (-1);
	}
	r->v = v;
	v[r->n] = (struct opening) { r->seal, store_get_int(&cols[0]), NULL,
	    0, r->err };
	if (open_secret(&v[r->n], cols, ncols))
		return (-1);
	r->n++;
	return (0);
}

int
second_factor_reseal(struct store *st, const struct seal *seal,
    struct err *err)
{
	struct resealing r = { seal, NULL, 0, err };
	int rc;

	rc = store_query(st, STMT_PERSON_TOTPS, NULL, 0, open_next, &r, err)
	    == -1 ? -1 : 0;
	while (r.n > 0) {
		r.n--;
		if (rc == 0)
			rc = put_secret(st, seal, r.v[r.n].person_id,
			    r.v[r.n].secret, r.v[r.n].n, err);
		seal_wipe_free(r.v[r.n].secret, r.v[r.n].n);
	}
	free(r.v);
	return (rc);
}
