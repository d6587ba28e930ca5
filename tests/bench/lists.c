#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/seal.h"
#include "http/request.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "install.h"
#include "latency_fold.h"
#include "service.h"
#include "tokens.h"

/*
 *	tests/bench/lists STORE-URL KEY-FILE [TIMES [all|lists [TEXT]]]
 *
 * How long the lists of the admin routes take, each asked for so often by a
 * service as an admin responder has it: in ms p50, p95, the longest, and how
 * many rows the answer had.  The database is one that tests/bench/ledger made;
 * it is made an installation with that key file, if it is none.  Where a page
 * of requests ended before it was full, it says how many more were asked for
 * until the first row came, or 500, and their p95.  With `lists' reports are
 * left out, and with them the folding of how long requests took, which takes
 * long; with TEXT all in whose path it is not.
 */

#define TIMES_MAX	1000

/* So many more pages are asked for at the most until a row comes. */
#define MORE_MAX	500

/* After each question it rests for a part of the time that the answer took:
 * Linux halts what runs at a real-time priority for 50 ms once it has taken
 * 950 ms of a second (sched_rt_runtime_us). */
#define REST_PART	4

static const char *const paths[] = {
	"/requests", "/requests?limit=1000",
	"/requests?before=%MIDDLE%",
	"/requests?key=key-7", "/requests?key=key-201",
	"/requests?user=user-7", "/requests?user=user-101",
	"/requests?account=account-2", "/requests?account=account-6",
	"/requests?model=claude-opus*", "/requests?model=claude-rare",
	"/requests?model=none*",
	"/requests?outcome=overloaded", "/requests?outcome=none",
	"/requests?outcome=open",
	"/requests?status=529", "/requests?status=418",
	"/requests?min_cost_nusd=60000000",
	"/requests?min_cost_nusd=9000000000000",
	"/requests?key=key-7&outcome=overloaded",
	"/requests?key=key-7&outcome=none",
	"/requests?key=key-7&account=account-6&status=529",
	"/requests?user=user-7&model=none*&min_cost_nusd=1",
	"/requests?account=account-6&outcome=overloaded",
	"/requests?account=account-2&model=claude-rare&status=200",
	"/usage?per=day", "/usage?per=month&by=model&from=2026",
	"/usage?key=key-7&per=day",
	"/api-keys", "/api-keys?page=2", "/admin/users", "/admin/accounts",
	"/admin/accounts?platform_type=claude&state=closed&q=9",
	"/groups", "/budgets", "/logs", "/logs?verb=key.set",
	"/logs?verb=store.rare", "/logs?verb=store.none",
	"/logs?actor=user-7", "/logs?actor=user-101", "/logs?actor=nobody",
	"/logs?object=key-7", "/logs?object=key-201", "/logs?object=nothing",
	"/logs?actor=user-7&verb=store.rare",
	"/logs?verb=key.set&object=key-201",
	"/logs?actor=user-7&object=key-201",
	"/logs?actor=user-101&verb=store.rare&object=key-201",
	"/logs?actor=user-7&verb=key.set&object=key-8",
};

struct stand {
	const char *url, *key_file;
	struct store *st;
	struct seal *seal;
	char token[TOKEN_SIZE];
	char middle[64];
	struct service *service;
	struct err err;
};

static int
fail(const struct stand *s)
{

	fprintf(stderr, "lists: %s\n", s->err.text);
	return (1);
}

static int
prepare(struct stand *s)
{
	const struct store_options opt = { .busy_timeout_ms = 5000 };
	const struct token_spec spec = { .name = "bench" };
	struct seal_pepper pepper;
	int64_t from, to;
	bool made;

	if ((s->st = store_open(s->url, &opt, &s->err)) == NULL ||
	    store_migrate(s->st, &from, &to, &s->err) ||
	    store_prepare(s->st, &s->err) ||
	    install_key_file(s->st, s->key_file, &made, &s->err) ||
	    (s->seal = seal_open(s->key_file, &s->err)) == NULL ||
	    install_meta(s->st, s->seal, &made, &s->err) ||
	    meta_pepper(s->st, s->seal, &pepper, &s->err))
		return (-1);
	if (tokens_revoke(s->st, spec.name, NULL) != 0)
		err_clear(&s->err);	/* there was none */
	return (tokens_create(s->st, &pepper, &spec, s->token, &s->err));
}

/* As the job does: reports read what it has not counted from the ledger. */
static void
fold(struct stand *s)
{
	struct latency_pass pass = { .more = true };

	while (pass.more) {
		if (latency_fold(s->st, &pass, &s->err))
			exit(fail(s));
		(void)store_housekeep(s->st, false);	/* the log grows */
	}
}

static void
param(struct http_request *r, const char *name, const char *value)
{

	if (http_request_param(r, name, strlen(name), value, strlen(value),
	    NULL))
		abort();
}

/* The body of the answer; NULL: it is not one with status 200. */
static json_t *
ask(struct stand *s, const char *path, double *ms)
{
	const struct service_body none = { .p = NULL };
	char uri[512], bearer[TOKEN_SIZE + 8];
	struct timespec begun, ended;
	struct http_request r;
	struct buf out;
	json_t *body = NULL;
	int ready, status;
	char *end;

	(void)snprintf(uri, sizeof(uri), "/api/v1%s", path);
	(void)snprintf(bearer, sizeof(bearer), "Bearer %s", s->token);
	http_request_init(&r);
	param(&r, "REQUEST_METHOD", "GET");
	param(&r, "REQUEST_URI", uri);
	param(&r, "REMOTE_ADDR", "127.0.0.1");
	param(&r, "HTTP_AUTHORIZATION", bearer);
	ready = http_request_ready(&r, "", &s->err);
	buf_init(&out, SERVICE_ANSWER_BYTES);
	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	status = service_answer(s->service, &r, &none, ready, &s->err, &out);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	*ms = (double)(ended.tv_sec - begun.tv_sec) * 1e3 +
	    (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
	if (buf_append(&out, "", 1) == 0 &&
	    (end = strstr((const char *)buf_head(&out), "\r\n\r\n")) != NULL)
		body = json_loads(end + 4, 0, NULL);
	if (status != 200)
		fprintf(stderr, "lists: %s: %d\n", path, status);
	buf_fini(&out);
	http_request_fini(&r);
	return (body);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y ? -1 : x > y);
}

static size_t
rows_of(const json_t *body)
{
	const json_t *rows = json_object_get(body, "items");

	if (rows == NULL)
		rows = json_object_get(body, "rows");
	return (json_array_size(rows != NULL ? rows : body));
}

static void
rest(double ms)
{
	const long ns = (long)(ms * 1e6 / REST_PART);
	const struct timespec t = { ns / 1000000000, ns % 1000000000 };

	(void)nanosleep(&t, NULL);
}

static double
percent_95(double *all, int n)
{

	qsort(all, (size_t)n, sizeof(*all), by_size);
	return (n == 0 ? 0 : all[n * 95 / 100]);
}

/* A page that ended without a row: how many more until the first, and what
 * they took. */
static int
go_on(struct stand *s, const char *path, json_t *body, double all[MORE_MAX])
{
	const char *next;
	char more[768];
	int n = 0;

	while (n < MORE_MAX && rows_of(body) == 0 && (next = json_string_value(
	    json_object_get(body, "next"))) != NULL) {
		(void)snprintf(more, sizeof(more), "%s&before=%s", path,
		    next);
		json_decref(body);
		body = ask(s, more, &all[n]);
		rest(all[n++]);
	}
	json_decref(body);
	return (n);
}

static void
measure(struct stand *s, const char *path, int times)
{
	static double all[TIMES_MAX], of_more[MORE_MAX];
	char filled[512];
	const char *at = strstr(path, "%MIDDLE%");
	json_t *body = NULL;
	double p95;
	size_t rows;
	int i, more;

	(void)snprintf(filled, sizeof(filled), "%s", path);
	if (at != NULL)
		(void)snprintf(filled + (at - path), sizeof(filled) -
		    (size_t)(at - path), "%s", s->middle);
	for (i = 0; i < times; i++) {
		json_decref(body);
		body = ask(s, filled, &all[i]);
		rest(all[i]);
	}
	p95 = percent_95(all, times);
	rows = rows_of(body);
	more = go_on(s, filled, body, of_more);
	printf("%s\t%.1f\t%.1f\t%.1f\t%zu\t%d\t%.1f\n", path,
	    all[times / 2], p95, all[times - 1], rows, more,
	    percent_95(of_more, more));
	(void)fflush(stdout);
}

/* An id in the middle of the ledger. */
static void
find_middle(struct stand *s)
{
	json_t *body;
	double ms;

	body = ask(s, "/requests?limit=1&until_ms=1", &ms);
	json_decref(body);
	(void)snprintf(s->middle, sizeof(s->middle), "%lld",
	    (long long)(((int64_t)time(NULL) * 1000 - INT64_C(1735689600000) -
	    INT64_C(50) * 86400000) << 22));
}

int
main(int argc, char **argv)
{
	struct stand s = { .err = { .code = ERR_NONE } };
	int times = argc > 3 ? atoi(argv[3]) : 20;
	bool lists_alone = argc > 4 && strcmp(argv[4], "lists") == 0;
	const char *only = argc > 5 ? argv[5] : "";
	struct service_params params;
	size_t i;

	if (argc < 3 || times < 1 || times > TIMES_MAX) {
		fprintf(stderr, "usage: lists STORE-URL KEY-FILE [TIMES "
		    "[all|lists [TEXT]]]\n");
		return (2);
	}
	s.url = argv[1];
	s.key_file = argv[2];
	if (prepare(&s))
		return (fail(&s));
	if (!lists_alone)
		fold(&s);
	store_close(s.st);
	params = (struct service_params) {
		.store_url = s.url,
		.master_key_file = s.key_file,
		.busy_timeout_ms = 5000,
		.settings = { .mount = "", .life = { .idle_ms = 1000,
		    .max_ms = 1000 } },
	};
	s.service = service_new(&params);
	find_middle(&s);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if ((!lists_alone || strncmp(paths[i], "/usage", 6) != 0) &&
		    strstr(paths[i], only) != NULL)
			measure(&s, paths[i], times);
	}
	service_free(s.service);
	seal_free(s.seal);
	return (0);
}
