#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <errmsg.h>
#include <mysqld_error.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/mysql_internal.h"

/* Connecting, each read and each write; a lock is waited for shorter. */
#define TIMEOUT_MS	5000

/* The server hangs up after 15 s of silence (wait_timeout). */
#define SILENT_MS	10000

/* A lock on a whole table, or on all of them, is waited for so long (see
 * mysql_session), and once more until it is taken for an outage. */
#define TABLES_MS	2000

/* The server's clock is read anew so often. */
#define CLOCK_MS	1000

#define PASSWORD_SIZE	256

/* Errors that only one of the two families has. */
#define MYSQL_READ_ONLY_MODE		1836	/* MySQL: --super-read-only */
#define MYSQL_CHECK_VIOLATED		3819
#define MARIADB_CHECK_VIOLATED		4025
#define MYSQL_GROUP_ROLLBACK		3101
#define MYSQL_LOCK_NOWAIT		3572
#define MARIADB_TIMED_OUT		1969
#define MYSQL_TIMED_OUT			3024
#define MARIADB_KILLED			1927
#define MYSQL_CLIENT_FIRST		2000	/* errmsg.h */
#define MYSQL_CLIENT_LAST		2999
#define MARIADB_CLIENT_FIRST		5000
#define MARIADB_CLIENT_LAST		5999

/* What the server's errors mean, and what to do about them. */
static const struct {
	unsigned int number;
	enum err_code code;
	const char *remedy;
} codes[] = {
	{ ER_LOCK_DEADLOCK, ERR_STORE_BUSY, "" },
	{ ER_LOCK_WAIT_TIMEOUT, ERR_STORE_BUSY, "" },
	{ MYSQL_LOCK_NOWAIT, ERR_STORE_BUSY, "" },
	{ MYSQL_GROUP_ROLLBACK, ERR_STORE_BUSY, "" },
	{ ER_NEED_REPREPARE, ERR_STORE_BUSY, "" },
	{ ER_TABLE_DEF_CHANGED, ERR_STORE_BUSY, "" },
	{ ER_DUP_ENTRY, ERR_EXISTS, "" },
	{ ER_ROW_IS_REFERENCED_2, ERR_EXISTS, "" },
	{ ER_NO_REFERENCED_ROW_2, ERR_EXISTS, "" },
	{ MYSQL_CHECK_VIOLATED, ERR_EXISTS, "" },
	{ MARIADB_CHECK_VIOLATED, ERR_EXISTS, "" },
	{ ER_OPTION_PREVENTS_STATEMENT, ERR_STORE_DOWN, "; the server takes "
	    "no writes: name the one that does" },
	{ MYSQL_READ_ONLY_MODE, ERR_STORE_DOWN, "; the server takes no "
	    "writes: name the one that does" },
	{ ER_SERVER_SHUTDOWN, ERR_STORE_DOWN, "" },
	{ ER_NORMAL_SHUTDOWN, ERR_STORE_DOWN, "" },
	{ ER_UNKNOWN_COM_ERROR, ERR_STORE_DOWN, "; this node of the cluster "
	    "is not ready" },
	{ ER_CON_COUNT_ERROR, ERR_STORE_DOWN, "; raise max_connections" },
	{ ER_TOO_MANY_USER_CONNECTIONS, ERR_STORE_DOWN, "; raise "
	    "max_user_connections" },
	{ ER_USER_LIMIT_REACHED, ERR_STORE_DOWN, "" },
	{ ER_MAX_PREPARED_STMT_COUNT_REACHED, ERR_STORE_DOWN, "; raise "
	    "max_prepared_stmt_count" },
	{ ER_QUERY_INTERRUPTED, ERR_STORE_DOWN, "" },
	{ MARIADB_KILLED, ERR_STORE_DOWN, "" },
	{ MARIADB_TIMED_OUT, ERR_STORE_DOWN, "" },
	{ MYSQL_TIMED_OUT, ERR_STORE_DOWN, "" },
	{ ER_DISK_FULL, ERR_STORE_DOWN, "; free some space on its disk" },
	{ ER_RECORD_FILE_FULL, ERR_STORE_DOWN, "; free some space on its "
	    "disk" },
	{ ER_ERROR_ON_WRITE, ERR_STORE_DOWN, "; look at the server's disk" },
	{ ER_GET_ERRNO, ERR_STORE_DOWN, "; look at the server's log" },
	{ ER_LOCK_TABLE_FULL, ERR_STORE_DOWN, "; raise "
	    "innodb_buffer_pool_size" },
	{ ER_OUT_OF_RESOURCES, ERR_STORE_DOWN, "" },
	{ ER_OUTOFMEMORY, ERR_STORE_DOWN, "" },
	{ ER_BINLOG_STMT_MODE_AND_ROW_ENGINE, ERR_STORE_DOWN, "; set "
	    "binlog_format = MIXED or ROW" },
	{ ER_NO_SUCH_TABLE, ERR_SCHEMA, "; run: leasehold migrate" },
	{ CR_OUT_OF_MEMORY, ERR_NOMEM, "" },
	{ CR_SSL_CONNECTION_ERROR, ERR_STORE_DOWN, "; ca= must name the "
	    "certificates that the server's is checked with, and the host "
	    "must be named as in it" },
};

/* What is refused at the door: the words are the program's own. */
static const struct {
	unsigned int number;
	enum err_code code;
	const char *what, *remedy;
} refusals[] = {
	{ ER_ACCESS_DENIED_ERROR, ERR_PERM, "user or password are wrong",
	    "check password_file or LEASEHOLD_STORE_PASSWORD" },
	{ 1698 /* no password */, ERR_PERM, "user or password are wrong",
	    "check password_file or LEASEHOLD_STORE_PASSWORD" },
	{ ER_BAD_DB_ERROR, ERR_SCHEMA, "there is no such database",
	    "leasehold init makes it, or: CREATE DATABASE" },
	{ ER_DBACCESS_DENIED_ERROR, ERR_PERM, "rights are missing", NULL },
	{ ER_TABLEACCESS_DENIED_ERROR, ERR_PERM, "rights are missing", NULL },
	{ ER_COLUMNACCESS_DENIED_ERROR, ERR_PERM, "rights are missing",
	    NULL },
	{ ER_SPECIFIC_ACCESS_DENIED_ERROR, ERR_PERM, "rights are missing",
	    NULL },
};

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static bool
is_client_error(unsigned int number)
{

	return ((number >= MYSQL_CLIENT_FIRST && number <=
	    MYSQL_CLIENT_LAST) || (number >= MARIADB_CLIENT_FIRST &&
	    number <= MARIADB_CLIENT_LAST));
}

enum err_code
my_conn_code(unsigned int number)
{
	size_t i;

	for (i = 0; i < NITEMS(codes); i++) {
		if (codes[i].number == number)
			return (codes[i].code);
	}
	for (i = 0; i < NITEMS(refusals); i++) {
		if (refusals[i].number == number)
			return (refusals[i].code);
	}
	return (is_client_error(number) ? ERR_STORE_DOWN : ERR_INTERNAL);
}

/*
 * Certain is only what the server refuses before it commits: a conflict, on
 * Galera as well, and read-only.  Everything else may have come too late.
 */
enum err_code
my_conn_commit_code(unsigned int number)
{
	enum err_code code = my_conn_code(number);

	if (code == ERR_STORE_BUSY || number == ER_OPTION_PREVENTS_STATEMENT ||
	    number == MYSQL_READ_ONLY_MODE)
		return (code);
	return (ERR_STORE_UNKNOWN);
}

static const char *
remedy_of(unsigned int number)
{
	size_t i;

	for (i = 0; i < NITEMS(codes); i++) {
		if (codes[i].number == number)
			return (codes[i].remedy);
	}
	return ("");
}

/* "mysql://host/database", without what may be secret. */
static void
name_place(const struct my_store *s, char *out, size_t size)
{

	(void)snprintf(out, size, "mysql %.60s/%.60s",
	    s->url.socket[0] != '\0' ? s->url.socket : s->url.host,
	    s->url.database);
}

/* True if ${number} is a refusal, and was told as such. */
static bool
fail_refused(const struct my_store *s, unsigned int number, struct err *err)
{
	char place[160];
	size_t i;

	for (i = 0; i < NITEMS(refusals); i++) {
		if (refusals[i].number == number)
			break;
	}
	if (i == NITEMS(refusals))
		return (false);
	name_place(s, place, sizeof(place));
	if (refusals[i].remedy != NULL)
		err_set(err, refusals[i].code, "%s: %s for user %.40s: %s",
		    place, refusals[i].what, s->url.user, refusals[i].remedy);
	else
		err_set(err, refusals[i].code, "%s: rights of user %.40s are "
		    "missing: GRANT SELECT, INSERT, UPDATE, DELETE (for init "
		    "and migrate also CREATE, ALTER, DROP, INDEX, REFERENCES) "
		    "ON %.40s.*", place, s->url.user, s->url.database);
	return (true);
}

void
my_conn_fail(struct my_store *s, unsigned int number, const char *text,
    const char *what, struct err *err)
{
	char place[160];

	if (fail_refused(s, number, err))
		return;
	name_place(s, place, sizeof(place));
	err_set(err, my_conn_code(number), "%s: %s: %.100s (%u)%s", place,
	    what, text, number, remedy_of(number));
}

static void
fail(struct my_store *s, const char *what, struct err *err)
{

	my_conn_fail(s, mysql_errno(s->my), mysql_error(s->my), what, err);
}

static int64_t
mono_ms(void)
{

	return (clock_mono_ms(clock_system()));
}

/* ---- the password ---- */

/* Its first line.  ${private}: nobody else may read the file; what a container
 * platform hands out, anybody may within the container. */
static int
read_password(const char *what, const char *path, bool private,
    char out[PASSWORD_SIZE], struct err *err)
{
	struct stat sb;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1) {
		err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_PERM,
		    errno, "cannot open %s %.150s", what, path);
		return (-1);
	}
	if (private && fstat(fd, &sb) == 0 && (sb.st_mode & S_IRWXO) != 0) {
		err_set(err, ERR_PERM, "%s %.150s may be read by anybody: "
		    "chmod 600", what, path);
		close(fd);
		return (-1);
	}
	n = read(fd, out, PASSWORD_SIZE);
	close(fd);
	if (n == -1 || n == PASSWORD_SIZE) {
		err_set(err, n == -1 ? ERR_IO : ERR_TOO_LARGE, "cannot read "
		    "%s %.150s, or it is longer than %d bytes", what, path,
		    PASSWORD_SIZE - 1);
		return (-1);
	}
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return (0);
}

static int
get_password(const struct my_store *s, char out[PASSWORD_SIZE],
    struct err *err)
{
	static const char variable[] = "LEASEHOLD_STORE_PASSWORD",
	    file_variable[] = "LEASEHOLD_STORE_PASSWORD_FILE";
	const char *env = getenv(variable), *file = getenv(file_variable);

	out[0] = '\0';
	if (s->url.password_file[0] != '\0')
		return (read_password("password_file", s->url.password_file,
		    true, out, err));
	if (env != NULL && file != NULL) {
		err_set(err, ERR_INVAL, "both %s and %s are given; one of them "
		    "will do", variable, file_variable);
		return (-1);
	}
	if (file != NULL)
		return (read_password(file_variable, file, false, out, err));
	if (env == NULL)
		return (0);
	if (strlen(env) >= PASSWORD_SIZE) {
		err_set(err, ERR_TOO_LARGE, "%s is longer than %d bytes",
		    variable, PASSWORD_SIZE - 1);
		return (-1);
	}
	memcpy(out, env, strlen(env) + 1);
	return (0);
}

/* ---- connecting ---- */

/* The library is to be set up once before threads use it. */
static void
start_library(void)
{

	(void)mysql_library_init(0, NULL, NULL);
}

static void
set_tls(struct my_store *s)
{
#ifdef MARIADB_BASE_VERSION
	my_flag yes = 1;

	(void)mysql_options(s->my, MYSQL_OPT_SSL_ENFORCE, &yes);
	(void)mysql_options(s->my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#else
	unsigned int mode = SSL_MODE_VERIFY_IDENTITY;

	(void)mysql_options(s->my, MYSQL_OPT_SSL_MODE, &mode);
#endif
	(void)mysql_options(s->my, MYSQL_OPT_SSL_CA, s->url.ca);
}

static void
set_options(struct my_store *s)
{
	unsigned int timeout = (unsigned int)((s->timeout_ms + 999) / 1000);
	unsigned int connect = TIMEOUT_MS / 1000, no = 0;
	unsigned int protocol = s->url.socket[0] != '\0' ?
	    MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

	(void)mysql_options(s->my, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	(void)mysql_options(s->my, MYSQL_OPT_READ_TIMEOUT, &timeout);
	(void)mysql_options(s->my, MYSQL_OPT_WRITE_TIMEOUT, &timeout);
	(void)mysql_options(s->my, MYSQL_OPT_PROTOCOL, &protocol);
	/* The server must not ask for files of this host. */
	(void)mysql_options(s->my, MYSQL_OPT_LOCAL_INFILE, &no);
	(void)mysql_options(s->my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (s->url.ca[0] != '\0')
		set_tls(s);
}

static int
dial(struct my_store *s, const char *database, struct err *err)
{
	bool local = s->url.socket[0] != '\0';
	char password[PASSWORD_SIZE];
	const MYSQL *ok;

	if ((s->my = mysql_init(NULL)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a connection");
		return (-1);
	}
	set_options(s);
	if (get_password(s, password, err))
		return (-1);
	/* Rows that are found count as changed, as on SQLite. */
	ok = mysql_real_connect(s->my, local ? NULL : s->url.host,
	    s->url.user, password[0] == '\0' ? NULL : password, database,
	    s->url.port, local ? s->url.socket : NULL, CLIENT_FOUND_ROWS);
	explicit_bzero(password, sizeof(password));
	return (ok == NULL ? -1 : 0);
}

/* "leasehold init": the database itself may be missing. */
static int
make_database(struct my_store *s, struct err *err)
{
	const char *sql = stmts[STMT_MYSQL_CREATE_DATABASE].
	    sql[STMT_DIALECT_MYSQL], *p;
	char text[2 * MYSQL_URL_TEXT + 256];
	size_t n = strcspn(sql, "?");
	int more;

	my_conn_close(s);
	if (dial(s, NULL, err)) {
		fail(s, "connect", err);
		return (-1);
	}
	/* Names are no parameters. */
	memcpy(text, sql, n);
	for (p = s->url.database; *p != '\0'; p++) {
		if (*p == '`')
			text[n++] = '`';
		text[n++] = *p;
	}
	more = snprintf(text + n, sizeof(text) - n, "%s", strchr(sql, '?') +
	    1);
	if (mysql_real_query(s->my, text, (unsigned long)(n +
	    (size_t)more)) != 0 ||
	    mysql_select_db(s->my, s->url.database) != 0) {
		fail(s, "create the database", err);
		return (-1);
	}
	return (0);
}

static bool
is_mariadb(const struct my_store *s)
{

	return (strstr(mysql_get_server_info(s->my), "MariaDB") != NULL);
}

/* SKIP LOCKED, JSON_TABLE and window functions came with these. */
static int
check_version(struct my_store *s, struct err *err)
{
	const char *info = mysql_get_server_info(s->my);
	unsigned long version = mysql_get_server_version(s->my);
	char place[160];

	if (version >= (is_mariadb(s) ? 100600 : 80004))
		return (0);
	name_place(s, place, sizeof(place));
	err_set(err, ERR_SCHEMA, "%s: the server is %.40s; Leasehold needs "
	    "MySQL 8.0.4, or MariaDB 10.6, or newer", place, info);
	return (-1);
}

static void
see_bulk(struct my_store *s)
{
#ifdef MARIADB_BASE_VERSION
	unsigned long more = 0;

	if (mariadb_get_infov(s->my,
	    MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &more) == 0)
		s->bulk = (more & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >>
		    32)) != 0;
#else
	s->bulk = false;
#endif
}

static int
set_session(struct my_store *s, struct err *err)
{
	const enum stmt_id settings[] = {
		STMT_MYSQL_NAMES,
		STMT_MYSQL_SESSION,
		STMT_MYSQL_READ_COMMITTED,
		s->st.read_only ? STMT_MYSQL_READ_ONLY :
		    STMT_MYSQL_NO_AUTOCOMMIT,
	};
	size_t i;

	for (i = 0; i < NITEMS(settings); i++) {
		if (my_conn_text(s, settings[i], err))
			return (-1);
	}
	if (s->hasty && my_conn_text(s, STMT_MYSQL_HASTY, err))
		return (-1);
	return (my_conn_text(s, is_mariadb(s) ? STMT_MARIADB_SESSION :
	    STMT_MYSQL_FRESH, err));
}

static int
connect_to(struct my_store *s, bool create, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, start_library);
	if (dial(s, s->url.database, err)) {
		if (s->my == NULL || (err != NULL && err->code != ERR_NONE))
			goto err0;
		if (!create || mysql_errno(s->my) != ER_BAD_DB_ERROR) {
			fail(s, "connect", err);
			goto err0;
		}
		if (make_database(s, err))
			goto err0;
	}
	if (check_version(s, err))
		goto err0;
	see_bulk(s);
	if (set_session(s, err))
		goto err0;
	s->used_ms = mono_ms();
	return (0);

err0:
	my_conn_close(s);
	return (-1);
}

int
my_conn_open(struct my_store *s, const struct store_options *opt,
    struct err *err)
{
	struct err why = { .code = ERR_NONE };

	s->st.read_only = opt->read_only;
	s->timeout_ms = opt->io_timeout_ms > 0 ? opt->io_timeout_ms :
	    TIMEOUT_MS;
	s->hasty = opt->busy_timeout_ms > 0 &&
	    opt->busy_timeout_ms < 2 * TABLES_MS;
	if (connect_to(s, opt->create, &why) == 0)
		return (0);
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

void
my_conn_close(struct my_store *s)
{
	size_t i;

	for (i = 0; i < STMT_COUNT; i++)
		my_stmt_drop(&s->stmts[i]);
	if (s->my != NULL)
		mysql_close(s->my);
	s->my = NULL;
	s->clock_read_ms = 0;
}

int
my_conn_refresh(struct my_store *s, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	int64_t now = mono_ms();

	if (s->my != NULL && now - s->used_ms < SILENT_MS) {
		s->used_ms = now;
		return (0);
	}
	if (s->my != NULL && mysql_ping(s->my) == 0) {
		s->used_ms = now;
		return (0);
	}
	my_conn_close(s);
	if (connect_to(s, false, &why) == 0)
		return (0);
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

int
my_conn_text(struct my_store *s, enum stmt_id id, struct err *err)
{
	const char *text = stmts[id].sql[STMT_DIALECT_MYSQL];

	if (mysql_real_query(s->my, text, (unsigned long)strlen(text)) == 0)
		return (0);
	fail(s, stmts[id].name, err);
	return (-1);
}

/* ---- the server's clock ---- */

static int
take_now(void *arg, const struct store_value *cols, size_t ncols)
{

	(void)ncols;
	*(int64_t *)arg = store_get_int(&cols[0]);
	return (1);
}

/* Half of the way there and back is taken for the way back. */
static void
read_clock(struct my_store *s)
{
	int64_t before = mono_ms(), after, wall = 0;

	if (store_query(&s->st, STMT_MYSQL_NOW, NULL, 0, take_now, &wall,
	    NULL) != 1)
		return;
	after = mono_ms();
	s->clock_ms = wall - before - (after - before) / 2;
	s->clock_read_ms = after;
}

int64_t
my_conn_now_ms(struct my_store *s)
{
	int64_t now = mono_ms();

	if (s->my != NULL && (s->clock_read_ms == 0 ||
	    now - s->clock_read_ms >= CLOCK_MS))
		read_clock(s);
	/* Never connected: nothing that matters is dated so. */
	if (s->clock_read_ms == 0)
		return (clock_wall_ms(clock_system()));
	return (now + s->clock_ms);
}
