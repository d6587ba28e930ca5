#ifndef BASE_JSON_H_
#define BASE_JSON_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct err;

/**
 * A scanner that reads JSON (RFC 8259) as it comes, in any pieces, checks its
 * form, and picks out the few values it was asked for, with their byte
 * offsets.  It builds no tree and allocates nothing: memory is bounded by the
 * struct whatever the input.  Strings are passed over eight bytes at a time,
 * so that a large prompt costs little.  One thread at a time.
 */

/**
 * One value to look for.  ${path} names object members from the top, joined
 * by '.': "usage.cache_creation.ephemeral_5m_input_tokens".  "[]" stands for
 * any array element: "content[].type".  A path matches at its place only.  It
 * has at most JSON_PATH_MAX parts, each of at most JSON_NAME_MAX bytes.
 *
 * "**.type" stands for a member of that name at any depth, but for the
 * values of members that json_scan_opaque names.  Only strings, numbers and
 * literals are found by it, not containers.
 */
struct json_want {
	const char *path;
	size_t keep;	/* bytes of text to keep; 0: LIMIT_JSON_VALUE_BYTES,
			   which is also the most */
	bool all;	/* call back for every match; else the last one wins
			   and is found with json_scan_get */
};

enum json_kind {
	JSON_KIND_NONE,	/* not there */
	JSON_KIND_STRING,
	JSON_KIND_NUMBER,
	JSON_KIND_TRUE,
	JSON_KIND_FALSE,
	JSON_KIND_NULL,
	JSON_KIND_OBJECT,	/* reported when it ends; text is not kept */
	JSON_KIND_ARRAY
};

struct json_value {
	enum json_kind kind;
	uint64_t start, end;	/* byte offsets in the input; of a string
				   including its quotes */
	const char *text;	/* string (unescaped, UTF-8 as far as the
				   input is) or number; NUL; never NULL; lives
				   in the scanner until its next push or
				   reset */
	size_t len;		/* bytes kept in text */
	uint64_t full_len;	/* unescaped length; > len: text was cut, at a
				   character boundary */
	bool has_nul;		/* a \u0000 in the string */
	bool duplicate;		/* the member, or one that holds it, came more
				   than once; the last counts, as most readers
				   take it (JSON_KIND_NONE if the last of those
				   that could hold it does not) */
};

#define JSON_WANTS_MAX	28
#define JSON_PATH_MAX	12
#define JSON_NAME_MAX	63

struct json_scan;

/**
 * json_scan_new(wants, n): ${wants} (at most JSON_WANTS_MAX) must outlive it.
 * NULL without memory, or if a path is not of the form above.
 * json_scan_reset makes it ready for another text.
 */
struct json_scan *json_scan_new(const struct json_want *wants, size_t n);
void json_scan_free(struct json_scan *s);
void json_scan_reset(struct json_scan *s);

/**
 * json_scan_on_match(s, cb, arg):
 * For wants with .all: ${cb} gets the index of the want and the value, valid
 * during the call.
 */
void json_scan_on_match(struct json_scan *s,
    void (*cb)(void *arg, size_t want, const struct json_value *v), void *arg);

/**
 * json_scan_opaque(s, names):
 * Wants at any depth do not look into the objects and arrays that are members
 * of these names; NULL ends the list, which must outlive ${s}.
 */
void json_scan_opaque(struct json_scan *s, const char *const *names);

/**
 * json_scan_push(s, p, n, err):
 * Read ${n} more bytes.  0, or -1 with ERR_INVAL and a text that says what is
 * wrong and where ("line 1, byte 57: ...", both counted from 1, the byte
 * within its line); the error is sticky.  Bytes of a string that are no UTF-8
 * pass; an escaped lone surrogate reads as U+FFFD.
 * json_scan_end(s, err): the text is over; -1 if it is not complete.
 */
int json_scan_push(struct json_scan *s, const void *p, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));
int json_scan_end(struct json_scan *s, struct err *err)
    __attribute__((__warn_unused_result__));

/** json_scan_top(s): Kind of the whole text once its first byte is seen. */
enum json_kind json_scan_top(const struct json_scan *s);

/**
 * json_scan_get(s, i): Borrow what want ${i} found; JSON_KIND_NONE if it did
 * not.
 */
const struct json_value *json_scan_get(const struct json_scan *s, size_t i);

/**
 * json_value_int(v, min, max, out):
 * The integer in a number (also "5.0" and "1e3" where exact), bounded to
 * [${min}, ${max}].  0, or -1 (other kind, not integral, outside).
 */
int json_value_int(const struct json_value *v, int64_t min, int64_t max,
    int64_t *out) __attribute__((__warn_unused_result__));

/** json_is_utf8(p, n): All ${n} bytes are well-formed UTF-8. */
bool json_is_utf8(const char *p, size_t n);

/**
 * json_escape(p, n, out, outsize):
 * Write ${n} bytes as the inside of a JSON string, with a NUL; invalid UTF-8
 * becomes U+FFFD; cut at a character boundary when ${out} is full.  Returns
 * the length written.
 */
size_t json_escape(const char *p, size_t n, char *out, size_t outsize);

#endif /* !BASE_JSON_H_ */
