#ifndef ADMIN_API_H_
#define ADMIN_API_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/request.h"
#include "http/route.h"
#include "store/store.h"

#include "audit.h"
#include "sign_in.h"
#include "who.h"

struct access;
struct conf;
struct err;
struct events;
struct in_force;
struct log;
struct metrics;
struct seal;
struct seal_pepper;

/**
 * What an admin route is given, and how it answers.  A handler returns the
 * body of the answer as JSON, which the caller gives up; status is 200 unless
 * it sets another.  NULL: either it refused in words of its own (api_refuse),
 * or ${err} tells: ERR_INVAL and its like 400, ERR_PERM 403, ERR_NOT_FOUND
 * 404, ERR_EXISTS 409, a database that is away 503, all else 500.
 */
enum api_registration {
	REGISTRATION_INVITED,	/* by invitation alone */
	REGISTRATION_OPEN
};

/** Where an answer goes that is made in pieces. */
struct api_sink {
	/* 0; -1: the client has left */
	int (*put)(void *arg, const void *p, size_t n);
	bool (*left)(void *arg);	/* has it, as far as can be seen? */
	void *arg;
};

/** What holds for all requests of a responder. */
struct api_settings {
	const char *mount;
	const char *conf_path;	/* as conf_load takes it; may be NULL */
	bool (*over)(void *arg);	/* the responder has to end; NULL:
					   never */
	void *over_arg;
	int64_t *long_runs;	/* that go on, atomic; NULL: any number may */
	int64_t long_runs_max;
	struct sign_in_life life;
	enum api_registration registration;
	bool secure;		/* the site is reached by https alone */
	struct events *events;	/* NULL: nobody can listen */
	struct access *access;	/* NULL: from anywhere */
	struct metrics *metrics;	/* NULL: there are none */
	struct in_force *in_force;	/* NULL: it is not known */
};

#define API_COOKIE	"leasehold"
#define API_MESSAGE	300
#define API_NAMED	8

struct api_call {
	const struct api_settings *settings;
	struct store *store;
	const struct seal *seal;
	const struct seal_pepper *pepper;
	const struct http_request *http;	/* remote_addr: whose request
						   it is, see access_ask */
	const struct route_match *match;
	const struct api_sink *sink;	/* NULL: whole answers alone */
	json_t *body;		/* an object; NULL: none was sent */
	struct who who;
	int64_t key_id;		/* of a route of role KEY: the client key that
				   was sent; else 0 */
	struct audit_named named[API_NAMED];	/* for the next change; of
				   more the first */
	size_t nnamed;
	bool tried;		/* a try of a password, or to register, is
				   counted (tries.h), also if the store rolled
				   back what followed: once a request */
	char token[SIGN_IN_TOKEN_SIZE];	/* of a cookie that is good, or "" */

	/* the answer */
	int status;
	int code;		/* 0: status * 100 + 1 */
	char message[API_MESSAGE];	/* "": not refused */
	int64_t retry_after_s;
	struct buf cookie;	/* a header line, or nothing */
	char *csv;		/* malloc'd: the answer in place of the JSON */
	bool streams;		/* the head of a stream is sent; more comes by
				   api_event alone */
	bool left;		/* and the client has left */
	bool listens;		/* to events, of which the head is the answer */
};

typedef json_t *api_handler(struct api_call *c, struct err *err);

/** What a route runs, and who may call it, at least. */
struct api_duty {
	api_handler *run;
	enum role role;
};

/** api_find(method, path, m, duty): Look a path without the mount up; *${duty}
 * is NULL unless it was found. */
enum route_result api_find(const char *method, const char *path,
    struct route_match *m, const struct api_duty **duty);

/** api_refuse(c, status, fmt, ...): Returns NULL, for `return'. */
json_t *api_refuse(struct api_call *c, int status, const char *fmt, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/** api_conf(c): The settings as they are now; NULL: refused with 500, as who
 * asks is not to blame for them. */
struct conf *api_conf(struct api_call *c);

/** api_done(c): The answer of what has nothing to say: {}. */
json_t *api_done(struct api_call *c);

/** api_is_person(c): Only people have passwords, second factors and tokens of
 * their own; false: refused. */
bool api_is_person(struct api_call *c);

/** api_knows_password(c, err): The member "password" is that of the person who
 * asks, whom the caller made sure of: for what is grave, as whoever finds a
 * browser open lacks it.  false: refused, or ${err} tells. */
bool api_knows_password(struct api_call *c, struct err *err);

/** api_actor(c): For the audit log; borrows from ${c}. */
struct actor api_actor(const struct api_call *c);

/** api_id(c, i, id, err): The ${i}th parameter of the path as a number; 0, or
 * -1 with ERR_NOT_FOUND. */
int api_id(const struct api_call *c, size_t i, int64_t *id, struct err *err)
    __attribute__((__warn_unused_result__));

/** api_param(c, i, buf, size): The ${i}th parameter of the path as it stands
 * there; "": it does not fit, or is not of visible ASCII. */
const char *api_param(const struct api_call *c, size_t i, char *buf,
    size_t size);

/**
 * Members of the body.  A member that is there has to be of its type, within
 * its range, and known: api_members(c, names, err) refuses any that is not in
 * the NULL-ended list.  Those called need_* must be there.  ERR_INVAL names
 * the member.  Texts are borrowed from the body and hold no NUL.
 */
int api_members(const struct api_call *c, const char *const *names,
    struct err *err) __attribute__((__warn_unused_result__));
int api_text(const struct api_call *c, const char *name, const char **out,
    struct err *err) __attribute__((__warn_unused_result__));
int api_need_text(const struct api_call *c, const char *name,
    const char **out, struct err *err)
    __attribute__((__warn_unused_result__));
int api_int(const struct api_call *c, const char *name, int64_t min,
    int64_t max, int64_t *out, struct err *err)
    __attribute__((__warn_unused_result__));
/** api_flag: As api_bool, for a member that may be unchanged (-1). */
int api_flag(const struct api_call *c, const char *name, int *out,
    struct err *err) __attribute__((__warn_unused_result__));
int api_bool(const struct api_call *c, const char *name, bool *out,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * api_name(c, stmt, name, err):
 * The name of the object whose id is the first parameter of the path, by
 * statement ${stmt}.  0, or -1 with ERR_NOT_FOUND.  The change that api_audit
 * then begins makes sure that it still is its name.
 */
int api_name(struct api_call *c, enum stmt_id stmt,
    char name[LIMIT_NAME_BYTES], struct err *err)
    __attribute__((__warn_unused_result__));

/** api_name_of(c, stmt, id, what, name, err): Of a ${what} whose id was given
 * elsewhere. */
int api_name_of(struct api_call *c, enum stmt_id stmt, int64_t id,
    const char *what, char name[LIMIT_NAME_BYTES], struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * api_thing(c, member, member_id, stmt, name, text, err):
 * A thing that the body names, or gives by its id, of which null is "": its
 * name, which may be kept in ${name}.  *${text} stays as it is if neither is
 * there.
 */
int api_thing(struct api_call *c, const char *member,
    const char *member_id, enum stmt_id stmt, char name[LIMIT_NAME_BYTES],
    const char **text, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * api_audit(c, a, verb, object, renamed):
 * The next change of ${c}'s store is the caller's: "KIND.WHAT" of an object,
 * which is shown as audit_view_of(KIND) does.  ${a} lives as long as the call.
 */
void api_audit(struct api_call *c, struct audit *a, const char *verb,
    const char *object, const char *renamed);

/** api_note(c, verb, object, err): For what is no change of a row here, such as
 * a question to an upstream: its row in the audit log, beforehand. */
int api_note(struct api_call *c, const char *verb, const char *object,
    struct err *err) __attribute__((__warn_unused_result__));

/** Which part of a list ?page= (from 1) and ?limit= (100, at most 1000) ask
 * for. */
struct api_range {
	int64_t page, limit;
	int64_t offset;		/* rows before it */
};
int api_range(struct api_call *c, struct api_range *r, struct err *err)
    __attribute__((__warn_unused_result__));

/** api_part(r, items, total, err): {"items", "page", "limit", "total"};
 * ${items} is given up, NULL gives NULL. */
json_t *api_part(const struct api_range *r, json_t *items, int64_t total,
    struct err *err);

/** api_page(c, list, err): The same of a ${list} that is short, and was read
 * whole; it is given up. */
json_t *api_page(struct api_call *c, json_t *list, struct err *err);

/** api_query(c, name, buf, size): A parameter of the query, decoded; NULL: it
 * is not there.  One that is malformed or too long refuses the call, whatever
 * its handler answers then: look at the query before you change anything. */
const char *api_query(struct api_call *c, const char *name, char *buf,
    size_t size);
/** api_query_lower(c, name, buf, size): The same in small letters, as far as
 * they are ASCII, for what is looked for in names. */
const char *api_query_lower(struct api_call *c, const char *name, char *buf,
    size_t size);
/** api_query_int(c, name, min, max, out, err): *${out} stays as it is when it
 * is not there. */
int api_query_int(struct api_call *c, const char *name, int64_t min,
    int64_t max, int64_t *out, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * api_event(c, name, data):
 * Send an event of a stream at once, before the first one the head; ${data} is
 * given up.  The handler then returns api_done(c).  What fails leaves
 * c->left set, and later events go nowhere.  api_stops(c): the client has
 * left, or the responder has to end.
 */
void api_event(struct api_call *c, const char *name, json_t *data);
bool api_stops(struct api_call *c);

/**
 * api_begin_long(c), api_end_long(c):
 * Around what may take many seconds, and holds a thread for that long.  -1:
 * refused with 429, as too many do.
 */
int api_begin_long(struct api_call *c)
    __attribute__((__warn_unused_result__));
void api_end_long(struct api_call *c);

/** api_set_cookie(c, token, life_ms): NULL takes it away. */
void api_set_cookie(struct api_call *c, const char *token, int64_t life_ms);

/** api_agent(c, buf, size): The browser's words in visible ASCII. */
const char *api_agent(const struct api_call *c, char *buf, size_t size);

/** The handlers, each in the routes_*.c of its room. */
#define ROUTE(method, path, least, body, name)	api_handler api_##name;
#include "routes.def"
#undef ROUTE

#endif /* !ADMIN_API_H_ */
