#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"

#include "base/zone_internal.h"

#define FOLDER	"/usr/share/zoneinfo"

/* ---- the bytes of a file, RFC 8536 section 3 ---- */

/* A place in the file; the first mismatch sticks. */
struct cursor {
	const unsigned char *p;
	size_t left;
	bool bad;
};

/* The counts in a header, in their order. */
struct header {
	unsigned char version;
	uint64_t isut, isstd, leaps, times, types, chars;
};

#define HEADER_BYTES	44
#define TYPE_BYTES	6

static const unsigned char *
take(struct cursor *c, uint64_t n)
{
	static const unsigned char none[HEADER_BYTES];
	const unsigned char *p = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		return (none);
	}
	c->p += n;
	c->left -= (size_t)n;
	return (p);
}

/* A number of ${n} bytes, the most significant first. */
static uint64_t
number(const unsigned char *p, size_t n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | *p++;
	return (value);
}

static void
take_header(struct cursor *c, struct header *h)
{
	const unsigned char *p = take(c, HEADER_BYTES);

	if (memcmp(p, "TZif", 4) != 0)
		c->bad = true;
	h->version = p[4];
	h->isut = number(p + 20, 4);
	h->isstd = number(p + 24, 4);
	h->leaps = number(p + 28, 4);
	h->times = number(p + 32, 4);
	h->types = number(p + 36, 4);
	h->chars = number(p + 40, 4);
}

/* Bytes of the block that a header heads, its times having ${width} bytes. */
static uint64_t
block_bytes(const struct header *h, size_t width)
{

	return (h->times * (width + 1) + h->types * TYPE_BYTES + h->chars +
	    h->leaps * (width + 4) + h->isstd + h->isut);
}

/* ---- the table ---- */

static int
put_change(struct zone *z, int64_t at_s, int64_t offset_s)
{

	if (offset_s < ZONE_OFFSET_MIN_S || offset_s > ZONE_OFFSET_MAX_S ||
	    (z->n > 0 && at_s <= z->at_s[z->n - 1]))
		return (-1);
	z->at_s[z->n++] = at_s;
	z->offset_s[z->n] = (int32_t)offset_s;
	return (0);
}

static int
grow(struct zone *z, size_t n)
{
	int64_t *at;
	int32_t *offset;

	if ((at = realloc(z->at_s, (n + 1) * sizeof(*at))) == NULL)
		return (-1);
	z->at_s = at;
	offset = realloc(z->offset_s, (n + 1) * sizeof(*offset));
	if (offset == NULL)
		return (-1);
	z->offset_s = offset;
	return (0);
}

/* The block behind its header. */
static int
take_changes(struct cursor *c, const struct header *h, size_t width,
    struct zone *z, struct err *err)
{
	const unsigned char *at, *type, *types;
	uint64_t i, t;

	if (h->types == 0 || h->leaps != 0 || block_bytes(h, width) > c->left)
		goto err0;
	at = take(c, h->times * width);
	type = take(c, h->times);
	types = take(c, h->types * TYPE_BYTES);
	(void)take(c, block_bytes(h, width) - h->times * (width + 1) -
	    h->types * TYPE_BYTES);
	if (grow(z, (size_t)h->times)) {
		err_set(err, ERR_NOMEM, "no memory for a time zone");
		return (-1);
	}
	/* Before the first change it is the first type. */
	for (i = 0; i <= h->times; i++) {
		t = i == 0 ? 0 : type[i - 1];
		if (t >= h->types)
			goto err0;
		t = number(types + t * TYPE_BYTES, 4);
		if (i == 0)
			z->offset_s[0] = (int32_t)(uint32_t)t;
		else if (put_change(z, width == 8 ?
		    (int64_t)number(at + (i - 1) * 8, 8) :
		    (int32_t)(uint32_t)number(at + (i - 1) * 4, 4),
		    (int32_t)(uint32_t)t))
			goto err0;
	}
	if (z->offset_s[0] >= ZONE_OFFSET_MIN_S &&
	    z->offset_s[0] <= ZONE_OFFSET_MAX_S)
		return (0);

err0:
	err_set(err, ERR_PROTO, "time zone %s: %s", z->name, h->leaps != 0 ?
	    "the file counts leap seconds" : "the file is damaged");
	return (-1);
}

/* ---- what the rule says, written out ---- */

struct change {
	int64_t at_s;
	int32_t offset_s;
	bool dst;
};

/* By time; where both fall on one, summer time lasts all year and stays. */
static int
change_cmp(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->at_s != y->at_s)
		return (x->at_s < y->at_s ? -1 : 1);
	return (x->dst - y->dst);
}

/* Years that are written out: a cycle, and one or two at each end. */
#define YEARS	(ZONE_CYCLE_YEARS + 4)

static int
put_changes(struct zone *z, const struct change *list)
{
	size_t i;

	for (i = 0; i < 2 * YEARS; i++) {
		if (i + 1 < 2 * YEARS && list[i + 1].at_s == list[i].at_s)
			continue;
		if (z->n > 0 && list[i].at_s <= z->at_s[z->n - 1])
			continue;
		if (put_change(z, list[i].at_s, list[i].offset_s))
			return (-1);
	}
	return (0);
}

/* Go on after the last change as ${r} says, from the year of that change. */
static int
write_out(struct zone *z, const struct zone_rule *r, struct err *err)
{
	struct change *list;
	int64_t from, last;
	size_t i;
	int m, d, rc;

	last = z->n > 0 ? z->at_s[z->n - 1] : ZONE_MIN_MS / 1000;
	if (last < ZONE_MIN_MS / 1000)
		last = ZONE_MIN_MS / 1000;
	if (!r->dst || last > ZONE_MAX_MS / 1000)
		return (0);
	clock_civil(last / 86400, &from, &m, &d);
	if ((list = calloc(2 * YEARS, sizeof(*list))) == NULL ||
	    grow(z, z->n + 2 * YEARS)) {
		free(list);
		err_set(err, ERR_NOMEM, "no memory for a time zone");
		return (-1);
	}
	for (i = 0; i < YEARS; i++) {
		list[2 * i] = (struct change) {
			zone_rule_at(&r->start, from - 1 + (int64_t)i,
			    r->std_s), r->dst_s, true };
		list[2 * i + 1] = (struct change) {
			zone_rule_at(&r->end, from - 1 + (int64_t)i,
			    r->dst_s), r->std_s, false };
	}
	qsort(list, 2 * YEARS, sizeof(*list), change_cmp);
	if ((rc = put_changes(z, list)) != 0)
		err_set(err, ERR_PROTO, "time zone %s: the file is damaged",
		    z->name);
	free(list);
	z->cyclic = true;
	z->cycle_s = clock_days(from + 1 + ZONE_CYCLE_YEARS, 1, 1) * 86400;
	return (rc);
}

/* The text between two newlines at the end of the file; empty: no rule. */
static int
take_rule(struct cursor *c, struct zone *z, struct err *err)
{
	struct zone_rule rule;
	const char *s = (const char *)c->p;
	size_t n = c->left;

	if (n < 2 || s[0] != '\n' || s[n - 1] != '\n')
		goto err0;
	if (n == 2)
		return (0);
	if (zone_rule_parse(s + 1, n - 2, &rule))
		goto err0;
	if (z->n == 0 && !rule.dst)
		z->offset_s[0] = rule.std_s;
	return (write_out(z, &rule, err));

err0:
	err_set(err, ERR_PROTO, "time zone %s: the file's rule is damaged",
	    z->name);
	return (-1);
}

struct zone *
zone_parse(const char *name, const void *data, size_t n, struct err *err)
{
	struct cursor c = { data, n, false };
	struct header h;
	struct zone *z;
	size_t width = 4;

	if ((z = calloc(1, sizeof(*z))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a time zone");
		return (NULL);
	}
	(void)snprintf(z->name, sizeof(z->name), "%s", name);
	take_header(&c, &h);
	if (!c.bad && h.version >= '2') {
		/* The first block is for readers of version 1. */
		(void)take(&c, block_bytes(&h, 4));
		take_header(&c, &h);
		width = 8;
	}
	if (c.bad) {
		err_set(err, ERR_PROTO, "time zone %s: not a TZif file", name);
		goto err1;
	}
	if (take_changes(&c, &h, width, z, err) ||
	    (width == 8 && take_rule(&c, z, err)))
		goto err1;
	return (z);

err1:
	zone_free(z);
	return (NULL);
}

/* ---- names and files ---- */

bool
zone_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+";
	const char *p = name;
	size_t n;

	if (strlen(name) >= ZONE_NAME_SIZE || *p < 'A' || *p > 'Z')
		return (false);
	while ((n = strspn(p, letters)) > 0) {
		if (p[n] == '\0')
			return (true);
		if (p[n] != '/')
			return (false);
		p += n + 1;
	}
	return (false);
}

static struct zone *
utc(struct err *err)
{
	static const unsigned char file[] =
	    "TZif2\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "TZif2\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
	    "\0\0\0\0\0\0UTC\0\nUTC0\n";

	return (zone_parse("UTC", file, sizeof(file) - 1, err));
}

/* Read ${path} into ${data}; its length, or -1. */
static ssize_t
read_zone(const char *path, unsigned char *data, struct err *err)
{
	struct stat st;
	ssize_t n, sum = -1;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1) {
		err_set_errno(err, errno == ENOENT || errno == ENOTDIR ?
		    ERR_NOT_FOUND : ERR_IO, errno, "cannot open %s", path);
		return (-1);
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > LIMIT_ZONE_BYTES) {
		err_set(err, ERR_NOT_FOUND, "%s is no time zone", path);
		goto out;
	}
	for (sum = 0; sum < LIMIT_ZONE_BYTES; sum += n) {
		n = read(fd, data + sum, LIMIT_ZONE_BYTES - (size_t)sum);
		if (n == -1) {
			err_set_errno(err, ERR_IO, errno, "cannot read %s",
			    path);
			sum = -1;
			goto out;
		}
		if (n == 0)
			break;
	}
out:
	(void)close(fd);
	return (sum);
}

struct zone *
zone_new(const char *name, struct err *err)
{
	const char *folder = getenv("TZDIR");
	unsigned char *data;
	struct zone *z = NULL;
	char path[512];
	ssize_t n;

	if (!zone_name_ok(name)) {
		err_set(err, ERR_INVAL, "not the name of a time zone, such as "
		    "Europe/Berlin: \"%.64s\"", name);
		return (NULL);
	}
	if (strcmp(name, "UTC") == 0)
		return (utc(err));
	if (folder == NULL || folder[0] == '\0')
		folder = FOLDER;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >=
	    sizeof(path)) {
		err_set(err, ERR_INVAL, "TZDIR is too long");
		return (NULL);
	}
	if ((data = malloc(LIMIT_ZONE_BYTES)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a time zone");
		return (NULL);
	}
	if ((n = read_zone(path, data, err)) >= 0)
		z = zone_parse(name, data, (size_t)n, err);
	free(data);
	return (z);
}
