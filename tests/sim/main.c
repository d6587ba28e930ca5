#include <sys/wait.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/num.h"
#include "pool/choose.h"

#include "sim/sim.h"

/*
 * sim: all strategies and the naive relay, each in a process of its own, and
 * what came of them.
 */

#define STRATEGIES_MAX	8

static const struct option options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "days", required_argument, NULL, 'd' },
	{ "sessions", required_argument, NULL, 'n' },
	{ "strategy", required_argument, NULL, 'S' },
	{ "set", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static void __attribute__((__noreturn__))
usage(int status)
{

	fprintf(status == 0 ? stdout : stderr, "usage: sim [--seed N] "
	    "[--days N] [--sessions N] [--strategy NAME]\n"
	    "           [--set 'NAME = VALUE'] ... "
	    "[--json]\n");
	exit(status);
}

static int64_t
number(const char *text, int64_t max)
{
	int64_t n;

	if (num_parse(text, strlen(text), 1, max, &n))
		usage(2);
	return (n);
}

/* As a line of leasehold.conf. */
static void
add_line(char *conf, size_t size, const char *line)
{
	size_t n = strlen(conf);

	if ((size_t)snprintf(conf + n, size - n, "%s\n", line) >= size - n)
		usage(2);
}

/* In a child, which writes the result into the pipe. */
static int
start(const struct sim_params *params)
{
	struct sim_result r;
	int fds[2];

	if (pipe(fds) != 0)
		exit(1);
	switch (fork()) {
	case -1:
		exit(1);
	case 0:
		sim_run(params, &r);
		_exit(write(fds[1], &r, sizeof(r)) == sizeof(r) ? 0 : 1);
	default:
		close(fds[1]);
		return (fds[0]);
	}
}

static void
finish(int fd, struct sim_result *out)
{
	int status;

	if (read(fd, out, sizeof(*out)) != sizeof(*out) ||
	    wait(&status) == -1 || status != 0) {
		fprintf(stderr, "sim: one strategy failed\n");
		exit(1);
	}
	close(fd);
}

/* As many at a time as there are processors. */
static void
run_all(const struct sim_params *params, const char *const *strategies,
    struct sim_result *out, size_t n)
{
	struct sim_params one;
	size_t i, ahead = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	int fds[STRATEGIES_MAX + 1];

	for (i = 0; i < n + ahead; i++) {
		if (i < n) {
			one = *params;
			one.strategy = strategies[i];
			fds[i] = start(&one);
		}
		if (i + 1 >= ahead && i + 1 - ahead < n)
			finish(fds[i + 1 - ahead], &out[i + 1 - ahead]);
	}
}

static double
per_thousand(int64_t part, int64_t of)
{

	return (of > 0 ? 1000.0 * (double)part / (double)of : 0);
}

static void
print_table(const struct sim_params *params, const struct sim_result *r,
    size_t n)
{
	size_t i;

	printf("%lld sessions in %lld days, seed %llu; %lld to %lld turns\n\n",
	    (long long)params->sessions, (long long)params->days,
	    (unsigned long long)params->seed, (long long)r[n - 1].turns,
	    (long long)r[0].turns);
	printf("%-18s%10s%10s%8s%8s%9s%9s%8s%8s%8s%8s%9s%9s\n", "",
	    "failures", "avoidable", "lost", "moves", "needless", "tokens",
	    "cached", "Jain", "used", "useful", "overflow", "wait p99");
	for (i = 0; i < n; i++)
		printf("%-18s%10lld%10lld%8lld%8lld%9lld%8lldM%7.1f%%%8.4f"
		    "%7.1f%%%7.1f%%%9.1f%8.1fs\n", r[i].name,
		    (long long)r[i].failures, (long long)r[i].avoidable,
		    (long long)r[i].lost, (long long)r[i].moves,
		    (long long)r[i].needless,
		    (long long)(r[i].moved_tokens / 1000000),
		    100 * r[i].cached, r[i].jain, 100 * r[i].used,
		    100 * r[i].useful, per_thousand(r[i].overflow,
		    r[i].served) / 10, (double)r[i].wait_p99_ms / 1000);
	printf("\nfailures: errors that clients saw; avoidable: an account "
	    "could have served; lost:\nturns given up; moves: calls that left "
	    "an account with a live cache; needless: it\ncould have served; "
	    "tokens: written again for that; used: of the subscriptions'\n"
	    "allowance; useful: less what lost caches cost; overflow: %% "
	    "served by accounts paid\nby the token.\n");
}

static int
print_json(const struct sim_params *params, const struct sim_result *r,
    size_t n)
{
	json_t *all = json_array(), *top;
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		rc = json_array_append_new(all, json_pack("{s:s, s:I, s:I, "
		    "s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, "
		    "s:f, s:I, s:I}", "strategy", r[i].name,
		    "turns", (json_int_t)r[i].turns,
		    "served", (json_int_t)r[i].served,
		    "lost", (json_int_t)r[i].lost,
		    "failures", (json_int_t)r[i].failures,
		    "avoidable", (json_int_t)r[i].avoidable,
		    "moves", (json_int_t)r[i].moves,
		    "needless_moves", (json_int_t)r[i].needless,
		    "moved_tokens", (json_int_t)r[i].moved_tokens,
		    "attempts", (json_int_t)r[i].attempts,
		    "overflow", (json_int_t)r[i].overflow,
		    "cached", r[i].cached, "jain", r[i].jain,
		    "used", r[i].used, "useful", r[i].useful,
		    "wait_p50_ms", (json_int_t)r[i].wait_p50_ms,
		    "wait_p99_ms", (json_int_t)r[i].wait_p99_ms));
	top = json_pack("{s:I, s:I, s:I, s:o}", "seed",
	    (json_int_t)params->seed, "days", (json_int_t)params->days,
	    "sessions", (json_int_t)params->sessions, "results", all);
	rc = top == NULL ? -1 : json_dumpf(top, stdout, JSON_INDENT(2));
	json_decref(top);
	putchar('\n');
	return (rc);
}

static size_t
all_strategies(const char **out)
{
	size_t n;

	for (n = 0; n < STRATEGIES_MAX && choose_strategy(n) != NULL; n++)
		out[n] = choose_strategy(n);
	return (n);
}

int
main(int argc, char **argv)
{
	struct sim_params params = { .seed = 1, .days = 7,
		.sessions = 1000 };
	const char *strategies[STRATEGIES_MAX + 1];
	char conf[1024] = "";
	struct sim_result results[STRATEGIES_MAX + 1];
	bool json = false;
	size_t n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			params.seed = (uint64_t)number(optarg, INT64_MAX);
			break;
		case 'd':
			params.days = number(optarg, 28);
			break;
		case 'n':
			params.sessions = number(optarg, 100000);
			break;
		case 'S':
			if (!choose_knows(optarg))
				usage(2);
			strategies[0] = optarg;
			n = 1;
			break;
		case 'c':
			add_line(conf, sizeof(conf), optarg);
			break;
		case 'j':
			json = true;
			break;
		default:
			usage(c == 'h' ? 0 : 2);
		}
	}
	if (optind < argc)
		usage(2);
	params.conf = conf;
	if (n == 0)
		n = all_strategies(strategies);
	strategies[n++] = NULL;		/* the naive one */
	run_all(&params, strategies, results, n);
	if (json)
		return (print_json(&params, results, n) == 0 ? 0 : 1);
	print_table(&params, results, n);
	return (0);
}
