#ifndef ADMIN_DOCTOR_ACCESS_H_
#define ADMIN_DOCTOR_ACCESS_H_

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/**
 * Whether another user may reach a file, by owner, group and mode of it and
 * of the folders above.  Access control lists are not looked at, except for
 * the user who asks, for whom the kernel answers.
 */

#define ACCESS_GROUPS_MAX	128

struct access_user {
	uid_t uid;
	gid_t groups[ACCESS_GROUPS_MAX];
	int ngroups;
	char name[64];		/* or its number */
};

/** access_user_init(u, uid): Also for a uid that has no name. */
void access_user_init(struct access_user *u, uid_t uid);

/** access_user_find(name, uid): 0, or -1: there is no such user; ${name} may
 * be a number. */
int access_user_find(const char *name, uid_t *uid)
    __attribute__((__warn_unused_result__));

/** access_mode_allows(u, st, want): By the mode bits alone; ${want} is of
 * R_OK, W_OK and X_OK. */
bool access_mode_allows(const struct access_user *u, const struct stat *st,
    int want);

/**
 * access_path(u, path, want, why, size):
 * 0: ${u} may; -1: not, and ${why} says what stands in the way, also when
 * the file is not there.  ${path} is absolute.
 */
int access_path(const struct access_user *u, const char *path, int want,
    char *why, size_t size) __attribute__((__warn_unused_result__));

/** access_describe(st, out, size): "mode 0660, www-data:www-data". */
void access_describe(const struct stat *st, char *out, size_t size);

/** access_folder(path, out): The folder that ${path} lies in. */
void access_folder(const char *path, char out[PATH_MAX]);

#endif /* !ADMIN_DOCTOR_ACCESS_H_ */
