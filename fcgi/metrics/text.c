#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "metrics/metrics.h"
#include "metrics/slots.h"
#include "metrics/text.h"

static const char *const kinds[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
};

/* ${v} in units, as a decimal number without zeros at its end. */
static int
put_number(struct buf *out, uint64_t v, int64_t unit)
{
	char digits[24];
	int n = 0;

	if (buf_printf(out, "%" PRIu64, unit > 1 ? v / (uint64_t)unit : v))
		return (-1);
	if (unit <= 1 || v % (uint64_t)unit == 0)
		return (0);
	for (v %= (uint64_t)unit; v != 0 && n < 20; v %= (uint64_t)unit) {
		v *= 10;
		digits[n++] = (char)('0' + v / (uint64_t)unit);
	}
	return (buf_printf(out, ".%.*s", n, digits));
}

/* As the format wants it: \ and the newline in help and labels, " in labels
 * alone. */
static int
put_escaped(struct buf *out, const char *s, bool label)
{
	int rc = 0;

	for (; *s != '\0' && rc == 0; s++) {
		if (*s == '\n')
			rc = buf_puts(out, "\\n");
		else if (*s == '\\' || (*s == '"' && label))
			rc = buf_printf(out, "\\%c", *s);
		else
			rc = buf_append(out, s, 1);
	}
	return (rc);
}

/* An outcome that is an error's type: that of success is empty. */
static const char *
word_of(const struct metric_label *label, unsigned int v)
{
	const char *word = domain_word(label->domain, v);

	if (strcmp(label->name, "error_type") == 0 &&
	    word != NULL && strcmp(word, "ok") == 0)
		return ("");
	return (word != NULL ? word : "other");
}

static int
put_labels(struct buf *out, const struct metric_info *info, uint64_t key,
    bool bucket)
{
	const struct metric_label *label;
	const char *sep = "{";
	unsigned int i;

	for (i = 0; i < METRIC_LABELS; i++) {
		label = &info->labels[i];
		if (label->domain == DOMAIN_NONE)
			break;
		if (buf_printf(out, "%s%s=\"", sep, label->name))
			return (-1);
		if (label->domain == DOMAIN_NUMBER ?
		    buf_printf(out, "%u", series_label(key, i)) :
		    put_escaped(out, word_of(label, series_label(key, i)),
		    true))
			return (-1);
		if (buf_puts(out, "\""))
			return (-1);
		sep = ",";
	}
	if (bucket)
		return (buf_printf(out, "%sle=\"", sep));
	return (*sep == ',' ? buf_puts(out, "}") : 0);
}

static int
put_line(struct buf *out, const struct metric_info *info, const char *suffix,
    uint64_t key, uint64_t v, int64_t unit)
{

	return (buf_printf(out, "%s%s", info->name, suffix) ||
	    put_labels(out, info, key, false) || buf_puts(out, " ") ||
	    put_number(out, v, unit) || buf_puts(out, "\n") ? -1 : 0);
}

static int
put_bucket(struct buf *out, const struct metric_info *info, uint64_t key,
    size_t i, uint64_t v)
{

	if (buf_printf(out, "%s_bucket", info->name) ||
	    put_labels(out, info, key, true))
		return (-1);
	if (i < info->nbounds ? put_number(out, (uint64_t)info->bounds[i],
	    info->unit) : buf_puts(out, "+Inf"))
		return (-1);
	return (buf_printf(out, "\"} %" PRIu64 "\n", v));
}

/* A series' buckets, in ${n} cells; those that are not there are 0. */
static int
put_histogram(struct buf *out, const struct metric_info *info,
    const struct cell *cells, size_t n)
{
	const uint64_t key = cells[0].key & ~UINT64_C(0xff);
	uint64_t count = 0, sum = 0;
	size_t i, at = 0;

	for (i = 0; i <= info->nbounds; i++) {
		if (at < n && series_bucket(cells[at].key) == i)
			count += cells[at++].value;
		if (put_bucket(out, info, key, i, count))
			return (-1);
	}
	if (n > 0 && series_bucket(cells[n - 1].key) == METRIC_SUM)
		sum = cells[n - 1].value;
	return (put_line(out, info, "_sum", key, sum, info->unit) ||
	    put_line(out, info, "_count", key, count, 1) ? -1 : 0);
}

static int
put_head(struct buf *out, const struct metric_info *info)
{

	return (buf_printf(out, "# HELP %s ", info->name) ||
	    put_escaped(out, info->help, false) ||
	    buf_printf(out, "\n# TYPE %s %s\n", info->name,
	    kinds[info->kind]) ? -1 : 0);
}

/* The ${n} cells of metric ${m}. */
static int
put_metric(struct buf *out, enum metric m, const struct cell *cells, size_t n)
{
	const struct metric_info *info = metric_info(m);
	const struct cell none = { metric_series(m, 0, 0, 0, 0), 0 };
	size_t i, k;

	if (put_head(out, info))
		return (-1);
	if (n == 0 && info->kind != METRIC_GAUGE &&
	    info->labels[0].domain == DOMAIN_NONE) {
		cells = &none;
		n = 1;
	}
	for (i = 0; i < n; i += k) {
		for (k = 1; info->kind == METRIC_HISTOGRAM && i + k < n &&
		    cells[i + k].key >> 8 == cells[i].key >> 8; k++)
			continue;
		if (info->kind == METRIC_HISTOGRAM ?
		    put_histogram(out, info, cells + i, k) :
		    put_line(out, info, "", cells[i].key, cells[i].value,
		    info->unit))
			return (-1);
	}
	return (0);
}

int
metrics_text(const struct slot_sums *sums, struct buf *out)
{
	size_t at = 0, n;
	unsigned int m;

	for (m = 1; m < NMETRICS; m++) {
		for (n = 0; at + n < sums->ncells &&
		    series_metric(sums->cells[at + n].key) == m; n++)
			continue;
		if (put_metric(out, (enum metric)m, sums->cells + at, n))
			return (-1);
		at += n;
	}
	return (0);
}
