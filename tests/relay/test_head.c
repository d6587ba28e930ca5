#include "cmocka_all.h"

#include <string.h>

#include "alloc_fail.h"
#include "base/err.h"
#include "base/limits.h"
#include "relay/head.h"
#include "relay/upstream.h"

/* Give ${h} the lines of ${text} one by one; what the last one gave. */
static int
feed(struct head *h, const char *text, struct err *err)
{
	const char *end;
	int rc = 0;

	for (; *text != '\0' && rc == 0; text = end) {
		end = strchr(text, '\n') + 1;
		rc = head_line(h, text, (size_t)(end - text), err);
	}
	return (rc);
}

static void
heads_are_read_line_by_line(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *headers;	/* name=value;... */
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", 200, "" },
		{ "HTTP/1.1 200\r\n\r\n", 200, "" },
		{ "HTTP/1.0 529 \n\n", 529, "" },
		{ "HTTP/1.1 200 OK\r\nA: b\r\nC-D:e\r\n\r\n", 200,
		  "a=b;c-d=e;" },
		{ "HTTP/1.1 200 OK\r\nA: \t b c\t \r\nE:\r\n\r\n", 200,
		  "a=b c;e=;" },
		{ "HTTP/1.1 200 OK\r\nU: \xc3\xa9\r\nU: 2\r\n\r\n", 200,
		  "u=\xc3\xa9;u=2;" },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n"
		  "Link: x\r\n\r\nHTTP/1.1 404 No\r\nA: b\r\n\r\n", 404,
		  "a=b;" },
	};
	struct err err = { 0 };
	struct head h;
	char got[256];
	size_t i, k;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		head_init(&h);
		assert_int_equal(feed(&h, cases[i].text, &err), 1);
		assert_true(h.done);
		assert_int_equal(h.status, cases[i].status);
		for (got[0] = '\0', k = 0; k < h.nheaders; k++) {
			strcat(got, h.headers[k].name);
			strcat(got, "=");
			strcat(got, h.headers[k].value);
			strcat(got, ";");
		}
		assert_string_equal(got, cases[i].headers);

		/* A trailer changes nothing. */
		assert_int_equal(head_line(&h, "T: x\r\n", 6, &err), 0);
		head_fini(&h);
	}
}

static void
what_is_not_http_is_refused(void **state)
{
	static const char *const cases[] = {
		"220 mail ready\r\n",
		"HTTP/1.1 20 OK\r\n",
		"HTTP/1.1 2000 OK\r\n",
		"HTTP/1.1 2x0 OK\r\n",
		"HTTP/1.1 099 OK\r\n",
		"HTTP/1.1 600 OK\r\n",
		"HTTP/1.1\r\n",
		"\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n",
		"HTTP/1.1 200 OK\r\n: empty\r\n",
		"HTTP/1.1 200 OK\r\nA : b\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n",
		"HTTP/1.1 200 OK\r\nA: b\x01\r\n",
		"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n",
		"HTTP/1.1 200 OK\r\nA\x7f: b\r\n",
	};
	struct err err;
	struct head h;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		head_init(&h);
		err_clear(&err);
		if (feed(&h, cases[i], &err) != -1)
			fail_msg("%s was taken", cases[i]);
		assert_int_equal(err.code, ERR_PROTO);
		head_fini(&h);
	}
}

static void
a_nul_in_a_line_is_refused(void **state)
{
	struct err err = { 0 };
	struct head h;

	(void)state;
	head_init(&h);
	assert_int_equal(feed(&h, "HTTP/1.1 200 OK\r\n", &err), 0);
	assert_int_equal(head_line(&h, "A: b\0c\r\n", 8, &err), -1);
	assert_int_equal(err.code, ERR_PROTO);
	head_fini(&h);
}

static void
all_lines_together_are_bounded(void **state)
{
	static const char line[] = "X-Filler: 0123456789\r\n";
	struct err err = { 0 };
	struct head h;
	size_t bytes = 0;
	int rc;

	(void)state;
	head_init(&h);
	do {
		if ((rc = feed(&h, "HTTP/1.1 103 Hints\r\n", &err)) == 0)
			rc = head_line(&h, line, sizeof(line) - 1, &err);
		if (rc == 0)
			rc = head_line(&h, "\r\n", 2, &err);
		bytes += 20 + sizeof(line) - 1 + 2;
	} while (rc == 0 && bytes < 10 * LIMIT_UPSTREAM_HEAD_BYTES);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERR_TOO_LARGE);
	assert_true(bytes < 2 * LIMIT_UPSTREAM_HEAD_BYTES);
	head_fini(&h);
}

static void
memory_that_runs_out_is_an_error_of_its_own(void **state)
{
	struct err err;
	struct head h;
	int n, rc, failed;

	(void)state;
	for (n = 0, failed = 1; failed; n++) {
		head_init(&h);
		err_clear(&err);
		alloc_fail_after(n);
		rc = feed(&h, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", &err);
		failed = alloc_fail_stop();
		assert_int_equal(rc, failed ? -1 : 1);
		assert_int_equal(err.code, failed ? ERR_NOMEM : ERR_NONE);
		head_fini(&h);
	}
	assert_true(n > 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_read_line_by_line),
		cmocka_unit_test(what_is_not_http_is_refused),
		cmocka_unit_test(a_nul_in_a_line_is_refused),
		cmocka_unit_test(all_lines_together_are_bounded),
		cmocka_unit_test(memory_that_runs_out_is_an_error_of_its_own),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
