#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "pool/backlog.h"
#include "pool/runner.h"

/* Files of the dead are looked for so often. */
#define LOOK_MS		1000

/* ... and later, after one that could not be opened. */
#define LOOK_AGAIN_MS	60000

/* Pauses after a replay that failed. */
#define WAIT_MIN_MS	500
#define WAIT_MAX_MS	30000

void
backlog_init(struct backlog *b, const char *dir, int64_t bytes)
{

	*b = (struct backlog) { .dir = dir, .bytes = bytes };
}

void
backlog_fini(struct backlog *b)
{
	size_t i;

	spool_close(b->own);
	for (i = 0; i < BACKLOG_FILES; i++)
		spool_close(b->left[i]);
	free(b->list);
	*b = (struct backlog) { .dir = NULL };
}

static void
note(struct backlog *b, const char *event, bool bad, const struct err *what)
{

	if (b->nnotes == BACKLOG_NOTES)
		return;
	b->notes[b->nnotes++] = (struct backlog_note) {
		.event = event,
		.bad = bad,
		.what = *what,
	};
}

/* ---- whose it is ---- */

static void
refuse(struct backlog *b, struct spool *sp)
{
	struct err err = { .code = ERR_NONE };

	err_set(&err, ERR_INVAL, "%zu settlements in %.100s are of another "
	    "installation, or from before a backup was restored: put aside as "
	    "*.refused", spool_pending(sp), spool_path(sp));
	note(b, "spool_refused", true, &err);
	spool_refuse(sp);
}

/* What it holds is of use to nobody under another id. */
static void
drop(struct backlog *b, struct spool **sp)
{

	if (*sp == NULL || spool_is(*sp, &b->id))
		return;
	if (spool_pending(*sp) > 0)
		refuse(b, *sp);
	else
		spool_close(*sp);
	*sp = NULL;
}

void
backlog_identify(struct backlog *b, const struct spool_id *id)
{
	struct err err = { .code = ERR_NONE };
	size_t i;

	if (b->dir == NULL || b->dir[0] == '\0')
		return;
	b->known = true;
	b->id = *id;
	b->look_ms = b->try_ms = b->wait_ms = 0;
	drop(b, &b->own);
	for (i = 0; i < BACKLOG_FILES; i++)
		drop(b, &b->left[i]);
	if (b->own != NULL)
		return;
	b->own = spool_create(b->dir, b->bytes, id, &err);
	if (b->own == NULL)
		note(b, "no_spool", true, &err);
}

/* ---- writing ---- */

static bool
put_one(struct backlog *b, const struct settle_op *op, int64_t now_ms)
{
	unsigned char buf[SPOOL_RECORD_MAX];
	struct err err = { .code = ERR_NONE };
	size_t n;

	n = spooled_write(op, now_ms, buf);
	if (spool_put(b->own, buf, n, &err) == 0)
		return (true);
	if (!b->full)
		note(b, "spool_full", true, &err);
	b->full = true;
	return (false);
}

void
backlog_put(struct backlog *b, struct store_op **ops, size_t n,
    int64_t now_ms)
{
	struct err err = { .code = ERR_NONE };
	size_t i, nput = 0;

	if (b->own == NULL)
		return;
	for (i = 0; i < n; i++) {
		if (ops[i]->kind != OP_SETTLE || !put_one(b,
		    (const struct settle_op *)(const void *)ops[i], now_ms))
			continue;
		ops[i]->spooled = true;
		nput++;
	}
	if (nput == 0 || spool_sync(b->own, &err) == 0)
		return;
	note(b, "spool_failed", true, &err);
	for (i = 0; i < n; i++)
		ops[i]->spooled = false;
}

/* ---- files of the dead ---- */

static int
adopt(void *arg, const char *path)
{
	struct backlog *b = arg;
	struct err err = { .code = ERR_NONE };
	struct spool *sp;
	size_t i;
	int rc;

	for (i = 0; i < BACKLOG_FILES && b->left[i] != NULL; i++)
		continue;
	if (i == BACKLOG_FILES)
		return (1);
	if (spool_is_refused(path))
		return (0);
	if ((rc = spool_adopt(path, &sp, &err)) < 0) {
		note(b, "spool_unreadable", true, &err);
		b->look_ms += LOOK_AGAIN_MS;
	}
	if (rc <= 0)
		return (0);
	if (spool_damaged(sp) > 0) {
		err_set(&err, ERR_IO, "%zu records in %.150s are not whole: "
		    "their requests stay estimated", spool_damaged(sp), path);
		note(b, "spool_damaged", true, &err);
	}
	b->left[i] = sp;
	if (spool_pending(sp) == 0 || !spool_is(sp, &b->id)) {
		drop(b, &b->left[i]);
		spool_close(b->left[i]);
		b->left[i] = NULL;
		return (0);
	}
	err_clear(&err);
	err_set(&err, ERR_NONE, "%zu settlements in %.150s", spool_pending(sp),
	    path);
	note(b, "spool_adopted", false, &err);
	return (0);
}

static void
look(struct backlog *b, int64_t mono_ms)
{
	struct err err = { .code = ERR_NONE };

	if (!b->known || mono_ms < b->look_ms)
		return;
	b->look_ms = mono_ms + LOOK_MS;
	if (spool_look(b->dir, adopt, b, &err) >= 0)
		return;
	note(b, "no_spool", true, &err);
	b->look_ms += LOOK_AGAIN_MS;
}

/* ---- replaying ---- */

/* One that cannot be read is of no use to anybody. */
static bool
read_one(struct backlog *b, struct spool *sp, size_t i, struct spooled *to,
    int64_t now_ms)
{
	unsigned char buf[SPOOL_RECORD_MAX];
	struct err err = { .code = ERR_NONE };
	size_t n = 0;

	if (spool_read(sp, i, buf, &n, &err) == 0) {
		if (spooled_read(to, buf, n, now_ms) == 0) {
			to->from = sp;
			to->number = i;
			return (true);
		}
		err_set(&err, ERR_INVAL, "a record in %.150s makes no "
		    "settlement", spool_path(sp));
	}
	note(b, "spool_unreadable", true, &err);
	spool_done(sp, i);
	return (false);
}

static size_t
read_some(struct backlog *b, struct spool *sp, struct store_op **ops,
    size_t max, size_t n, int64_t now_ms)
{
	size_t i = 0;

	while (sp != NULL && n < max && spool_seek(sp, &i)) {
		if (read_one(b, sp, i, &b->list[n], now_ms)) {
			ops[n] = &b->list[n].settle.op;
			n++;
		}
		i++;
	}
	return (n);
}

/* Files that are done with. */
static void
tidy(struct backlog *b)
{
	size_t i;

	if (b->own != NULL && spool_pending(b->own) == 0) {
		spool_reset(b->own);
		b->full = false;
	}
	for (i = 0; i < BACKLOG_FILES; i++) {
		if (b->left[i] == NULL || spool_pending(b->left[i]) > 0)
			continue;
		spool_close(b->left[i]);
		b->left[i] = NULL;
	}
}

static bool
pending(const struct backlog *b)
{
	size_t i;

	for (i = 0; i < BACKLOG_FILES; i++) {
		if (b->left[i] != NULL)
			return (true);
	}
	return (b->own != NULL && spool_pending(b->own) > 0);
}

size_t
backlog_take(struct backlog *b, struct store_op **ops, size_t max,
    int64_t mono_ms, int64_t now_ms)
{
	size_t i, n;

	if (!b->known)
		return (0);
	tidy(b);
	look(b, mono_ms);
	if (mono_ms < b->try_ms || !pending(b))
		return (0);
	if (max > LIMIT_BATCH_OPS)
		max = LIMIT_BATCH_OPS;
	if (b->list == NULL &&
	    (b->list = calloc(LIMIT_BATCH_OPS, sizeof(*b->list))) == NULL)
		return (0);
	n = read_some(b, b->own, ops, max, 0, now_ms);
	for (i = 0; i < BACKLOG_FILES; i++)
		n = read_some(b, b->left[i], ops, max, n, now_ms);
	return (n);
}

void
backlog_replayed(struct backlog *b, struct store_op *op,
    const struct err *err, int64_t mono_ms)
{
	struct spooled *s = (struct spooled *)(void *)op;

	if (err->code == ERR_NONE) {
		spool_done(s->from, s->number);
		b->wait_ms = 0;
		return;
	}
	if (mono_ms < b->try_ms)
		return;
	b->wait_ms = b->wait_ms == 0 ? WAIT_MIN_MS : b->wait_ms * 2;
	if (b->wait_ms > WAIT_MAX_MS)
		b->wait_ms = WAIT_MAX_MS;
	b->try_ms = mono_ms + b->wait_ms;
	if (err->code != ERR_STORE_DOWN && err->code != ERR_STORE_BUSY &&
	    err->code != ERR_STORE_UNKNOWN)
		note(b, "replay_failed", true, err);
}
