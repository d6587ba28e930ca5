#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ledger/id.h"

#include "query.h"

struct into {
	const struct field *fields;
	size_t nfields;
	json_t *rows;
	struct err *err;
};

json_t *
query_text(const char *p, size_t n)
{
	json_t *text;
	char *copy;
	size_t i;

	if ((text = json_stringn(p, n)) != NULL)
		return (text);

	/* Not UTF-8 (or no memory): what is not ASCII shows as '?'. */
	if ((copy = malloc(n + 1)) == NULL)
		return (NULL);
	for (i = 0; i < n; i++)
		copy[i] = (unsigned char)p[i] < 0x80 ? p[i] : '?';
	text = json_stringn(copy, n);
	free(copy);
	return (text);
}

static json_t *
text_or_json(const struct store_value *v)
{
	json_t *j;

	j = json_loadb(v->p, v->n, JSON_DECODE_ANY, NULL);
	return (j != NULL ? j : query_text(v->p, v->n));
}

/* Numbers beyond the words show as they are. */
static json_t *
word(const char *const *words, int64_t i)
{
	int64_t n;

	for (n = 0; words[n] != NULL; n++) {
		if (n == i)
			return (json_string(words[n]));
	}
	return (json_integer(i));
}

static json_t *
list_words(const char *const *words, int64_t bits)
{
	json_t *list = json_array();
	int i;

	for (i = 0; list != NULL && words[i] != NULL; i++) {
		if ((bits >> i & 1) == 0 ||
		    json_array_append_new(list, json_string(words[i])) == 0)
			continue;
		json_decref(list);
		list = NULL;
	}
	return (list);
}

static json_t *
field_value(const struct field *f, const struct store_value *v)
{
	char id[LEDGER_ID_SIZE];

	if (v->type == STORE_NULL)
		return (json_null());
	switch (f->kind) {
	case FIELD_INT:
		return (json_integer(v->i));
	case FIELD_BOOL:
		return (json_boolean(v->i));
	case FIELD_REQUEST_ID:
		ledger_id_format(v->i, id);
		return (json_string(id));
	case FIELD_JSON:
		return (text_or_json(v));
	case FIELD_WORD:
		return (word(f->words, v->i));
	case FIELD_WORDS:
		return (list_words(f->words, v->i));
	case FIELD_TEXT:
	case FIELD_SKIP:
		break;
	}
	return (query_text(v->p, v->n));
}

static int
add_row(void *arg, const struct store_value *cols, size_t ncols)
{
	struct into *into = arg;
	json_t *row;
	size_t i;

	if (ncols != into->nfields) {
		err_set(into->err, ERR_INTERNAL, "a statement has %zu columns "
		    "instead of %zu", ncols, into->nfields);
		return (-1);
	}
	row = json_object();
	for (i = 0; i < ncols; i++) {
		if (into->fields[i].kind == FIELD_SKIP)
			continue;
		if (json_object_set_new(row, into->fields[i].name,
		    field_value(&into->fields[i], &cols[i])) == -1)
			goto err0;
	}
	if (json_array_append_new(into->rows, row) == 0)
		return (0);
	row = NULL;

err0:
	json_decref(row);
	err_set(into->err, ERR_NOMEM, "no memory for an answer");
	return (-1);
}

struct store_value
query_name(const char *name)
{
	const size_t n = name != NULL ? strlen(name) : 0;

	/* Nor has anything no name at all. */
	return (store_text(n > 0 && name[n - 1] == ' ' ? "" : name));
}

json_t *
query_rows(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams,
    const struct field *fields, size_t nfields, struct err *err)
{
	struct into into = { fields, nfields, json_array(), err };

	if (into.rows == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		return (NULL);
	}
	if (store_query(st, id, params, nparams, add_row, &into, err) == -1) {
		json_decref(into.rows);
		return (NULL);
	}
	return (into.rows);
}

json_t *
query_row(struct store *st, enum stmt_id id,
    const struct store_value *params, size_t nparams,
    const struct field *fields, size_t nfields, const char *what,
    struct err *err)
{
	json_t *rows, *row;

	if ((rows = query_rows(st, id, params, nparams, fields, nfields,
	    err)) == NULL)
		return (NULL);
	if ((row = json_incref(json_array_get(rows, 0))) == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no %s", what);
	json_decref(rows);
	return (row);
}
