#include "config.h"

#include <string.h>

#include "metrics/metrics.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- words ---- */

/* The first one stands for what is not in the list. */
static const char *const routes[] = {
	"other", "messages", "count_tokens", "models", "batch_create",
	"batch_list", "batch_get", "batch_cancel", "batch_delete",
	"batch_results", "file_upload", "file_list", "file_get",
	"file_content", "file_delete", "hello", "health"
};

/* "none": the request came to no account. */
static const char *const platforms[] = {
	"other", "none", "claude", "claude_console"
};

static const char *const model_families[] = {
	"other", "none", "opus", "sonnet", "haiku"
};

/* relay/judge.c, relay/transfer.c, relay/pass.c, pool/refresh.c. */
static const char *const outcomes[] = {
	"other", "ok", "client_error", "rate_limited", "auth", "credit",
	"overloaded", "upstream_error", "upstream_timeout", "redirect",
	"resolve", "connect", "proxy", "tls", "send", "cut", "silent",
	"stalled", "garbage", "internal", "upstream_cut", "upstream_stalled",
	"client_gone", "stopped", "budget_cut", "sign_in", "refresh"
};

/* relay/refusal.c; "no_route" and "bad_request" are the front line's. */
static const char *const refusals[] = {
	"other", "bad_request", "too_large", "encoded", "bodies_full",
	"no_key", "key_revoked", "key_expired", "throttled", "store_down",
	"model_refused", "client_refused", "address_refused",
	"model_unserved", "budget", "budget_held", "unpriced",
	"feature_refused", "no_object", "objects_apart", "unheard",
	"queue_full", "queue_timeout", "no_account", "parked", "stopped",
	"no_route"
};

static const char *const budget_ends[] = {
	"other", "used_up", "renews", "held", "cut"
};

static const char *const refresh_ends[] = {
	"other", "renewed", "failed", "needs_sign_in", "superseded",
	"not_committed"
};

static const char *const operations[] = { "other", "chat" };
static const char *const providers[] = { "other", "anthropic" };
static const char *const token_types[] = { "other", "input", "output" };
static const char *const responders[] = { "other", "relay", "admin" };
static const char *const queue_states[] = { "other", "waiting", "granted" };
static const char *const account_states[] = {
	"other", "enabled", "disabled"
};
static const char *const versions[] = { PACKAGE_VERSION };

#define WORDS(list)	{ list, NITEMS(list) }

static const struct {
	const char *const *words;
	size_t n;
} domains[NDOMAINS] = {
	[DOMAIN_ROUTE] = WORDS(routes),
	[DOMAIN_PLATFORM] = WORDS(platforms),
	[DOMAIN_FAMILY] = WORDS(model_families),
	[DOMAIN_OUTCOME] = WORDS(outcomes),
	[DOMAIN_REFUSAL] = WORDS(refusals),
	[DOMAIN_BUDGET] = WORDS(budget_ends),
	[DOMAIN_REFRESH] = WORDS(refresh_ends),
	[DOMAIN_OPERATION] = WORDS(operations),
	[DOMAIN_PROVIDER] = WORDS(providers),
	[DOMAIN_TOKEN] = WORDS(token_types),
	[DOMAIN_RESPONDER] = WORDS(responders),
	[DOMAIN_QUEUE] = WORDS(queue_states),
	[DOMAIN_ACCOUNT] = WORDS(account_states),
	[DOMAIN_VERSION] = WORDS(versions),
};

/* ---- buckets ---- */

/*
 * Those of the first four are what OpenTelemetry's semantic conventions for
 * generative AI ask for, as are names, labels and units ("Generative AI
 * metrics", opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics, status
 * "development"; times here in microseconds).
 */
static const int64_t token_bounds[] = {
	1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304,
	16777216, 67108864
};
static const int64_t duration_bounds[] = {
	10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000,
	5120000, 10240000, 20480000, 40960000, 81920000
};
static const int64_t first_token_bounds[] = {
	1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 250000, 500000,
	750000, 1000000, 2500000, 5000000, 7500000, 10000000
};
static const int64_t output_token_bounds[] = {
	10000, 25000, 50000, 75000, 100000, 150000, 200000, 300000, 400000,
	500000, 750000, 1000000, 2500000
};

static const int64_t wait_bounds[] = {
	1000, 10000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
	10000000, 30000000, 60000000, 120000000
};
static const int64_t commit_bounds[] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000
};
static const int64_t batch_bounds[] = {
	1, 2, 4, 8, 16, 32, 64, 128, 256, 512
};

#define BOUNDS(list)	.bounds = list, .nbounds = NITEMS(list)
#define SECONDS		1000000

/* ---- the table ---- */

static const struct metric_info metrics[NMETRICS] = {
	[METRIC_REQUESTS] = {
		.name = "leasehold_requests_total",
		.help = "Requests that the relay answered, or whose client "
		    "left (499).",
		.kind = METRIC_COUNTER,
		.labels = { { "route", DOMAIN_ROUTE },
		    { "status", DOMAIN_NUMBER },
		    { "platform", DOMAIN_PLATFORM },
		    { "model_family", DOMAIN_FAMILY } },
	},
	[METRIC_ATTEMPTS] = {
		.name = "leasehold_attempts_total",
		.help = "Tries upstream, by what came of them.",
		.kind = METRIC_COUNTER,
		.labels = { { "platform", DOMAIN_PLATFORM },
		    { "outcome", DOMAIN_OUTCOME } },
	},
	[METRIC_FAILOVERS] = {
		.name = "leasehold_failovers_total",
		.help = "Requests that moved on after a failed try, by its "
		    "outcome.",
		.kind = METRIC_COUNTER,
		.labels = { { "cause", DOMAIN_OUTCOME } },
	},
	[METRIC_REFUSALS] = {
		.name = "leasehold_refusals_total",
		.help = "Requests that the relay turned away in words of its "
		    "own.",
		.kind = METRIC_COUNTER,
		.labels = { { "reason", DOMAIN_REFUSAL } },
	},
	[METRIC_BUDGET_REFUSALS] = {
		.name = "leasehold_budget_refusals_total",
		.help = "Requests that a budget refused: used up for good, "
		    "until it renews, by what open requests hold, or (cut) a "
		    "stream that it ended.",
		.kind = METRIC_COUNTER,
		.labels = { { "reason", DOMAIN_BUDGET } },
	},
	[METRIC_PARKS] = {
		.name = "leasehold_account_parks_total",
		.help = "Failures for which an account was to rest.",
		.kind = METRIC_COUNTER,
		.labels = { { "reason", DOMAIN_OUTCOME } },
	},
	[METRIC_REFRESHES] = {
		.name = "leasehold_oauth_refreshes_total",
		.help = "Renewals of tokens, by result.",
		.kind = METRIC_COUNTER,
		.labels = { { "result", DOMAIN_REFRESH } },
	},
	[METRIC_COST] = {
		.name = "leasehold_cost_usd_total",
		.help = "What settled requests cost, in dollars, as far as "
		    "they have a price.",
		.kind = METRIC_COUNTER,
		.labels = { { "platform", DOMAIN_PLATFORM },
		    { "model_family", DOMAIN_FAMILY } },
		.unit = 1000000000,
	},
	[METRIC_SPOOLED] = {
		.name = "leasehold_settlements_spooled_total",
		.help = "Settlements that went to disk, as the database could "
		    "not take them.",
		.kind = METRIC_COUNTER,
	},
	[METRIC_STORE_RETRIES] = {
		.name = "leasehold_store_rollbacks_total",
		.help = "Transactions that were rolled back, and as a rule "
		    "run again.",
		.kind = METRIC_COUNTER,
	},
	[METRIC_STORE_FAILURES] = {
		.name = "leasehold_store_failures_total",
		.help = "Operations that the database did not take.",
		.kind = METRIC_COUNTER,
	},
	[METRIC_TOKENS] = {
		.name = "gen_ai_client_token_usage",
		.help = "Tokens of a request that the upstream charged, input "
		    "with that of caches.",
		.kind = METRIC_HISTOGRAM,
		.labels = { { "gen_ai_operation_name", DOMAIN_OPERATION },
		    { "gen_ai_provider_name", DOMAIN_PROVIDER },
		    { "gen_ai_request_model", DOMAIN_FAMILY },
		    { "gen_ai_token_type", DOMAIN_TOKEN } },
		BOUNDS(token_bounds),
	},
	[METRIC_DURATION] = {
		.name = "gen_ai_server_request_duration_seconds",
		.help = "From a request's last byte to its answer's last, "
		    "waiting included; error_type is empty where it went "
		    "well.",
		.kind = METRIC_HISTOGRAM,
		.labels = { { "gen_ai_operation_name", DOMAIN_OPERATION },
		    { "gen_ai_provider_name", DOMAIN_PROVIDER },
		    { "gen_ai_request_model", DOMAIN_FAMILY },
		    { "error_type", DOMAIN_OUTCOME } },
		.unit = SECONDS,
		BOUNDS(duration_bounds),
	},
	[METRIC_FIRST_TOKEN] = {
		.name = "gen_ai_server_time_to_first_token_seconds",
		.help = "From a request's last byte to the first content of "
		    "its stream, of those that went well.",
		.kind = METRIC_HISTOGRAM,
		.labels = { { "gen_ai_operation_name", DOMAIN_OPERATION },
		    { "gen_ai_provider_name", DOMAIN_PROVIDER },
		    { "gen_ai_request_model", DOMAIN_FAMILY } },
		.unit = SECONDS,
		BOUNDS(first_token_bounds),
	},
	[METRIC_OUTPUT_TOKEN] = {
		.name = "gen_ai_server_time_per_output_token_seconds",
		.help = "From the first content of a stream to its end, by "
		    "the tokens after the first, of those that went well.",
		.kind = METRIC_HISTOGRAM,
		.labels = { { "gen_ai_operation_name", DOMAIN_OPERATION },
		    { "gen_ai_provider_name", DOMAIN_PROVIDER },
		    { "gen_ai_request_model", DOMAIN_FAMILY } },
		.unit = SECONDS,
		BOUNDS(output_token_bounds),
	},
	[METRIC_QUEUE_WAIT] = {
		.name = "leasehold_queue_wait_seconds",
		.help = "How long requests waited for a lease, of all that "
		    "needed one.",
		.kind = METRIC_HISTOGRAM,
		.unit = SECONDS,
		BOUNDS(wait_bounds),
	},
	[METRIC_COMMIT] = {
		.name = "leasehold_store_commit_seconds",
		.help = "How long the commit of a transaction took.",
		.kind = METRIC_HISTOGRAM,
		.unit = SECONDS,
		BOUNDS(commit_bounds),
	},
	[METRIC_BATCH] = {
		.name = "leasehold_store_batch_operations",
		.help = "Operations that were committed in one transaction.",
		.kind = METRIC_HISTOGRAM,
		BOUNDS(batch_bounds),
	},
	[METRIC_PROCESSES] = {
		.name = "leasehold_processes",
		.help = "Responders of this host that run.",
		.kind = METRIC_GAUGE,
		.labels = { { "kind", DOMAIN_RESPONDER } },
	},
	[METRIC_PROCESS_START] = {
		.name = "leasehold_process_start_time_seconds",
		.help = "When a responder started, since the epoch; process "
		    "is its place in the file of counters.",
		.kind = METRIC_GAUGE,
		.labels = { { "kind", DOMAIN_RESPONDER },
		    { "process", DOMAIN_NUMBER } },
		.unit = 1000,
	},
	[METRIC_PROCESS_MEMORY] = {
		.name = "leasehold_process_resident_memory_bytes",
		.help = "Resident memory of a responder.",
		.kind = METRIC_GAUGE,
		.labels = { { "kind", DOMAIN_RESPONDER },
		    { "process", DOMAIN_NUMBER } },
	},
	[METRIC_PROCESS_REQUESTS] = {
		.name = "leasehold_process_open_requests",
		.help = "Requests that a relay responder has open, those "
		    "being settled included.",
		.kind = METRIC_GAUGE,
		.labels = { { "kind", DOMAIN_RESPONDER },
		    { "process", DOMAIN_NUMBER } },
	},
	[METRIC_PROCESS_CONNECTIONS] = {
		.name = "leasehold_process_open_connections",
		.help = "Connections of the web server to a relay "
		    "responder.",
		.kind = METRIC_GAUGE,
		.labels = { { "kind", DOMAIN_RESPONDER },
		    { "process", DOMAIN_NUMBER } },
	},
	[METRIC_PROCESS_WAITING] = {
		.name = "leasehold_process_waiting_requests",
		.help = "Requests of a relay responder that wait for a lease, "
		    "or for the database to give one.",
		.kind = METRIC_GAUGE,
		.labels = { { "kind", DOMAIN_RESPONDER },
		    { "process", DOMAIN_NUMBER } },
	},
	[METRIC_DATABASE_UP] = {
		.name = "leasehold_database_up",
		.help = "1: the database answered; 0: it did not, and what it "
		    "tells is missing here.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_LEASES] = {
		.name = "leasehold_leases_held",
		.help = "Slots of accounts that are leased, on all hosts.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_SLOTS] = {
		.name = "leasehold_lease_slots",
		.help = "Slots of enabled accounts.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_ACCOUNTS] = {
		.name = "leasehold_accounts",
		.help = "Accounts.",
		.kind = METRIC_GAUGE,
		.labels = { { "state", DOMAIN_ACCOUNT } },
	},
	[METRIC_COOLDOWNS] = {
		.name = "leasehold_cooldowns",
		.help = "Accounts that rest now, or one model family of "
		    "theirs, by reason.",
		.kind = METRIC_GAUGE,
		.labels = { { "reason", DOMAIN_OUTCOME } },
	},
	[METRIC_QUEUE] = {
		.name = "leasehold_queue_requests",
		.help = "Requests in the queue of all hosts: waiting, or "
		    "granted a slot that they have not taken up.",
		.kind = METRIC_GAUGE,
		.labels = { { "state", DOMAIN_QUEUE } },
	},
	[METRIC_QUEUE_OLDEST] = {
		.name = "leasehold_queue_oldest_seconds",
		.help = "How long the first of those has waited; 0: none "
		    "does.",
		.kind = METRIC_GAUGE,
		.unit = 1000,
	},
	[METRIC_SPOOL_FILES] = {
		.name = "leasehold_spool_files",
		.help = "Files in the spool folder of this host.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_SPOOL_RECORDS] = {
		.name = "leasehold_spool_records",
		.help = "Settlements in them that the database has not got "
		    "yet.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_SPOOL_REFUSED] = {
		.name = "leasehold_spool_refused_files",
		.help = "Spool files that were put aside.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_DROPPED] = {
		.name = "leasehold_metrics_dropped_total",
		.help = "Counts of series that had no room in the file of "
		    "counters.",
		.kind = METRIC_COUNTER,
	},
	[METRIC_FREE] = {
		.name = "leasehold_metrics_slots_free",
		.help = "Places in the file of counters that are free; a "
		    "relay responder takes two.",
		.kind = METRIC_GAUGE,
	},
	[METRIC_BUILD] = {
		.name = "leasehold_build_info",
		.help = "1, with the version of the admin responder that "
		    "answers.",
		.kind = METRIC_GAUGE,
		.labels = { { "version", DOMAIN_VERSION } },
	},
};

const struct metric_info *
metric_info(enum metric m)
{

	return (&metrics[m]);
}

unsigned int
domain_find(enum domain d, const char *word)
{
	unsigned int i;

	for (i = 1; i < domains[d].n; i++) {
		if (strcmp(domains[d].words[i], word) == 0)
			return (i);
	}
	return (0);
}

const char *
domain_word(enum domain d, unsigned int i)
{

	return (i < domains[d].n ? domains[d].words[i] : NULL);
}

unsigned int
metric_family(const char *model)
{
	unsigned int i;

	if (model[0] == '\0')
		return (1);
	for (i = 2; i < NITEMS(model_families); i++) {
		if (strstr(model, model_families[i]) != NULL)
			return (i);
	}
	return (0);
}

unsigned int
metric_bucket(enum metric m, int64_t v)
{
	const struct metric_info *info = &metrics[m];
	unsigned int i;

	for (i = 0; i < info->nbounds && v > info->bounds[i]; i++)
		continue;
	return (i);
}

/* FNV-1a, by 32 bits. */
static uint32_t
mix(uint32_t h, const void *p, size_t n)
{
	const unsigned char *c = p;

	while (n-- > 0)
		h = (h ^ *c++) * 16777619U;
	return (h);
}

static uint32_t
mix_text(uint32_t h, const char *s)
{

	return (mix(h, s, strlen(s) + 1));
}

uint32_t
metrics_print(void)
{
	const struct metric_info *m;
	uint32_t h = 2166136261U;
	size_t i, j;

	for (i = 1; i < NMETRICS; i++) {
		m = &metrics[i];
		h = mix_text(h, m->name);
		for (j = 0; j < METRIC_LABELS; j++)
			h = mix(h, &m->labels[j].domain,
			    sizeof(m->labels[j].domain));
		h = mix(h, &m->unit, sizeof(m->unit));
		h = mix(h, m->bounds, m->nbounds * sizeof(m->bounds[0]));
	}
	for (i = 0; i < NDOMAINS; i++) {
		if (i == DOMAIN_VERSION)	/* is in no file */
			continue;
		for (j = 0; j < domains[i].n; j++)
			h = mix_text(h, domains[i].words[j]);
	}
	return (h);
}
