#ifndef ADMIN_QUERY_H_
#define ADMIN_QUERY_H_

#include <jansson.h>
#include <stddef.h>

#include "store/store.h"

struct err;

/**
 * Rows of a statement as JSON, by a table of fields in the order of its
 * columns.  What the command prints and what the admin responder answers are
 * made by the same functions.
 */
enum field_kind {
	FIELD_INT,
	FIELD_TEXT,
	FIELD_BOOL,
	FIELD_REQUEST_ID,	/* a ledger id, in text form */
	FIELD_JSON,		/* text that holds JSON; else given as text */
	FIELD_WORD,		/* a number that stands for a word */
	FIELD_WORDS,		/* one of which each bit stands for a word: an
				   array of them */
	FIELD_SKIP
};

struct field {
	const char *name;
	enum field_kind kind;	/* SQL NULL gives null */
	const char *const *words;	/* FIELD_WORD, _WORDS: from 0 on,
					   NULL-ended */
};

/**
 * query_rows(st, id, params, nparams, fields, nfields, err):
 * A new array of objects; the caller gives it up with json_decref.  NULL with
 * ${err}.
 */
json_t *query_rows(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams,
    const struct field *fields, size_t nfields, struct err *err);

/** query_row(...): The first row; NULL with ERR_NOT_FOUND and the text
 * "there is no ${what}" if there is none. */
json_t *query_row(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams,
    const struct field *fields, size_t nfields, const char *what,
    struct err *err);

/** query_name(name): A name that is looked for, which is borrowed.  None ends
 * in a blank (see check_name); MySQL, which ignores it when it compares, would
 * find what is called so without it.  NULL gives NULL. */
struct store_value query_name(const char *name);

/** query_text(p, n): A JSON string whatever the bytes; NULL without memory. */
json_t *query_text(const char *p, size_t n);

#endif /* !ADMIN_QUERY_H_ */
