#include <stdlib.h>
#include <string.h>

#include "base/json_pick.h"

/* What a path begins with that matches at any depth. */
#define ANYWHERE	"**."

static size_t
next_bit(uint32_t *mask)
{
	size_t i = (size_t)__builtin_ctz(*mask);

	*mask &= *mask - 1;
	return (i);
}

/* The wants for which a name or element in this container may matter. */
static uint32_t
candidates(const struct json_pick *k)
{

	if (k->depth > JSON_PATH_MAX)
		return (0);
	return (k->hit[k->depth - 1] & k->deep[k->depth]);
}

/* The wants that ask for the value at this very place. */
static uint32_t
wanted(const struct json_pick *k)
{

	if (k->depth > JSON_PATH_MAX)
		return (k->here);
	return ((k->hit[k->depth] & k->ends[k->depth]) | k->here);
}

static void
clear_value(struct json_slot *slot)
{
	struct json_value *v = &slot->v;

	v->kind = JSON_KIND_NONE;
	v->start = v->end = 0;
	v->len = 0;
	v->full_len = 0;
	v->has_nul = false;
	slot->text[0] = '\0';
}

/*
 * Places.
 */

void
json_pick_enter(struct json_pick *k, bool object)
{

	k->depth++;
	k->here = 0;
	if (k->veiled && k->veil == 0)
		k->veil = k->depth;
	k->veiled = false;
	if (!object && k->depth <= JSON_PATH_MAX)
		k->hit[k->depth] = candidates(k) & k->element[k->depth];
}

void
json_pick_leave(struct json_pick *k)
{

	if (k->veil == k->depth)
		k->veil = 0;
	k->depth--;
}

void
json_pick_opaque(struct json_pick *k, const char *const *names)
{

	k->opaque = names;
}

void
json_pick_name_open(struct json_pick *k)
{

	k->taking = candidates(k);
	if (k->veil == 0)
		k->taking |= k->anywhere;
	k->in_name = true;
	k->name_len = 0;
	k->surrogate = 0;
}

static bool
name_is(const struct json_pick *k, const struct json_slot *slot)
{
	const struct json_segment *seg =
	    &slot->seg[slot->anywhere ? 0 : k->depth - 1];

	return (!seg->element && seg->len == k->name_len &&
	    memcmp(slot->path + seg->off, k->name, k->name_len) == 0);
}

/* A second "a" voids what "a.b" was in the first, as most readers take it. */
static void
void_duplicate(const struct json_pick *k, struct json_slot *slot)
{

	if (!slot->anywhere && slot->nseg > k->depth &&
	    slot->v.kind != JSON_KIND_NONE && !slot->elements) {
		clear_value(slot);
		slot->v.duplicate = true;
	}
}

static void
flush_surrogate(struct json_pick *k)
{

	if (k->surrogate == 0)
		return;
	k->surrogate = 0;
	json_pick_bytes(k, "\xef\xbf\xbd", 3);
}

static bool
is_opaque(const struct json_pick *k)
{
	const char *const *name = k->opaque;

	if (name == NULL || k->taking == 0 || k->name_len == 0)
		return (false);
	for (; *name != NULL; name++)
		if ((*name)[0] == k->name[0] && strlen(*name) == k->name_len &&
		    memcmp(*name, k->name, k->name_len) == 0)
			return (true);
	return (false);
}

void
json_pick_name_close(struct json_pick *k)
{
	uint32_t mask = k->taking, hit = 0;
	size_t i;

	flush_surrogate(k);
	while (mask != 0) {
		i = next_bit(&mask);
		if (name_is(k, &k->slot[i])) {
			hit |= UINT32_C(1) << i;
			void_duplicate(k, &k->slot[i]);
		}
	}
	if (k->depth <= JSON_PATH_MAX)
		k->hit[k->depth] = hit & ~k->anywhere;
	k->here = hit & k->anywhere;
	k->veiled = is_opaque(k);
	k->in_name = false;
}

/*
 * Values.
 */

void
json_pick_value_open(struct json_pick *k, uint64_t start)
{
	uint32_t mask = wanted(k);
	struct json_slot *slot;

	k->taking = mask;
	k->surrogate = 0;
	while (mask != 0) {
		slot = &k->slot[next_bit(&mask)];
		if (slot->v.kind != JSON_KIND_NONE && !slot->elements &&
		    !slot->anywhere)
			slot->v.duplicate = true;
		clear_value(slot);
		slot->v.start = start;
	}
}

/* Take back the head of a character of which the rest did not fit. */
static void
trim_text(struct json_slot *slot)
{
	const unsigned char *text = (const unsigned char *)slot->text;
	size_t n = slot->v.len, tail = 0, need;
	unsigned char lead;

	if (slot->v.full_len == n)
		return;
	while (tail < 3 && tail + 1 < n && (text[n - 1 - tail] & 0xc0) == 0x80)
		tail++;
	lead = text[n - 1 - tail];
	need = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (tail < need)
		slot->v.len = n - 1 - tail;
	slot->text[slot->v.len] = '\0';
}

void
json_pick_value_close(struct json_pick *k, enum json_kind kind, uint64_t end)
{
	uint32_t mask = wanted(k);
	struct json_slot *slot;
	size_t i;

	if (kind == JSON_KIND_STRING)
		flush_surrogate(k);
	while (mask != 0) {
		i = next_bit(&mask);
		slot = &k->slot[i];
		slot->v.kind = kind;
		slot->v.end = end;
		trim_text(slot);
		if (slot->all && k->cb != NULL)
			k->cb(k->arg, i, &slot->v);
	}
	k->here = 0;
	k->veiled = false;
}

/*
 * Text.
 */

static void
name_bytes(struct json_pick *k, const void *p, size_t n)
{

	if (k->name_len + n <= JSON_NAME_MAX) {
		memcpy(k->name + k->name_len, p, n);
		k->name_len += n;
	} else
		k->name_len = JSON_NAME_MAX + 1;
}

void
json_pick_bytes(struct json_pick *k, const void *p, size_t n)
{
	uint32_t mask = k->taking;
	struct json_slot *slot;
	size_t room;

	flush_surrogate(k);
	if (k->in_name) {
		name_bytes(k, p, n);
		return;
	}
	while (mask != 0) {
		slot = &k->slot[next_bit(&mask)];
		room = slot->keep - slot->v.len;
		slot->v.full_len += n;
		memcpy(slot->text + slot->v.len, p, n < room ? n : room);
		slot->v.len += n < room ? n : room;
		slot->text[slot->v.len] = '\0';
	}
}

static void
put_char(struct json_pick *k, unsigned c)
{
	unsigned char out[4];
	size_t n = 0;

	if (c < 0x80)
		out[n++] = (unsigned char)c;
	else if (c < 0x800)
		out[n++] = (unsigned char)(0xc0 | c >> 6);
	else if (c < 0x10000)
		out[n++] = (unsigned char)(0xe0 | c >> 12);
	else {
		out[n++] = (unsigned char)(0xf0 | c >> 18);
		out[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	}
	if (c >= 0x800)
		out[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	if (c >= 0x80)
		out[n++] = (unsigned char)(0x80 | (c & 0x3f));
	json_pick_bytes(k, out, n);
}

static bool
is_low(unsigned u)
{

	return (u >= 0xdc00 && u <= 0xdfff);
}

void
json_pick_unit(struct json_pick *k, unsigned u)
{
	uint32_t mask = k->taking;
	unsigned high = k->surrogate;

	if (high != 0 && is_low(u)) {
		k->surrogate = 0;
		put_char(k, 0x10000 + ((high - 0xd800) << 10) + (u - 0xdc00));
		return;
	}
	flush_surrogate(k);
	if (u >= 0xd800 && u <= 0xdbff) {
		k->surrogate = u;
		return;
	}
	put_char(k, is_low(u) ? 0xfffd : u);
	while (u == 0 && !k->in_name && mask != 0)
		k->slot[next_bit(&mask)].v.has_nul = true;
}

/*
 * Making one.
 */

/* Take the path of a slot apart; -1 if it is not of the form in json.h. */
static int
split_path(struct json_slot *slot)
{
	const char *path = slot->path, *p = path;
	struct json_segment *seg;
	size_t len;

	if (strlen(path) > UINT8_MAX)
		return (-1);
	slot->anywhere = strncmp(p, ANYWHERE, strlen(ANYWHERE)) == 0;
	if (slot->anywhere)
		p += strlen(ANYWHERE);
	do {
		if (slot->nseg == JSON_PATH_MAX)
			return (-1);
		seg = &slot->seg[slot->nseg++];
		seg->element = strncmp(p, "[]", 2) == 0;
		len = seg->element ? 2 : strcspn(p, ".[");
		if (len == 0 || len > JSON_NAME_MAX)
			return (-1);
		seg->off = (unsigned char)(p - path);
		seg->len = (unsigned char)len;
		slot->elements |= seg->element;
		p += len;
	} while (*p == '[' || *p++ == '.');
	if (slot->anywhere && (slot->nseg > 1 || slot->elements))
		return (-1);
	return (p[-1] == '\0' ? 0 : -1);
}

/* Enter want ${i} into the masks. */
static void
enter_masks(struct json_pick *k, size_t i)
{
	const struct json_slot *slot = &k->slot[i];
	uint32_t bit = UINT32_C(1) << i;
	size_t d;

	if (slot->anywhere) {
		k->anywhere |= bit;
		return;
	}
	for (d = 1; d <= slot->nseg; d++) {
		k->deep[d] |= bit;
		if (slot->seg[d - 1].element)
			k->element[d] |= bit;
	}
	k->hit[0] |= bit;
	k->ends[slot->nseg] |= bit;
}

static size_t
keep_of(const struct json_want *want)
{

	if (want->keep == 0 || want->keep > LIMIT_JSON_VALUE_BYTES)
		return (LIMIT_JSON_VALUE_BYTES);
	return (want->keep);
}

struct json_pick *
json_pick_new(const struct json_want *wants, size_t n)
{
	struct json_pick *k;
	size_t i, used = 0, room = 1;

	if (n > JSON_WANTS_MAX)
		goto err0;
	for (i = 0; i < n; i++)
		room += keep_of(&wants[i]) + 1;
	if ((k = calloc(1, sizeof(*k) + n * sizeof(k->slot[0]))) == NULL)
		goto err0;
	if ((k->text = malloc(room)) == NULL)
		goto err1;
	k->n = n;
	for (i = 0; i < n; i++) {
		k->slot[i].path = wants[i].path;
		k->slot[i].all = wants[i].all;
		k->slot[i].keep = keep_of(&wants[i]);
		k->slot[i].v.text = k->slot[i].text = k->text + used;
		used += k->slot[i].keep + 1;
		if (split_path(&k->slot[i]) == -1)
			goto err1;
		enter_masks(k, i);
	}
	json_pick_reset(k);
	return (k);

err1:
	json_pick_free(k);
err0:
	return (NULL);
}

void
json_pick_free(struct json_pick *k)
{

	if (k == NULL)
		return;
	free(k->text);
	free(k);
}

void
json_pick_reset(struct json_pick *k)
{
	size_t i;

	k->depth = 0;
	k->here = 0;
	k->veiled = false;
	k->veil = 0;
	k->in_name = false;
	k->taking = 0;
	k->surrogate = 0;
	for (i = 0; i < k->n; i++) {
		clear_value(&k->slot[i]);
		k->slot[i].v.duplicate = false;
	}
}
