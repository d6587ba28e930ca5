#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"

#include "doctor_access.h"

/* Of an entry of passwd or group: longer ones are shown by their number. */
#define ENTRY_BYTES	4096

void
access_user_init(struct access_user *u, uid_t uid)
{
	struct passwd entry, *pw = NULL;
	char buf[ENTRY_BYTES];

	(void)getpwuid_r(uid, &entry, buf, sizeof(buf), &pw);
	memset(u, 0, sizeof(*u));
	u->uid = uid;
	if (pw == NULL) {
		(void)snprintf(u->name, sizeof(u->name), "%u",
		    (unsigned int)uid);
		return;
	}
	(void)snprintf(u->name, sizeof(u->name), "%s", pw->pw_name);
	u->ngroups = ACCESS_GROUPS_MAX;

	/* With more groups than fit, those that fit are looked at. */
	if (getgrouplist(pw->pw_name, pw->pw_gid, u->groups, &u->ngroups) ==
	    -1)
		u->ngroups = ACCESS_GROUPS_MAX;
}

int
access_user_find(const char *name, uid_t *uid)
{
	struct passwd entry, *pw = NULL;
	char buf[ENTRY_BYTES];
	int64_t number;

	if (getpwnam_r(name, &entry, buf, sizeof(buf), &pw) == 0 &&
	    pw != NULL) {
		*uid = pw->pw_uid;
		return (0);
	}
	if (num_parse(name, strlen(name), 0, UINT32_MAX - 1, &number))
		return (-1);
	*uid = (uid_t)number;
	return (0);
}

bool
access_mode_allows(const struct access_user *u, const struct stat *st,
    int want)
{
	int i, bits = (int)(st->st_mode & 07);

	if (u->uid == 0)
		return ((want & X_OK) == 0 || S_ISDIR(st->st_mode) ||
		    (st->st_mode & 0111) != 0);
	if (u->uid == st->st_uid) {
		bits = (int)(st->st_mode >> 6 & 07);
	} else {
		for (i = 0; i < u->ngroups; i++) {
			if (u->groups[i] == st->st_gid)
				bits = (int)(st->st_mode >> 3 & 07);
		}
	}
	return ((bits & want) == want);
}

void
access_describe(const struct stat *st, char *out, size_t size)
{
	struct passwd pw_entry, *pw = NULL;
	struct group gr_entry, *gr = NULL;
	char owner[64], group[64], buf[ENTRY_BYTES];

	(void)snprintf(owner, sizeof(owner), "%u", (unsigned int)st->st_uid);
	(void)snprintf(group, sizeof(group), "%u", (unsigned int)st->st_gid);
	if (getpwuid_r(st->st_uid, &pw_entry, buf, sizeof(buf), &pw) == 0 &&
	    pw != NULL)
		(void)snprintf(owner, sizeof(owner), "%s", pw->pw_name);
	if (getgrgid_r(st->st_gid, &gr_entry, buf, sizeof(buf), &gr) == 0 &&
	    gr != NULL)
		(void)snprintf(group, sizeof(group), "%s", gr->gr_name);
	(void)snprintf(out, size, "mode %04o, %s:%s",
	    (unsigned int)st->st_mode & 07777, owner, group);
}

void
access_folder(const char *path, char out[PATH_MAX])
{
	char *slash;

	(void)snprintf(out, PATH_MAX, "%s", path);
	slash = strrchr(out, '/');
	if (slash == out)
		out[1] = '\0';
	else if (slash != NULL)
		*slash = '\0';
}

/* One step on the way: 0, or -1. */
static int
check_step(const struct access_user *u, const char *path, int want,
    char *why, size_t size)
{
	char described[256];
	struct stat st;

	if (stat(path, &st)) {
		(void)snprintf(why, size, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if (u->uid == geteuid() ? eaccess(path, want) == 0 :
	    access_mode_allows(u, &st, want))
		return (0);
	access_describe(&st, described, sizeof(described));
	(void)snprintf(why, size, "%s may not %s %s (%s)", u->name,
	    want & W_OK ? "write to" : want & R_OK ? "read" : "pass through",
	    path, described);
	return (-1);
}

int
access_path(const struct access_user *u, const char *path, int want,
    char *why, size_t size)
{
	char step[PATH_MAX];
	size_t i, n = strlen(path);

	if (n == 0 || n >= sizeof(step) || path[0] != '/') {
		(void)snprintf(why, size, "%s is no absolute path", path);
		return (-1);
	}
	for (i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		memcpy(step, path, i);
		step[i] = '\0';
		if (check_step(u, step, X_OK, why, size))
			return (-1);
	}
	return (check_step(u, path, want, why, size));
}
