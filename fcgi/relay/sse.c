#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "relay/sse.h"

/* Longest event type that is kept whole; Anthropic's have 19 bytes. */
#define TYPE_MAX	63

/* An event's memory is given back after it if it took more than this. */
#define KEEP_BYTES	(8 * 1024)

/*
 * Where the parser stands within a line.  A line is a field name, and where
 * a ':' follows, a value, of which one leading space does not count.
 */
enum state {
	ST_BOM,		/* at the very start: bom bytes of a BOM are read */
	ST_NAME,	/* in the name, name_len bytes are read */
	ST_SPACE,	/* after the ':' */
	ST_VALUE	/* in the value */
};

/* What becomes of the value of the line at hand. */
enum field {
	FIELD_OTHER,	/* ignored: comments, id, retry, unknown names */
	FIELD_EVENT,
	FIELD_DATA
};

struct sse {
	enum state state;
	size_t bom;
	bool skip_lf;		/* the last byte was a CR that ended a line */

	char name[8];
	size_t name_len;	/* beyond sizeof(name): too long to match */
	enum field field;

	/* The event at hand. */
	bool ended;		/* it was given out: clear it before more */
	bool has_type, has_data;
	char type[TYPE_MAX + 1];
	size_t type_len;
	struct buf data;
	size_t data_max;
	uint64_t data_full_len;
};

struct sse *
sse_new(size_t data_max)
{
	struct sse *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->data_max = data_max;
	buf_init(&s->data, data_max + 1);
	return (s);
}

void
sse_free(struct sse *s)
{

	if (s == NULL)
		return;
	buf_fini(&s->data);
	free(s);
}

/* Make room for the next event. */
static void
clear_event(struct sse *s)
{

	s->ended = false;
	s->has_type = s->has_data = false;
	s->type_len = 0;
	s->data_full_len = 0;
	if (s->data.cap > KEEP_BYTES)
		buf_fini(&s->data);
	else
		buf_reset(&s->data);
}

/*
 * Lines.
 */

static int
add_data(struct sse *s, const void *p, size_t n)
{
	size_t room = s->data_max - buf_len(&s->data);

	s->data_full_len += n;
	return (buf_append(&s->data, p, n < room ? n : room));
}

/* The name is read to its end; the value begins.  -1 without memory. */
static int
start_value(struct sse *s)
{

	s->field = FIELD_OTHER;
	if (s->name_len == 5 && memcmp(s->name, "event", 5) == 0) {
		s->field = FIELD_EVENT;
		s->has_type = true;
		s->type_len = 0;
	} else if (s->name_len == 4 && memcmp(s->name, "data", 4) == 0) {
		s->field = FIELD_DATA;
		if (s->has_data)
			return (add_data(s, "\n", 1));
		s->has_data = true;
	}
	return (0);
}

static int
add_value(struct sse *s, const unsigned char *p, size_t n)
{
	size_t room;

	if (s->field == FIELD_DATA)
		return (add_data(s, p, n));
	if (s->field == FIELD_EVENT) {
		room = TYPE_MAX - s->type_len;
		n = n < room ? n : room;
		memcpy(s->type + s->type_len, p, n);
		s->type_len += n;
	}
	return (0);
}

/* A part of a line, without its end; -1 without memory. */
static int
read_line(struct sse *s, const unsigned char *p, const unsigned char *end)
{

	for (; p < end && s->state == ST_NAME; p++) {
		if (*p == ':') {
			if (start_value(s) == -1)
				return (-1);
			s->state = ST_SPACE;
		} else if (s->name_len < sizeof(s->name))
			s->name[s->name_len++] = (char)*p;
	}
	if (p < end && s->state == ST_SPACE) {
		s->state = ST_VALUE;
		if (*p == ' ')
			p++;
	}
	return (p < end ? add_value(s, p, (size_t)(end - p)) : 0);
}

/* A line is over.  1: it was blank and ends an event; 0; -1: no memory. */
static int
end_line(struct sse *s)
{
	bool blank = s->state == ST_NAME && s->name_len == 0;
	int rc = 0;

	if (s->state == ST_NAME && !blank)
		rc = start_value(s);
	s->state = ST_NAME;
	s->name_len = 0;
	return (blank ? 1 : rc);
}

/*
 * Bytes.
 */

/* Pass over a BOM at the start of the stream; the bytes that were of it. */
static size_t
read_bom(struct sse *s, const unsigned char *p, size_t n)
{
	static const unsigned char bom[] = { 0xef, 0xbb, 0xbf };
	size_t i;

	for (i = 0; i < n && s->bom < sizeof(bom); i++, s->bom++)
		if (p[i] != bom[s->bom])
			break;
	if (i < n && s->bom < sizeof(bom) && s->bom > 0)
		s->name_len = sizeof(s->name);	/* of no field we know */
	if (i < n || s->bom == sizeof(bom))
		s->state = ST_NAME;
	return (i);
}

static int
give_event(struct sse *s, struct sse_event *ev)
{

	s->ended = true;
	s->type[s->type_len] = '\0';
	ev->type = s->type_len > 0 ? s->type : "message";
	ev->data_len = buf_len(&s->data);
	ev->data_full_len = s->data_full_len;
	ev->data_cut = s->data_full_len > ev->data_len;
	ev->comment_only = !s->has_type && !s->has_data;
	ev->data = "";
	if (ev->data_len > 0 && (ev->data = buf_cstr(&s->data)) == NULL)
		return (-1);
	return (1);
}

/* Read up to the end of an event, and tell where that is. */
static int
read_lines(struct sse *s, const unsigned char *p, const unsigned char *end,
    const unsigned char **stop)
{
	const unsigned char *eol;
	int rc = 0;

	while (p < end && rc == 0) {
		if (s->skip_lf && *p == '\n')
			p++;
		s->skip_lf = false;
		for (eol = p; eol < end && *eol != '\n' && *eol != '\r'; eol++)
			continue;
		if (eol > p)
			rc = read_line(s, p, eol);
		p = eol;
		if (rc == -1 || p == end)
			break;
		s->skip_lf = *p++ == '\r';
		rc = end_line(s);
	}
	if (rc == 1 && s->skip_lf && p < end) {
		p += *p == '\n';
		s->skip_lf = false;
	}
	*stop = p;
	return (rc);
}

int
sse_push(struct sse *s, const void *bytes, size_t n, size_t *used,
    struct sse_event *ev)
{
	const unsigned char *p = bytes, *stop;
	size_t bom = 0;
	int rc;

	*used = 0;
	if (n == 0)
		return (0);
	if (s->ended)
		clear_event(s);
	if (s->state == ST_BOM)
		bom = read_bom(s, p, n);
	if ((rc = read_lines(s, p + bom, p + n, &stop)) == 1)
		rc = give_event(s, ev);
	*used = (size_t)(stop - p);
	return (rc);
}
