#include "cmocka_all.h"

#include <string.h>

#include "base/num.h"

static void
integers_are_read_within_their_range(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max;
		int ok;
		int64_t value;
	} cases[] = {
		{ "0", 0, 10, 1, 0 },
		{ "10", 0, 10, 1, 10 },
		{ "11", 0, 10, 0, 0 },
		{ "007", 0, 10, 1, 7 },
		{ "-1", 0, 10, 0, 0 },
		{ "-5", -5, 5, 1, -5 },
		{ "-6", -5, 5, 0, 0 },
		{ "9223372036854775807", 0, INT64_MAX, 1, INT64_MAX },
		{ "9223372036854775808", 0, INT64_MAX, 0, 0 },
		{ "-9223372036854775808", INT64_MIN, 0, 1, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, 0, 0, 0 },
		{ "99999999999999999999999999", 0, INT64_MAX, 0, 0 },
		{ "", 0, 10, 0, 0 },
		{ "-", -10, 10, 0, 0 },
		{ "--1", -10, 10, 0, 0 },
		{ "+1", 0, 10, 0, 0 },
		{ " 1", 0, 10, 0, 0 },
		{ "1 ", 0, 10, 0, 0 },
		{ "1.0", 0, 10, 0, 0 },
		{ "0x1", 0, 10, 0, 0 },
	};
	int64_t value;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		value = 42;
		rc = num_parse(cases[i].text, strlen(cases[i].text),
		    cases[i].min, cases[i].max, &value);
		if (rc != (cases[i].ok ? 0 : -1))
			fail_msg("\"%s\" gave %d", cases[i].text, rc);
		assert_int_equal(value, cases[i].ok ? cases[i].value : 42);
	}
}

static void
only_the_stated_bytes_are_read(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(num_parse("123456", 3, 0, 1000, &value), 0);
	assert_int_equal(value, 123);
	assert_int_equal(num_parse("12\0003", 4, 0, 1000, &value), -1);
}

static void
sizes_take_binary_suffixes(void **state)
{
	static const struct {
		const char *text;
		int64_t value;		/* -1: refused */
	} cases[] = {
		{ "0", 0 }, { "17", 17 }, { "64k", 65536 }, { "64K", 65536 },
		{ "32M", 33554432 }, { "1G", 1073741824 },
		{ "2t", INT64_C(2199023255552) },
		{ "8388607T", INT64_C(8388607) << 40 }, { "8388608T", -1 },
		{ "", -1 }, { "M", -1 }, { "-1", -1 }, { "1MB", -1 },
		{ "1 M", -1 }, { "1.5M", -1 }, { "1x", -1 },
	};
	int64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		value = -1;
		assert_int_equal(num_parse_bytes(cases[i].text, &value),
		    cases[i].value == -1 ? -1 : 0);
		assert_int_equal(value, cases[i].value);
	}
}

static void
durations_take_units(void **state)
{
	static const struct {
		const char *text;
		int64_t unit_ms;
		int64_t value;		/* -1: refused */
	} cases[] = {
		{ "60", 1000, 60000 }, { "60", 1, 60 }, { "0", 1000, 0 },
		{ "250ms", 1000, 250 }, { "30s", 1, 30000 },
		{ "5m", 1000, 300000 }, { "1h", 1000, 3600000 },
		{ "2d", 1000, 172800000 }, { "-1s", 1000, -1 },
		{ "", 1000, -1 }, { "s", 1000, -1 }, { "1 s", 1000, -1 },
		{ "1.5s", 1000, -1 }, { "1w", 1000, -1 },
		{ "9223372036854775807", 1000, -1 },
	};
	int64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		value = -1;
		assert_int_equal(num_parse_duration_ms(cases[i].text,
		    cases[i].unit_ms, &value), cases[i].value == -1 ? -1 : 0);
		assert_int_equal(value, cases[i].value);
	}
}

static void
decimals_are_scaled_exactly(void **state)
{
	static const struct {
		const char *text;
		int scale;
		int64_t value;		/* -1: refused */
	} cases[] = {
		{ "5", 9, INT64_C(5000000000) }, { "0", 9, 0 },
		{ "0.000", 9, 0 }, { "000", 9, 0 }, { "0e999999999999", 9, 0 },
		{ "3e-06", 9, 3000 }, { "3E-6", 9, 3000 },
		{ "0.0000015", 9, 1500 }, { "1.5e-06", 9, 1500 },
		{ "15e-7", 9, 1500 }, { "0.00015e-2", 9, 1500 },
		{ "1.25", 2, 125 }, { "1.255", 2, 126 }, { "1.2549", 2, 125 },
		{ "0.1", 0, 0 }, { "0.5", 0, 1 }, { "0.49999", 0, 0 },
		{ "0.05", 0, 0 }, { "9.5", 0, 10 }, { "99.95", 1, 1000 },
		{ "12.34", 1, 123 }, { "1e3", 0, 1000 }, { "1e+3", 0, 1000 },
		{ "12345.6789e-4", 0, 1 }, { "00012.50", 1, 125 },
		{ "9223372036.854775807", 9, INT64_MAX },
		{ "9223372036.8547758074", 9, INT64_MAX },
		{ "9223372036.8547758075", 9, -1 },
		{ "9223372036.854775808", 9, -1 }, { "1e30", 9, -1 },
		{ "1e999999999999999999999", 9, -1 },
		{ "1e-999999999999999999999", 9, 0 },
		{ "", 9, -1 }, { ".5", 9, -1 }, { "5.", 9, -1 },
		{ "-1", 9, -1 }, { "+1", 9, -1 }, { "1e", 9, -1 },
		{ "1e-", 9, -1 }, { "e5", 9, -1 }, { "1.e5", 9, -1 },
		{ "1,5", 9, -1 }, { "nan", 9, -1 }, { "0x10", 9, -1 },
		{ "1.2.3", 9, -1 }, { "1e5.5", 9, -1 }, { " 1", 9, -1 },
	};
	int64_t value;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		value = -1;
		rc = num_parse_decimal(cases[i].text, strlen(cases[i].text),
		    cases[i].scale, &value);
		if (rc != (cases[i].value == -1 ? -1 : 0) ||
		    value != cases[i].value)
			fail_msg("\"%s\" gave %d, %lld", cases[i].text, rc,
			    (long long)value);
	}
}

static void
money_is_written_in_dollars(void **state)
{
	static const struct {
		int64_t nusd;
		const char *text;
	} cases[] = {
		{ 0, "0.00" }, { 1, "0.000000001" }, { 15000, "0.000015" },
		{ 1250000000, "1.25" }, { 1200000000, "1.20" },
		{ INT64_C(5000000000), "5.00" }, { -1250000000, "-1.25" },
		{ 1234567891, "1.234567891" },
		{ INT64_MAX, "9223372036.854775807" },
		{ INT64_MIN, "-9223372036.854775808" },
	};
	char out[NUM_NUSD_SIZE];
	int64_t back;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		num_format_nusd(cases[i].nusd, out);
		assert_string_equal(out, cases[i].text);
		if (cases[i].nusd < 0)
			continue;
		assert_int_equal(
		    num_parse_decimal(out, strlen(out), 9, &back), 0);
		assert_int_equal(back, cases[i].nusd);
	}
}

static void
sums_and_products_saturate(void **state)
{

	(void)state;
	assert_int_equal(num_add_sat(2, 3), 5);
	assert_int_equal(num_add_sat(INT64_MAX, 1), INT64_MAX);
	assert_int_equal(num_add_sat(INT64_MAX - 1, 1), INT64_MAX);
	assert_int_equal(num_mul_sat(6, 7), 42);
	assert_int_equal(num_mul_sat(INT64_MAX, 0), 0);
	assert_int_equal(num_mul_sat(INT64_MAX / 2, 3), INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_read_within_their_range),
		cmocka_unit_test(only_the_stated_bytes_are_read),
		cmocka_unit_test(sizes_take_binary_suffixes),
		cmocka_unit_test(durations_take_units),
		cmocka_unit_test(decimals_are_scaled_exactly),
		cmocka_unit_test(money_is_written_in_dollars),
		cmocka_unit_test(sums_and_products_saturate),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
