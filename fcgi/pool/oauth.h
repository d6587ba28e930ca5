#ifndef POOL_OAUTH_H_
#define POOL_OAUTH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/**
 * The texts of OAuth 2.0 (RFC 6749): what a token endpoint is asked, and what
 * it answers.  Pure functions; any thread.
 */

/* Longest answer of a token endpoint that is read. */
#define OAUTH_ANSWER_BYTES	(64 * 1024)

struct oauth_param {
	const char *name, *value;
};

/** oauth_form(b, params, n), oauth_json(b, params, n): Append ${params} as
 * application/x-www-form-urlencoded, or as a JSON object.  0, or -1. */
int oauth_form(struct buf *b, const struct oauth_param *params, size_t n)
    __attribute__((__warn_unused_result__));
int oauth_json(struct buf *b, const struct oauth_param *params, size_t n)
    __attribute__((__warn_unused_result__));

enum oauth_verdict {
	OAUTH_TOKENS,		/* a new pair */
	OAUTH_REFUSED,		/* invalid_grant: what was shown is void */
	OAUTH_FAILED,		/* anything else that is an answer without
				   tokens: try again later */
	OAUTH_UNCLEAR		/* status 200, but no tokens to be read: they
				   may be changed */
};

struct oauth_tokens {
	char *access, *refresh;		/* malloc'd; refresh NULL: the old one
					   stays good */
	int64_t lifetime_ms;		/* of access, from now; 0: not stated */
	int64_t expires_ms;		/* the same as a time, where that is
					   stated (UTC; 0: not), never both */
};

/** oauth_answer(status, p, n, out, why, size): What a token endpoint says;
 * unless it is tokens, ${why} gets it in words, never with a token. */
enum oauth_verdict oauth_answer(int status, const void *p, size_t n,
    struct oauth_tokens *out, char *why, size_t size);

/** oauth_tokens_wipe(t): Overwrite and free. */
void oauth_tokens_wipe(struct oauth_tokens *t);

/** oauth_token_fits(s): Can it be sent as a header, and kept? */
bool oauth_token_fits(const char *s);

/**
 * oauth_renew_ms(now_ms, lifetime_ms, ahead_ms):
 * When to renew what is got at ${now_ms}: so long ahead of its end, but not
 * before three quarters of its life; 0 if its end is not stated.
 */
int64_t oauth_renew_ms(int64_t now_ms, int64_t lifetime_ms,
    int64_t ahead_ms);

#endif /* !POOL_OAUTH_H_ */
