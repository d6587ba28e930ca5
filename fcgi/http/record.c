#include <fastcgi.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "http/record.h"

/* Contents kept whole: BEGIN has 8 bytes, GET_VALUES asks for three names. */
#define KEPT_BYTES	128

/* See the header. */
enum state {
	STATE_REST,
	STATE_PARAMS,
	STATE_STDIN,
	STATE_WHOLE
};

/* What becomes of a record's content. */
enum sink {
	SINK_SKIP,
	SINK_STRAY,		/* skipped and counted */
	SINK_KEEP,
	SINK_PARAMS,
	SINK_STDIN
};

struct record_parser {
	enum state state;
	bool begun;		/* there was a BEGIN */
	uint16_t id;		/* of the open request, or of the last one */
	size_t skipped;

	/* the record that comes in */
	unsigned char head[FCGI_HEADER_LEN];
	size_t head_len;
	enum sink sink;
	size_t content_left;
	size_t padding_left;
	bool ended;		/* its content was seen to the end */
	unsigned char kept[KEPT_BYTES];
	size_t kept_len;

	/* PARAMS not yet told; the pair at its head is lent out */
	struct buf params;
	size_t params_max;
	size_t params_bytes;
	size_t pair_lent;
	size_t in_lent;		/* likewise, at the head of the input */

	enum err_code failed;	/* ERR_NONE, or for good */
	const char *why;
};

/* A name-value pair; total counts its lengths too. */
struct pair {
	const unsigned char *name, *value;
	size_t name_len, value_len;
	size_t total;
};

/* What GET_VALUES may ask for, in the order of the bits of an event. */
static const char *const asked_names[] = { FCGI_MAX_CONNS, FCGI_MAX_REQS,
	FCGI_MPXS_CONNS };

#define NASKED	(sizeof(asked_names) / sizeof(asked_names[0]))

struct record_parser *
record_parser_new(size_t params_max)
{
	struct record_parser *rp;

	if ((rp = calloc(1, sizeof(*rp))) == NULL)
		return (NULL);
	rp->params_max = params_max;
	buf_init(&rp->params, params_max);
	return (rp);
}

void
record_parser_free(struct record_parser *rp)
{

	if (rp == NULL)
		return;
	buf_wipe(&rp->params);
	free(rp);
}

static int
fail(struct record_parser *rp, enum err_code code, const char *why)
{

	rp->failed = code;
	rp->why = why;
	buf_wipe(&rp->params);
	rp->pair_lent = 0;
	return (-1);
}

static uint8_t
record_type(const struct record_parser *rp)
{

	return (rp->head[1]);
}

static uint16_t
record_id(const struct record_parser *rp)
{

	return ((uint16_t)(rp->head[2] << 8 | rp->head[3]));
}

static size_t
record_length(const struct record_parser *rp)
{

	return ((size_t)rp->head[4] << 8 | rp->head[5]);
}

/* Whether the record belongs to the request that is open. */
static bool
is_open(const struct record_parser *rp)
{

	return (rp->state != STATE_REST && record_id(rp) == rp->id);
}

/* Read one length of 1 or 4 bytes; how many, or 0 when more are needed. */
static size_t
length_read(const unsigned char *p, size_t n, size_t *len)
{

	if (n >= 1 && p[0] < 0x80) {
		*len = p[0];
		return (1);
	}
	if (n < 4)
		return (0);
	*len = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 |
	    (size_t)p[2] << 8 | p[3];
	return (4);
}

/* Read a pair's lengths: 1, or 0 when more is needed.  It may not fit ${n}. */
static int
pair_read(const unsigned char *p, size_t n, struct pair *pair)
{
	size_t a, b;

	if ((a = length_read(p, n, &pair->name_len)) == 0 ||
	    (b = length_read(p + a, n - a, &pair->value_len)) == 0)
		return (0);
	pair->total = a + b + pair->name_len + pair->value_len;
	if (pair->total <= n) {
		pair->name = p + a + b;
		pair->value = pair->name + pair->name_len;
	}
	return (1);
}

/* The next pair of PARAMS as an event: 1, or 0: not whole yet, or -1. */
static int
next_pair(struct record_parser *rp, struct record_event *ev)
{
	struct pair pair;
	size_t n = buf_len(&rp->params);

	if (n == 0 || !pair_read(buf_head(&rp->params), n, &pair))
		return (0);
	if (pair.total > rp->params_max)
		return (fail(rp, ERR_TOO_LARGE, "a parameter is too large"));
	if (pair.total > n)
		return (0);
	ev->kind = RECORD_PARAM;
	ev->request_id = rp->id;
	ev->name = pair.name;
	ev->name_len = pair.name_len;
	ev->value = pair.value;
	ev->value_len = pair.value_len;
	rp->pair_lent = pair.total;
	return (1);
}

/* A head is whole: decide what its content is for. */
static int
begin_record(struct record_parser *rp)
{
	uint8_t type = record_type(rp);

	if (rp->head[0] != FCGI_VERSION_1)
		return (fail(rp, ERR_PROTO, "not a FastCGI 1.0 record"));
	rp->content_left = record_length(rp);
	rp->padding_left = rp->head[6];
	rp->ended = false;
	rp->kept_len = 0;
	rp->sink = SINK_SKIP;
	if (record_id(rp) == FCGI_NULL_REQUEST_ID) {
		if (type == FCGI_GET_VALUES)
			rp->sink = SINK_KEEP;
	} else if (type == FCGI_BEGIN_REQUEST) {
		rp->sink = SINK_KEEP;
	} else if (!rp->begun) {
		return (fail(rp, ERR_PROTO, "a record before BEGIN_REQUEST"));
	} else if (!is_open(rp)) {
		rp->sink = SINK_STRAY;
		rp->skipped += FCGI_HEADER_LEN;
	} else if (type == FCGI_PARAMS) {
		if (rp->state != STATE_PARAMS)
			return (fail(rp, ERR_PROTO, "PARAMS after their end"));
		rp->sink = SINK_PARAMS;
	} else if (type == FCGI_STDIN) {
		if (rp->state == STATE_PARAMS)
			return (fail(rp, ERR_PROTO,
			    "STDIN before the end of PARAMS"));
		if (rp->state == STATE_WHOLE)
			return (fail(rp, ERR_PROTO, "STDIN after its end"));
		rp->sink = SINK_STDIN;
	}
	return (0);
}

static int
keep_content(struct record_parser *rp, const unsigned char *p, size_t n)
{

	if (n > KEPT_BYTES - rp->kept_len)
		return (fail(rp, ERR_PROTO, "malformed record"));
	memcpy(rp->kept + rp->kept_len, p, n);
	rp->kept_len += n;
	return (0);
}

static int
keep_params(struct record_parser *rp, const unsigned char *p, size_t n)
{

	if (n > rp->params_max - rp->params_bytes)
		return (fail(rp, ERR_TOO_LARGE,
		    "the parameters are too large"));
	if (buf_append(&rp->params, p, n))
		return (fail(rp, ERR_NOMEM, "no memory for parameters"));
	rp->params_bytes += n;
	return (0);
}

/*
 * Take what is there of the content: 1 with a STDIN event, which borrows it
 * from ${in}, 0 when it is consumed, or -1.
 */
static int
take_content(struct record_parser *rp, struct buf *in, struct record_event *ev)
{
	const unsigned char *p = buf_head(in);
	size_t n = buf_len(in);
	int rc = 0;

	if (n > rp->content_left)
		n = rp->content_left;
	rp->content_left -= n;
	if (rp->sink == SINK_STDIN) {
		ev->kind = RECORD_STDIN;
		ev->request_id = rp->id;
		ev->value = p;
		ev->value_len = n;
		rp->in_lent = n;
		return (1);
	}
	if (rp->sink == SINK_KEEP)
		rc = keep_content(rp, p, n);
	else if (rp->sink == SINK_PARAMS)
		rc = keep_params(rp, p, n);
	else if (rp->sink == SINK_STRAY)
		rp->skipped += n;
	buf_consume(in, n);
	return (rc);
}

static int
end_begin(struct record_parser *rp, struct record_event *ev)
{
	FCGI_BeginRequestBody body;

	if (rp->kept_len != sizeof(body))
		return (fail(rp, ERR_PROTO, "malformed BEGIN_REQUEST"));
	memcpy(&body, rp->kept, sizeof(body));
	if (is_open(rp))
		return (fail(rp, ERR_PROTO,
		    "BEGIN_REQUEST for a request that is open"));
	ev->kind = RECORD_BEGIN;
	ev->role = (uint16_t)(body.roleB1 << 8 | body.roleB0);
	ev->keep_conn = (body.flags & FCGI_KEEP_CONN) != 0;
	if (rp->state == STATE_REST) {
		rp->state = STATE_PARAMS;
		rp->id = record_id(rp);
		rp->params_bytes = 0;
		rp->skipped = 0;
	}
	rp->begun = true;
	return (1);
}

static int
end_params(struct record_parser *rp, struct record_event *ev)
{

	if (record_length(rp) > 0)
		return (0);
	if (buf_len(&rp->params) > 0)
		return (fail(rp, ERR_PROTO, "PARAMS end within a pair"));
	buf_wipe(&rp->params);
	rp->state = STATE_STDIN;
	ev->kind = RECORD_PARAMS_END;
	return (1);
}

static int
end_stdin(struct record_parser *rp, struct record_event *ev)
{

	if (record_length(rp) > 0)
		return (0);
	rp->state = STATE_WHOLE;
	ev->kind = RECORD_STDIN_END;
	return (1);
}

/* Which values are asked for; unknown ones are left out, as FastCGI has it. */
static int
end_get_values(struct record_parser *rp, struct record_event *ev)
{
	struct pair pair;
	size_t i, off;

	for (off = 0; off < rp->kept_len; off += pair.total) {
		if (!pair_read(rp->kept + off, rp->kept_len - off, &pair) ||
		    pair.total > rp->kept_len - off)
			return (fail(rp, ERR_PROTO, "malformed GET_VALUES"));
		for (i = 0; i < NASKED; i++) {
			if (pair.name_len == strlen(asked_names[i]) &&
			    !memcmp(pair.name, asked_names[i], pair.name_len))
				ev->asked |= 1u << i;
		}
	}
	ev->kind = RECORD_GET_VALUES;
	return (1);
}

/* The content is over: 1 with an event, or 0: there is none, or -1. */
static int
end_record(struct record_parser *rp, struct record_event *ev)
{
	uint8_t type = record_type(rp);

	ev->request_id = record_id(rp);
	if (rp->sink == SINK_PARAMS)
		return (end_params(rp, ev));
	if (rp->sink == SINK_STDIN)
		return (end_stdin(rp, ev));
	if (rp->sink == SINK_KEEP)
		return (type == FCGI_BEGIN_REQUEST ? end_begin(rp, ev) :
		    end_get_values(rp, ev));
	if (record_id(rp) == FCGI_NULL_REQUEST_ID) {
		ev->kind = RECORD_UNKNOWN;
		ev->type = type;
		return (1);
	}
	if (type == FCGI_ABORT_REQUEST && is_open(rp)) {
		ev->kind = RECORD_ABORT;
		return (1);
	}
	return (0);
}

/* Take what is there of the head; nonzero when it is whole. */
static int
take_head(struct record_parser *rp, struct buf *in)
{
	size_t n = buf_len(in);

	if (n > FCGI_HEADER_LEN - rp->head_len)
		n = FCGI_HEADER_LEN - rp->head_len;
	if (n > 0)
		memcpy(rp->head + rp->head_len, buf_head(in), n);
	rp->head_len += n;
	buf_consume(in, n);
	return (rp->head_len == FCGI_HEADER_LEN);
}

/* Go over the padding; nonzero when the record is done with. */
static int
take_padding(struct record_parser *rp, struct buf *in)
{
	size_t n = buf_len(in);

	if (n > rp->padding_left)
		n = rp->padding_left;
	rp->padding_left -= n;
	buf_consume(in, n);
	if (rp->padding_left > 0)
		return (0);
	rp->head_len = 0;
	return (1);
}

/* One step within a record: 1 with an event, 0: go on, or -1. */
static int
take(struct record_parser *rp, struct buf *in, struct record_event *ev)
{
	int rc;

	if (rp->content_left > 0 && buf_len(in) > 0 &&
	    (rc = take_content(rp, in, ev)) != 0)
		return (rc);
	if ((rc = next_pair(rp, ev)) != 0)
		return (rc);
	if (rp->content_left == 0 && !rp->ended) {
		rp->ended = true;
		return (end_record(rp, ev));
	}
	return (0);
}

static void
take_back(struct record_parser *rp, struct buf *in)
{

	buf_consume(in, rp->in_lent);
	rp->in_lent = 0;
	buf_consume(&rp->params, rp->pair_lent);
	rp->pair_lent = 0;
}

int
record_next(struct record_parser *rp, struct buf *in, struct record_event *ev,
    struct err *err)
{
	int rc = 0;

	take_back(rp, in);
	memset(ev, 0, sizeof(*ev));
	while (rp->failed == ERR_NONE) {
		if (rp->head_len < FCGI_HEADER_LEN) {
			if (!take_head(rp, in))
				return (0);
			if (begin_record(rp))
				break;
		}
		if ((rc = take(rp, in, ev)) == 1)
			return (1);
		if (rc == -1)
			break;
		if (rp->content_left > 0 || !take_padding(rp, in))
			return (0);
	}
	err_set(err, rp->failed, "%s", rp->why);
	return (-1);
}

void
record_request_done(struct record_parser *rp)
{

	rp->state = STATE_REST;
	buf_wipe(&rp->params);
	rp->pair_lent = 0;
	if (rp->sink == SINK_PARAMS || rp->sink == SINK_STDIN)
		rp->sink = SINK_STRAY;
}

bool
record_between(const struct record_parser *rp)
{

	return (rp->state == STATE_REST && rp->head_len == 0);
}

size_t
record_skipped(const struct record_parser *rp)
{

	return (rp->skipped);
}
