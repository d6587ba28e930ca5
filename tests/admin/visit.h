#ifndef TESTS_ADMIN_VISIT_H_
#define TESTS_ADMIN_VISIT_H_

#include <jansson.h>
#include <stdbool.h>

#include "desk.h"
#include "service.h"

/**
 * A browser, or a script, that asks the admin routes of a desk, which are
 * mounted at "/m".  What fails ends the test.  It stays where it is.
 */
struct visit {
	struct service *service;
	const char *address;	/* "192.0.2.1" */
	const char *type;	/* content-type of bodies */
	char bearer[64];	/* "": none */
	char key[64];		/* x-api-key; "": none */
	char cookie[64];	/* "": none; taken from answers */
	char csrf[64];		/* sent where it is not "" */
	char head[4096];	/* of the last answer */
	json_t *body;
	int status;
	char events[65536];	/* of an answer that came in pieces, whose
				   body is {} */
	size_t events_len;
	size_t patience;	/* 0: leaves after so many bytes of it */
	int64_t long_runs;	/* two are let be at once */
};

void visit_init(struct visit *v, struct desk *d);
void visit_init_open(struct visit *v, struct desk *d);	/* all may register */
void visit_fini(struct visit *v);

/** visit(v, method, path, body): ${path} under "/m/api/v1"; ${body} may be
 * NULL.  Cookie and csrf are kept.  Returns the status. */
int visit(struct visit *v, const char *method, const char *path,
    const char *body);

/** visit_path(path, buf): "/a/{id}/b" as "/a/1/b". */
const char *visit_path(const char *path, char buf[128]);

/** visit_expect(v, code, method, path, body): An error of this code. */
void visit_expect(struct visit *v, int code, const char *method,
    const char *path, const char *body);

/** visit_text(v, name): A text member of the last answer; must be there. */
const char *visit_text(const struct visit *v, const char *name);

/** visit_join(v, d, role, name): Take up an invitation, with the password
 * VISIT_PASSWORD. */
#define VISIT_PASSWORD	"correct horse battery"
void visit_join(struct visit *v, struct desk *d, const char *role,
    const char *name);

/** visit_init_ann(v, d): By "ann", an administrator who has joined. */
void visit_init_ann(struct visit *v, struct desk *d);

#endif /* !TESTS_ADMIN_VISIT_H_ */
