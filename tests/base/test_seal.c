#include "cmocka_all.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"

#define HEX_A	"000102030405060708090a0b0c0d0e0f" \
		"101112131415161718191a1b1c1d1e1f"
#define HEX_B	"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" \
		"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

/* A folder with a master key file. */
struct fixture {
	char dir[32], path[64];
	struct err err;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return (-1);
	strcpy(f->dir, "/tmp/test_seal.XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return (-1);
	snprintf(f->path, sizeof(f->path), "%s/master.key", f->dir);
	*state = f;
	return (0);
}

/* Fails when the code under test left a temporary file behind. */
static int
teardown(void **state)
{
	struct fixture *f = *state;
	int rc;

	unlink(f->path);
	rc = rmdir(f->dir);
	free(f);
	return (rc);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct seal *
open_text(struct fixture *f, const char *text)
{

	write_file(f->path, text, 0600);
	err_clear(&f->err);
	return (seal_open(f->path, &f->err));
}

static struct seal *
open_good(struct fixture *f, const char *text)
{
	struct seal *seal = open_text(f, text);

	assert_non_null(seal);
	return (seal);
}

/* Whether ${box} opens to ${want} in ${context}. */
static bool
opens(const struct seal *seal, const char *context, const void *box,
    size_t n, const char *want)
{
	struct err err;
	char *text;
	size_t len;
	bool same;

	err_clear(&err);
	if (seal_unbox(seal, context, box, n, &text, &len, &err)) {
		assert_int_equal(err.code, ERR_CRYPTO);
		return (false);
	}
	same = len == strlen(want) && memcmp(text, want, len + 1) == 0;
	seal_wipe_free(text, len);
	return (same);
}

static void
what_is_sealed_opens_in_its_context_alone(void **state)
{
	struct seal *seal = open_good(*state, "a " HEX_A "\n");
	unsigned char *box, *again;
	size_t n, m;

	assert_int_equal(seal_box(seal, "account:7:secret", "tok-1", 5, &box,
	    &n, NULL), 0);
	assert_int_equal(seal_box(seal, "account:7:secret", "tok-1", 5, &again,
	    &m, NULL), 0);
	assert_int_equal(n, 2 + 1 + 24 + 5 + 16);
	assert_int_equal(m, n);
	assert_memory_not_equal(box + 3, again + 3, n - 3);
	assert_true(opens(seal, "account:7:secret", box, n, "tok-1"));
	assert_false(opens(seal, "account:8:secret", box, n, "tok-1"));
	assert_false(opens(seal, "account:7:secre", box, n, "tok-1"));
	assert_false(opens(seal, "", box, n, "tok-1"));
	free(box);
	free(again);
	seal_free(seal);
}

static void
an_empty_secret_can_be_sealed(void **state)
{
	struct seal *seal = open_good(*state, "a " HEX_A "\n");
	unsigned char *box;
	size_t n;

	assert_int_equal(seal_box(seal, "c", "", 0, &box, &n, NULL), 0);
	assert_true(opens(seal, "c", box, n, ""));
	free(box);
	seal_free(seal);
}

static void
any_changed_byte_and_any_cut_is_noticed(void **state)
{
	struct seal *seal = open_good(*state,
	    "a " HEX_A "\nb " HEX_B "\n");
	unsigned char *box, *cut;
	size_t n, i;
	int bit;

	assert_int_equal(seal_box(seal, "c", "secret", 6, &box, &n, NULL), 0);
	for (i = 0; i < n; i++) {
		for (bit = 0; bit < 8; bit++) {
			box[i] ^= (unsigned char)(1 << bit);
			assert_false(opens(seal, "c", box, n, "secret"));
			box[i] ^= (unsigned char)(1 << bit);
		}
	}
	for (i = 0; i < n; i++) {
		cut = malloc(i == 0 ? 1 : i);
		assert_non_null(cut);
		memcpy(cut, box, i);
		assert_false(opens(seal, "c", cut, i, "secret"));
		free(cut);
	}
	assert_true(opens(seal, "c", box, n, "secret"));
	free(box);
	seal_free(seal);
}

static void
what_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	struct seal *seal = open_good(f, "a " HEX_A "\n");
	char *big = calloc(1, LIMIT_SECRET_BYTES + 1), context[300];
	unsigned char *box;
	size_t n;

	assert_non_null(big);
	assert_int_equal(seal_box(seal, "c", big, LIMIT_SECRET_BYTES, &box, &n,
	    NULL), 0);
	free(box);
	assert_int_equal(seal_box(seal, "c", big, LIMIT_SECRET_BYTES + 1, &box,
	    &n, &f->err), -1);
	assert_int_equal(f->err.code, ERR_TOO_LARGE);
	memset(context, 'c', sizeof(context) - 1);
	context[sizeof(context) - 1] = '\0';
	err_clear(&f->err);
	assert_int_equal(seal_box(seal, context, "x", 1, &box, &n, &f->err),
	    -1);
	assert_int_equal(f->err.code, ERR_INVAL);
	free(big);
	seal_free(seal);
}

static void
a_rotation_keeps_old_values_readable_until_pruned(void **state)
{
	struct fixture *f = *state;
	struct seal *old, *both, *pruned;
	unsigned char *box, *newer, check[SEAL_HASH_BYTES];
	unsigned char again[SEAL_HASH_BYTES];
	struct stat st;
	char id[64];
	size_t n, m;

	assert_int_equal(seal_create_file(f->path, NULL), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	old = seal_open(f->path, NULL);
	assert_non_null(old);
	snprintf(id, sizeof(id), "%s", seal_key_id(old));
	assert_int_equal(seal_box(old, "c", "x", 1, &box, &n, NULL), 0);
	assert_int_equal(seal_check_value(old, NULL, check), 0);

	assert_int_equal(seal_rotate_file(f->path, NULL), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	both = seal_open(f->path, NULL);
	assert_non_null(both);
	assert_string_not_equal(seal_key_id(both), id);
	assert_true(opens(both, "c", box, n, "x"));
	assert_int_equal(seal_check_value(both, id, again), 0);
	assert_memory_equal(check, again, sizeof(check));
	assert_int_equal(seal_check_value(both, NULL, again), 0);
	assert_memory_not_equal(check, again, sizeof(check));
	assert_int_equal(seal_box(both, "c", "y", 1, &newer, &m, NULL), 0);
	assert_false(opens(old, "c", newer, m, "y"));

	assert_int_equal(seal_prune_file(f->path, NULL), 0);
	pruned = seal_open(f->path, NULL);
	assert_non_null(pruned);
	assert_false(opens(pruned, "c", box, n, "x"));
	assert_true(opens(pruned, "c", newer, m, "y"));
	assert_int_equal(seal_check_value(pruned, id, again), -1);
	free(box);
	free(newer);
	seal_free(old);
	seal_free(both);
	seal_free(pruned);
}

static void
an_existing_file_is_never_overwritten(void **state)
{
	struct fixture *f = *state;
	char text[32] = "";
	FILE *in;

	write_file(f->path, "precious", 0600);
	assert_int_equal(seal_create_file(f->path, &f->err), -1);
	assert_int_equal(f->err.code, ERR_EXISTS);
	in = fopen(f->path, "r");
	assert_non_null(in);
	assert_non_null(fgets(text, sizeof(text), in));
	fclose(in);
	assert_string_equal(text, "precious");
	err_clear(&f->err);
	assert_int_equal(seal_rotate_file(f->path, &f->err), -1);
	assert_int_equal(f->err.code, ERR_INVAL);
}

static void
a_file_that_others_can_reach_is_refused_with_the_remedy(void **state)
{
	static const mode_t modes[] = { 0644, 0640, 0604, 0620, 0602, 0660,
		0601 };
	struct fixture *f = *state;
	char want[128];
	size_t i;

	snprintf(want, sizeof(want), "chmod 600 %s", f->path);
	for (i = 0; i < NITEMS(modes); i++) {
		write_file(f->path, "a " HEX_A "\n", modes[i]);
		err_clear(&f->err);
		assert_null(seal_open(f->path, &f->err));
		assert_int_equal(f->err.code, ERR_PERM);
		assert_non_null(strstr(f->err.text, want));
	}
	assert_int_equal(chmod(f->path, 0400), 0);
	seal_free(seal_open(f->path, NULL));
}

static void
a_bad_file_is_refused_without_showing_keys(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "there is no key in it" },
		{ "# only a comment\n\n", "there is no key in it" },
		{ HEX_A "\n", "line 1" },
		{ "a " HEX_A "\nb\n", "line 2" },
		{ "a " HEX_A "\na " HEX_B "\n", "line 2" },
		{ "a " HEX_A "0\n", "line 1" },
		{ "a  " HEX_A "\n", "line 1" },
		{ " " HEX_A "\n", "line 1" },
		{ "a " HEX_A "\r\n", "line 1" },
		{ "a/b " HEX_A "\n", "line 1" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " HEX_A "\n", "line 1" },
		{ "a zz0102030405060708090a0b0c0d0e0f"
		  "101112131415161718191a1b1c1d1e1f\n", "line 1" },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		assert_null(open_text(f, cases[i].text));
		assert_int_equal(f->err.code, ERR_INVAL);
		assert_non_null(strstr(f->err.text, cases[i].reason));
		assert_non_null(strstr(f->err.text, f->path));
		assert_null(strstr(f->err.text, "0102030405"));
	}
	seal_free(open_good(f, "# c\n\na " HEX_A));
}

static void
seventeen_keys_and_a_long_file_are_refused(void **state)
{
	struct fixture *f = *state;
	char text[16 * 1024] = "";
	int i;

	for (i = 0; i < SEAL_KEYS_MAX + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "k%d " HEX_A "\n", i);
	assert_null(open_text(f, text));
	assert_non_null(strstr(f->err.text, "line 17"));
	*strrchr(text, 'k') = '\0';
	seal_free(open_good(f, text));
	assert_int_equal(seal_rotate_file(f->path, &f->err), -1);
	assert_non_null(strstr(f->err.text, "prune"));
	memset(text, '#', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(open_text(f, text));
	assert_int_equal(f->err.code, ERR_TOO_LARGE);
}

static void
a_missing_file_and_a_folder_are_told_apart(void **state)
{
	struct fixture *f = *state;

	assert_null(seal_open(f->path, &f->err));
	assert_int_equal(f->err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.text, f->path));
	err_clear(&f->err);
	assert_null(seal_open(f->dir, &f->err));
	assert_int_equal(f->err.code, ERR_INVAL);
	err_clear(&f->err);
	assert_int_equal(seal_create_file("/nowhere/at/all", &f->err), -1);
	assert_int_equal(f->err.code, ERR_IO);
	err_clear(&f->err);
	assert_int_equal(seal_rotate_file(f->path, &f->err), -1);
	assert_int_equal(f->err.code, ERR_NOT_FOUND);
}

static void
a_link_to_the_file_survives_a_rotation(void **state)
{
	struct fixture *f = *state;
	char link[80];
	struct stat st;

	assert_int_equal(seal_create_file(f->path, NULL), 0);
	snprintf(link, sizeof(link), "%s/link", f->dir);
	assert_int_equal(symlink(f->path, link), 0);
	assert_int_equal(seal_rotate_file(link, NULL), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(link), 0);
}

static void
hashes_depend_on_pepper_and_text(void **state)
{
	struct seal_pepper a, b;
	unsigned char one[SEAL_HASH_BYTES], two[SEAL_HASH_BYTES];

	(void)state;
	memset(a.key, 1, sizeof(a.key));
	memset(b.key, 2, sizeof(b.key));
	seal_hash(&a, "sk-lh-x", 7, one);
	seal_hash(&a, "sk-lh-x", 7, two);
	assert_memory_equal(one, two, sizeof(one));
	seal_hash(&a, "sk-lh-y", 7, two);
	assert_memory_not_equal(one, two, sizeof(one));
	seal_hash(&b, "sk-lh-x", 7, two);
	assert_memory_not_equal(one, two, sizeof(one));
}

static void
client_keys_have_their_form_and_differ(void **state)
{
	char key[SEAL_CLIENT_KEY_SIZE], visible[SEAL_VISIBLE_SIZE];
	char other[SEAL_CLIENT_KEY_SIZE];

	(void)state;
	seal_new_client_key(key, visible);
	seal_new_client_key(other, visible);
	assert_int_equal(strlen(key), 49);
	assert_memory_equal(key, "sk-lh-", 6);
	assert_int_equal(strspn(key + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
	assert_int_equal(strlen(visible), 12);
	assert_memory_equal(visible, other, 12);
	assert_string_not_equal(key, other);
	seal_wipe(key, sizeof(key));
	assert_int_equal(key[0], 0);
}

static void
without_memory_nothing_is_half_done(void **state)
{
	struct fixture *f = *state;
	struct seal *seal = NULL;
	unsigned char *box;
	char *text;
	size_t n, len;
	int i;

	for (i = 0; seal == NULL; i++) {
		assert_true(i < 10);
		write_file(f->path, "a " HEX_A "\n", 0600);
		err_clear(&f->err);
		alloc_fail_after(i);
		seal = seal_open(f->path, &f->err);
		if (alloc_fail_stop())
			assert_int_equal(f->err.code, ERR_NOMEM);
	}
	assert_true(i >= 3);
	err_clear(&f->err);
	alloc_fail_after(0);
	assert_int_equal(seal_box(seal, "c", "x", 1, &box, &n, &f->err), -1);
	assert_true(alloc_fail_stop());
	assert_int_equal(f->err.code, ERR_NOMEM);
	assert_int_equal(seal_box(seal, "c", "x", 1, &box, &n, NULL), 0);
	err_clear(&f->err);
	alloc_fail_after(0);
	assert_int_equal(seal_unbox(seal, "c", box, n, &text, &len, &f->err),
	    -1);
	assert_true(alloc_fail_stop());
	assert_int_equal(f->err.code, ERR_NOMEM);
	free(box);
	seal_free(seal);
	seal_free(NULL);
	seal_wipe_free(NULL, 0);
}

static void
no_core_file_is_left_from_then_on(void **state)
{
	struct rlimit rl = { .rlim_cur = 1, .rlim_max = 1 };

	(void)state;
	seal_no_core();
	seal_no_core();
	assert_int_equal(getrlimit(RLIMIT_CORE, &rl), 0);
	assert_int_equal(rl.rlim_cur, 0);
	assert_int_equal(rl.rlim_max, 0);
}

#define seal_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		seal_test(what_is_sealed_opens_in_its_context_alone),
		seal_test(an_empty_secret_can_be_sealed),
		seal_test(any_changed_byte_and_any_cut_is_noticed),
		seal_test(what_is_too_long_is_refused),
		seal_test(a_rotation_keeps_old_values_readable_until_pruned),
		seal_test(an_existing_file_is_never_overwritten),
		seal_test(
		    a_file_that_others_can_reach_is_refused_with_the_remedy),
		seal_test(a_bad_file_is_refused_without_showing_keys),
		seal_test(seventeen_keys_and_a_long_file_are_refused),
		seal_test(a_missing_file_and_a_folder_are_told_apart),
		seal_test(a_link_to_the_file_survives_a_rotation),
		cmocka_unit_test(hashes_depend_on_pepper_and_text),
		cmocka_unit_test(client_keys_have_their_form_and_differ),
		cmocka_unit_test(no_core_file_is_left_from_then_on),
		seal_test(without_memory_nothing_is_half_done),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
