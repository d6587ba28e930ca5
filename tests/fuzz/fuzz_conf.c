/*
 * The config parser: any text is refused with a reason, or gives settings
 * that are whole and that read back as what they say they are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{

	if (!ok)
		abort();
}

/*
 * Write ${s} as the file would say it, and read that.  Two settings bound
 * others: they are given their least value, and are not looked at themselves.
 */
static void
check_setting(const struct conf *conf, const struct conf_setting *s)
{
	char value[8192], again[8192], line[9000];
	struct conf *back;
	int n;

	if (strcmp(s->name, "body_max_bytes") == 0 ||
	    strcmp(s->name, "beat_interval_ms") == 0)
		return;
	conf_format(conf, s, value, sizeof(value));
	n = snprintf(line, sizeof(line), "body_max_bytes = 1K\n"
	    "beat_interval_ms = 50\n%s = %s\n", s->name, value);
	must(n > 0 && (size_t)n < sizeof(line));
	must((back = conf_parse("again", line, (size_t)n, NULL)) != NULL);
	conf_format(back, s, again, sizeof(again));
	must(strcmp(value, again) == 0);
	conf_free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_setting *s;
	struct conf *conf;
	struct err err;
	size_t n, i;

	err_clear(&err);
	conf = conf_parse("fuzz", (const char *)data, size, &err);
	must((conf == NULL) == (err.code != ERR_NONE));
	if (conf == NULL) {
		must(strncmp(err.text, "fuzz: ", 6) == 0);
		return (0);
	}
	s = conf_settings(&n);
	for (i = 0; i < n; i++)
		check_setting(conf, &s[i]);
	conf_free(conf);
	return (0);
}
