#include "visit.h"

#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people.h"
#include "tries.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define LOGIN(name, password) \
	"{\"name\": \"" name "\", \"password\": \"" password "\"}"

static void
an_invitation_lets_one_person_in_once(void **state)
{
	struct desk *d = *state;
	char invitation[INVITATION_SIZE], body[256];
	struct visit v, other;

	visit_init(&v, d);
	visit_init(&other, d);
	desk_works(d, people_invite(d->st, &d->pepper, ROLE_ADMIN, NULL,
	    "shell", invitation, &d->err));
	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"name\": \"ann\", \"password\": \"short\"}", invitation);
	visit_expect(&v, 40001, "POST", "/auth/register", body);
	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"name\": \"ann\", \"password\": \"" VISIT_PASSWORD "\"}",
	    invitation);
	assert_int_equal(visit(&v, "POST", "/auth/register", body), 201);
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	assert_string_equal(visit_text(&v, "name"), "ann");
	assert_string_equal(visit_text(&v, "role"), "admin");

	visit_expect(&other, 40301, "POST", "/auth/register", body);
	visit_expect(&other, 40101, "GET", "/auth/me", NULL);
	visit_expect(&other, 40301, "POST", "/auth/register",
	    LOGIN("eve", VISIT_PASSWORD));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person"), 1);
	visit_fini(&v);
	visit_fini(&other);
}

/* One that was taken back lets nobody in; others are as they were. */
static void
an_invitation_is_taken_back(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	char body[2][256], path[64];
	size_t i;

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "admin", "ann");
	for (i = 0; i < 2; i++) {
		assert_int_equal(visit(&v, "POST", "/admin/invitations", "{}"),
		    201);
		(void)snprintf(body[i], sizeof(body[i]), "{\"invitation\": "
		    "\"%s\", \"name\": \"bob\", \"password\": \""
		    VISIT_PASSWORD "\"}", visit_text(&v, "invitation"));
	}
	(void)snprintf(path, sizeof(path), "/admin/invitations/%lld",
	    (long long)desk_number(d, "SELECT min(id) FROM invitation "
	    "WHERE invited_by = 'ann'"));
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	visit_expect(&v, 40401, "DELETE", path, NULL);
	visit_expect(&v, 40401, "DELETE", "/admin/invitations/x", NULL);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit "
	    "WHERE verb = 'user.uninvite' AND actor = 'ann'"), 1);
	visit_expect(&other, 40301, "POST", "/auth/register", body[0]);
	assert_int_equal(visit(&other, "POST", "/auth/register", body[1]),
	    201);
	visit_expect(&other, 40301, "DELETE", path, NULL);
	visit_fini(&v);
	visit_fini(&other);
}

static void
an_invitation_runs_out(void **state)
{
	struct desk *d = *state;
	char invitation[INVITATION_SIZE], body[256];
	struct visit v;

	visit_init(&v, d);
	desk_works(d, people_invite(d->st, &d->pepper, ROLE_USER, NULL,
	    "shell", invitation, &d->err));
	desk_sql(d, "UPDATE invitation SET expires_ms = 1");
	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"name\": \"ann\", \"password\": \"" VISIT_PASSWORD "\"}",
	    invitation);
	visit_expect(&v, 40301, "POST", "/auth/register", body);
	visit_fini(&v);
}

static void
an_invitation_gives_a_user_a_new_password(void **state)
{
	struct desk *d = *state;
	char invitation[INVITATION_SIZE], body[256];
	struct visit v, again;

	visit_init(&v, d);
	visit_init(&again, d);
	visit_join(&v, d, "user", "ann");
	desk_fails(d, people_invite(d->st, &d->pepper, ROLE_USER, "bob",
	    "shell", invitation, &d->err), ERR_NOT_FOUND);
	desk_works(d, people_invite(d->st, &d->pepper, ROLE_OPERATOR, "ann",
	    "shell", invitation, &d->err));
	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"password\": \"a new one, longer\"}", invitation);
	assert_int_equal(visit(&again, "POST", "/auth/register", body), 201);
	assert_string_equal(visit_text(&again, "name"), "ann");
	assert_string_equal(visit_text(&again, "role"), "operator");

	/* Whoever was signed in as ann is not any more. */
	visit_expect(&v, 40101, "GET", "/auth/me", NULL);
	visit_expect(&v, 40101, "POST", "/auth/login",
	    LOGIN("ann", VISIT_PASSWORD));
	assert_int_equal(visit(&v, "POST", "/auth/login",
	    LOGIN("ann", "a new one, longer")), 200);
	visit_fini(&v);
	visit_fini(&again);
}

/* ${v} takes up the last invitation that ${by} made, with a new password. */
static int
take_up(struct visit *v, const struct visit *by)
{
	char body[256];

	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"password\": \"a new one, longer\"}",
	    visit_text(by, "invitation"));
	return (visit(v, "POST", "/auth/register", body));
}

static int64_t
admins(struct desk *d)
{

	return (desk_number(d, "SELECT count(*) FROM person WHERE "
	    "role = 'admin' AND enabled = 1"));
}

/* Neither removed, nor by a link of another role. */
static void
the_last_administrator_stays_one(void **state)
{
	struct desk *d = *state;
	struct visit ann, bob;

	visit_init(&ann, d);
	visit_init(&bob, d);
	visit_join(&ann, d, "admin", "ann");
	visit_expect(&ann, 40901, "DELETE", "/admin/users/1", NULL);
	visit_expect(&ann, 40901, "PATCH", "/admin/users/1",
	    "{\"role\": \"operator\"}");
	visit_expect(&ann, 40901, "PATCH", "/admin/users/1",
	    "{\"enabled\": false}");
	assert_int_equal(visit(&ann, "POST", "/admin/invitations",
	    "{\"user\": \"ann\", \"role\": \"user\"}"), 201);
	assert_int_equal(take_up(&bob, &ann), 409);
	assert_int_equal(admins(d), 1);
	assert_int_equal(visit(&ann, "GET", "/auth/me", NULL), 200);

	/* One of two may go. */
	visit_join(&bob, d, "admin", "bob");
	assert_int_equal(visit(&bob, "DELETE", "/admin/users/1", NULL), 200);
	visit_expect(&ann, 40101, "GET", "/auth/me", NULL);
	visit_expect(&bob, 40901, "DELETE", "/admin/users/2", NULL);
	visit_fini(&ann);
	visit_fini(&bob);
}

/* What is said of the password alone says nothing of the role. */
static void
an_invitation_without_a_role_leaves_it(void **state)
{
	struct desk *d = *state;
	struct visit ann, bob;

	visit_init(&ann, d);
	visit_init(&bob, d);
	visit_join(&ann, d, "admin", "ann");
	visit_join(&bob, d, "operator", "bob");
	assert_int_equal(visit(&ann, "POST", "/admin/invitations",
	    "{\"user\": \"bob\"}"), 201);
	assert_string_equal(visit_text(&ann, "role"), "operator");
	assert_int_equal(take_up(&bob, &ann), 201);
	assert_string_equal(visit_text(&bob, "role"), "operator");
	assert_int_equal(visit(&ann, "POST", "/admin/invitations", "{}"), 201);
	assert_string_equal(visit_text(&ann, "role"), "user");
	visit_expect(&ann, 40401, "POST", "/admin/invitations",
	    "{\"user\": \"nobody\"}");
	visit_fini(&ann);
	visit_fini(&bob);
}

/* Who was an administrator has no link left that makes one. */
static void
links_end_with_the_role(void **state)
{
	static const char *const links[] = {
		"{\"user\": \"eve\", \"role\": \"admin\"}",
		"{\"role\": \"admin\"}",
	};
	static const char *const ends[][2] = {
		{ "PATCH", "{\"role\": \"user\"}" },
		{ "PATCH", "{\"name\": \"adam\", \"role\": \"operator\"}" },
		{ "PATCH", "{\"enabled\": false}" },
		{ "DELETE", NULL },
	};
	struct desk *d = *state;
	struct visit ann, eve;
	char path[64];
	size_t i, j;

	visit_init(&ann, d);
	visit_join(&ann, d, "admin", "ann");
	for (i = 0; i < NITEMS(ends); i++) {
		for (j = 0; j < NITEMS(links); j++) {
			visit_init(&eve, d);
			visit_join(&eve, d, "admin", "eve");
			assert_int_equal(visit(&eve, "POST",
			    "/admin/invitations", links[j]), 201);
			(void)snprintf(path, sizeof(path),
			    "/admin/users/%lld", (long long)desk_number(d,
			    "SELECT id FROM person WHERE name = 'eve'"));
			assert_int_equal(visit(&ann, ends[i][0], path,
			    ends[i][1]), 200);
			assert_int_equal(take_up(&eve, &eve), 403);
			desk_sql(d, "DELETE FROM sign_in WHERE person_id > 1");
			desk_sql(d, "DELETE FROM person WHERE id > 1");
			visit_fini(&eve);
		}
	}
	assert_int_equal(admins(d), 1);
	visit_fini(&ann);
}

/* A link is no way round a change that came after it; what changes nothing
 * leaves it as it is. */
static void
links_outlast_what_changes_no_role(void **state)
{
	struct desk *d = *state;
	struct visit ann, eve;

	visit_init(&ann, d);
	visit_init(&eve, d);
	visit_join(&ann, d, "admin", "ann");
	visit_join(&eve, d, "admin", "eve");
	assert_int_equal(visit(&eve, "POST", "/admin/invitations",
	    "{\"user\": \"eve\"}"), 201);
	assert_int_equal(visit(&ann, "PATCH", "/admin/users/2",
	    "{\"name\": \"eva\", \"role\": \"admin\", "
	    "\"enabled\": true}"), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM invitation "
	    "WHERE invited_by = 'eva'"), 1);

	/* Of two for the same user the first that is taken up counts. */
	assert_int_equal(visit(&ann, "POST", "/admin/invitations",
	    "{\"user\": \"eva\"}"), 201);
	assert_int_equal(take_up(&eve, &ann), 201);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM invitation"), 0);
	assert_int_equal(take_up(&ann, &ann), 403);
	visit_fini(&ann);
	visit_fini(&eve);
}

static void
a_cookie_alone_changes_nothing(void **state)
{
	struct desk *d = *state;
	struct visit v, other;
	char csrf[64];

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "admin", "ann");
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

	visit_init(&v, d);
	visit_init(&script, d);
	visit_join(&v, d, "admin", "ann");
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

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "admin", "ann");
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

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, desk_setup, \
    desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(an_invitation_lets_one_person_in_once),
		DESK_TEST(an_invitation_is_taken_back),
		DESK_TEST(an_invitation_runs_out),
		DESK_TEST(an_invitation_gives_a_user_a_new_password),
		DESK_TEST(the_last_administrator_stays_one),
		DESK_TEST(an_invitation_without_a_role_leaves_it),
		DESK_TEST(links_end_with_the_role),
		DESK_TEST(links_outlast_what_changes_no_role),
		DESK_TEST(a_cookie_alone_changes_nothing),
		DESK_TEST(a_planted_cookie_is_not_taken_up),
		DESK_TEST(signing_out_ends_it),
		DESK_TEST(it_ends_by_itself),
		DESK_TEST(who_guesses_has_to_wait),
		DESK_TEST(a_second_factor_is_asked_for),
		DESK_TEST(a_new_password_ends_other_sign_ins),
		DESK_TEST(roles_are_kept_apart),
		DESK_TEST(a_token_may_what_its_person_may),
		DESK_TEST(bad_bodies_are_refused_in_words),
		DESK_TEST(what_happens_is_in_the_audit_log),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
