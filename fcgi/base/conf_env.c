#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf_internal.h"
#include "base/err.h"

/* Longer than any value that a setting may have. */
#define VALUE_SIZE	8192

static const char prefix[] = "LEASEHOLD_";

/* What else the environment may say to the programs. */
static const char *const others[] = {
	"LEASEHOLD_CONFIG",			/* conf_path */
	"LEASEHOLD_STORE_PASSWORD",		/* store/mysql_conn.c */
	"LEASEHOLD_STORE_PASSWORD_FILE",
};

void
conf_variable(const struct conf_setting *s, enum conf_source source, char *out,
    size_t len)
{
	char *p;

	(void)snprintf(out, len, "%s%s%s", prefix, s->name,
	    source == CONF_FROM_VARIABLE_FILE ? "_file" : "");
	for (p = out; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
}

/* What the variable for ${s} says; NULL: there is none. */
static const char *
variable(const struct conf_setting *s, enum conf_source source,
    char name[CONF_NAME_SIZE])
{

	conf_variable(s, source, name, CONF_NAME_SIZE);
	return (getenv(name));
}

/* The first line of a file, as container platforms hand out secrets. */
static int
read_line(const char *path, char out[VALUE_SIZE], struct err *err)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1) {
		err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND :
		    errno == EACCES ? ERR_PERM : ERR_IO, errno,
		    "cannot open %s", path);
		return (-1);
	}
	while ((n = read(fd, out + len, VALUE_SIZE - 1 - len)) > 0 ||
	    (n == -1 && errno == EINTR))
		len += n > 0 ? (size_t)n : 0;
	if (n == -1)
		err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
	close(fd);
	out[len] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return (n == -1 ? -1 : 0);
}

static int
set_value(struct conf *conf, const struct conf_setting *s, const char *value,
    struct err *err)
{
	const char *p;

	for (p = value; *p != '\0'; p++) {
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f) {
			err_set(err, ERR_INVAL, "a control character has no "
			    "place here");
			return (-1);
		}
	}
	return (conf_value_set(conf, s, value, err));
}

/* One setting, if there is a variable for it; ${name} is then that. */
static int
apply(struct conf *conf, const struct conf_setting *s,
    char name[CONF_NAME_SIZE], struct err *err)
{
	char line[VALUE_SIZE];
	const char *value, *path = NULL;

	if (s->from_file)
		path = variable(s, CONF_FROM_VARIABLE_FILE, name);
	if (path != NULL) {
		if (read_line(path, line, err) || set_value(conf, s, line, err))
			return (-1);
		conf_note_source(conf, s, CONF_FROM_VARIABLE_FILE, 0);
	}
	if ((value = variable(s, CONF_FROM_VARIABLE, name)) == NULL)
		return (0);
	if (path != NULL) {
		err_set(err, ERR_INVAL, "its value is given with %s_FILE, "
		    "too; one of them will do", name);
		return (-1);
	}
	if (set_value(conf, s, value, err))
		return (-1);
	conf_note_source(conf, s, CONF_FROM_VARIABLE, 0);
	return (0);
}

int
conf_apply_environment(struct conf *conf, struct err *err)
{
	const struct conf_setting *s;
	char name[CONF_NAME_SIZE];
	struct err why;
	size_t n, i;

	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		err_clear(&why);
		if (apply(conf, &s[i], name, &why) == 0)
			continue;
		err_set(err, why.code, "environment variable %s: %s", name,
		    why.text);
		return (-1);
	}
	return (0);
}

/* ---- variables that nobody knows ---- */

/* "QUEUE_MAX" as "queue_max"; false: too long for a setting. */
static bool
lower(const char *p, size_t len, char out[CONF_NAME_SIZE])
{
	size_t i;

	if (len >= CONF_NAME_SIZE)
		return (false);
	for (i = 0; i < len; i++)
		out[i] = p[i] >= 'A' && p[i] <= 'Z' ?
		    (char)(p[i] - 'A' + 'a') : p[i];
	out[len] = '\0';
	return (true);
}

/* Whether ${name}, of ${len} bytes, means something to the programs. */
static bool
is_known(const char *name, size_t len)
{
	const struct conf_setting *s;
	char own[CONF_NAME_SIZE];
	size_t n, i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strlen(others[i]) == len &&
		    memcmp(others[i], name, len) == 0)
			return (true);
	}
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		conf_variable(&s[i], CONF_FROM_VARIABLE, own, sizeof(own));
		if (strlen(own) == len && memcmp(own, name, len) == 0)
			return (true);
		conf_variable(&s[i], CONF_FROM_VARIABLE_FILE, own,
		    sizeof(own));
		if (s[i].from_file && strlen(own) == len &&
		    memcmp(own, name, len) == 0)
			return (true);
	}
	return (false);
}

const char *
conf_unknown_variable(const char *const *environment, size_t *at,
    const struct conf_setting **meant)
{
	char name[CONF_NAME_SIZE];
	const char *p;
	size_t len;

	while ((p = environment[*at]) != NULL) {
		(*at)++;
		len = strcspn(p, "=");
		if (strncmp(p, prefix, sizeof(prefix) - 1) != 0 ||
		    is_known(p, len))
			continue;
		*meant = !lower(p + sizeof(prefix) - 1,
		    len - (sizeof(prefix) - 1), name) ? NULL :
		    conf_nearest(name);
		return (p);
	}
	return (NULL);
}
