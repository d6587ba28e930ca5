#ifndef ADMIN_JOB_THREAD_H_
#define ADMIN_JOB_THREAD_H_

struct err;
struct job_thread;
struct log;

/**
 * The thread of the admin responder that runs the jobs that are due, one after
 * the other, on a database connection of its own and with settings of its own,
 * which it reads anew when it is told.
 */

/** job_thread_start(conf_path, log, err): With the signals of the caller
 * blocked; both are borrowed.  A database that is away is waited for.  NULL
 * with ${err}. */
struct job_thread *job_thread_start(const char *conf_path, struct log *log,
    struct err *err);

/** job_thread_reload(t): Read the settings again, before the next job. */
void job_thread_reload(struct job_thread *t);

/** job_thread_stop(t): What runs is broken off between two pieces, and is due
 * again; waits for that.  NULL is allowed. */
void job_thread_stop(struct job_thread *t);

#endif /* !ADMIN_JOB_THREAD_H_ */
