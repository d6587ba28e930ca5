#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"

#include "backup_store.h"

#include "jobs.h"

/* Backups are called so; what is not is left alone. */
#define NAME_FORMAT	"leasehold-%Y%m%dT%H%M%SZ.db"
#define NAME_LIKE	"leasehold-00000000T000000Z.db"
#define NAME_LEN	(sizeof(NAME_LIKE) - 1)

#define BACKUPS_SHOWN	100

static int
go_on(void *arg, const char *stage, int64_t done, int64_t all,
    struct err *err)
{

	(void)stage;
	(void)done;
	(void)all;
	return (job_go_on(arg, err));
}

static int
make_folder(const char *dir, struct err *err)
{

	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot make the folder %s "
	    "(backup_dir)", dir);
	return (-1);
}

static int
is_backup(const struct dirent *de)
{
	static const char like[] = NAME_LIKE;
	size_t i;

	if (strlen(de->d_name) != NAME_LEN)
		return (0);
	for (i = 0; i < NAME_LEN; i++) {
		if (like[i] == '0' ? de->d_name[i] < '0' ||
		    de->d_name[i] > '9' : de->d_name[i] != like[i])
			return (0);
	}
	return (1);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{

	return (strcmp((*a)->d_name, (*b)->d_name));
}

/* Their names sort by age. */
static int
drop_old(const char *dir, int64_t keep, int *dropped, struct err *err)
{
	struct dirent **list;
	char path[PATH_MAX];
	int i, n, rc = 0;

	*dropped = 0;
	if ((n = scandir(dir, &list, is_backup, by_name)) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot read %s", dir);
		return (-1);
	}
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir,
		    list[i]->d_name);
		free(list[i]);
		if (i + keep >= n || rc == -1)
			continue;
		if ((rc = unlink(path)) == -1)
			err_set_errno(err, ERR_IO, errno, "cannot delete %s",
			    path);
		else
			++*dropped;
	}
	free(list);
	return (rc);
}

/* One more of the list; one that is gone meanwhile is left out. */
static int
add_backup(json_t *list, const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (stat(path, &st) != 0)
		return (0);
	return (json_array_append_new(list, json_pack("{s:s, s:I, s:I}",
	    "file", path, "bytes", (json_int_t)st.st_size, "made_ms",
	    (json_int_t)st.st_mtime * 1000)));
}

json_t *
job_backups(const char *dir, struct err *err)
{
	json_t *list = json_array();
	struct dirent **found;
	int n, rc = 0;

	if (dir[0] == '\0' || access(dir, F_OK) != 0)
		return (list);
	if ((n = scandir(dir, &found, is_backup, by_name)) == -1) {
		json_decref(list);
		err_set_errno(err, ERR_IO, errno, "cannot read %s", dir);
		return (NULL);
	}
	while (n-- > 0) {
		if (rc == 0 && json_array_size(list) < BACKUPS_SHOWN)
			rc = add_backup(list, dir, found[n]->d_name);
		free(found[n]);
	}
	free(found);
	if (rc == 0)
		return (list);
	json_decref(list);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (NULL);
}

int
job_backup_run(struct job_work *w, struct err *err)
{
	const char *dir = w->conf->backup_dir;
	char name[sizeof(NAME_LIKE)], path[PATH_MAX];
	time_t now = (time_t)(w->lease->start_ms / 1000);
	struct backup_order o = {
		.conf = w->conf, .path = path, .progress = go_on, .arg = w
	};
	struct backup_made made;
	struct tm tm;
	int dropped;

	if (dir[0] == '\0') {
		w->skipped = true;
		(void)snprintf(w->said, sizeof(w->said), "backup_dir is "
		    "empty");
		return (0);
	}
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(name, sizeof(name), NAME_FORMAT, &tm) == 0) {
		err_set(err, ERR_INTERNAL, "the clock is wrong");
		return (-1);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (make_folder(dir, err) || backup_store(&o, &made, err) ||
	    drop_old(dir, w->conf->backup_keep, &dropped, err))
		return (-1);
	(void)snprintf(w->said, sizeof(w->said), "%s, %lld bytes; %d older "
	    "deleted", name, (long long)made.bytes, dropped);
	return (0);
}
