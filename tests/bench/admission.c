/*
 * The admission transaction by itself, for the benchmark: a pool as a relay
 * responder has it, without web server and upstream.  So many requests are
 * under way at once; each is admitted, holds its lease for a while, and is
 * settled.  Times are those from the hand-over to the store thread until the
 * result is back in the loop.  Prints one line of JSON.
 */

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/seal.h"
#include "pool/pool.h"

#define STUCK_MS	120000	/* all of it may not take longer */

struct bench;

struct client {
	struct bench *bench;
	struct admit_op admit;
	struct settle_op settle;
	struct loop_timer timer;
	int64_t begun_us;
};

struct times {
	uint32_t *us;
	size_t n;
};

struct bench {
	const char *key_text;
	int connections, hold_ms;
	size_t requests;		/* that are measured */
	size_t sent, open, refused, failed;
	struct loop *loop;
	struct pool *pool;
	struct lookup_op lookup;
	struct key_info *key;
	struct client *clients;
	struct times admission, settlement;
	struct loop_timer stuck;
	int64_t begun_us, ended_us;
};

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static void __attribute__((__noreturn__))
die(const char *what, const struct err *err)
{

	fprintf(stderr, "admission: %s: %s\n", what, err->text);
	exit(1);
}

static void
note(struct times *t, size_t max, int64_t begun_us)
{

	if (t->n < max)
		t->us[t->n++] = (uint32_t)(now_us() - begun_us);
}

static void next(struct client *c);

/* ---- one request ---- */

static void
settled(struct settle_op *op, const struct err *err)
{
	struct client *c = op->arg;

	note(&c->bench->settlement, c->bench->requests, c->begun_us);
	if (err->code != ERR_NONE)
		c->bench->failed++;
	next(c);
}

static void
settle(struct loop_timer *t)
{
	struct client *c = t->arg;
	struct admit_op *admit = &c->admit;

	c->settle = (struct settle_op) {
		.ledger_id = admit->ledger_id,
		.key_id = admit->key->id,
		.attempts = 1,
		.lease = admit->lease,
		.end = { .outcome = "ok", .status = 200,
			.mark = USAGE_EXACT,
			.usage = { .input_tokens = 20, .output_tokens = 20 } },
		.success = true,
		.outcome = "ok",
		.status = 200,
		.reserved_nusd = admit->reserved_nusd,
		.first_byte_ms = c->bench->hold_ms,
		.total_ms = c->bench->hold_ms,
		.done = settled,
		.arg = c,
	};
	memcpy(c->settle.model, admit->model, sizeof(c->settle.model));
	memcpy(c->settle.trace, admit->trace, sizeof(c->settle.trace));
	admit->lease = (struct lease) { 0 };
	c->begun_us = now_us();
	pool_settle(c->bench->pool, &c->settle);
}

static void
admitted(struct admit_op *op, const struct err *err)
{
	struct client *c = op->arg;
	struct bench *b = c->bench;

	note(&b->admission, b->requests, c->begun_us);
	if (err->code != ERR_NONE || op->verdict != ADMIT_LEASED) {
		if (b->refused++ == 0)
			fprintf(stderr, "admission: refused: %s%s\n",
			    err->text, op->reason);
		next(c);
		return;
	}
	if (loop_timer_set(b->loop, &c->timer, loop_now_ms(b->loop) +
	    b->hold_ms, settle, c))
		die("timer", &(struct err) { .text = "no memory" });
}

static void
next(struct client *c)
{
	struct bench *b = c->bench;

	lease_drop(&c->settle.lease);
	if (b->sent == b->requests) {
		if (--b->open == 0) {
			b->ended_us = now_us();
			loop_stop(b->loop);
		}
		return;
	}
	b->sent++;
	c->admit = (struct admit_op) {
		.ledger_id = pool_next_id(b->pool),
		.key = b->key,
		.kind = "messages",
		.platform = "claude",
		.model = "claude-sonnet-4-5",
		.needs_slot = true,
		.billed = true,
		.body_bytes = 300,
		.max_tokens = 64,
		.done = admitted,
		.arg = c,
	};
	c->begun_us = now_us();
	pool_admit(b->pool, &c->admit);
}

/* ---- all ---- */

/* They begin one after the other, as if by chance. */
static void
begin(struct loop_timer *t)
{

	next(t->arg);
}

static void
looked_up(struct lookup_op *op, const struct err *err)
{
	struct bench *b = op->arg;
	struct client *c;
	int i;

	if (err->code != ERR_NONE)
		die("key", err);
	if ((b->key = op->key) == NULL)
		die("key", &(struct err) { .text = "there is no such key" });
	b->begun_us = now_us();
	for (i = 0; i < b->connections; i++) {
		c = &b->clients[i];
		c->bench = b;
		b->open++;
		if (loop_timer_set(b->loop, &c->timer,
		    loop_now_ms(b->loop) + i * b->hold_ms / b->connections,
		    begin, c))
			die("timer", &(struct err) { .text = "no memory" });
	}
}

static void
ready(void *arg)
{
	struct bench *b = arg;

	if (b->lookup.arg != NULL || !pool_ready(b->pool))
		return;
	seal_hash(pool_pepper(b->pool), b->key_text, strlen(b->key_text),
	    b->lookup.hash);
	b->lookup.done = looked_up;
	b->lookup.arg = b;
	pool_lookup(b->pool, &b->lookup);
}

static void
stuck(struct loop_timer *t)
{

	(void)t;
	die("stuck", &(struct err) { .text = "it takes too long" });
}

static int64_t
open_requests(void *arg)
{

	return ((int64_t)((const struct bench *)arg)->open);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y ? -1 : x > y);
}

static void
print_times(const char *name, struct times *t)
{
	size_t i;

	qsort(t->us, t->n, sizeof(t->us[0]), compare);
	printf("\"%s_us\":[", name);
	for (i = 0; i < t->n; i++)
		printf("%s%u", i == 0 ? "" : ",", t->us[i]);
	printf("]");
}

static void
report(struct bench *b)
{
	struct pool_stats st;

	pool_stats(b->pool, &st);
	printf("{\"requests\":%zu,\"refused\":%zu,\"failed\":%zu,"
	    "\"seconds\":%.3f,\"batches\":%lld,\"ops\":%lld,\"retries\":%lld,",
	    b->requests, b->refused, b->failed,
	    (double)(b->ended_us - b->begun_us) / 1e6,
	    (long long)st.store.batches, (long long)st.store.ops,
	    (long long)st.store.retries);
	print_times("admission", &b->admission);
	printf(",");
	print_times("settlement", &b->settlement);
	printf("}\n");
}

static void
run(struct bench *b, const char *conf_path)
{
	struct err err = { .code = ERR_NONE };
	struct pool_params params = {
		.clock = clock_system(), .open_requests = open_requests,
		.state = ready, .arg = b,
	};
	struct conf *conf;
	struct seal *seal = NULL;

	if ((conf = conf_load(conf_path, &err)) == NULL ||
	    (b->loop = loop_new(clock_system(), &err)) == NULL ||
	    (params.log = log_open(conf->log, LOG_LEVEL_INFO, clock_system(),
	    &err)) == NULL ||
	    (seal = seal_open(conf->master_key_file, &err)) == NULL)
		die("start", &err);
	params.conf = conf;
	params.seal = seal;
	params.loop = b->loop;
	if ((b->pool = pool_start(&params, &err)) == NULL ||
	    loop_timer_set(b->loop, &b->stuck, loop_now_ms(b->loop) + STUCK_MS,
	    stuck, b) || loop_run(b->loop, &err))
		die("run", &err);
	report(b);
	key_info_unref(b->key);
	pool_stop(b->pool, 1000);
	seal_free(seal);
	log_close(params.log);
	loop_timer_cancel(&b->stuck);
	loop_free(b->loop);
	conf_free(conf);
}

static void __attribute__((__noreturn__))
usage(void)
{

	fputs("usage: admission --config FILE --key KEY [options]\n"
	    "  --connections C  requests at once (1)\n"
	    "  --requests N     in all (1000)\n"
	    "  --hold MS        between admission and settlement (50)\n",
	    stderr);
	exit(2);
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'C' },
		{ "key", required_argument, NULL, 'k' },
		{ "connections", required_argument, NULL, 'c' },
		{ "requests", required_argument, NULL, 'n' },
		{ "hold", required_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	static struct bench b = { .connections = 1, .requests = 1000,
		.hold_ms = 50 };
	const char *conf_path = NULL;
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (ch) {
		case 'C':
			conf_path = optarg;
			break;
		case 'k':
			b.key_text = optarg;
			break;
		case 'c':
			b.connections = atoi(optarg);
			break;
		case 'n':
			b.requests = (size_t)atoll(optarg);
			break;
		case 'h':
			b.hold_ms = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (conf_path == NULL || b.key_text == NULL || b.connections < 1 ||
	    b.requests < 1 || b.hold_ms < 1)
		usage();
	signal(SIGPIPE, SIG_IGN);
	b.clients = calloc((size_t)b.connections, sizeof(*b.clients));
	b.admission.us = calloc(b.requests, sizeof(uint32_t));
	b.settlement.us = calloc(b.requests, sizeof(uint32_t));
	if (b.clients == NULL || b.admission.us == NULL ||
	    b.settlement.us == NULL)
		die("start", &(struct err) { .text = "no memory" });
	run(&b, conf_path);
	free(b.clients);
	free(b.admission.us);
	free(b.settlement.us);
	return (b.refused + b.failed > 0);
}
