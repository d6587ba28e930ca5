#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"

#include "sendmail.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- the caller ---- */

/* The numbers of a line; how many, ${max} at the most. */
static int
numbers(const char *s, unsigned int *out, int max)
{
	size_t n;
	int64_t v;
	int count = 0;

	for (s += strspn(s, " \t\n"); *s != '\0' && count < max;
	    s += n + strspn(s + n, " \t\n")) {
		n = strcspn(s, " \t\n");
		if (num_parse(s, n, 0, UINT32_MAX, &v))
			break;
		out[count++] = (unsigned int)v;
	}
	return (count);
}

/* One line of /proc/PID/status; false: the process is not one of ours. */
static bool
take_line(struct sendmail_caller *c, char *line)
{
	const char *value = line + strcspn(line, ":");
	unsigned int ids[SENDMAIL_GROUPS_MAX];
	int i, n;

	if (strncmp(line, "Name:\t", 6) == 0)
		return (strncmp(line + 6, "leasehold", 9) == 0);
	if (*value == ':')
		value++;
	n = numbers(value, ids, SENDMAIL_GROUPS_MAX - c->ngroups);

	/* Real, effective, saved. */
	if (strncmp(line, "Uid:", 4) == 0 && n > 1)
		c->uid = ids[1];
	else if (strncmp(line, "Gid:", 4) == 0 && n > 1)
		c->groups[c->ngroups++] = ids[1];
	else if (strncmp(line, "Groups:", 7) == 0)
		for (i = 0; i < n; i++)
			c->groups[c->ngroups++] = ids[i];
	else if (strncmp(line, "NoNewPrivs:", 11) == 0 && n == 1)
		c->confined = ids[0] != 0;
	return (true);
}

int
sendmail_caller(pid_t pid, struct sendmail_caller *c)
{
	char path[64] = "/proc/self/status", *line = NULL;
	bool ours = true;
	size_t size = 0;
	FILE *f;

	*c = (struct sendmail_caller) { .confined = false };
	if (pid != 0)
		(void)snprintf(path, sizeof(path), "/proc/%ld/status",
		    (long)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	while (getline(&line, &size, f) != -1)
		ours = (take_line(c, line) || pid == 0) && ours;
	free(line);
	(void)fclose(f);
	return (ours && c->ngroups > 0 ? 0 : -1);
}

/* ---- the program ---- */

/* Has that program rights which the caller has not? */
static bool
has_more(const char *path, const struct sendmail_caller *c)
{
	struct stat st;
	int i;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return (false);
	if ((st.st_mode & S_ISUID) != 0 && st.st_uid != c->uid)
		return (true);
	if ((st.st_mode & S_ISGID) == 0 || (st.st_mode & S_IXGRP) == 0)
		return (false);
	for (i = 0; i < c->ngroups; i++) {
		if (c->groups[i] == st.st_gid)
			return (false);
	}
	return (true);
}

/* What puts letters into the queue for a sendmail, in the same folder, of
 * Postfix and of nullmailer. */
static const char *const queuers[] = { "postdrop", "nullmailer-queue" };

bool
sendmail_barred(const char *program, const struct sendmail_caller *c,
    char which[PATH_MAX])
{
	char *slash;
	size_t i, room;

	if (!c->confined || c->uid == 0 || realpath(program, which) == NULL)
		return (false);
	if (has_more(which, c))
		return (true);

	/* Another one's, such as msmtp, has a name of its own. */
	slash = strrchr(which, '/') + 1;
	if (strncmp(slash, "sendmail", 8) != 0)
		return (false);
	room = PATH_MAX - (size_t)(slash - which);
	for (i = 0; i < NITEMS(queuers); i++) {
		if ((size_t)snprintf(slash, room, "%s", queuers[i]) < room &&
		    has_more(which, c))
			return (true);
	}
	return (false);
}
