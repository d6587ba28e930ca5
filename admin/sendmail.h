#ifndef ADMIN_SENDMAIL_H_
#define ADMIN_SENDMAIL_H_

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * Whether a mail program can be of use to a process.  Most put a letter into
 * their queue by a set-ID bit, of their own (Exim) or of a program beside them
 * (Postfix); that has no effect where no program gains rights, as under
 * NoNewPrivileges= of systemd.
 */

#define SENDMAIL_GROUPS_MAX	64

/** What a process may do. */
struct sendmail_caller {
	bool confined;		/* what it runs gains no rights */
	uid_t uid;		/* effective */
	int ngroups;		/* the effective one first; those that fit */
	gid_t groups[SENDMAIL_GROUPS_MAX];
};

/** sendmail_caller(pid, c): Of that process of ours, 0: this one.  0; -1: there
 * is none of our programs, or it is not to be seen. */
int sendmail_caller(pid_t pid, struct sendmail_caller *c)
    __attribute__((__warn_unused_result__));

/** sendmail_barred(program, c, which): Must it gain rights that it cannot when
 * ${c} runs it?  The path of what has to goes to ${which}. */
bool sendmail_barred(const char *program, const struct sendmail_caller *c,
    char which[PATH_MAX]);

#endif /* !ADMIN_SENDMAIL_H_ */
