#ifndef TESTS_STORE_FAULTY_VFS_H_
#define TESTS_STORE_FAULTY_VFS_H_

#include <stdbool.h>

/**
 * A file system that fails when it is told to: a VFS of SQLite over the usual
 * one, which becomes the default of the process.  What is opened from then on
 * goes through it.  Any thread.
 */

enum faulty_kind {
	FAULTY_FULL,		/* writes: no space left */
	FAULTY_WRITE,		/* writes: an I/O error, nothing is written */
	FAULTY_SHORT,		/* writes: an I/O error half-way */
	FAULTY_SYNC,		/* flushes fail */
	FAULTY_READ,		/* reads fail */
	FAULTY_NKINDS
};

void faulty_install(void);

/** faulty_arm(kind, after, times): After ${after} calls of that kind, the next
 * ${times} fail; 0: none any more.  faulty_hits(kind): How many have failed in
 * all. */
void faulty_arm(enum faulty_kind kind, int after, int times);
int faulty_hits(enum faulty_kind kind);

#endif /* !TESTS_STORE_FAULTY_VFS_H_ */
