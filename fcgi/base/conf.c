#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/conf_internal.h"
#include "base/err.h"
#include "base/limits.h"

/* A setting, and where it is from. */
#define TOLD_SIZE	(2 * CONF_NAME_SIZE + 4)

/* A text of settings while it is read. */
struct conf_text {
	const char *name;		/* of the file, for messages */
	int line;
};

/* Behind the values stands where each of them is from. */
struct conf_whole {
	struct conf conf;
	struct {
		enum conf_source source;
		int line;		/* of the file */
	} from[CONF_SETTINGS_MAX];	/* as the table has them */
};

const char *
conf_default_path(void)
{

	return (SYSCONFDIR "/leasehold/leasehold.conf");
}

const char *
conf_path(const char *path)
{
	const char *env = getenv("LEASEHOLD_CONFIG");

	if (path != NULL)
		return (path);
	return (env != NULL ? env : conf_default_path());
}

void
conf_free(struct conf *conf)
{
	const struct conf_setting *s;
	size_t n, i;

	if (conf == NULL)
		return;
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		if (conf_value_is_text(&s[i]))
			free(*conf_text_field(conf, &s[i]));
	}
	free(conf);
}

static struct conf *
new_with_defaults(struct err *err)
{
	const struct conf_setting *s;
	struct conf_whole *whole;
	struct conf *conf;
	size_t n, i;

	if ((whole = calloc(1, sizeof(*whole))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the settings");
		return (NULL);
	}
	conf = &whole->conf;
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		if (conf_value_set(conf, &s[i], s[i].def, err)) {
			conf_free(conf);
			return (NULL);
		}
	}
	return (conf);
}

/* ---- where values are from ---- */

void
conf_note_source(struct conf *conf, const struct conf_setting *s,
    enum conf_source source, int line)
{
	struct conf_whole *whole = (struct conf_whole *)(void *)conf;
	size_t n, i = (size_t)(s - conf_settings(&n));

	whole->from[i].source = source;
	whole->from[i].line = line;
}

enum conf_source
conf_source(const struct conf *conf, const struct conf_setting *s, int *line)
{
	const struct conf_whole *whole = (const void *)conf;
	size_t n, i = (size_t)(s - conf_settings(&n));

	if (line != NULL)
		*line = whole->from[i].line;
	return (whole->from[i].source);
}

/* ---- names ---- */

const struct conf_setting *
conf_find(const char *name)
{
	const struct conf_setting *s;
	size_t n, i;

	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		if (strcmp(s[i].name, name) == 0)
			return (&s[i]);
	}
	return (NULL);
}

const char *
conf_place(const struct conf *conf, const char *setting,
    char out[CONF_NAME_SIZE])
{
	const struct conf_setting *s = conf_find(setting);
	enum conf_source source;
	int line;

	source = conf_source(conf, s, &line);
	if (source == CONF_FROM_FILE)
		(void)snprintf(out, CONF_NAME_SIZE, "line %d", line);
	else if (source == CONF_FROM_DEFAULT)
		(void)snprintf(out, CONF_NAME_SIZE, "the default");
	else
		conf_variable(s, source, out, CONF_NAME_SIZE);
	return (out);
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t min = a < b ? a : b;

	return (min < c ? min : c);
}

/* Changes of one character that lead from ${a} to ${b}, both short. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[CONF_NAME_SIZE + 1], alen = strlen(a), blen = strlen(b);
	size_t i, k, diagonal, above;

	for (k = 0; k <= blen; k++)
		row[k] = k;
	for (i = 1; i <= alen; i++) {
		diagonal = row[0];
		row[0] = i;
		for (k = 1; k <= blen; k++) {
			above = row[k];
			row[k] = min3(above + 1, row[k - 1] + 1,
			    diagonal + (a[i - 1] != b[k - 1]));
			diagonal = above;
		}
	}
	return (row[blen]);
}

const struct conf_setting *
conf_nearest(const char *name)
{
	const struct conf_setting *s, *best = NULL;
	size_t n, i, distance, least = strlen(name) / 3 + 1;

	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		distance = edit_distance(name, s[i].name);
		if (distance < least) {
			least = distance;
			best = &s[i];
		}
	}
	return (best);
}

/* ---- lines ---- */

static int
unknown_setting(const struct conf_text *t, const char *name, struct err *err)
{
	const struct conf_setting *near = conf_nearest(name);

	if (near != NULL)
		err_set(err, ERR_INVAL, "%s: line %d: unknown setting \"%s\"; "
		    "did you mean \"%s\"?", t->name, t->line, name,
		    near->name);
	else
		err_set(err, ERR_INVAL, "%s: line %d: unknown setting \"%s\"; "
		    "`leasehold config show` lists them", t->name, t->line,
		    name);
	return (-1);
}

static int
set_from_text(struct conf *conf, struct conf_text *t, const char *name,
    const char *value, struct err *err)
{
	const struct conf_setting *s;
	struct err why;
	int before;

	if ((s = conf_find(name)) == NULL)
		return (unknown_setting(t, name, err));
	if (conf_source(conf, s, &before) == CONF_FROM_FILE) {
		err_set(err, ERR_INVAL, "%s: line %d: %s is set already on "
		    "line %d", t->name, t->line, name, before);
		return (-1);
	}
	conf_note_source(conf, s, CONF_FROM_FILE, t->line);
	err_clear(&why);
	if (conf_value_set(conf, s, value, &why)) {
		err_set(err, why.code, "%s: line %d: %s", t->name, t->line,
		    why.text);
		return (-1);
	}
	return (0);
}

static bool
is_blank(char c)
{

	return (c == ' ' || c == '\t' || c == '\r');
}

/* Cut blanks off both ends of [*p, *end). */
static void
trim(const char **p, const char **end)
{

	while (*p < *end && is_blank(**p))
		(*p)++;
	while (*p < *end && is_blank((*end)[-1]))
		(*end)--;
}

/* A character that has no place in a line, or NULL. */
static const char *
bad_character(const char *p, const char *end)
{

	for (; p < end; p++) {
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return (p);
	}
	return (NULL);
}

static int
parse_line(struct conf *conf, struct conf_text *t, const char *p,
    const char *end, struct err *err)
{
	char name[CONF_NAME_SIZE], *value;
	const char *eq, *nend, *bad;
	int rc;

	trim(&p, &end);
	if ((bad = bad_character(p, end)) != NULL) {
		err_set(err, ERR_INVAL, "%s: line %d: a %s (0x%02x) has no "
		    "place here", t->name, t->line, *bad == '\0' ? "NUL byte" :
		    "control character", (unsigned int)(unsigned char)*bad);
		return (-1);
	}
	if (p == end || *p == '#')
		return (0);
	if ((eq = memchr(p, '=', (size_t)(end - p))) == NULL) {
		err_set(err, ERR_INVAL, "%s: line %d: '=' is missing; a line "
		    "is \"name = value\"", t->name, t->line);
		return (-1);
	}
	nend = eq++;
	trim(&p, &nend);
	trim(&eq, &end);
	(void)snprintf(name, sizeof(name), "%.*s",
	    (int)((size_t)(nend - p) < sizeof(name) ? nend - p :
	    (ptrdiff_t)sizeof(name)), p);
	if ((value = strndup(eq, (size_t)(end - eq))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for %s", t->name);
		return (-1);
	}
	rc = set_from_text(conf, t, name, value, err);
	free(value);
	return (rc);
}

static int
parse_text(struct conf *conf, const char *name, const char *text, size_t len,
    struct err *err)
{
	struct conf_text t = { .name = name };
	const char *p = text, *end = text + len, *nl;

	if (len > LIMIT_CONF_BYTES) {
		err_set(err, ERR_TOO_LARGE, "%s: longer than %d bytes", name,
		    LIMIT_CONF_BYTES);
		return (-1);
	}
	while (p < end) {
		t.line++;
		nl = memchr(p, '\n', (size_t)(end - p));
		if (parse_line(conf, &t, p, nl == NULL ? end : nl, err))
			return (-1);
		p = nl == NULL ? end : nl + 1;
	}
	return (0);
}

/* "body_max_bytes (line 3)": a setting, and where its value is from. */
static const char *
told(const struct conf *conf, const char *setting, char out[TOLD_SIZE])
{
	char place[CONF_NAME_SIZE];

	(void)snprintf(out, TOLD_SIZE, "%s (%s)", setting,
	    conf_place(conf, setting, place));
	return (out);
}

/* Settings that only make sense together. */
static int
check_together(const struct conf *conf, const char *name, struct err *err)
{
	char a[TOLD_SIZE], b[TOLD_SIZE];

	if (conf->body_max_bytes > conf->bodies_max_bytes) {
		err_set(err, ERR_RANGE, "%s: %s is less than %s: it must hold "
		    "one body at least", name,
		    told(conf, "bodies_max_bytes", a),
		    told(conf, "body_max_bytes", b));
		return (-1);
	}
	if (conf->dead_after_ms < 3 * conf->beat_interval_ms) {
		err_set(err, ERR_RANGE, "%s: %s is less than three times %s: "
		    "the living would count as dead", name,
		    told(conf, "dead_after_s", a),
		    told(conf, "beat_interval_ms", b));
		return (-1);
	}
	if (strcmp(conf->relay_socket, conf->admin_socket) == 0) {
		err_set(err, ERR_INVAL, "%s: %s is that of %s: each of the two "
		    "pools needs its own", name,
		    told(conf, "admin_socket", a),
		    told(conf, "relay_socket", b));
		return (-1);
	}
	return (0);
}

struct conf *
conf_parse(const char *name, const char *text, size_t len, struct err *err)
{
	struct conf *conf;

	if ((conf = new_with_defaults(err)) == NULL)
		return (NULL);
	if (parse_text(conf, name, text, len, err) ||
	    check_together(conf, name, err)) {
		conf_free(conf);
		return (NULL);
	}
	return (conf);
}

/* ---- the file ---- */

/* Read up to the bound and one byte, so that what is longer is noticed. */
static int
read_fd(int fd, const char *path, struct buf *b, struct err *err)
{
	unsigned char *room;
	ssize_t n;

	do {
		if ((room = buf_reserve(b, 4096)) == NULL) {
			if (buf_len(b) > LIMIT_CONF_BYTES)
				return (0);
			err_set(err, ERR_NOMEM, "no memory for %s", path);
			return (-1);
		}
		if ((n = read(fd, room, 4096)) > 0)
			buf_commit(b, (size_t)n);
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
		return (-1);
	}
	return (0);
}

static int
parse_file(struct conf *conf, const char *path, bool may_be_missing,
    struct err *err)
{
	struct buf b;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == ENOENT && may_be_missing)
		return (0);
	if (fd == -1) {
		err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND :
		    errno == EACCES ? ERR_PERM : ERR_IO, errno,
		    "cannot open config file %s", path);
		return (-1);
	}
	buf_init(&b, LIMIT_CONF_BYTES + 8192);
	rc = read_fd(fd, path, &b, err);
	close(fd);
	if (rc == 0)
		rc = parse_text(conf, path, (const char *)buf_head(&b),
		    buf_len(&b), err);
	buf_fini(&b);
	return (rc);
}

struct conf *
conf_load(const char *path, struct err *err)
{
	struct conf *conf;
	bool may_be_missing = false;

	if (path == NULL && (path = getenv("LEASEHOLD_CONFIG")) == NULL) {
		path = conf_default_path();
		may_be_missing = true;
	}
	if ((conf = new_with_defaults(err)) == NULL)
		return (NULL);
	if (parse_file(conf, path, may_be_missing, err) ||
	    conf_apply_environment(conf, err) ||
	    check_together(conf, path, err)) {
		conf_free(conf);
		return (NULL);
	}
	return (conf);
}

int
conf_reload(struct conf *live, const char *path, struct err *err)
{
	const struct conf_setting *s;
	struct conf *fresh;
	enum conf_source source;
	char **a, **b, *text;
	size_t n, i;
	int line;

	if ((fresh = conf_load(path, err)) == NULL)
		return (-1);
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		if (!s[i].reloadable)
			continue;
		source = conf_source(fresh, &s[i], &line);
		conf_note_source(live, &s[i], source, line);
		if (!conf_value_is_text(&s[i])) {
			*conf_int_field(live, &s[i]) =
			    *conf_int_field(fresh, &s[i]);
			continue;
		}
		a = conf_text_field(live, &s[i]);
		b = conf_text_field(fresh, &s[i]);
		text = *a;
		*a = *b;
		*b = text;
	}
	conf_free(fresh);
	return (0);
}
