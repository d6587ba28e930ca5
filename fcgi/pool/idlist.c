#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/grow.h"
#include "store/store.h"

#include "pool/idlist.h"

/* An id in JSON with what stands around it: "[-9223372036854775808," */
#define ID_TEXT	24

void
idlist_init(struct idlist *l, size_t width)
{

	*l = (struct idlist) { .width = width };
}

void
idlist_fini(struct idlist *l)
{

	free(l->v);
	free(l->json);
	idlist_init(l, l->width);
}

void
idlist_reset(struct idlist *l)
{

	l->n = 0;
	l->failed = false;
}

void
idlist_put(struct idlist *l, int64_t a, int64_t b)
{
	int64_t *v = grow_list(l->v, l->n, &l->cap, l->width * sizeof(*v));

	if (v == NULL) {
		l->failed = true;
		return;
	}
	l->v = v;
	v += l->n++ * l->width;
	v[0] = a;
	if (l->width > 1)
		v[1] = b;
}

static int
id_cmp(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

static int
pair_cmp(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	int c = id_cmp(x, y);

	return (c != 0 ? c : id_cmp(x + 1, y + 1));
}

void
idlist_sort(struct idlist *l)
{
	size_t bytes = l->width * sizeof(*l->v), i, kept = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, bytes, l->width > 1 ? pair_cmp : id_cmp);
	for (i = 0; i < l->n; i++) {
		if (kept > 0 && memcmp(l->v + (kept - 1) * l->width,
		    l->v + i * l->width, bytes) == 0)
			continue;
		memmove(l->v + kept++ * l->width, l->v + i * l->width, bytes);
	}
	l->n = kept;
}

int
idlist_part(struct idlist *l, size_t from, size_t max,
    struct store_value *out, struct err *err)
{
	size_t n = l->n - from < max ? l->n - from : max, i;
	size_t size = n * l->width * ID_TEXT + 3, len = 1;
	const int64_t *v = l->v + from * l->width;
	char *json = l->failed ? NULL : realloc(l->json, size);

	if (json == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a list of ids");
		return (-1);
	}
	l->json = json;
	json[0] = '[';
	for (i = 0; i < n; i++, v += l->width) {
		if (i > 0)
			json[len++] = ',';
		if (l->width > 1)
			len += (size_t)snprintf(json + len, size - len,
			    "[%" PRId64 ",%" PRId64 "]", v[0], v[1]);
		else
			len += (size_t)snprintf(json + len, size - len,
			    "%" PRId64, v[0]);
	}
	memcpy(json + len, "]", 2);
	*out = store_text(json);
	return (0);
}

int
idlist_param(struct idlist *l, struct store_value *out, struct err *err)
{

	return (idlist_part(l, 0, l->n, out, err));
}
