/*
 * Links by which people come in, and the administrators that there have to be.
 */
#include "visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people.h"

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

	visit_init_ann(&v, d);
	visit_init(&other, d);
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

/* As what somebody is let in, by whom, or would have been. */
static void
the_audit_log_has_what_an_invitation_gives(void **state)
{
	static const char *const verbs[] = { "user.uninvite", "user.invite" };
	struct desk *d = *state;
	char path[64], invitation[INVITATION_SIZE], *text;
	struct visit v;
	json_t *side;
	int64_t id;
	size_t i;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/admin/invitations",
	    "{\"role\": \"operator\"}"), 201);
	strcpy(invitation, visit_text(&v, "invitation"));
	id = desk_number(d, "SELECT max(id) FROM invitation");
	(void)snprintf(path, sizeof(path), "/admin/invitations/%lld",
	    (long long)id);
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	assert_int_equal(visit(&v, "GET", "/logs?limit=2&actor=ann", NULL),
	    200);
	for (i = 0; i < NITEMS(verbs); i++) {
		const json_t *row = json_array_get(v.body, i);

		assert_string_equal(json_string_value(json_object_get(row,
		    "verb")), verbs[i]);
		side = json_object_get(row, i == 0 ? "before" : "after");
		assert_int_equal(desk_int(side, "id"), id);
		assert_string_equal(json_string_value(json_object_get(side,
		    "role")), "operator");
		assert_string_equal(json_string_value(json_object_get(side,
		    "invited_by")), "ann");
		assert_true(json_is_null(json_object_get(row,
		    i == 0 ? "after" : "before")));
	}

	/* For a user that there is. */
	assert_int_equal(visit(&v, "POST", "/admin/invitations",
	    "{\"role\": \"user\", \"user\": \"ann\"}"), 201);
	assert_int_equal(visit(&v, "GET", "/logs?limit=1&object=ann", NULL),
	    200);
	side = json_array_get(v.body, 0);
	assert_true(json_is_null(json_object_get(side, "before")));
	side = json_object_get(side, "after");
	assert_string_equal(json_string_value(json_object_get(side, "role")),
	    "user");
	assert_string_equal(json_string_value(json_object_get(side, "user")),
	    "ann");

	assert_int_equal(visit(&v, "GET", "/logs", NULL), 200);
	text = json_dumps(v.body, 0);
	assert_null(strstr(text, invitation));
	free(text);
	visit_fini(&v);
}

/* Who cannot be signed in has not registered either, and may come again. */
static void
an_invitation_is_taken_up_whole(void **state)
{
	struct desk *d = *state;
	char invitation[INVITATION_SIZE], body[256];
	struct visit v;
	int64_t rows;

	visit_init(&v, d);
	desk_works(d, people_invite(d->st, &d->pepper, ROLE_USER, NULL,
	    "shell", invitation, &d->err));
	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"name\": \"ann\", \"password\": \"" VISIT_PASSWORD "\"}",
	    invitation);
	rows = desk_number(d, "SELECT count(*) FROM audit");
	desk_sql(d, "CREATE TRIGGER no_more BEFORE INSERT ON sign_in %s",
	    store_shared(d->st) ? "FOR EACH ROW SIGNAL SQLSTATE '45000'" :
	    "BEGIN SELECT RAISE(ABORT, 'no more'); END");
	assert_true(visit(&v, "POST", "/auth/register", body) >= 400);
	assert_string_equal(v.cookie, "");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM person"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit"), rows);
	desk_sql(d, "DROP TRIGGER no_more");
	assert_int_equal(visit(&v, "POST", "/auth/register", body), 201);
	assert_int_equal(visit(&v, "GET", "/auth/me", NULL), 200);
	visit_fini(&v);
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

/* And is not signed in again by being let in again. */
static void
who_is_disabled_is_signed_out(void **state)
{
	struct desk *d = *state;
	struct visit ann, bob;

	visit_init(&ann, d);
	visit_init(&bob, d);
	visit_join(&ann, d, "admin", "ann");
	visit_join(&bob, d, "user", "bob");
	assert_int_equal(visit(&ann, "PATCH", "/admin/users/2",
	    "{\"enabled\": false}"), 200);
	visit_expect(&bob, 40101, "GET", "/auth/me", NULL);
	assert_int_equal(visit(&ann, "PATCH", "/admin/users/2",
	    "{\"enabled\": true}"), 200);
	visit_expect(&bob, 40101, "GET", "/auth/me", NULL);
	assert_int_equal(visit(&bob, "POST", "/auth/login",
	    LOGIN("bob", VISIT_PASSWORD)), 200);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(an_invitation_lets_one_person_in_once),
		DESK_TEST(an_invitation_is_taken_back),
		DESK_TEST(the_audit_log_has_what_an_invitation_gives),
		DESK_TEST(an_invitation_is_taken_up_whole),
		DESK_TEST(an_invitation_runs_out),
		DESK_TEST(an_invitation_gives_a_user_a_new_password),
		DESK_TEST(the_last_administrator_stays_one),
		DESK_TEST(who_is_disabled_is_signed_out),
		DESK_TEST(an_invitation_without_a_role_leaves_it),
		DESK_TEST(links_end_with_the_role),
		DESK_TEST(links_outlast_what_changes_no_role),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
