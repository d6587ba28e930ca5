#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/checkpoint.h"
#include "store/driver.h"
#include "store/filelock.h"
#include "store/swap.h"

/*
 * The write-ahead log is copied into the database when it has this many pages
 * and nothing waits (4 MiB), and also under load when it has that many (16
 * MiB): the longer it is, the more often a page in it was written over, but
 * the longer it takes to copy it.
 */
#define WAL_PAGES_IDLE	1000
#define WAL_PAGES_LOAD	4000

struct sqlite_store {
	struct store st;
	sqlite3 *db;
	char *path;
	struct filelock *lock;		/* NULL: read-only */
	bool apart;
	int64_t busy_timeout_ms;
	const struct clock *clock;
	dev_t dev;
	ino_t ino;
	int64_t looked_ms;
	int wal_pages;			/* after our last commit */
	int wal_asked;			/* when we last had it copied */
	struct checkpointer *checkpointer;	/* NULL: not needed yet */
	sqlite3_stmt *stmts[STMT_COUNT];	/* NULL: not yet prepared */
};

/* SQLite's primary codes, and what to do about them. */
static const struct {
	int code;
	enum err_code err;
	const char *remedy;
} codes[] = {
	{ SQLITE_BUSY, ERR_STORE_BUSY, "" },
	{ SQLITE_LOCKED, ERR_STORE_BUSY, "" },
	{ SQLITE_PROTOCOL, ERR_STORE_BUSY, "" },
	{ SQLITE_SCHEMA, ERR_STORE_BUSY, "" },
	{ SQLITE_CONSTRAINT, ERR_EXISTS, "" },
	{ SQLITE_FULL, ERR_STORE_DOWN, "; free some space on its disk" },
	{ SQLITE_IOERR, ERR_STORE_DOWN, "; look at its disk and at the "
	    "kernel's log" },
	{ SQLITE_CANTOPEN, ERR_STORE_DOWN, "; its folder and its -wal and "
	    "-shm files must be there and writable for this user" },
	{ SQLITE_READONLY, ERR_STORE_DOWN, "; give the file and its folder to "
	    "the user of the responders" },
	{ SQLITE_PERM, ERR_STORE_DOWN, "; give the file and its folder to the "
	    "user of the responders" },
	{ SQLITE_NOTADB, ERR_STORE_DOWN, "; it is no database or it is "
	    "damaged: restore a backup" },
	{ SQLITE_CORRUPT, ERR_STORE_DOWN, "; it is damaged: restore a "
	    "backup" },
	{ SQLITE_NOLFS, ERR_STORE_DOWN, "; the file is larger than this "
	    "system allows" },
	{ SQLITE_NOMEM, ERR_NOMEM, "" },
	{ SQLITE_INTERRUPT, ERR_CANCELLED, "" },
};

/* It cannot be used. */
static enum err_code
down(const struct sqlite_store *s)
{

	return (s->apart ? ERR_IO : ERR_STORE_DOWN);
}

/* Put what SQLite said into ${err}. */
static void
fail(struct sqlite_store *s, int rc, const char *what, struct err *err)
{
	enum err_code code = ERR_INTERNAL;
	const char *remedy = "";
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == (rc & 0xff)) {
			code = codes[i].err;
			remedy = codes[i].remedy;
			break;
		}
	}
	if (rc == SQLITE_IOERR_NOMEM)
		code = ERR_NOMEM;
	if (code == ERR_STORE_DOWN)
		code = down(s);
	err_set(err, code, "%s: %s: %s (%d)%s", s->path, what,
	    s->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(s->db), rc,
	    remedy);
}

static int
sqlite_prepare(struct store *st, enum stmt_id id, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	int rc;

	if (s->stmts[id] != NULL)
		return (0);
	rc = sqlite3_prepare_v3(s->db, stmts[id].sql[STMT_DIALECT_SQLITE], -1,
	    SQLITE_PREPARE_PERSISTENT, &s->stmts[id], NULL);
	if (rc != SQLITE_OK) {
		fail(s, rc, stmts[id].name, err);
		return (-1);
	}
	return (0);
}

/* Borrow the statement, prepared at its first use; NULL if it is in use. */
static sqlite3_stmt *
get_stmt(struct sqlite_store *s, enum stmt_id id, struct err *err)
{

	if (sqlite_prepare(&s->st, id, err) == -1)
		return (NULL);
	if (sqlite3_stmt_busy(s->stmts[id])) {
		err_set(err, ERR_INTERNAL, "statement %s is run within "
		    "itself", stmts[id].name);
		return (NULL);
	}
	return (s->stmts[id]);
}

/* Run a statement without parameters and without a result that matters. */
static int
run(struct sqlite_store *s, enum stmt_id id, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc;

	stmt = get_stmt(s, id, err);
	if (stmt == NULL)
		return (-1);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(s, rc, stmts[id].name, err);
	(void)sqlite3_reset(stmt);
	return (rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1);
}

/* A setting acts while it is prepared already, so it is not kept. */
static int
set(struct sqlite_store *s, enum stmt_id id, struct err *err)
{
	int rc;

	rc = sqlite3_exec(s->db, stmts[id].sql[STMT_DIALECT_SQLITE], NULL,
	    NULL, NULL);
	if (rc == SQLITE_OK)
		return (0);
	fail(s, rc, stmts[id].name, err);
	return (-1);
}

static int
on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = pages;
	return (SQLITE_OK);
}

/* May this user make files in the folder of the database? */
static int
check_folder(const struct sqlite_store *s, struct err *err)
{
	char *copy, *dir;
	int rc = -1;

	copy = strdup(s->path);
	if (copy == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the path of %s",
		    s->path);
		return (-1);
	}
	dir = dirname(copy);
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0)
		rc = 0;
	else if (errno == ENOENT)
		err_set(err, ERR_NOT_FOUND, "cannot open %s: there is no "
		    "folder %s; make it, writable for user id %jd", s->path,
		    dir, (intmax_t)geteuid());
	else
		err_set_errno(err, ERR_PERM, errno, "cannot open %s: folder "
		    "%s must be writable for user id %jd (SQLite keeps its "
		    "-wal and -shm files there)", s->path, dir,
		    (intmax_t)geteuid());
	free(copy);
	return (rc);
}

/* Make the file with a narrow mode, unless it is there. */
static int
make_file(const struct sqlite_store *s, struct err *err)
{
	int fd;

	fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1 && errno != EEXIST) {
		err_set_errno(err, ERR_PERM, errno, "cannot make %s as user "
		    "id %jd", s->path, (intmax_t)geteuid());
		return (-1);
	}
	if (fd != -1)
		close(fd);
	return (0);
}

/*
 * Look at the file first, for clear errors.  It is never opened by ourselves
 * when it is there: closing any descriptor of a file takes the locks away
 * that SQLite holds on it for other connections of this process ("How To
 * Corrupt An SQLite Database File", section 2.2).
 */
static int
check_file(struct sqlite_store *s, const struct store_options *opt,
    struct err *err)
{
	int mode = opt->read_only ? R_OK : R_OK | W_OK;
	char lock[PATH_MAX];
	struct stat sb;

	if (opt->create && !opt->read_only && make_file(s, err) == -1)
		return (-1);
	if (stat(s->path, &sb) == -1 && errno == ENOENT) {
		err_set(err, ERR_NOT_FOUND, "there is no database %s; run: "
		    "leasehold init", s->path);
		return (-1);
	} else if (faccessat(AT_FDCWD, s->path, mode, AT_EACCESS) == -1) {
		err_set_errno(err, ERR_PERM, errno, "cannot open %s as user "
		    "id %jd", s->path, (intmax_t)geteuid());
		return (-1);
	}
	if (!S_ISREG(sb.st_mode)) {
		err_set(err, ERR_INVAL, "%s is not a file", s->path);
		return (-1);
	}
	s->dev = sb.st_dev;
	s->ino = sb.st_ino;
	if (opt->read_only)
		return (0);
	(void)snprintf(lock, sizeof(lock), "%s.lock", s->path);
	s->lock = filelock_open(lock, &sb, err);
	return (s->lock == NULL ? -1 : 0);
}

static int
see_mode(void *arg, const struct store_value *cols, size_t ncols)
{
	bool *is_wal = arg;

	*is_wal = ncols > 0 && strcmp(store_get_text(&cols[0]), "wal") == 0;
	return (1);
}

static int64_t sqlite_query(struct store *, enum stmt_id,
    const struct store_value *, store_row_cb *, void *, struct err *);

/* Write-ahead logging, for good; two that do it at once would collide. */
static int
set_wal(struct sqlite_store *s, struct err *err)
{
	bool is_wal = false;
	int rc;

	if (sqlite_query(&s->st, STMT_SQLITE_JOURNAL_MODE, NULL, see_mode,
	    &is_wal, err) == -1)
		return (-1);
	if (is_wal)
		return (0);
	if (filelock_take(s->lock, s->busy_timeout_ms, err) == -1)
		return (-1);
	rc = set(s, STMT_SQLITE_WAL, err);
	filelock_drop(s->lock);
	return (rc);
}

/* Settings of a connection. */
static int
configure(struct sqlite_store *s, const struct store_options *opt,
    struct err *err)
{

	(void)sqlite3_extended_result_codes(s->db, 1);
	(void)sqlite3_busy_timeout(s->db, (int)s->busy_timeout_ms);
	if (set(s, STMT_SQLITE_CACHE, err) == -1 ||
	    set(s, opt->any_order ? STMT_SQLITE_NO_FOREIGN_KEYS :
	    STMT_SQLITE_FOREIGN_KEYS, err) == -1)
		return (-1);
	if (opt->read_only)
		return (set(s, STMT_SQLITE_QUERY_ONLY, err));
	if (set_wal(s, err) == -1 ||
	    set(s, STMT_SQLITE_JOURNAL_LIMIT, err) == -1 ||
	    set(s, opt->synchronous_full ? STMT_SQLITE_SYNC_FULL :
	    STMT_SQLITE_SYNC_NORMAL, err) == -1)
		return (-1);
	/* Takes the place of SQLite's own checkpoints inside of commits. */
	(void)sqlite3_wal_hook(s->db, on_commit, s);
	return (0);
}

static void
sqlite_close(struct store *st)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	size_t i;

	checkpointer_stop(s->checkpointer);
	for (i = 0; i < STMT_COUNT; i++)
		(void)sqlite3_finalize(s->stmts[i]);
	(void)sqlite3_close(s->db);
	filelock_free(s->lock);
	free(s->path);
	free(s);
}

/* Nobody asks SQLite how much memory it has; counting it takes a lock for each
 * piece.  Too late, and of no effect, where it is in use already. */
static void
count_no_memory(void)
{

	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static struct store *
sqlite_open(const char *where, const struct store_options *opt,
    struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sqlite_store *s;
	int rc;

	(void)pthread_once(&once, count_no_memory);
	s = calloc(1, sizeof(*s));
	if (s == NULL || (s->path = strdup(where)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the store");
		goto err0;
	}
	if (where[0] == '\0' || strlen(where) + sizeof(".lock") > PATH_MAX) {
		err_set(err, ERR_INVAL, "store has no usable path: write "
		    "sqlite:/path/to/file");
		goto err0;
	}
	s->busy_timeout_ms = opt->busy_timeout_ms;
	s->apart = opt->apart;
	s->clock = opt->clock != NULL ? opt->clock : clock_system();
	if ((!opt->read_only && check_folder(s, err) == -1) ||
	    check_file(s, opt, err) == -1)
		goto err0;
	rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (rc != SQLITE_OK) {
		fail(s, rc, "open", err);
		goto err0;
	}
	if (configure(s, opt, err) == -1)
		goto err0;
	return (&s->st);

err0:
	if (s != NULL)
		sqlite_close(&s->st);
	return (NULL);
}

/*
 * SQLite goes on writing into a file that was deleted or replaced, and
 * nobody would ever read that again.  So look, once in a while; see swap.h.
 */
static int
look(struct sqlite_store *s, struct err *err)
{
	int64_t now = clock_mono_ms(clock_system());
	struct stat sb;

	if (s->looked_ms != 0 && now - s->looked_ms < SWAP_LOOK_MS)
		return (0);
	if (stat(s->path, &sb) == -1) {
		err_set_errno(err, down(s), errno, "%s is gone",
		    s->path);
		return (-1);
	}
	if (sb.st_dev != s->dev || sb.st_ino != s->ino ||
	    filelock_moved(s->lock)) {
		err_set(err, down(s), "%s or its .lock was replaced by "
		    "another file", s->path);
		return (-1);
	}
	s->looked_ms = now;
	return (0);
}

static int
sqlite_begin(struct store *st, bool write, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	if (!write)
		return (run(s, STMT_BEGIN_READ, err));
	if (filelock_take(s->lock, s->busy_timeout_ms, err) == -1)
		return (-1);
	/* Only now: who replaces the file holds the lock meanwhile. */
	if (look(s, err) == 0 && run(s, STMT_BEGIN_WRITE, err) == 0)
		return (0);
	filelock_drop(s->lock);
	return (-1);
}

/* Close the transaction if SQLite has not done so, and let others go. */
static void
sqlite_rollback(struct store *st)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	if (!sqlite3_get_autocommit(s->db))
		(void)run(s, STMT_ROLLBACK, NULL);
	if (s->lock != NULL)
		filelock_drop(s->lock);
}

static int
sqlite_commit(struct store *st, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	struct err why = { 0 };

	if (run(s, STMT_COMMIT, &why) == 0) {
		if (s->lock != NULL)
			filelock_drop(s->lock);
		return (0);
	}
	/*
	 * The frames are in the log by then, and a crash before they are
	 * overwritten would bring them back.
	 */
	if (sqlite3_extended_errcode(s->db) == SQLITE_IOERR_FSYNC &&
	    !s->apart)
		why.code = ERR_STORE_UNKNOWN;
	err_set(err, why.code, "%s", why.text);
	sqlite_rollback(st);
	return (-1);
}

static int
bind(struct sqlite_store *s, sqlite3_stmt *stmt, enum stmt_id id,
    const struct store_value *v, size_t nparams, struct err *err)
{
	int i, n = (int)nparams, rc = SQLITE_OK;

	for (i = 1; i <= n && rc == SQLITE_OK; i++, v++) {
		if (v->type == STORE_NULL)
			rc = sqlite3_bind_null(stmt, i);
		else if (v->type == STORE_INT)
			rc = sqlite3_bind_int64(stmt, i, v->i);
		else if (v->type == STORE_TEXT)
			rc = sqlite3_bind_text64(stmt, i,
			    v->p == NULL ? "" : v->p, v->n, SQLITE_STATIC,
			    SQLITE_UTF8);
		else
			rc = sqlite3_bind_blob64(stmt, i,
			    v->p == NULL ? "" : v->p, v->n, SQLITE_STATIC);
	}
	if (rc == SQLITE_OK)
		return (0);
	fail(s, rc, stmts[id].name, err);
	return (-1);
}

static int
exec_rows(struct sqlite_store *s, sqlite3_stmt *stmt, enum stmt_id id,
    const struct store_value *rows, size_t nrows, size_t nparams,
    int64_t *changes, struct err *err)
{
	size_t i;
	int rc;

	for (i = 0; i < nrows; i++) {
		if (bind(s, stmt, id, rows + i * nparams, nparams, err) == -1)
			return (-1);
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			continue;
		if (rc != SQLITE_DONE)
			fail(s, rc, stmts[id].name, err);
		(void)sqlite3_reset(stmt);
		if (rc != SQLITE_DONE)
			return (-1);
		if (changes != NULL)
			changes[i] = sqlite3_changes(s->db);
	}
	return (0);
}

static int
sqlite_exec(struct store *st, enum stmt_id id, const struct store_value *rows,
    size_t nrows, int64_t *changes, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *stmt;

	stmt = get_stmt(s, id, err);
	return (stmt == NULL ? -1 : exec_rows(s, stmt, id, rows, nrows,
	    stmts[id].nparams, changes, err));
}

/* Borrow the columns of the row at hand. */
static void
columns(sqlite3_stmt *stmt, struct store_value *cols, size_t ncols)
{
	size_t i;
	int c;

	for (i = 0; i < ncols; i++) {
		c = (int)i;
		switch (sqlite3_column_type(stmt, c)) {
		case SQLITE_NULL:
			cols[i] = store_null();
			break;
		case SQLITE_TEXT:
			cols[i].type = STORE_TEXT;
			cols[i].i = 0;
			cols[i].p = sqlite3_column_text(stmt, c);
			cols[i].n = (size_t)sqlite3_column_bytes(stmt, c);
			break;
		case SQLITE_BLOB:
			cols[i] = store_blob(sqlite3_column_blob(stmt, c),
			    (size_t)sqlite3_column_bytes(stmt, c));
			break;
		default:
			cols[i] = store_int(sqlite3_column_int64(stmt, c));
			break;
		}
	}
}

static int64_t
query_rows(struct sqlite_store *s, sqlite3_stmt *stmt, enum stmt_id id,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct store_value cols[STORE_COLUMNS_MAX];
	int64_t nrows = 0;
	size_t ncols;
	int rc, more = 0;

	ncols = (size_t)sqlite3_column_count(stmt);
	if (ncols > STORE_COLUMNS_MAX) {
		err_set(err, ERR_INTERNAL, "statement %s has %zu columns",
		    stmts[id].name, ncols);
		return (-1);
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		columns(stmt, cols, ncols);
		nrows++;
		more = row_cb(arg, cols, ncols);
		if (more != 0)
			break;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		fail(s, rc, stmts[id].name, err);
		more = -1;
	}
	(void)sqlite3_reset(stmt);
	return (more == -1 ? -1 : nrows);
}

static int64_t
sqlite_query(struct store *st, enum stmt_id id,
    const struct store_value *params, store_row_cb *row_cb, void *arg,
    struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *stmt;

	stmt = get_stmt(s, id, err);
	if (stmt == NULL || bind(s, stmt, id, params, stmts[id].nparams,
	    err) == -1)
		return (-1);
	return (query_rows(s, stmt, id, row_cb, arg, err));
}

/* What was made of a statement is used but once. */
static sqlite3_stmt *
prepare_made(struct sqlite_store *s, enum stmt_id id, const char *sql,
    struct err *err)
{
	sqlite3_stmt *stmt;
	int rc;

	rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		return (stmt);
	fail(s, rc, stmts[id].name, err);
	return (NULL);
}

static int
sqlite_exec_made(struct store *st, enum stmt_id id, const char *sql,
    const struct store_value *rows, size_t nrows, size_t nparams,
    struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = prepare_made(s, id, sql, err)) == NULL)
		return (-1);
	rc = exec_rows(s, stmt, id, rows, nrows, nparams, NULL, err);
	(void)sqlite3_finalize(stmt);
	return (rc);
}

static int64_t
sqlite_query_made(struct store *st, enum stmt_id id, const char *sql,
    store_row_cb *row_cb, void *arg, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	sqlite3_stmt *stmt;
	int64_t nrows;

	if ((stmt = prepare_made(s, id, sql, err)) == NULL)
		return (-1);
	nrows = query_rows(s, stmt, id, row_cb, arg, err);
	(void)sqlite3_finalize(stmt);
	return (nrows);
}

static int
sqlite_script(struct store *st, const char *sql, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;
	int rc;

	rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return (0);
	fail(s, rc, "script", err);
	return (-1);
}

static int64_t
sqlite_insert_id(struct store *st)
{

	return (sqlite3_last_insert_rowid(((struct sqlite_store *)st)->db));
}

static int64_t
sqlite_now_ms(struct store *st)
{


	return (clock_wall_ms(((struct sqlite_store *)st)->clock));
}

/*
 * Have the log copied when it has become long, by a thread that is started
 * when first needed.  The log begins anew some time later, if no reader
 * hinders it; if it does not we ask again when it has grown once more.
 */
static bool
sqlite_housekeep(struct store *st, bool idle)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	if (s->wal_pages < s->wal_asked)
		s->wal_asked = 0;
	if (s->wal_pages - s->wal_asked < WAL_PAGES_IDLE)
		return (false);
	if (!idle && s->wal_pages - s->wal_asked < WAL_PAGES_LOAD)
		return (true);
	if (s->checkpointer == NULL)
		s->checkpointer = checkpointer_start(s->path, NULL);
	if (s->checkpointer != NULL)
		checkpointer_ask(s->checkpointer);
	s->wal_asked = s->wal_pages;
	return (false);
}

static int
sqlite_checkpoint(struct store *st, int64_t *pages, struct err *err)
{
	struct sqlite_store *s = (struct sqlite_store *)st;

	s->wal_asked = 0;
	return (checkpoint_whole(s->path, s->busy_timeout_ms, pages, err));
}

const struct store_driver store_driver_sqlite = {
	.scheme = "sqlite",
	.dialect = STMT_DIALECT_SQLITE,
	.open = sqlite_open,
	.close = sqlite_close,
	.prepare = sqlite_prepare,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.exec = sqlite_exec,
	.query = sqlite_query,
	.script = sqlite_script,
	.exec_made = sqlite_exec_made,
	.query_made = sqlite_query_made,
	.insert_id = sqlite_insert_id,
	.now_ms = sqlite_now_ms,
	.housekeep = sqlite_housekeep,
	.checkpoint = sqlite_checkpoint,
};
