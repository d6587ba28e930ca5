#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "doctor.h"
#include "doctor_fetch.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Why a check is skipped, by what it needs; the first one that lacks. */
static const struct {
	enum doctor_needs need;
	const char *code, *reason;
} reasons[] = {
	{ DOCTOR_CONF, "needs_config", "needs a good config" },
	{ DOCTOR_STORE, "needs_store", "needs a database that can be used" },
	{ DOCTOR_URL, "needs_url", "no URL: give --url, or set public_url" },
	{ DOCTOR_REACHED, "needs_relay", "the relay was not reached at the "
	    "URL" },
	{ DOCTOR_SEAL, "needs_key_file", "needs the master key" },
	{ DOCTOR_PROBES, "needs_probes", "the relay does not take doctor's "
	    "token" },
	{ DOCTOR_KEY, "needs_key", "no client key: give one with "
	    "--key-stdin" },
};

/* One value of a sentence as text; ${spec} is what follows its '%'. */
static void
put_value(char *out, size_t size, const char *spec, va_list *ap)
{

	if (spec[0] == 's')
		(void)snprintf(out, size, "%s", va_arg(*ap, const char *));
	else if (spec[0] == 'd')
		(void)snprintf(out, size, "%d", va_arg(*ap, int));
	else if (strncmp(spec, "lld", 3) == 0)
		(void)snprintf(out, size, "%lld", va_arg(*ap, long long));
	else if (strncmp(spec, "llu", 3) == 0)
		(void)snprintf(out, size, "%llu", va_arg(*ap,
		    unsigned long long));
	else if (strncmp(spec, "zu", 2) == 0)
		(void)snprintf(out, size, "%zu", va_arg(*ap, size_t));
	else if (strncmp(spec, ".1f", 3) == 0)
		(void)snprintf(out, size, "%.1f", va_arg(*ap, double));
	else
		abort();
}

/* What stands in a sentence, each by itself, as far as there is room. */
static void
take_values(struct doctor_said *said, const char *code, const char *fmt,
    va_list *ap)
{
	const char *p;
	char *end;

	said->code = code;
	said->len = 0;
	for (p = strchr(fmt, '%'); p != NULL; p = strchr(p + 1, '%')) {
		if (*++p == '%')
			continue;
		if (said->len == sizeof(said->values))
			break;
		end = said->values + said->len;
		put_value(end, sizeof(said->values) - said->len, p, ap);
		said->len += strlen(end) + 1;
	}
}

void
finding_set(struct doctor_finding *f, enum doctor_verdict verdict,
    const char *code, const char *fmt, ...)
{
	va_list ap;

	f->verdict = verdict;
	va_start(ap, fmt);
	(void)vsnprintf(f->seen, sizeof(f->seen), fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	take_values(&f->what, code, fmt, &ap);
	va_end(ap);
}

/* Where the next line of the remedy goes; *${room} is how much fits. */
static char *
remedy_end(struct doctor_finding *f, size_t *room)
{
	size_t len = strlen(f->remedy);

	if (len > 0 && len + 1 < sizeof(f->remedy)) {
		f->remedy[len++] = '\n';
		f->remedy[len] = '\0';
	}
	*room = sizeof(f->remedy) - len;
	return (f->remedy + len);
}

void
finding_remedy(struct doctor_finding *f, const char *code, const char *fmt,
    ...)
{
	va_list ap;
	size_t room;
	char *end = remedy_end(f, &room);

	va_start(ap, fmt);
	(void)vsnprintf(end, room, fmt, ap);
	va_end(ap);
	if (f->ntodo == DOCTOR_REMEDIES)
		return;
	va_start(ap, fmt);
	take_values(&f->todo[f->ntodo++], code, fmt, &ap);
	va_end(ap);
}

static void
add_web(struct doctor_finding *f, const struct doctor *d,
    enum web_problem problem, enum web_server server)
{
	const struct web_place place = {
		.mount = url_path(d->base),
		.relay_socket = d->conf->relay_socket,
		.admin_socket = d->conf->admin_socket,
	};
	size_t room;
	char *end = remedy_end(f, &room);

	web_remedy(problem, server, &place, end, room);
}

void
finding_web(struct doctor_finding *f, const struct doctor *d,
    enum web_problem problem)
{

	add_web(f, d, problem, d->server);
}

void
finding_front(struct doctor_finding *f, const struct doctor *d,
    enum web_problem problem)
{

	add_web(f, d, problem, d->front);
}

const char *
doctor_sqlite_path(const struct conf *conf)
{
	static const char scheme[] = "sqlite:";

	if (strncmp(conf->store, scheme, sizeof(scheme) - 1) != 0)
		return (NULL);
	return (conf->store + sizeof(scheme) - 1);
}

static void
free_fetch(struct fetch *f)
{

	if (f == NULL)
		return;
	fetch_fini(f);
	free(f);
}

void
doctor_fini(struct doctor *d)
{

	free_fetch(d->health);
	free_fetch(d->echo);
	seal_free(d->seal);
	if (d->store != NULL)
		store_close(d->store);
	conf_free(d->conf);
}

void
doctor_run(struct doctor *d, const struct doctor_check *check,
    struct doctor_finding *f)
{
	size_t i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < NITEMS(reasons); i++) {
		if ((check->needs & ~d->have & reasons[i].need) == 0)
			continue;
		finding_set(f, DOCTOR_SKIP, reasons[i].code, "%s",
		    reasons[i].need == DOCTOR_URL && d->host_only ?
		    "--host-only" : reasons[i].reason);
		return;
	}
	check->run(d, f);
}

/* ---- as JSON ---- */

const char *
doctor_word(enum doctor_verdict verdict)
{
	static const char *const words[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
		[DOCTOR_SKIP] = "skip",
	};

	return (words[verdict]);
}

/* What a web server said need not be UTF-8. */
static json_t *
text_json(const char *text)
{
	json_t *j = json_string(text);

	return (j != NULL ? j : json_string("(not UTF-8)"));
}

static json_t *
values_json(const struct doctor_said *said)
{
	json_t *values = json_array();
	size_t at;

	for (at = 0; at < said->len; at += strlen(said->values + at) + 1) {
		if (json_array_append_new(values,
		    text_json(said->values + at))) {
			json_decref(values);
			return (NULL);
		}
	}
	return (values);
}

static json_t *
remedies_json(const struct doctor_finding *f)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < f->ntodo; i++) {
		if (json_array_append_new(all, json_pack("{s:s, s:o}", "code",
		    f->todo[i].code, "values", values_json(&f->todo[i])))) {
			json_decref(all);
			return (NULL);
		}
	}
	return (all);
}

json_t *
doctor_json(const struct doctor_check *check, const struct doctor_finding *f)
{

	return (json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s, s:o, s:o}", "name",
	    check->name, "title", check->title, "verdict",
	    doctor_word(f->verdict), "seen", text_json(f->seen), "remedy",
	    f->remedy[0] != '\0' ? f->remedy : NULL, "code", f->what.code,
	    "values", values_json(&f->what), "remedies", remedies_json(f)));
}

json_t *
doctor_inside(const char *conf_path, struct err *err)
{
	const struct doctor_check *const tables[] = {
		doctor_host_checks, doctor_pool_checks
	}, *check;
	struct doctor d = {
		.config_path = conf_path, .host_only = true,
		.server = WEB_UNKNOWN
	};
	int counts[DOCTOR_SKIP + 1] = { 0 };
	json_t *checks = json_array(), *answer;
	struct doctor_finding f;
	size_t i;
	int rc = 0;

	for (i = 0; i < NITEMS(tables); i++) {
		for (check = tables[i]; check->name != NULL; check++) {
			doctor_run(&d, check, &f);
			counts[f.verdict]++;
			rc |= json_array_append_new(checks,
			    doctor_json(check, &f));
		}
	}
	doctor_fini(&d);
	answer = json_pack("{s:b, s:i, s:i, s:o}", "ok",
	    counts[DOCTOR_FAIL] == 0, "failed", counts[DOCTOR_FAIL],
	    "warnings", counts[DOCTOR_WARN], "checks", checks);
	if (rc == 0 && answer != NULL)
		return (answer);
	json_decref(answer);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (NULL);
}
