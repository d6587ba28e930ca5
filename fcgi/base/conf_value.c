#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/conf_internal.h"
#include "base/cron.h"
#include "base/err.h"
#include "base/mail.h"
#include "base/net.h"
#include "base/num.h"
#include "base/zone.h"

#define MS_PER_SECOND	1000

/* How a type of values is read, written and described. */
struct type {
	const char *name;	/* in the manual */
	bool is_text;

	/* Text: whether ${value} will do.  Numbers: read it; 0, or -1. */
	bool (*check)(const struct conf_setting *s, const char *value);
	int (*parse)(const char *value, int64_t *out);

	void (*format)(int64_t value, char *buf, size_t len);
	void (*show)(int64_t value, char *buf, size_t len);	/* for people */
	const char *rule;	/* of text: what is allowed; NULL: choices */
	const char *unit;	/* what a bare number counts, other units */
};

/* ---- text ---- */

/* One of the alternatives in .choices; "x:/path" takes any path. */
static bool
check_choices(const struct conf_setting *s, const char *value)
{
	static const char any_path[] = "/path";
	const char *p = s->choices, *end;
	size_t len, keep;

	for (; p != NULL; p = *end == '\0' ? NULL : end + 1) {
		end = p + strcspn(p, "|");
		len = (size_t)(end - p);
		if (strlen(value) == len && memcmp(value, p, len) == 0 &&
		    memchr(p, '/', len) == NULL)
			return (true);
		if (len < strlen(any_path))
			continue;
		keep = len - strlen(any_path) + 1;
		if (memcmp(end - strlen(any_path), any_path,
		    strlen(any_path)) == 0 && strlen(value) > keep &&
		    memcmp(value, p, keep) == 0)
			return (true);
	}
	return (false);
}

/*
 * What the store thinks of the rest it says itself, but a password must not
 * get into a setting, which is shown: USER:PASSWORD@ is refused here.
 */
static bool
check_store(const struct conf_setting *s, const char *value)
{
	static const char sqlite[] = "sqlite:/", mysql[] = "mysql://";
	size_t server, user;

	(void)s;
	if (strncmp(value, sqlite, strlen(sqlite)) == 0)
		return (value[strlen(sqlite)] != '\0');
	if (strncmp(value, mysql, strlen(mysql)) != 0)
		return (false);
	value += strlen(mysql);
	server = strcspn(value, "/");
	user = strcspn(value, "@");
	return (user < server && strcspn(value, ":") > user &&
	    strcspn(value + user + 1, "@") >= server - user - 1);
}

static bool
check_path(const struct conf_setting *s, const char *value)
{

	(void)s;
	return (value[0] == '/' || value[0] == '\0');
}

static bool
check_socket(const struct conf_setting *s, const char *value)
{
	struct address a;

	(void)s;
	return (address_parse(value, &a) == 0);
}

#define NAME_CHARS	"abcdefghijklmnopqrstuvwxyz"			\
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

static bool
check_name(const struct conf_setting *s, const char *value)
{

	(void)s;
	return (value[strspn(value, NAME_CHARS)] == '\0');
}

static bool
check_mail(const struct conf_setting *s, const char *value)
{

	(void)s;
	return (value[0] == '\0' || mail_address_ok(value));
}

/* Segments of unreserved characters (RFC 3986), none of them "." or "..". */
static bool
check_mount(const struct conf_setting *s, const char *value)
{
	static const char unreserved[] = NAME_CHARS "~";
	size_t len;

	(void)s;
	while (*value != '\0') {
		if (*value++ != '/')
			return (false);
		len = strspn(value, unreserved);
		if (len == 0 || strspn(value, ".") >= len)
			return (false);
		value += len;
	}
	return (true);
}

static bool
check_url(const struct conf_setting *s, const char *value)
{
	const char *p;

	(void)s;
	if (*value == '\0')
		return (true);
	if (strncmp(value, "https://", 8) == 0)
		p = value + 8;
	else if (strncmp(value, "http://", 7) == 0)
		p = value + 7;
	else
		return (false);
	if (*p == '\0' || *p == '/' || *p == '?' || *p == '#')
		return (false);
	for (; *p != '\0'; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
			return (false);
	}
	return (true);
}

static bool
check_nets(const struct conf_setting *s, const char *value)
{

	(void)s;
	return (net_list_check(value, "unix", NULL) == 0);
}

static bool
check_cron(const struct conf_setting *s, const char *value)
{
	struct cron c;

	(void)s;
	return (cron_parse(value, &c, NULL) == 0);
}

static bool
check_zone(const struct conf_setting *s, const char *value)
{

	(void)s;
	return (zone_name_ok(value));
}

/* ---- numbers ---- */

static int
parse_int(const char *value, int64_t *out)
{

	return (num_parse(value, strlen(value), INT64_MIN, INT64_MAX, out));
}

static int
parse_seconds(const char *value, int64_t *out)
{

	return (num_parse_duration_ms(value, MS_PER_SECOND, out));
}

static int
parse_ms(const char *value, int64_t *out)
{

	return (num_parse_duration_ms(value, 1, out));
}

static void
format_int(int64_t value, char *buf, size_t len)
{

	(void)snprintf(buf, len, "%" PRId64, value);
}

static void
format_bytes(int64_t value, char *buf, size_t len)
{
	static const char units[] = "KMGT";
	int i;

	for (i = -1; i < 3 && value >= 1024 && value % 1024 == 0; i++)
		value /= 1024;
	if (i == -1)
		format_int(value, buf, len);
	else
		(void)snprintf(buf, len, "%" PRId64 "%c", value, units[i]);
}

static void
format_seconds(int64_t ms, char *buf, size_t len)
{

	if (ms % MS_PER_SECOND == 0)
		format_int(ms / MS_PER_SECOND, buf, len);
	else
		(void)snprintf(buf, len, "%" PRId64 "ms", ms);
}

/* With its unit, for people: "250ms", "90s", "5m", "1h", "7d". */
static void
format_duration(int64_t ms, char *buf, size_t len)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {
		{ 24 * 60 * 60 * MS_PER_SECOND, "d" },
		{ 60 * 60 * MS_PER_SECOND, "h" }, { 60 * MS_PER_SECOND, "m" },
		{ MS_PER_SECOND, "s" }, { 1, "ms" },
	};
	size_t i;

	if (ms == 0) {
		(void)snprintf(buf, len, "0");
		return;
	}
	for (i = 0; ms % units[i].ms != 0; i++)
		continue;
	(void)snprintf(buf, len, "%" PRId64 "%s", ms / units[i].ms,
	    units[i].unit);
}

static const struct type types[] = {
	[CONF_STRING] = { .name = "text", .is_text = true,
		.check = check_choices },
	[CONF_STORE] = { .name = "URL", .is_text = true,
		.check = check_store, .rule = "sqlite:/path, or "
		"mysql://USER@HOST/DATABASE without a password" },
	[CONF_PATH] = { .name = "path", .is_text = true,
		.check = check_path, .rule = "an absolute path" },
	[CONF_SOCKET] = { .name = "path", .is_text = true,
		.check = check_socket, .rule = "an absolute path, or "
		"ADDRESS:PORT in numbers" },
	[CONF_NAME] = { .name = "name", .is_text = true,
		.check = check_name, .rule = "empty, or letters, digits, "
		"'.', '-' and '_'" },
	[CONF_MAIL] = { .name = "address", .is_text = true,
		.check = check_mail, .rule = "empty, or a mail address as "
		"NAME@HOST" },
	[CONF_MOUNT] = { .name = "path", .is_text = true,
		.check = check_mount, .rule = "empty, or a path such as "
		"/claude without a slash at its end" },
	[CONF_URL] = { .name = "URL", .is_text = true,
		.check = check_url, .rule = "empty, or a URL that begins with "
		"https:// or http://" },
	[CONF_NETS] = { .name = "networks", .is_text = true,
		.check = check_nets, .rule = "networks as 10.0.0.0/8 or "
		"2001:db8::/32, and the word unix, by comma" },
	[CONF_CHOICE] = { .name = "word", .is_text = true,
		.check = check_choices },
	[CONF_CRON] = { .name = "schedule", .is_text = true,
		.check = check_cron, .rule = "off, five fields as in "
		"crontab, @hourly to @yearly, or @every and a time" },
	[CONF_ZONE] = { .name = "zone", .is_text = true,
		.check = check_zone, .rule = "a time zone such as "
		"Europe/Berlin that this machine knows" },
	[CONF_INT] = { .name = "number",
		.parse = parse_int, .format = format_int, .show = format_int,
		.unit = "" },
	[CONF_BYTES] = { .name = "size",
		.parse = num_parse_bytes, .format = format_bytes,
		.show = format_bytes, .unit = " (in bytes; or k, M, G, T)" },
	[CONF_SECONDS] = { .name = "duration",
		.parse = parse_seconds, .format = format_seconds,
		.show = format_duration,
		.unit = " (in seconds; or ms, s, m, h, d)" },
	[CONF_MS] = { .name = "duration",
		.parse = parse_ms, .format = format_int,
		.show = format_duration,
		.unit = " (in milliseconds; or ms, s, m, h, d)" },
};

_Static_assert(sizeof(types) / sizeof(types[0]) == CONF_MS + 1,
    "one row for each type");

/* ---- both ---- */

const char *
conf_type_name(enum conf_type type)
{

	return (types[type].name);
}

bool
conf_value_is_text(const struct conf_setting *s)
{

	return (types[s->type].is_text);
}

char **
conf_text_field(struct conf *conf, const struct conf_setting *s)
{

	return ((char **)(void *)((char *)conf + s->offset));
}

int64_t *
conf_int_field(struct conf *conf, const struct conf_setting *s)
{

	return ((int64_t *)(void *)((char *)conf + s->offset));
}

/* "a|b|c" as "a, b, c". */
static void
format_choices(const char *choices, char *buf, size_t len)
{
	size_t out = 0;

	for (; *choices != '\0' && out + 3 < len; choices++) {
		if (*choices == '|') {
			buf[out++] = ',';
			buf[out++] = ' ';
		} else {
			buf[out++] = *choices;
		}
	}
	buf[out] = '\0';
}

void
conf_allowed(const struct conf_setting *s, char *buf, size_t len)
{
	const struct type *t = &types[s->type];
	char min[32], max[32];

	if (s->choices != NULL) {
		format_choices(s->choices, buf, len);
	} else if (t->is_text) {
		(void)snprintf(buf, len, "%s%s, of at most %" PRId64 " bytes",
		    s->type == CONF_PATH && s->min == 0 ? "empty, or " : "",
		    t->rule, s->max);
	} else {
		t->show(s->min, min, sizeof(min));
		t->show(s->max, max, sizeof(max));
		(void)snprintf(buf, len, "%s%s to %s%s", s->or_zero ?
		    "0, or " : "", min, max, t->unit);
	}
}

/* Is there such a zone? */
static enum err_code
find_zone(const char *value)
{
	struct err err = { .code = ERR_NONE };

	zone_free(zone_new(value, &err));
	return (err.code == ERR_NONE || err.code == ERR_NOMEM ? err.code :
	    ERR_INVAL);
}

static enum err_code
set_text(char **field, const struct conf_setting *s, const char *value)
{
	size_t len = strlen(value);
	enum err_code code;
	char *copy;

	if (!types[s->type].check(s, value))
		return (ERR_INVAL);
	if (s->type != CONF_CHOICE && ((int64_t)len < s->min ||
	    (int64_t)len > s->max))
		return (ERR_RANGE);
	if (s->type == CONF_ZONE && (code = find_zone(value)) != ERR_NONE)
		return (code);
	if ((copy = strdup(value)) == NULL)
		return (ERR_NOMEM);
	free(*field);
	*field = copy;
	return (ERR_NONE);
}

static enum err_code
set_number(int64_t *field, const struct conf_setting *s, const char *value)
{
	int64_t number;

	if (types[s->type].parse(value, &number))
		return (ERR_INVAL);
	if ((number < s->min || number > s->max) &&
	    !(s->or_zero && number == 0))
		return (ERR_RANGE);
	*field = number;
	return (ERR_NONE);
}

int
conf_value_set(struct conf *conf, const struct conf_setting *s,
    const char *value, struct err *err)
{
	char allowed[160];
	enum err_code code;

	if (types[s->type].is_text)
		code = set_text(conf_text_field(conf, s), s, value);
	else
		code = set_number(conf_int_field(conf, s), s, value);
	if (code == ERR_NONE)
		return (0);
	if (code == ERR_NOMEM) {
		err_set(err, code, "no memory for %s", s->name);
		return (-1);
	}
	conf_allowed(s, allowed, sizeof(allowed));
	if (s->type == CONF_STORE && (strchr(value, '@') != NULL ||
	    (strpbrk(value, ":/") == NULL && value[0] != '\0'))) {
		/* There may be a password in it, or it is one. */
		err_set(err, code, "%s: allowed: %s", s->name, allowed);
		return (-1);
	}
	err_set(err, code, "%s = \"%.60s\": allowed: %s", s->name, value,
	    allowed);
	return (-1);
}

void
conf_format(const struct conf *conf, const struct conf_setting *s, char *buf,
    size_t len)
{
	const char *field = (const char *)conf + s->offset;

	if (types[s->type].is_text)
		(void)snprintf(buf, len, "%s",
		    *(char *const *)(const void *)field);
	else
		types[s->type].format(*(const int64_t *)(const void *)field,
		    buf, len);
}
