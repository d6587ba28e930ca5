#ifndef BASE_NUM_H_
#define BASE_NUM_H_

#include <stddef.h>
#include <stdint.h>

struct err;

/**
 * num_parse(s, n, min, max, out):
 * The one reader of decimal integers: optional '-', digits, nothing else, all
 * of the ${n} bytes at ${s}.  0 with *${out} in [${min}, ${max}], else -1.
 */
int num_parse(const char *s, size_t n, int64_t min, int64_t max, int64_t *out)
    __attribute__((__warn_unused_result__));

/**
 * num_parse_bytes(s, out), num_parse_duration_ms(s, unit_ms, out):
 * "32M", "64k", "1G" (powers of 1024) and "250ms", "30s", "5m", "1h", "2d"; a
 * bare number counts bytes or ${unit_ms}.  0, or -1.
 */
int num_parse_bytes(const char *s, int64_t *out)
    __attribute__((__warn_unused_result__));
int num_parse_duration_ms(const char *s, int64_t unit_ms, int64_t *out)
    __attribute__((__warn_unused_result__));

/**
 * num_parse_decimal(s, n, scale, out):
 * Read a decimal number, also with exponent ("3e-06", "0.0000015", "5"),
 * times 10^${scale}, rounded half up, exactly (no floating point): money from
 * dollars to nano-dollars is scale 9.  Negative is refused.  0, or -1.
 */
int num_parse_decimal(const char *s, size_t n, int scale, int64_t *out)
    __attribute__((__warn_unused_result__));

/**
 * num_format_nusd(nusd, out):
 * Dollars with as many places as needed, at least two: "1.25", "0.000015".
 */
#define NUM_NUSD_SIZE 32
void num_format_nusd(int64_t nusd, char out[NUM_NUSD_SIZE]);

/** num_add_sat, num_mul_sat: Saturate at INT64_MAX; operands not negative. */
int64_t num_add_sat(int64_t a, int64_t b);
int64_t num_mul_sat(int64_t a, int64_t b);

#endif /* !BASE_NUM_H_ */
