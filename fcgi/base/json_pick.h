#ifndef BASE_JSON_PICK_H_
#define BASE_JSON_PICK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/**
 * The half of the JSON scanner that knows what is looked for: it is told of
 * each container, name and value in turn, matches the paths of the wants, and
 * keeps the text of what they found.  Used by json.c alone, and it trusts it
 * to call in the order of a well-formed text.
 */

/** A member name, or any element of an array, in the path of a want. */
struct json_segment {
	unsigned char off;	/* in the path */
	unsigned char len;
	bool element;
};

/** A want, its path taken apart, and what was found. */
struct json_slot {
	const char *path;
	struct json_segment seg[JSON_PATH_MAX];
	size_t nseg;
	bool elements;		/* one of the segments is an element */
	bool anywhere;		/* its one segment may be at any depth */
	bool all;
	char *text;		/* v.text, for writing */
	size_t keep;
	struct json_value v;
};

/**
 * Paths are matched by masks with one bit a want: hit[d] are the wants whose
 * first d segments name the place at hand.  It is valid for d up to the
 * number of open containers, so closing one needs no work.
 */
struct json_pick {
	unsigned depth;		/* open containers */
	uint32_t hit[JSON_PATH_MAX + 1];
	uint32_t deep[JSON_PATH_MAX + 1];	/* of d segments or more */
	uint32_t ends[JSON_PATH_MAX + 1];	/* of d segments */
	uint32_t element[JSON_PATH_MAX + 1];	/* d-th is an element */

	/* Wants at any depth; they are in none of the masks above. */
	uint32_t anywhere;
	uint32_t here;		/* those that the last name was of */
	const char *const *opaque;	/* names; NULL: none */
	bool veiled;		/* the last name was one of them */
	unsigned veil;		/* depth of the container of such a member that
				   is being read; 0: none */

	/* The string or number being read. */
	uint32_t taking;	/* wants that get its text, or for which this
				   name may matter; 0: the text is not needed */
	bool in_name;
	char name[JSON_NAME_MAX];
	size_t name_len;	/* beyond JSON_NAME_MAX: too long to match */
	unsigned surrogate;	/* high half that waits for its low half; 0 */

	void (*cb)(void *arg, size_t want, const struct json_value *v);
	void *arg;
	char *text;		/* of all slots */
	size_t n;
	struct json_slot slot[];
};

/** As json_scan_new, json_scan_free, json_scan_reset. */
struct json_pick *json_pick_new(const struct json_want *wants, size_t n);
void json_pick_free(struct json_pick *k);
void json_pick_reset(struct json_pick *k);

/** As json_scan_opaque. */
void json_pick_opaque(struct json_pick *k, const char *const *names);

/** json_pick_enter, json_pick_leave: A container opens and closes. */
void json_pick_enter(struct json_pick *k, bool object);
void json_pick_leave(struct json_pick *k);

/** json_pick_name_open, _close: A member name; its text comes between. */
void json_pick_name_open(struct json_pick *k);
void json_pick_name_close(struct json_pick *k);

/**
 * json_pick_value_open(k, start), json_pick_value_close(k, kind, end):
 * A value and its offsets.  Of a container: _open before json_pick_enter, and
 * _close after json_pick_leave.
 */
void json_pick_value_open(struct json_pick *k, uint64_t start);
void json_pick_value_close(struct json_pick *k, enum json_kind kind,
    uint64_t end);

/**
 * json_pick_bytes(k, p, n), json_pick_unit(k, u):
 * Text of the name, string or number: bytes as they are, and a UTF-16 unit
 * that came as \uXXXX.  Both only while ${k}->taking is not 0.
 */
void json_pick_bytes(struct json_pick *k, const void *p, size_t n);
void json_pick_unit(struct json_pick *k, unsigned u);

#endif /* !BASE_JSON_PICK_H_ */
