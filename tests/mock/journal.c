#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "mock/journal.h"

/* More accounts than any test has. */
#define CREDENTIALS_MAX	1024

/* Bodies of this size at the most are kept. */
#define BODY_MAX_BYTES	(64 * 1024 * 1024)

static const char *const phase_names[] = {
	[JOURNAL_HEAD] = "head",
	[JOURNAL_FIRST] = "first",
	[JOURNAL_STREAMING] = "streaming",
};
_Static_assert(sizeof(phase_names) / sizeof(phase_names[0]) ==
    JOURNAL_NPHASES, "one name each");

struct credential {
	char name[128];
	int64_t in_flight, high_water, served;
};

struct journal {
	struct journal_entry *entries;
	size_t size;
	uint64_t last_id;
	bool keep_bodies;
	struct credential credentials[CREDENTIALS_MAX];
	int ncredentials;
};

int64_t
journal_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

struct journal *
journal_new(size_t size)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return (NULL);
	j->size = size;
	if (size > 0 &&
	    (j->entries = calloc(size, sizeof(*j->entries))) == NULL) {
		free(j);
		return (NULL);
	}
	for (size_t i = 0; i < size; i++) {
		buf_init(&j->entries[i].head, BODY_MAX_BYTES);
		buf_init(&j->entries[i].body, BODY_MAX_BYTES);
	}
	return (j);
}

void
journal_free(struct journal *j)
{

	if (j == NULL)
		return;
	for (size_t i = 0; i < j->size; i++) {
		buf_fini(&j->entries[i].head);
		buf_fini(&j->entries[i].body);
	}
	free(j->entries);
	free(j);
}

void
journal_reset(struct journal *j)
{

	for (size_t i = 0; i < j->size; i++)
		if (j->entries[i].ended != NULL)
			j->entries[i].id = 0;
	for (int i = 0; i < j->ncredentials; i++) {
		j->credentials[i].high_water = j->credentials[i].in_flight;
		j->credentials[i].served = 0;
	}
}

void
journal_keep_bodies(struct journal *j, bool keep)
{

	j->keep_bodies = keep;
}

/* The counter of a credential, made when it is new; -1: too many. */
static int
find_credential(struct journal *j, const char *name)
{
	int i;

	for (i = 0; i < j->ncredentials; i++)
		if (strcmp(j->credentials[i].name, name) == 0)
			return (i);
	if (i == CREDENTIALS_MAX)
		return (-1);
	snprintf(j->credentials[i].name, sizeof(j->credentials[i].name), "%s",
	    name);
	j->ncredentials++;
	return (i);
}

static void
count_begin(struct journal *j, int i)
{
	struct credential *c = &j->credentials[i];

	c->served++;
	if (++c->in_flight > c->high_water)
		c->high_water = c->in_flight;
}

static void
fill(struct journal *j, struct journal_entry *e, const struct journal_begin *b)
{

	buf_reset(&e->head);
	buf_fini(&e->body);
	if (buf_append(&e->head, b->head, b->head_len) != 0 ||
	    (j->keep_bodies &&
	    buf_append(&e->body, b->body, b->body_len) != 0))
		e->id = 0;
	snprintf(e->method, sizeof(e->method), "%s", b->method);
	snprintf(e->path, sizeof(e->path), "%s", b->path);
	snprintf(e->credential, sizeof(e->credential), "%s", b->credential);
	snprintf(e->model, sizeof(e->model), "%s", b->model);
	crypto_hash_sha256(e->sha256, b->body, b->body_len);
	e->body_len = b->body_len;
	e->stream = b->stream;
	e->connection = b->connection;
	e->nth = b->nth;
	e->started_us = journal_now_us();
	e->head_us = e->first_us = e->ended_us = 0;
	e->status = 0;
	e->phase = JOURNAL_HEAD;
	e->ended = NULL;
	e->deltas = e->bytes = 0;
	memset(&e->usage, 0, sizeof(e->usage));
}

void
journal_begin(struct journal *j, const struct journal_begin *b,
    struct journal_ticket *t)
{

	t->id = ++j->last_id;
	t->credential = b->counted ? find_credential(j, b->credential) : -1;
	if (t->credential >= 0)
		count_begin(j, t->credential);
	t->entry = j->size == 0 ? NULL : &j->entries[t->id % j->size];
	if (t->entry != NULL) {
		t->entry->id = t->id;
		fill(j, t->entry, b);
	}
}

struct journal_entry *
journal_entry(const struct journal_ticket *t)
{

	return (t->entry != NULL && t->entry->id == t->id ? t->entry : NULL);
}

void
journal_end(struct journal *j, struct journal_ticket *t, const char *ended)
{
	struct journal_entry *e = journal_entry(t);

	if (t->credential >= 0)
		j->credentials[t->credential].in_flight--;
	t->credential = -1;
	if (e != NULL) {
		e->ended = ended;
		e->ended_us = journal_now_us();
	}
	t->entry = NULL;
}

/* Bytes as the code points U+0000 to U+00FF, so that JSON can carry any. */
static json_t *
bytes_json(const struct buf *b)
{
	const unsigned char *p = buf_head(b);
	size_t n = buf_len(b), o = 0;
	char *s = malloc(2 * n + 1);
	json_t *v;

	if (s == NULL)
		return (NULL);
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x80)
			s[o++] = (char)p[i];
		else {
			s[o++] = (char)(0xc0 | p[i] >> 6);
			s[o++] = (char)(0x80 | (p[i] & 0x3f));
		}
	}
	v = json_stringn_nocheck(s, o);
	free(s);
	return (v);
}

static json_t *
ms_json(int64_t us)
{

	return (us == 0 ? json_null() : json_real((double)us / 1000));
}

static json_t *
usage_json(const struct answer_usage *u)
{

	return (json_pack("{s:I,s:I,s:I,s:I,s:I}",
	    "input", (json_int_t)u->input, "output", (json_int_t)u->output,
	    "cache_read", (json_int_t)u->cache_read,
	    "cache_5m", (json_int_t)u->cache_5m,
	    "cache_1h", (json_int_t)u->cache_1h));
}

static json_t *
entry_json(const struct journal_entry *e)
{
	char sha[2 * crypto_hash_sha256_BYTES + 1];

	sodium_bin2hex(sha, sizeof(sha), e->sha256, sizeof(e->sha256));
	return (json_pack("{s:I,s:s,s:s,s:s,s:s,s:b,s:o,s:I,s:s,s:o?,"
	    "s:I,s:I,s:o,s:o,s:o,s:o,s:i,s:s,s:s?,s:I,s:I,s:o}",
	    "id", (json_int_t)e->id, "method", e->method, "path", e->path,
	    "credential", e->credential, "model", e->model,
	    "stream", e->stream, "head", bytes_json(&e->head),
	    "body_bytes", (json_int_t)e->body_len, "body_sha256", sha,
	    "body", buf_len(&e->body) > 0 ? bytes_json(&e->body) : NULL,
	    "connection", (json_int_t)e->connection,
	    "nth", (json_int_t)e->nth,
	    "started_ms", ms_json(e->started_us),
	    "head_ms", ms_json(e->head_us), "first_ms", ms_json(e->first_us),
	    "ended_ms", ms_json(e->ended_us), "status", e->status,
	    "phase", phase_names[e->phase], "ended", e->ended,
	    "deltas", (json_int_t)e->deltas, "bytes", (json_int_t)e->bytes,
	    "usage", usage_json(&e->usage)));
}

static json_t *
credentials_json(const struct journal *j)
{
	const struct credential *c;
	json_t *all = json_object();

	for (int i = 0; i < j->ncredentials; i++) {
		c = &j->credentials[i];
		json_object_set_new(all, c->name, json_pack("{s:I,s:I,s:I}",
		    "in_flight", (json_int_t)c->in_flight,
		    "high_water", (json_int_t)c->high_water,
		    "served", (json_int_t)c->served));
	}
	return (all);
}

json_t *
journal_json(const struct journal *j, uint64_t since)
{
	const struct journal_entry *e;
	json_t *list = json_array();

	if (j->last_id > j->size && since < j->last_id - j->size)
		since = j->last_id - j->size;
	for (uint64_t id = since + 1; id <= j->last_id; id++) {
		e = &j->entries[id % j->size];
		if (e->id == id)
			json_array_append_new(list, entry_json(e));
	}
	return (json_pack("{s:I,s:o,s:o}", "next", (json_int_t)j->last_id,
	    "requests", list, "credentials", credentials_json(j)));
}
