#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/mysql_internal.h"

/* Bytes of a column that are fetched at once; longer ones are asked for. */
#define COLUMN_SIZE	128

#define CHARSET_BINARY	63	/* mysql.com: collation id of BINARY */

/* One column of a result. */
struct my_column {
	enum store_type type;
	bool is_real;			/* to be cut to an integer */
	union {
		long long i;
		double real;
	} number;
	char *p;			/* text and blob; room for a NUL */
	unsigned long size, len;
	my_flag is_null, cut;
};

/* What servers do not prepare, or what is not run by itself. */
static const enum stmt_id texts[] = {
	STMT_BEGIN_READ,
	STMT_BEGIN_WRITE,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_MARIADB_SESSION,
	STMT_MYSQL_FRESH,
};

bool
my_stmt_is_text(enum stmt_id id)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i] == id)
			return (true);
	}
	return (stmts[id].setting || stmts[id].marked);
}

void
my_stmt_fail(struct my_store *s, const struct my_stmt *m, enum stmt_id id,
    struct err *err)
{

	my_conn_fail(s, mysql_stmt_errno(m->stmt), mysql_stmt_error(m->stmt),
	    stmts[id].name, err);
}

/* ---- preparing ---- */

static void
columns_free(struct my_stmt *m)
{
	size_t i;

	for (i = 0; i < m->ncols; i++)
		free(m->cols[i].p);
	free(m->cols);
	m->cols = NULL;
	m->ncols = 0;
}

void
my_stmt_drop(struct my_stmt *m)
{

	columns_free(m);
	if (m->stmt != NULL)
		(void)mysql_stmt_close(m->stmt);
	m->stmt = NULL;
	m->busy = false;
}

static enum store_type
type_of(const MYSQL_FIELD *f, bool *is_real)
{

	*is_real = false;
	switch (f->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		return (STORE_INT);
	case MYSQL_TYPE_DECIMAL:
	case MYSQL_TYPE_NEWDECIMAL:
		*is_real = f->decimals > 0;
		return (STORE_INT);
	case MYSQL_TYPE_FLOAT:
	case MYSQL_TYPE_DOUBLE:
		*is_real = true;
		return (STORE_INT);
	case MYSQL_TYPE_NULL:
		return (STORE_TEXT);
	default:
		return (f->charsetnr == CHARSET_BINARY ? STORE_BLOB :
		    STORE_TEXT);
	}
}

/* Room for the columns of its result, by their types. */
static int
columns_make(struct my_stmt *m, struct err *err)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(m->stmt);
	const MYSQL_FIELD *f;
	struct my_column *c;
	unsigned int i, n;
	int rc = 0;

	if (meta == NULL)
		return (0);
	n = mysql_num_fields(meta);
	f = mysql_fetch_fields(meta);
	m->cols = n > STORE_COLUMNS_MAX ? NULL : calloc(n, sizeof(*m->cols));
	m->ncols = m->cols == NULL ? 0 : n;
	for (i = 0; i < m->ncols; i++) {
		c = &m->cols[i];
		c->type = type_of(&f[i], &c->is_real);
		if (c->type == STORE_INT)
			continue;
		c->size = COLUMN_SIZE;
		if ((c->p = malloc(c->size + 1)) == NULL)
			rc = -1;
	}
	mysql_free_result(meta);
	if (m->cols != NULL && rc == 0)
		return (0);
	err_set(err, n > STORE_COLUMNS_MAX ? ERR_INTERNAL : ERR_NOMEM,
	    "no room for the columns of a result");
	return (-1);
}

/* The library fills these in; it keeps a copy of the descriptions. */
static int
columns_bind(struct my_stmt *m)
{
	MYSQL_BIND b[STORE_COLUMNS_MAX];
	struct my_column *c;
	size_t i;

	memset(b, 0, m->ncols * sizeof(b[0]));
	for (i = 0; i < m->ncols; i++) {
		c = &m->cols[i];
		b[i].is_null = &c->is_null;
		b[i].error = &c->cut;
		b[i].length = &c->len;
		if (c->type == STORE_INT) {
			b[i].buffer_type = c->is_real ? MYSQL_TYPE_DOUBLE :
			    MYSQL_TYPE_LONGLONG;
			b[i].buffer = &c->number;
			continue;
		}
		b[i].buffer_type = c->type == STORE_BLOB ? MYSQL_TYPE_BLOB :
		    MYSQL_TYPE_STRING;
		b[i].buffer = c->p;
		b[i].buffer_length = c->size;
	}
	return (mysql_stmt_bind_result(m->stmt, b) == 0 ? 0 : -1);
}

static int
prepare(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const char *text, struct err *err)
{

	if ((m->stmt = mysql_stmt_init(s->my)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a statement");
		return (-1);
	}
	if (mysql_stmt_prepare(m->stmt, text,
	    (unsigned long)strlen(text)) != 0) {
		my_stmt_fail(s, m, id, err);
		goto err0;
	}
	if (mysql_stmt_param_count(m->stmt) != stmts[id].nparams) {
		err_set(err, ERR_INTERNAL, "statement %s has %lu parameters "
		    "for the server", stmts[id].name,
		    mysql_stmt_param_count(m->stmt));
		goto err0;
	}
	if (columns_make(m, err))
		goto err0;
	return (0);

err0:
	my_stmt_drop(m);
	return (-1);
}

struct my_stmt *
my_stmt_get(struct my_store *s, enum stmt_id id, struct err *err)
{
	struct my_stmt *m = &s->stmts[id];

	if (m->busy) {
		err_set(err, ERR_INTERNAL, "statement %s is run within "
		    "itself", stmts[id].name);
		return (NULL);
	}
	if (s->my == NULL) {
		err_set(err, ERR_STORE_DOWN, "there is no connection to the "
		    "database");
		return (NULL);
	}
	if (m->stmt == NULL && prepare(s, m, id,
	    stmts[id].sql[STMT_DIALECT_MYSQL], err))
		return (NULL);
	return (m);
}

/* ---- values in ---- */

void *
my_scratch(struct my_store *s, size_t n, struct err *err)
{
	unsigned char *p;

	if (n <= s->scratch.size && s->scratch.p != NULL)
		return (s->scratch.p);
	n += n / 2 + 256;
	if ((p = realloc(s->scratch.p, n)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for parameters");
		return (NULL);
	}
	s->scratch.p = p;
	s->scratch.size = n;
	return (p);
}

/* Bytes of the character at ${p}; 0: it is none (RFC 3629). */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
	    p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0, i;

	if (len > n)
		return (0);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return (0);
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return (0);
	return (len);
}

const char *
my_text(const struct store_value *v, char *room)
{
	const unsigned char *p = v->p;
	bool good = true;
	size_t i, len;

	if (v->p == NULL)
		return ("");
	if (v->type != STORE_TEXT)
		return (v->p);
	for (i = 0; i < v->n; i += len == 0 ? 1 : len) {
		len = utf8_len(p + i, v->n - i);
		if (len > 0)
			continue;
		if (good)
			memcpy(room, v->p, v->n);
		good = false;
		room[i] = '?';
	}
	return (good ? v->p : room);
}

/* One row; what it points to must stay until it was executed. */
static int
bind_row(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const struct store_value *v, struct err *err)
{
	size_t i, n = stmts[id].nparams, bytes = n * sizeof(MYSQL_BIND);
	MYSQL_BIND *b;
	char *room;

	if (n == 0)
		return (0);
	for (i = 0; i < n; i++)
		bytes += v[i].type == STORE_TEXT ? v[i].n : 0;
	if ((b = my_scratch(s, bytes, err)) == NULL)
		return (-1);
	memset(b, 0, n * sizeof(*b));
	room = (char *)(b + n);
	for (i = 0; i < n; i++, v++) {
		switch (v->type) {
		case STORE_NULL:
			b[i].buffer_type = MYSQL_TYPE_NULL;
			break;
		case STORE_INT:
			b[i].buffer_type = MYSQL_TYPE_LONGLONG;
			b[i].buffer = (void *)(uintptr_t)&v->i;
			break;
		default:
			b[i].buffer_type = v->type == STORE_TEXT ?
			    MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
			b[i].buffer = (void *)(uintptr_t)my_text(v, room);
			b[i].buffer_length = (unsigned long)v->n;
			b[i].length = &b[i].buffer_length;
			room += v->type == STORE_TEXT ? v->n : 0;
			break;
		}
	}
	if (mysql_stmt_bind_param(m->stmt, b) == 0)
		return (0);
	my_stmt_fail(s, m, id, err);
	return (-1);
}

int
my_stmt_run(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    const struct store_value *v, struct err *err)
{

	if (bind_row(s, m, id, v, err))
		return (-1);
	if (mysql_stmt_execute(m->stmt) == 0)
		return (0);
	my_stmt_fail(s, m, id, err);
	return (-1);
}

/* ---- rows out ---- */

/* Fetch the whole of a column that did not fit. */
static int
fetch_long(struct my_stmt *m, size_t i, struct err *err)
{
	struct my_column *c = &m->cols[i];
	unsigned long len = c->len;
	MYSQL_BIND b;
	char *p;

	if ((p = realloc(c->p, len + 1)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a column");
		return (-1);
	}
	c->p = p;
	c->size = len;
	memset(&b, 0, sizeof(b));
	b.buffer_type = c->type == STORE_BLOB ? MYSQL_TYPE_BLOB :
	    MYSQL_TYPE_STRING;
	b.buffer = p;
	b.buffer_length = len;
	b.length = &c->len;
	b.is_null = &c->is_null;
	b.error = &c->cut;
	if (mysql_stmt_fetch_column(m->stmt, &b, (unsigned int)i, 0) == 0)
		return (0);
	err_set(err, ERR_INTERNAL, "a column could not be fetched");
	return (-1);
}

/* Borrow the columns of the row at hand; 1 if one had to be made longer. */
static int
take_columns(struct my_stmt *m, struct store_value *out, struct err *err)
{
	struct my_column *c;
	size_t i;
	int grown = 0;

	for (i = 0; i < m->ncols; i++) {
		c = &m->cols[i];
		if (c->is_null) {
			out[i] = store_null();
			continue;
		}
		if (c->type == STORE_INT) {
			out[i] = store_int(c->is_real ?
			    (int64_t)c->number.real : c->number.i);
			continue;
		}
		if (c->len > c->size) {
			if (fetch_long(m, i, err))
				return (-1);
			grown = 1;
		}
		c->p[c->len] = '\0';
		out[i] = store_blob(c->p, c->len);
		out[i].type = c->type;
	}
	return (grown);
}

static int64_t
fetch_all(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct store_value cols[STORE_COLUMNS_MAX];
	int64_t nrows = 0;
	int rc, grown, more = 0;

	while (more == 0) {
		rc = mysql_stmt_fetch(m->stmt);
		if (rc == MYSQL_NO_DATA)
			return (nrows);
		if (rc != 0 && rc != MYSQL_DATA_TRUNCATED) {
			my_stmt_fail(s, m, id, err);
			return (-1);
		}
		if ((grown = take_columns(m, cols, err)) == -1 ||
		    (grown == 1 && columns_bind(m)))
			return (-1);
		nrows++;
		more = row_cb(arg, cols, m->ncols);
	}
	return (more == -1 ? -1 : nrows);
}

/* The rows are taken over as a whole, so that others can be run meanwhile. */
int64_t
my_stmt_rows(struct my_store *s, struct my_stmt *m, enum stmt_id id,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	int64_t nrows;

	if (m->ncols == 0)
		return (0);
	if (columns_bind(m) || mysql_stmt_store_result(m->stmt) != 0) {
		my_stmt_fail(s, m, id, err);
		return (-1);
	}
	m->busy = true;
	nrows = fetch_all(s, m, id, row_cb, arg, err);
	m->busy = false;
	/* It is gone if the connection was lost under a nested statement. */
	if (m->stmt != NULL)
		(void)mysql_stmt_free_result(m->stmt);
	return (nrows);
}

int64_t
my_stmt_stream(struct my_store *s, enum stmt_id id, const char *sql,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct my_stmt m = { .stmt = NULL };
	int64_t nrows = -1;

	if (s->my == NULL) {
		err_set(err, ERR_STORE_DOWN, "there is no connection to the "
		    "database");
		return (-1);
	}
	if (my_conn_text(s, STMT_MYSQL_PATIENT, err) ||
	    prepare(s, &m, id, sql, err))
		return (-1);
	if (columns_bind(&m) || mysql_stmt_execute(m.stmt) != 0)
		my_stmt_fail(s, &m, id, err);
	else
		nrows = fetch_all(s, &m, id, row_cb, arg, err);
	my_stmt_drop(&m);
	return (nrows);
}
