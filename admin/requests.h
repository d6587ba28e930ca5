#ifndef ADMIN_REQUESTS_H_
#define ADMIN_REQUESTS_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/** The ledger, as people look at it. */
struct request_filter {
	const char *key;	/* name; NULL: any; so below */
	const char *user;
	const char *account;
	const char *model;	/* pattern with '*' */
	const char *outcome;	/* "open": those under way */
	int64_t status;		/* that the client got; 0: any */
	int64_t min_cost_nusd;	/* 0: any */
	int64_t since_ms;	/* 0: from the beginning */
	int64_t until_ms;	/* 0: up to now */
	int64_t before_id;	/* only older ones; 0: from the newest */
	int64_t limit;
	int64_t patience_ms;	/* 0: until the page is full, or there are no
				   more; else it may end earlier */
};

#define REQUESTS_LIMIT_MAX	10000

/** requests_list(st, filter, next_id, err): Array, newest first.  *${next_id}
 * is the next page's before_id; 0: there are no more.  ERR_NOT_FOUND: there is
 * no such key, user or account. */
json_t *requests_list(struct store *st, const struct request_filter *filter,
    int64_t *next_id, struct err *err);

/** requests_show(st, id, err): One request with its attempts and the trace of
 * how its account was chosen; ERR_NOT_FOUND. */
json_t *requests_show(struct store *st, int64_t id, struct err *err);

#endif /* !ADMIN_REQUESTS_H_ */
