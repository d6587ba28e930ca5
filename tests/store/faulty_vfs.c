#include <pthread.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "store/faulty_vfs.h"

/* The real file lies behind ours in the same memory. */
struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	/* below the lock */
	enum faulty_kind kind;
	int after, times;
	int hits[FAULTY_NKINDS];
	pthread_mutex_t lock;
} faulty = { .lock = PTHREAD_MUTEX_INITIALIZER };

static sqlite3_file *
real(sqlite3_file *f)
{

	return (((struct faulty_file *)(void *)f)->real);
}

/* Is it this call's turn to fail?  Those before it go well. */
static bool
strikes_now(void)
{

	if (faulty.times == 0)
		return (false);
	if (faulty.after > 0) {
		faulty.after--;
		return (false);
	}
	faulty.times--;
	faulty.hits[faulty.kind]++;
	return (true);
}

/* The fault that strikes a call which some kinds concern; FAULTY_NKINDS: none.
 * Checkpoints call from a thread of their own. */
static enum faulty_kind
strikes(unsigned int kinds)
{
	enum faulty_kind kind = FAULTY_NKINDS;

	pthread_mutex_lock(&faulty.lock);
	if ((kinds & 1U << faulty.kind) != 0 && strikes_now())
		kind = faulty.kind;
	pthread_mutex_unlock(&faulty.lock);
	return (kind);
}

static int
faulty_close(sqlite3_file *f)
{

	return (real(f)->pMethods->xClose(real(f)));
}

static int
faulty_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{

	if (strikes(1U << FAULTY_READ) != FAULTY_NKINDS)
		return (SQLITE_IOERR_READ);
	return (real(f)->pMethods->xRead(real(f), p, n, at));
}

static int
faulty_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{

	switch (strikes(1U << FAULTY_FULL | 1U << FAULTY_WRITE |
	    1U << FAULTY_SHORT)) {
	case FAULTY_FULL:
		return (SQLITE_FULL);
	case FAULTY_SHORT:
		(void)real(f)->pMethods->xWrite(real(f), p, n / 2, at);
		return (SQLITE_IOERR_WRITE);
	case FAULTY_WRITE:
		return (SQLITE_IOERR_WRITE);
	default:
		return (real(f)->pMethods->xWrite(real(f), p, n, at));
	}
}

static int
faulty_truncate(sqlite3_file *f, sqlite3_int64 size)
{

	return (real(f)->pMethods->xTruncate(real(f), size));
}

static int
faulty_sync(sqlite3_file *f, int flags)
{

	if (strikes(1U << FAULTY_SYNC) != FAULTY_NKINDS)
		return (SQLITE_IOERR_FSYNC);
	return (real(f)->pMethods->xSync(real(f), flags));
}

static int
faulty_size(sqlite3_file *f, sqlite3_int64 *size)
{

	return (real(f)->pMethods->xFileSize(real(f), size));
}

static int
faulty_lock(sqlite3_file *f, int level)
{

	return (real(f)->pMethods->xLock(real(f), level));
}

static int
faulty_unlock(sqlite3_file *f, int level)
{

	return (real(f)->pMethods->xUnlock(real(f), level));
}

static int
faulty_reserved(sqlite3_file *f, int *out)
{

	return (real(f)->pMethods->xCheckReservedLock(real(f), out));
}

static int
faulty_control(sqlite3_file *f, int op, void *arg)
{

	return (real(f)->pMethods->xFileControl(real(f), op, arg));
}

static int
faulty_sector(sqlite3_file *f)
{

	return (real(f)->pMethods->xSectorSize(real(f)));
}

static int
faulty_characteristics(sqlite3_file *f)
{

	return (real(f)->pMethods->xDeviceCharacteristics(real(f)));
}

static int
faulty_shm_map(sqlite3_file *f, int page, int size, int extend,
    void volatile **p)
{

	return (real(f)->pMethods->xShmMap(real(f), page, size, extend, p));
}

static int
faulty_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{

	return (real(f)->pMethods->xShmLock(real(f), offset, n, flags));
}

static void
faulty_shm_barrier(sqlite3_file *f)
{

	real(f)->pMethods->xShmBarrier(real(f));
}

static int
faulty_shm_unmap(sqlite3_file *f, int delete)
{

	return (real(f)->pMethods->xShmUnmap(real(f), delete));
}

/* Version 2 has shared memory, for the WAL; 3 would map files, past us. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = faulty_close,
	.xRead = faulty_read,
	.xWrite = faulty_write,
	.xTruncate = faulty_truncate,
	.xSync = faulty_sync,
	.xFileSize = faulty_size,
	.xLock = faulty_lock,
	.xUnlock = faulty_unlock,
	.xCheckReservedLock = faulty_reserved,
	.xFileControl = faulty_control,
	.xSectorSize = faulty_sector,
	.xDeviceCharacteristics = faulty_characteristics,
	.xShmMap = faulty_shm_map,
	.xShmLock = faulty_shm_lock,
	.xShmBarrier = faulty_shm_barrier,
	.xShmUnmap = faulty_shm_unmap,
};

static int
faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
    int *out)
{
	struct faulty_file *file = (struct faulty_file *)(void *)f;
	int rc;

	(void)vfs;
	file->real = (sqlite3_file *)(void *)(file + 1);
	rc = faulty.real->xOpen(faulty.real, name, file->real, flags, out);
	f->pMethods = file->real->pMethods == NULL ? NULL : &methods;
	return (rc);
}

void
faulty_install(void)
{

	faulty.real = sqlite3_vfs_find(NULL);
	if (faulty.real == NULL)
		abort();
	faulty.vfs = *faulty.real;
	faulty.vfs.pNext = NULL;
	faulty.vfs.zName = "faulty";
	faulty.vfs.szOsFile = (int)sizeof(struct faulty_file) +
	    faulty.real->szOsFile;
	faulty.vfs.xOpen = faulty_open;
	if (sqlite3_vfs_register(&faulty.vfs, 1) != SQLITE_OK)
		abort();
}

void
faulty_arm(enum faulty_kind kind, int after, int times)
{

	pthread_mutex_lock(&faulty.lock);
	faulty.kind = kind;
	faulty.after = after;
	faulty.times = times;
	pthread_mutex_unlock(&faulty.lock);
}

int
faulty_hits(enum faulty_kind kind)
{
	int n;

	pthread_mutex_lock(&faulty.lock);
	n = faulty.hits[kind];
	pthread_mutex_unlock(&faulty.lock);
	return (n);
}
