#include "config.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/seal.h"
#include "relay/probe.h"

#include "check.h"
#include "command.h"
#include "doctor.h"
#include "output.h"
#include "secret.h"

#define SILENCE_S	65

/* The longest key that doctor sends. */
#define KEY_MAX		256

static const struct doctor_check *const tables[] = {
	doctor_host_checks,
	doctor_pool_checks,
	doctor_web_checks,
	NULL
};

static const struct {
	const char *label;	/* in a column */
	const char *colour;	/* on a terminal */
} verdicts[] = {
	[DOCTOR_OK] = { "ok  ", "\033[32m" },
	[DOCTOR_WARN] = { "WARN", "\033[33m" },
	[DOCTOR_FAIL] = { "FAIL", "\033[31m" },
	[DOCTOR_SKIP] = { "--  ", "" },
};

/* What was found so far. */
struct report {
	bool json;
	bool terminal;
	json_t *checks;
	int counts[4];		/* by verdict */
	char skipped[640];	/* the reason that the last line is about */
};

/* ---- output ---- */

/* Text from elsewhere must not play with a terminal. */
static void
print_tame(const char *s)
{

	size_t n;

	for (; *s != '\0'; s += n > 0 ? n : 1) {
		n = check_control(s);
		putchar(n > 0 ? '?' : *s);
	}
}

static void
end_skips(struct report *r)
{

	if (r->skipped[0] != '\0')
		putchar('\n');
	r->skipped[0] = '\0';
}

static void
print_indented(const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		printf("          ");
		for (size_t i = 0; i < n; i++)
			putchar((unsigned char)text[i] < 0x20 ? '?' :
			    text[i]);
		putchar('\n');
	}
}

/* Checks skipped for the same reason share a line. */
static void
print_skip(struct report *r, const struct doctor_check *check,
    const struct doctor_finding *f)
{

	if (strcmp(r->skipped, f->seen) != 0) {
		end_skips(r);
		(void)snprintf(r->skipped, sizeof(r->skipped), "%s", f->seen);
		printf("%s  ", verdicts[DOCTOR_SKIP].label);
		print_tame(f->seen);
		fputs("; so not looked at: ", stdout);
	} else {
		fputs(", ", stdout);
	}
	fputs(check->title, stdout);
}

static void
print_finding(struct report *r, const struct doctor_check *check,
    const struct doctor_finding *f)
{

	if (f->verdict == DOCTOR_SKIP) {
		print_skip(r, check, f);
		return;
	}
	end_skips(r);
	printf("%s%s%s  %s: ", r->terminal ? verdicts[f->verdict].colour : "",
	    verdicts[f->verdict].label, r->terminal ? "\033[0m" : "",
	    check->title);
	print_tame(f->seen);
	putchar('\n');
	print_indented(f->remedy);
	(void)fflush(stdout);
}

static int
add_finding(struct report *r, const struct doctor_check *check,
    const struct doctor_finding *f, struct err *err)
{
	json_t *j = doctor_json(check, f);

	if (j != NULL && json_array_append_new(r->checks, j) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (-1);
}

/* ---- running ---- */

static int
run_checks(struct doctor *d, struct report *r, struct err *err)
{
	const struct doctor_check *const *table, *check;
	struct doctor_finding f;

	for (table = tables; *table != NULL; table++) {
		for (check = *table; check->name != NULL; check++) {
			if (r->terminal && strcmp(check->name, "silence") ==
			    0 && d->silence_ms > 0)
				fprintf(stderr, "... %lld s of silence ...\r",
				    (long long)d->silence_ms / 1000);
			doctor_run(d, check, &f);
			r->counts[f.verdict]++;
			if (!r->json)
				print_finding(r, check, &f);
			else if (add_finding(r, check, &f, err))
				return (-1);
		}
	}
	return (0);
}

static void
print_summary(struct report *r)
{
	const int *n = r->counts;

	if (r->json) {
		output_json(json_pack("{s:b, s:i, s:i, s:O}", "ok",
		    n[DOCTOR_FAIL] == 0, "failed", n[DOCTOR_FAIL],
		    "warnings", n[DOCTOR_WARN], "checks", r->checks));
		return;
	}
	end_skips(r);
	printf("\n%d good, %d to look at, %d failed, %d not looked at\n",
	    n[DOCTOR_OK], n[DOCTOR_WARN], n[DOCTOR_FAIL], n[DOCTOR_SKIP]);
}

static int
take_options(struct cli *cli, struct doctor *d, char **key, size_t *len,
    struct err *err)
{
	int64_t silence_s = SILENCE_S;

	if (cli_option_int(cli, "silence", 0, PROBE_SILENCE_MAX_MS / 1000,
	    &silence_s, err))
		return (-1);
	d->silence_ms = silence_s * 1000;
	d->config_path = cli->config_path;
	d->url = cli_option(cli, "url");
	d->user = cli_option(cli, "user");
	d->host_only = cli_flag(cli, "host-only");
	d->server = WEB_UNKNOWN;
	if (!cli_flag(cli, "key-stdin"))
		return (0);
	if (secret_read("Client key: ", key, len, err) ||
	    check_secret(*key, *len, err))
		return (-1);
	if (*len > KEY_MAX) {
		err_set(err, ERR_INVAL, "a client key has at most %d "
		    "characters", KEY_MAX);
		return (-1);
	}
	d->key = *key;
	d->have |= DOCTOR_KEY;
	return (0);
}

static int
run_doctor(struct cli *cli, struct err *err)
{
	struct report r = { .json = cli->json,
	    .terminal = !cli->json && isatty(STDOUT_FILENO) };
	struct doctor d = { .have = 0 };
	char *key = NULL;
	size_t len = 0;
	int rc = -1;

	if (take_options(cli, &d, &key, &len, err))
		goto err0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_NOMEM, "cannot start libcurl");
		goto err0;
	}
	if ((r.checks = json_array()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		goto err1;
	}
	if (run_checks(&d, &r, err) == 0) {
		print_summary(&r);
		rc = r.counts[DOCTOR_FAIL] > 0 ? EXIT_FAILED : EXIT_OK;
	}
	doctor_fini(&d);
	json_decref(r.checks);
err1:
	curl_global_cleanup();
err0:
	seal_wipe_free(key, len);
	return (rc);
}

static const struct command_option doctor_options[] = {
	{ "url", "URL", "where clients reach the relay (default: public_url)" },
	{ "host-only", NULL, "send nothing through the web server" },
	{ "key-stdin", NULL, "read a client key from standard input, and "
	    "try it" },
	{ "silence", "SECONDS", "how long a silence is tried; 0: none "
	    "(default: 65)" },
	{ "user", "USER", "who the responders run as (default: found out)" },
	{ NULL, NULL, NULL }
};

const struct command commands_doctor[] = {
	{
		.name = "doctor",
		.args = "",
		.needs = NEEDS_NOTHING,
		.summary = "find out what is wrong, and how to mend it",
		.details = "Looks at config, database, secrets, sockets, "
		    "clock and responders of this\nhost, and sends real "
		    "requests through the web server: do keys arrive, do\n"
		    "streams flow, are large bodies and long silences borne.  "
		    "Exits with 1 if\nsomething failed.",
		.options = doctor_options,
		.run = run_doctor,
		.once = true,
	},
	{ .name = NULL }
};
