#include "cmocka_all.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void
the_text_names_the_operand(void **state)
{
	struct err err;

	(void)state;
	err_clear(&err);
	err_set(&err, ERR_INVAL, "cannot use %s: %d", "/x/y", 7);
	assert_int_equal(err.code, ERR_INVAL);
	assert_string_equal(err.text, "cannot use /x/y: 7");
}

static void
errno_is_added_as_text(void **state)
{
	struct err err;

	(void)state;
	err_clear(&err);
	err_set_errno(&err, ERR_IO, ENOENT, "cannot open %s", "/x/y");
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.text,
	    "cannot open /x/y: No such file or directory");
}

static void
the_first_error_wins(void **state)
{
	struct err err;

	(void)state;
	err_clear(&err);
	err_set(&err, ERR_NOT_FOUND, "first");
	err_set(&err, ERR_IO, "second");
	err_set_errno(&err, ERR_IO, EIO, "third");
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.text, "first");
	err_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	err_set(&err, ERR_IO, "again");
	assert_string_equal(err.text, "again");
}

static void
null_is_allowed(void **state)
{

	(void)state;
	err_set(NULL, ERR_IO, "nobody listens");
	err_set_errno(NULL, ERR_IO, EIO, "nobody listens");
	err_clear(NULL);
}

static void
a_long_text_is_cut(void **state)
{
	struct err err;
	char longer[512];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_clear(&err);
	err_set_errno(&err, ERR_IO, EIO, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
every_code_has_a_whole_row(void **state)
{
	const struct err_info *info;
	int code, other;

	(void)state;
	for (code = 0; code < ERR_NCODES; code++) {
		info = err_info((enum err_code)code);
		assert_non_null(info->name);
		assert_non_null(info->message);
		assert_in_range(info->http_status, 200, 599);
		for (other = 0; other < code; other++)
			assert_string_not_equal(info->name,
			    err_info((enum err_code)other)->name);
	}
	assert_string_equal(err_info(ERR_NCODES)->name, "internal");
}

static void
clients_are_told_the_right_status(void **state)
{
	static const struct {
		enum err_code code;
		int status;
		bool retryable;
	} cases[] = {
		{ ERR_STORE_DOWN, 503, true },
		{ ERR_STORE_BUSY, 503, true },
		{ ERR_STORE_UNKNOWN, 503, false },
		{ ERR_INVAL, 400, false },
		{ ERR_TOO_LARGE, 413, false },
		{ ERR_NOT_FOUND, 404, false },
		{ ERR_INTERNAL, 500, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(err_info(cases[i].code)->http_status,
		    cases[i].status);
		assert_int_equal(err_info(cases[i].code)->retryable,
		    cases[i].retryable);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_names_the_operand),
		cmocka_unit_test(errno_is_added_as_text),
		cmocka_unit_test(the_first_error_wins),
		cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(every_code_has_a_whole_row),
		cmocka_unit_test(clients_are_told_the_right_status),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
