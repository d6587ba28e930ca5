#include "config.h"

#include <grp.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "pool/responder.h"

#include "doctor.h"
#include "doctor_access.h"
#include "member.h"
#include "notify_targets.h"
#include "sendmail.h"
#include "status.h"

#define WHY_SIZE	400

/* How many that are switched on are told so; -1. */
static long long
count_told(const struct doctor *d, struct err *err)
{
	json_t *targets, *row;
	long long n = 0;
	size_t i;

	if ((targets = notify_targets_list(d->store, true, false, err)) ==
	    NULL)
		return (-1);
	json_array_foreach(targets, i, row)
		n += strcmp(text_of(row, "kind"), "email") == 0;
	json_decref(targets);
	return (n);
}

/* ---- who sends ---- */

/* A responder of this host whose rights are not enough for the program: its
 * number, or 0. */
static long long
find_barred(const struct doctor *d, const json_t *responders,
    char which[PATH_MAX])
{
	struct sendmail_caller caller;
	char host[256];
	const json_t *row;
	long long pid;
	size_t i;

	responder_host(d->conf->host_name, host, sizeof(host));
	json_array_foreach(responders, i, row) {
		pid = json_integer_value(json_object_get(row, "pid"));
		if (strcmp(text_of(row, "kind"), "relay") != 0 &&
		    strcmp(text_of(row, "host"), host) == 0 && pid > 0 &&
		    sendmail_caller((pid_t)pid, &caller) == 0 &&
		    sendmail_barred(d->conf->sendmail, &caller, which))
			return (pid);
	}
	return (0);
}

/* Postfix lets its group write to the queue, with or without a set-ID bit. */
static void
remedy_barred(struct doctor_finding *f, const char *which)
{
	struct group *gr, entry;
	char buf[4096];
	struct stat st;

	if (strcmp(strrchr(which, '/'), "/postdrop") == 0 &&
	    stat(which, &st) == 0 && getgrgid_r(st.st_gid, &entry, buf,
	    sizeof(buf), &gr) == 0 && gr != NULL)
		finding_remedy(f, "join_postdrop", "Let the responders be of "
		    "Postfix's group: in a file in "
		    "/etc/systemd/system/leasehold-admin@.service.d/\n"
		    "    [Service]\n"
		    "    SupplementaryGroups=%s\n"
		    "    ReadWritePaths=-%s\n"
		    "then\n"
		    "    systemctl daemon-reload\n"
		    "    systemctl restart 'leasehold-admin@*'", gr->gr_name,
		    "/var/spool/postfix/maildrop");
	finding_remedy(f, "send_by_smtp", "A program that speaks SMTP needs no "
	    "rights: msmtp, say, with host 127.0.0.1 in /etc/msmtprc and\n"
	    "    sendmail = /usr/bin/msmtp\n"
	    "See MAIL PROGRAMS in leasehold(8).");
}

static void
look_for_barred(const struct doctor *d, struct doctor_finding *f)
{
	struct err err = { .code = ERR_NONE };
	enum doctor_verdict verdict = DOCTOR_FAIL;
	char which[PATH_MAX];
	json_t *status;
	long long pid;

	if ((status = status_get(d->store, &err)) == NULL) {
		finding_set(f, DOCTOR_FAIL, "query_failed", "%s", err.text);
		return;
	}
	pid = find_barred(d, json_object_get(status, "responders"), which);
	json_decref(status);
	if (pid == 0)
		return;
	/* Then somebody else may run the job, and the test alone fails. */
	if (strcmp(d->conf->job_notify, "off") == 0)
		verdict = DOCTOR_WARN;
	finding_set(f, verdict, "mail_barred", "%s must gain rights, and "
	    "what process %lld runs gains none (NoNewPrivileges)", which,
	    pid);
	remedy_barred(f, which);
}

void
doctor_mail(struct doctor *d, struct doctor_finding *f)
{
	const char *program = d->conf->sendmail;
	struct err err = { .code = ERR_NONE };
	char why[WHY_SIZE];
	struct access_user u;
	long long told = count_told(d, &err);

	access_user_init(&u, d->uid_known ? d->uid : geteuid());
	if (told == -1) {
		finding_set(f, DOCTOR_FAIL, "query_failed", "%s", err.text);
	} else if (told == 0) {
		finding_set(f, DOCTOR_SKIP, "no_mail", "nobody is told by "
		    "e-mail");
	} else if (program[0] == '\0' ||
	    access_path(&u, program, X_OK, why, sizeof(why))) {
		finding_set(f, DOCTOR_FAIL, "no_mail_program", "there is "
		    "no mail program: %s", program[0] == '\0' ?
		    "the setting sendmail is empty" : why);
		finding_remedy(f, "name_mail_program", "Install a mail program "
		    "(postfix, exim4 or msmtp), or name it in the setting "
		    "sendmail.");
	} else {
		finding_set(f, DOCTOR_OK, "mail_by", "by %s, to %lld targets",
		    program, told);
		look_for_barred(d, f);
	}
}
