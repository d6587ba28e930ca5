#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/seal.h"
#include "base/seal_token.h"

#define NOW_S	INT64_C(1800000000)

struct fix {
	char dir[32], path[64];
	struct seal *seal;
	char token[SEAL_TOKEN_SIZE];
};

static int
set_up(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_token.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/master.key", f->dir);
	assert_int_equal(seal_create_file(f->path, NULL), 0);
	f->seal = seal_open(f->path, NULL);
	assert_non_null(f->seal);
	seal_token_make(f->seal, "probe", NOW_S + 60, f->token);
	*state = f;
	return (0);
}

static int
tear_down(void **state)
{
	struct fix *f = *state;

	seal_free(f->seal);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return (0);
}

static void
a_token_lives_until_it_expires(void **state)
{
	struct fix *f = *state;

	assert_true(seal_token_fits(f->seal, "probe", f->token, NOW_S));
	assert_true(seal_token_fits(f->seal, "probe", f->token, NOW_S + 59));
	assert_false(seal_token_fits(f->seal, "probe", f->token,
	    NOW_S + 60));
	assert_false(seal_token_fits(f->seal, "probe", f->token,
	    NOW_S + 60 - SEAL_TOKEN_LIFE_MAX_S - 1));
}

static void
a_token_is_for_one_purpose(void **state)
{
	struct fix *f = *state;

	assert_false(seal_token_fits(f->seal, "prob", f->token, NOW_S));
	assert_false(seal_token_fits(f->seal, "", f->token, NOW_S));
}

static void
no_other_text_is_taken(void **state)
{
	static const char *const texts[] = { "", ".", "1800000060", "x.y",
		"1800000060.", "-1.AAAA", "99999999999999999999.AAAA",
		"1800000060.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	struct fix *f = *state;
	char other[SEAL_TOKEN_SIZE + 1];
	size_t i, n = strlen(f->token);

	assert_false(seal_token_fits(f->seal, "probe", NULL, NOW_S));
	for (i = 0; i < NITEMS(texts); i++)
		assert_false(seal_token_fits(f->seal, "probe", texts[i],
		    NOW_S));

	/* Any character changed, lost or added (the last one holds 2 bits
	 * that must be 0). */
	for (i = 0; i < n; i++) {
		strcpy(other, f->token);
		other[i] = other[i] == 'B' ? 'C' : 'B';
		assert_false(seal_token_fits(f->seal, "probe", other, NOW_S));
	}
	strcpy(other, f->token);
	other[n - 1] = '\0';
	assert_false(seal_token_fits(f->seal, "probe", other, NOW_S));
	(void)snprintf(other, sizeof(other), "%sA", f->token);
	assert_false(seal_token_fits(f->seal, "probe", other, NOW_S));
}

static void
older_keys_of_the_file_are_known(void **state)
{
	struct fix *f = *state;
	struct seal *both, *pruned;
	char newer[SEAL_TOKEN_SIZE];

	assert_int_equal(seal_rotate_file(f->path, NULL), 0);
	both = seal_open(f->path, NULL);
	assert_int_equal(seal_prune_file(f->path, NULL), 0);
	pruned = seal_open(f->path, NULL);
	assert_non_null(both);
	assert_non_null(pruned);
	seal_token_make(pruned, "probe", NOW_S + 60, newer);

	assert_true(seal_token_fits(both, "probe", f->token, NOW_S));
	assert_true(seal_token_fits(both, "probe", newer, NOW_S));
	assert_false(seal_token_fits(pruned, "probe", f->token, NOW_S));
	assert_false(seal_token_fits(f->seal, "probe", newer, NOW_S));
	seal_free(both);
	seal_free(pruned);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_token_lives_until_it_expires, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_token_is_for_one_purpose,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_other_text_is_taken,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    older_keys_of_the_file_are_known, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
