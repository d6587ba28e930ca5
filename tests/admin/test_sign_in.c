#include "visit.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tries.h"

#define LOGIN(name, password) \
	"{\"name\": \"" name "\", \"password\": \"" password "\"}"

static void
a_cookie_alone_changes_nothing(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	char csrf[64];

	visit_init_ann(&v, d);
	visit_init(&other, d);
	visit_join(&other, d, "admin", "bob");
	(void)snprintf(csrf, sizeof(csrf), "%s", v.csrf);
	v.csrf[0] = '\0';
	visit_expect(&v, 40301, "POST", "/admin/invitations", "{}");
	visit_expect(&v, 40301, "POST", "/auth/logout", NULL);
	(void)snprintf(v.csrf, sizeof(v.csrf), "%s", other.csrf);
	visit_expect(&v, 40301, "POST", "/admin/invitations", "{}");
	(void)snprintf(v.csrf, sizeof(v.csrf), "%s", csrf);
	assert_int_equal(visit(&v, "POST", "/admin/invitations", "{}"), 201);
	assert_int_equal(strlen(visit_text(&v, "invitation")), 43);

	/* A form of another site cannot send JSON. */
	v.type = "text/plain";
	visit_expect(&v, 41501, "POST", "/admin/invitations", "{}");
	visit_expect(&other, 40101, "POST", "/auth/login",
	    LOGIN("ann", "wrong password"));
	other.type = "application/x-www-form-urlencoded";
	visit_expect(&other, 41501, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	visit_fini(&v);
	visit_fini(&other);
}

static void
a_planted_cookie_is_not_taken_up(void **state)
{
	static const char planted[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	strcpy(v.cookie, planted);
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_string_not_equal(v.cookie, planted);
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	visit_fini(&v);
}

static void
signing_out_ends_it(void **state)
{
	struct desk *d = *state;
	struct visit v, two;
	char cookie[64];
	json_t *list;

	visit_init(&v, d);
	visit_init(&two, d);
	visit_join(&v, d, "user", "ann");
	assert_int_equal(visit(&two, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_int_equal(visit(&two, "GET", "/auth/sign-ins", NULL), 200);
	list = two.body;
	assert_int_equal(json_array_size(list), 2);
	assert_false(json_is_true(json_object_get(json_array_get(list, 0),
	    "current")));
	assert_true(json_is_true(json_object_get(json_array_get(list, 1),
	    "current")));
	assert_string_equal(json_string_value(json_object_get(
	    json_array_get(list, 1), "agent")), "Browser/1 (caf\?\?)");
	assert_string_equal(json_string_value(json_object_get(
	    json_array_get(list, 1), "address")), "192.0.2.1");

	strcpy(cookie, v.cookie);
	assert_int_equal(visit(&v, "POST", "/auth/logout", NULL), 200);
	assert_string_equal(v.cookie, "");
	strcpy(v.cookie, cookie);
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);

	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	visit_expect(&two, 40401, "DELETE", "/auth/sign-ins/999", NULL);
	visit_expect(&two, 40401, "DELETE", "/auth/sign-ins/x", NULL);
	desk_sql(d, "UPDATE sign_in SET id = 77 WHERE id = "
	    "(SELECT m FROM (SELECT max(id) AS m FROM sign_in) AS q)");
	assert_int_equal(visit(&two, "DELETE", "/auth/sign-ins/77", NULL),
	    200);
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	visit_fini(&v);
	visit_fini(&two);
}

static void
it_ends_by_itself(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	desk_sql(d, "UPDATE sign_in SET seen_ms = seen_ms - 120000");
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	/* The use was noted. */
	assert_true(desk_number(d, "SELECT seen_ms - created_ms FROM "
	    "sign_in") > -60000);
	desk_sql(d, "UPDATE sign_in SET seen_ms = seen_ms - 3600001");
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM sign_in"), 1);
	desk_sql(d, "UPDATE sign_in SET expires_ms = 1");
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	desk_sql(d, "UPDATE person SET enabled = 0");
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	visit_expect(&v, 40101, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	visit_fini(&v);
}

static void
who_guesses_has_to_wait(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	int64_t wait_ms;
	int i;

	/* A try takes longer there than it makes wait. */
	if (getenv("LEASEHOLD_VALGRIND") != NULL)
		skip();
	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "user", "ann");
	for (i = 0; i < TRIES_FREE; i++)
		visit_expect(&v, 40101, "POST", "/auth/login",
		    LOGIN("ann", "not the password"));
	desk_sql(d, "UPDATE sign_in_try SET until_ms = until_ms + 60000 "
	    "WHERE until_ms > 0");
	visit_expect(&v, 42901, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	assert_non_null(strstr(v.head, "retry-after: "));

	/* From everywhere, as it is about her name; others are not held up. */
	other.address = "198.51.100.7";
	visit_expect(&other, 42901, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	visit_expect(&other, 40101, "POST", "/auth/login",
	    LOGIN("bob", VISIT_PASSWORD));

	desk_sql(d, "UPDATE sign_in_try SET until_ms = 0");
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM sign_in_try "
	    "WHERE subject = 'name:ann'"), 0);

	/* An address: a /64 counts as one. */
	for (i = 0; i < TRIES_FREE_ADDRESS; i++) {
		char name[16], address[40];

		(void)snprintf(name, sizeof(name), "n%d", i);
		(void)snprintf(address, sizeof(address), "2001:db8::%d", i);
		desk_works(d, tries_take(d->st, name, address, &wait_ms,
		    &d->err));
		assert_int_equal(wait_ms, 0);
	}
	desk_works(d, tries_take(d->st, "x", "2001:db8::ffff", &wait_ms,
	    &d->err));
	assert_in_range(wait_ms, 1, TRIES_PAUSE_MS);
	desk_works(d, tries_take(d->st, "x", "2001:db8:0:1::1", &wait_ms,
	    &d->err));
	assert_int_equal(wait_ms, 0);
	visit_fini(&v);
	visit_fini(&other);
}

/* The code of an app at the store's time and some steps from it. */
static void
make_code(struct desk *d, const char *base32, int steps, char code[8])
{
	char *secret;
	size_t n;

	assert_int_equal(oath_init(), OATH_OK);
	assert_int_equal(oath_base32_decode(base32, strlen(base32), &secret,
	    &n), OATH_OK);
	assert_int_equal(oath_totp_generate(secret, n,
	    (time_t)(store_now_ms(d->st) / 1000 + 30 * steps), 30, 0, 6,
	    code), OATH_OK);
	free(secret);
}

static int
login_with(struct visit *v, const char *code)
{
	char body[160];

	(void)snprintf(body, sizeof(body), "{\"name\": \"ann\", \"password\": "
	    "\"" VISIT_PASSWORD "\", \"code\": \"%s\"}", code);
	return (visit(v, "POST", "/auth/login", body));
}

static void
a_second_factor_is_asked_for(void **state)
{
	struct desk *d = *state;
	char secret[64], code[8], body[64], recovery[32];
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	visit_expect(&v, 40301, "POST", "/auth/second-factor",
	    "{\"password\": \"wrong password\"}");
	assert_int_equal(visit(&v, "POST", "/auth/second-factor",
	    "{\"password\": \"" VISIT_PASSWORD "\"}"), 200);
	(void)snprintf(secret, sizeof(secret), "%s",
	    visit_text(&v, "secret"));
	assert_non_null(strstr(visit_text(&v, "url"),
	    "otpauth://totp/Leasehold:ann?secret="));

	/* Until it is confirmed it is not asked for. */
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	visit_expect(&v, 40001, "PATCH", "/auth/second-factor",
	    "{\"code\": \"000000\"}");
	make_code(d, secret, -1, code);
	(void)snprintf(body, sizeof(body), "{\"code\": \"%s\"}", code);
	assert_int_equal(visit(&v, "PATCH", "/auth/second-factor", body),
	    200);
	assert_int_equal(json_array_size(json_object_get(v.body,
	    "recovery_codes")), 10);
	(void)snprintf(recovery, sizeof(recovery), "%s", json_string_value(
	    json_array_get(json_object_get(v.body, "recovery_codes"), 3)));

	/* A browser that was left open is no place to guess codes at, nor to
	 * have new recovery codes. */
	make_code(d, secret, 1, code);
	(void)snprintf(body, sizeof(body), "{\"code\": \"%s\"}", code);
	visit_expect(&v, 40901, "PATCH", "/auth/second-factor", body);
	make_code(d, secret, -1, code);

	visit_expect(&v, 40102, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	assert_int_equal(login_with(&v, code), 401);	/* used already */
	make_code(d, secret, 0, code);
	assert_int_equal(login_with(&v, code), 200);
	assert_int_equal(login_with(&v, code), 401);
	make_code(d, secret, 5, code);
	assert_int_equal(login_with(&v, code), 401);
	assert_int_equal(login_with(&v, recovery), 200);
	assert_int_equal(json_integer_value(json_object_get(v.body,
	    "recovery_codes")), 9);
	assert_int_equal(login_with(&v, recovery), 401);

	visit_expect(&v, 40901, "POST", "/auth/second-factor",
	    "{\"password\": \"" VISIT_PASSWORD "\"}");
	assert_int_equal(visit(&v, "DELETE", "/auth/second-factor",
	    "{\"password\": \"" VISIT_PASSWORD "\"}"), 200);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM "
	    "recovery_code"), 0);
	visit_fini(&v);
}

static void
a_new_password_ends_other_sign_ins(void **state)
{
	struct desk *d = *state;
	struct visit v, other;

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "user", "ann");
	assert_int_equal(visit(&other, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	visit_expect(&v, 40301, "PATCH", "/auth/me", "{\"password\": "
	    "\"not the old one\", \"new_password\": \"something else\"}");
	visit_expect(&v, 40001, "PATCH", "/auth/me", "{\"password\": \""
	    VISIT_PASSWORD "\", \"new_password\": \"aaaaaaaaaaaaaa\"}");
	assert_int_equal(visit(&v, "PATCH", "/auth/me", "{\"password\": \""
	    VISIT_PASSWORD "\", \"new_password\": \"something else\"}"), 200);
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	visit_expect(&other, 40101, "GET", "/auth/me", NULL);
	visit_expect(&other, 40101, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	assert_int_equal(visit(&other, "POST", "/auth/login",
	    LOGIN("ann", "something else")), 200);
	visit_fini(&v);
	visit_fini(&other);
}

/* What was tried is forgotten with the password that it was tried for. */
static void
a_new_password_forgets_tries(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	visit_expect(&v, 40301, "PATCH", "/auth/me", "{\"password\": "
	    "\"not the old one\", \"new_password\": \"something else\"}");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM sign_in_try "
	    "WHERE subject = 'name:ann'"), 1);
	assert_int_equal(visit(&v, "PATCH", "/auth/me", "{\"password\": \""
	    VISIT_PASSWORD "\", \"new_password\": \"something else\"}"), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM sign_in_try "
	    "WHERE subject = 'name:ann'"), 0);
	visit_fini(&v);
}

/* Every other row of the audit log meets a deadlock, which only servers know:
 * what is made again is one try. */
static void
a_try_that_is_made_again_counts_once(void **state)
{
	static const char trigger[] = "CREATE TRIGGER met BEFORE INSERT ON "
	    "audit FOR EACH ROW BEGIN SET @met = NOT coalesce(@met, 0); "
	    "IF @met THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; "
	    "END IF; END";
	static const struct {
		const char *method, *path, *body;
		int status;
		const char *subject;
		int tries;		/* then; -1: none are known */
	} cases[] = {
		{ "POST", "/auth/login", LOGIN("ann", "not the password"),
		    401, "address:192.0.2.1", 1 },
		{ "POST", "/auth/login", LOGIN("ann", "not that either"),
		    401, "name:ann", 2 },
		{ "POST", "/auth/login", LOGIN("ann", VISIT_PASSWORD), 200,
		    "address:192.0.2.1", 2 },
		{ "PATCH", "/auth/me", "{\"password\": \"" VISIT_PASSWORD
		    "\", \"new_password\": \"something else\"}", 200,
		    "address:192.0.2.1", 2 },
		{ "POST", "/auth/register", "{\"name\": \"bob\", "
		    "\"password\": \"" VISIT_PASSWORD "\"}", 201,
		    "register:192.0.2.1", 1 },
		{ "POST", "/auth/login", LOGIN("bob", VISIT_PASSWORD), 200,
		    "name:bob", -1 },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	if (!raw_is_mysql())
		skip();
	visit_init_open(&v, d);
	visit_join(&v, d, "user", "ann");
	desk_sql(d, "DELETE FROM sign_in_try");
	desk_sql(d, "%s", trigger);
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(visit(&v, cases[i].method, cases[i].path,
		    cases[i].body), cases[i].status);
		assert_int_equal(desk_number(d, "SELECT tries FROM "
		    "sign_in_try WHERE subject = '%s'", cases[i].subject),
		    cases[i].tries);
	}
	visit_fini(&v);
}

struct signing_in {
	struct desk *desk;
	int status;
	bool done;		/* atomic */
};

static void *
sign_in_meanwhile(void *arg)
{
	struct signing_in *s = arg;
	struct visit v;

	visit_init(&v, s->desk);
	s->status = visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	visit_fini(&v);
	return (NULL);
}

/* Once a try was counted its password is hashed, which takes a while: the
 * change comes then.  false: it was too late. */
static bool
change_while_hashed(struct desk *d, const char *change, int *status)
{
	struct signing_in s = { .desk = d };
	pthread_t thread;
	bool meanwhile;

	desk_sql(d, "DELETE FROM sign_in");
	desk_sql(d, "DELETE FROM sign_in_try");
	assert_int_equal(pthread_create(&thread, NULL, sign_in_meanwhile, &s),
	    0);
	while (desk_number(d, "SELECT count(*) FROM sign_in_try "
	    "WHERE subject = 'name:ann' AND tries = 1") != 1 &&
	    !__atomic_load_n(&s.done, __ATOMIC_ACQUIRE))
		continue;
	desk_sql(d, "%s", change);
	meanwhile = !__atomic_load_n(&s.done, __ATOMIC_ACQUIRE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	*status = s.status;
	return (meanwhile);
}

/* A new password ends the sign-ins that there are, and so also the one that the
 * old password is just being looked at for. */
static void
a_sign_in_does_not_outrun_a_change(void **state)
{
	static const char *const changes[] = {
		"UPDATE person SET enabled = 0",
		"UPDATE person SET password = NULL",
		"UPDATE person SET password = '$argon2id$v=19$m=65536,t=2,p=1$"
		"AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAA'",
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;
	int status, n;

	visit_init(&v, d);
	for (i = 0; i < NITEMS(changes); i++) {
		for (n = 0, status = 0; n < 20; n++) {
			desk_sql(d, "DELETE FROM sign_in");
			desk_sql(d, "DELETE FROM person");
			visit_join(&v, d, "user", "ann");
			if (change_while_hashed(d, changes[i], &status))
				break;
		}
		assert_int_equal(status, 401);
		assert_int_equal(desk_number(d, "SELECT count(*) FROM "
		    "sign_in"), 0);
	}
	visit_fini(&v);
}

/* Each route asks for a role at least. */
static void
roles_are_kept_apart(void **state)
{
	static const struct {
		const char *method, *path, *body;
		enum role role;
	} routes[] = {
		{ "GET", "/auth/me", NULL, ROLE_USER },
		{ "GET", "/auth/sign-ins", NULL, ROLE_USER },
		{ "GET", "/auth/tokens", NULL, ROLE_USER },
		{ "GET", "/status", NULL, ROLE_OPERATOR },
		{ "GET", "/queue/status", NULL, ROLE_OPERATOR },
		{ "GET", "/logs", NULL, ROLE_OPERATOR },
		{ "GET", "/admin/invitations", NULL, ROLE_ADMIN },
		{ "POST", "/admin/invitations", "{\"role\": \"admin\"}",
		    ROLE_ADMIN },
	};
	struct desk *d = *state;
	struct visit v;
	enum role role;
	size_t i;

	for (role = ROLE_NONE; role < ROLES; role++) {
		visit_init(&v, d);
		if (role != ROLE_NONE)
			visit_join(&v, d, role_word(role), role_word(role));
		for (i = 0; i < NITEMS(routes); i++) {
			if (role == ROLE_NONE)
				visit_expect(&v, 40101, routes[i].method,
				    routes[i].path, routes[i].body);
			else if (role < routes[i].role)
				visit_expect(&v, 40301, routes[i].method,
				    routes[i].path, routes[i].body);
			else
				assert_in_range(visit(&v, routes[i].method,
				    routes[i].path, routes[i].body), 200, 201);
		}
		visit_fini(&v);
	}
}

static void
a_token_may_what_its_person_may(void **state)
{
	struct desk *d = *state;
	struct visit v, script;
	json_int_t id;

	visit_init_ann(&v, d);
	visit_init(&script, d);
	assert_int_equal(visit(&v, "POST", "/auth/tokens",
	    "{\"name\": \"ci\", \"read_only\": true}"), 201);
	(void)snprintf(script.bearer, sizeof(script.bearer), "%s",
	    visit_text(&v, "token"));
	assert_int_equal(visit(&script, "GET", "/auth/me", NULL), 200);
	assert_string_equal(visit_text(&script, "name"), "ann");
	assert_int_equal(visit(&script, "GET", "/status", NULL), 200);
	visit_expect(&script, 40301, "POST", "/admin/invitations", "{}");

	assert_int_equal(visit(&v, "POST", "/auth/tokens",
	    "{\"name\": \"all\"}"), 201);
	(void)snprintf(script.bearer, sizeof(script.bearer), "%s",
	    visit_text(&v, "token"));
	assert_int_equal(visit(&script, "POST", "/admin/invitations", "{}"),
	    201);
	desk_sql(d, "UPDATE person SET role = 'user'");
	visit_expect(&script, 40301, "GET", "/status", NULL);
	desk_sql(d, "UPDATE person SET enabled = 0");
	visit_expect(&script, 40101, "GET", "/auth/me", NULL);
	desk_sql(d, "UPDATE person SET enabled = 1");
	assert_int_equal(visit(&v, "GET", "/auth/tokens", NULL), 200);
	assert_int_equal(json_array_size(v.body), 2);
	assert_null(json_object_get(json_array_get(v.body, 0), "token"));
	id = json_integer_value(json_object_get(json_array_get(v.body, 0),
	    "id"));
	{
		char path[64];

		(void)snprintf(path, sizeof(path), "/auth/tokens/%lld",
		    (long long)id);
		assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
		visit_expect(&v, 40401, "DELETE", path, NULL);
	}
	visit_expect(&script, 40101, "GET", "/auth/me", NULL);
	visit_fini(&v);
	visit_fini(&script);
}

static void
bad_bodies_are_refused_in_words(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "\"x\"", "null", "{\"name\": 1, \"name\": 2}",
		"{}", "{\"name\": \"a\"}", "{\"name\": 1, \"password\": \"x\"}",
		"{\"name\": \"a\", \"password\": null}",
		"{\"name\": \"a\", \"password\": \"b\", \"role\": \"admin\"}",
		"{\"name\": \"a\\u0000b\", \"password\": \"b\"}",
		"{\"name\": \"\xff\", \"password\": \"b\"}",
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init(&v, d);
	for (i = 0; i < NITEMS(bad); i++)
		visit_expect(&v, 40001, "POST", "/auth/login", bad[i]);
	visit_fini(&v);
}

static void
what_happens_is_in_the_audit_log(void **state)
{
	static const char *const verbs[] = {
		"user.password", "sign_in.refused", "user.register"
	};
	struct desk *d = *state;
	struct visit v, other;
	char *text;
	size_t i;

	visit_init_ann(&v, d);
	visit_init(&other, d);
	visit_expect(&other, 40101, "POST", "/auth/login",
	    LOGIN("ann", "a wrong password"));
	assert_int_equal(visit(&v, "PATCH", "/auth/me", "{\"password\": \""
	    VISIT_PASSWORD "\", \"new_password\": \"something else\"}"), 200);
	assert_int_equal(visit(&v, "GET", "/logs?limit=3", NULL), 200);
	assert_int_equal(json_array_size(v.body), 3);
	for (i = 0; i < NITEMS(verbs); i++) {
		const json_t *row = json_array_get(v.body, i);

		assert_string_equal(json_string_value(json_object_get(row,
		    "verb")), verbs[i]);
		assert_string_equal(json_string_value(json_object_get(row,
		    "object")), "ann");
		assert_string_equal(json_string_value(json_object_get(row,
		    "address")), "192.0.2.1");
		assert_string_equal(json_string_value(json_object_get(row,
		    "actor_kind")), i == 1 ? "nobody" : "person");
	}
	text = json_dumps(v.body, 0);
	assert_null(strstr(text, "something else"));
	assert_null(strstr(text, VISIT_PASSWORD));
	assert_null(strstr(text, "wrong password"));
	free(text);

	assert_int_equal(visit(&v, "GET", "/logs?verb=sign_in.refused",
	    NULL), 200);
	assert_int_equal(json_array_size(v.body), 1);
	assert_int_equal(visit(&v, "GET", "/logs?object=bob", NULL), 200);
	assert_int_equal(json_array_size(v.body), 0);
	visit_expect(&v, 40001, "GET", "/logs?limit=0", NULL);
	visit_expect(&v, 40001, "GET", "/logs?limit=1e9", NULL);
	visit_fini(&v);
	visit_fini(&other);
}

/* MySQL compares names without the blanks at their ends. */
static void
a_name_with_a_blank_is_another_one(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "user", "ann");
	visit_expect(&v, 40101, "POST", "/auth/login",
	    LOGIN("ann ", VISIT_PASSWORD));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb = 'sign_in'"), 0);
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	visit_fini(&v);
}

/* The newest row of this verb, of which there are ${n}; borrowed from the
 * answer. */
static json_t *
newest(struct visit *v, const char *verb, size_t n)
{
	char path[64];
	json_t *row;

	(void)snprintf(path, sizeof(path), "/logs?verb=%s", verb);
	assert_int_equal(visit(v, "GET", path, NULL), 200);
	assert_int_equal(json_array_size(v->body), n);
	row = json_array_get(v->body, 0);
	assert_string_equal(json_string_value(json_object_get(row,
	    "address")), "192.0.2.1");
	assert_string_equal(json_string_value(json_object_get(row,
	    "actor_kind")), "person");
	assert_true(json_is_null(json_object_get(row, "after")));
	return (row);
}

/* Whose is ended, by whom and where it was; not where there was none. */
static void
the_end_of_a_sign_in_is_in_the_audit_log(void **state)
{
	struct desk *d = *state;
	struct visit v, two, bob;
	char path[64];
	json_t *row;
	int64_t id;

	visit_init_ann(&v, d);
	visit_init(&two, d);
	visit_init(&bob, d);
	visit_join(&bob, d, "user", "bob");
	assert_int_equal(visit(&two, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD)), 200);
	id = desk_number(d, "SELECT max(id) FROM sign_in");
	(void)snprintf(path, sizeof(path), "/auth/sign-ins/%lld",
	    (long long)id);
	visit_expect(&bob, 40401, "DELETE", path, NULL);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb IN ('sign_in.end', 'sign_out')"), 0);
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	visit_expect(&v, 40401, "DELETE", path, NULL);
	row = newest(&v, "sign_in.end", 1);
	assert_string_equal(json_string_value(json_object_get(row, "actor")),
	    "ann");
	assert_string_equal(json_string_value(json_object_get(row, "object")),
	    "ann");
	row = json_object_get(row, "before");
	assert_int_equal(desk_int(row, "id"), id);
	assert_string_equal(json_string_value(json_object_get(row,
	    "address")), "192.0.2.1");

	assert_int_equal(visit(&bob, "POST", "/auth/logout", NULL), 200);
	row = newest(&v, "sign_out", 1);
	assert_string_equal(json_string_value(json_object_get(row, "actor")),
	    "bob");
	assert_string_equal(json_string_value(json_object_get(row, "object")),
	    "bob");
	visit_fini(&v);
	visit_fini(&two);
	visit_fini(&bob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_cookie_alone_changes_nothing),
		DESK_TEST(a_planted_cookie_is_not_taken_up),
		DESK_TEST(signing_out_ends_it),
		DESK_TEST(it_ends_by_itself),
		DESK_TEST(who_guesses_has_to_wait),
		DESK_TEST(a_second_factor_is_asked_for),
		DESK_TEST(a_new_password_ends_other_sign_ins),
		DESK_TEST(a_new_password_forgets_tries),
		DESK_TEST(a_try_that_is_made_again_counts_once),
		DESK_TEST(a_sign_in_does_not_outrun_a_change),
		DESK_TEST(roles_are_kept_apart),
		DESK_TEST(a_token_may_what_its_person_may),
		DESK_TEST(bad_bodies_are_refused_in_words),
		DESK_TEST(what_happens_is_in_the_audit_log),
		DESK_TEST(a_name_with_a_blank_is_another_one),
		DESK_TEST(the_end_of_a_sign_in_is_in_the_audit_log),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
