#ifndef METRICS_SLOTS_H_
#define METRICS_SLOTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/metrics.h"

struct err;
struct slot;
struct slots;

/**
 * The counters of all responders of a host, in one file that each maps, so
 * that any of them can tell the sums.
 *
 * Whoever counts has a slot of its own, and only one thread writes to it: a
 * count is a relaxed load and store of 64 bits, and no lock is taken.  A slot
 * has a cell for each series that it has met, in the order in which it met
 * them; the number of cells is stored last, so that no half-made cell is ever
 * seen.
 *
 *	head | entries, one a slot | retired 0 | retired 1 | cells of slots ...
 *
 * The slot of a process that has ended (its lock on one byte of the file is
 * gone, whatever ended it) is added to what is retired, by whoever next reads
 * the file or takes a slot, under a lock.  There are two tables of what is
 * retired: the other one is made anew, with a note of which life of which slot
 * is in it, and then becomes the one that counts by a single store; so being
 * killed at any moment counts nothing twice and loses nothing.
 *
 * The file lives as long as the machine runs: one of another boot, whose pages
 * may be torn, of another layout or of another table of metrics is replaced by
 * an empty one, and those who have the old one open count on in it, unseen.
 */

#define SLOTS_MAX	1024	/* two for a relay responder */
#define SLOT_CELLS	2048	/* series of one slot */
#define RETIRED_CELLS	16384

enum slot_kind {
	SLOT_OTHER,		/* a further thread of a process */
	SLOT_RELAY,
	SLOT_ADMIN
};

/** What is true now, of a process. */
enum slot_gauge {
	SLOT_REQUESTS,
	SLOT_CONNECTIONS,
	SLOT_WAITING,
	SLOT_GAUGES
};

/**
 * slots_open(path, err):
 * Map the file, made anew if need be.  NULL with ${err}; so also when another
 * process, stopped, keeps it locked.  slots_open_in(run_dir, err): Where
 * responders have it.  slots_close(s): The slots that were claimed through it
 * are given up.  NULL is allowed.
 */
struct slots *slots_open(const char *path, struct err *err);
struct slots *slots_open_in(const char *run_dir, struct err *err);
void slots_close(struct slots *s);

/** slots_claim(s, kind, err): A slot, until slots_close; for one thread.  NULL
 * with ${err}: none is free, or no disk. */
struct slot *slots_claim(struct slots *s, enum slot_kind kind,
    struct err *err);

/** slot_add(s, series, n): Count; ${series} as metric_series makes it.  The
 * slot's thread alone.  Where ${s} is NULL these do nothing. */
void slot_add(struct slot *s, uint64_t series, int64_t n);

/** slot_observe(s, series, v): Of a histogram, in its unit. */
void slot_observe(struct slot *s, uint64_t series, int64_t v);

/** slot_set(s, g, v): Likewise. */
void slot_set(struct slot *s, enum slot_gauge g, int64_t v);

/** A value of a series. */
struct cell {
	uint64_t key;
	uint64_t value;
};

/** A process that runs. */
struct slot_life {
	enum slot_kind kind;
	unsigned int n;			/* its slot */
	int64_t pid;			/* 0: of another world of pids */
	int64_t started_ms;		/* wall */
	int64_t gauges[SLOT_GAUGES];
};

struct slot_sums {
	struct cell *cells;		/* by rising key, each once */
	size_t ncells, room;
	struct slot_life *lives;
	size_t nlives;
	unsigned int free;		/* slots */
};

/**
 * slots_read(s, out, err):
 * The sums over all slots, of processes that run and that have ended.  Any
 * thread.  0, or -1; ${out} is to be given up by slot_sums_fini in any case.
 */
int slots_read(struct slots *s, struct slot_sums *out, struct err *err)
    __attribute__((__warn_unused_result__));
void slot_sums_fini(struct slot_sums *sums);

/** slot_sums_put(sums, key, v): One more cell, before slot_sums_sort.  -1
 * without memory.  slot_sums_sort(sums): By key, each once. */
int slot_sums_put(struct slot_sums *sums, uint64_t key, uint64_t v)
    __attribute__((__warn_unused_result__));
void slot_sums_sort(struct slot_sums *sums);

#endif /* !METRICS_SLOTS_H_ */
