#ifndef METRICS_SLOTS_INTERNAL_H_
#define METRICS_SLOTS_INTERNAL_H_

/*
 * What slots.c (the file, and counting) and sums.c (what is retired, and
 * reading) share.  Nobody else but their test includes this.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "metrics/slots.h"

#define SLOTS_MAGIC	UINT64_C(0x4c48736c6f747301)
#define SLOTS_LAYOUT	1
#define SLOTS_BOOT_SIZE	40

/* Twice the cells, so that a search is short. */
#define SLOT_INDEX_BITS	12
#define SLOT_INDEX	(1U << SLOT_INDEX_BITS)

_Static_assert(SLOT_INDEX >= 2 * SLOT_CELLS && SLOT_CELLS < UINT16_MAX,
    "an index that is never full");

/** A cell as it lies in the file. */
struct shared_cell {
	_Atomic uint64_t key;
	_Atomic uint64_t value;
};

_Static_assert(sizeof(struct shared_cell) == sizeof(struct cell) &&
    ATOMIC_LLONG_LOCK_FREE == 2, "64 bits are written at once");

struct slots_head {
	_Atomic uint64_t magic;		/* the last to be written */
	uint32_t layout;
	uint32_t print;			/* metrics_print() */
	char boot[SLOTS_BOOT_SIZE];	/* of the machine */
	_Atomic uint32_t retired;	/* the table that counts, 0 or 1 */
	char pad[4096 - 64];
};

/** What is known of a slot.  A life is that of the process that has it. */
struct slots_entry {
	_Atomic uint64_t life;		/* its number; 0: never claimed */
	_Atomic uint32_t ncells;
	uint32_t kind;
	_Atomic uint64_t dropped;
	int64_t pid;
	uint64_t world;			/* of process ids */
	int64_t started_ms;
	_Atomic int64_t gauges[SLOT_GAUGES];
	char pad[128 - 72];
};

/** What the lives that are over have counted; under the lock. */
struct slots_retired {
	uint64_t ncells;
	uint64_t dropped;
	uint64_t folded[SLOTS_MAX];	/* by slot: its last life in here */
	struct cell cells[RETIRED_CELLS];
};

struct slots_file {
	struct slots_head head;
	struct slots_entry entries[SLOTS_MAX];
	struct slots_retired retired[2];
	struct shared_cell cells[SLOTS_MAX][SLOT_CELLS];
};

_Static_assert(sizeof(struct slots_head) == 4096 &&
    sizeof(struct slots_entry) == 128, "a layout without gaps");

struct slot {
	struct slots_entry *entry;
	struct shared_cell *cells;
	uint16_t index[SLOT_INDEX];	/* of cells, from 1; 0: free */
};

struct slots {
	char *path;
	int fd;
	pthread_mutex_t lock;		/* beside the file's, which does not
					   keep threads apart */
	struct slots_file *file;
	bool mine[SLOTS_MAX];
	struct slot *claimed[SLOTS_MAX];
};

/** slots_lock(s, err), slots_unlock(s): Around what follows. */
int slots_lock(struct slots *s, struct err *err)
    __attribute__((__warn_unused_result__));
void slots_unlock(struct slots *s);

/** slots_is_dead(s, n): Nobody has slot ${n}. */
bool slots_is_dead(const struct slots *s, unsigned int n);

/** slots_retired(s): The table that counts. */
static inline struct slots_retired *
slots_retired(const struct slots *s)
{

	return (&s->file->retired[atomic_load(&s->file->head.retired) & 1]);
}

/** slots_fold(s, err): Retire what the dead have left, as far as there is
 * room.  0, or -1 without memory. */
int slots_fold(struct slots *s, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !METRICS_SLOTS_INTERNAL_H_ */
