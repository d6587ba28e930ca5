#ifndef ADMIN_NOTIFY_SEND_H_
#define ADMIN_NOTIFY_SEND_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct err;
struct zone;

/**
 * How a message goes out: notify_hook.c, by webhook, and notify_mail.c, by
 * e-mail.  Both block, for as long as they say here at the most.
 */

/* Connecting; all of it. */
#define NOTIFY_CONNECT_MS	5000
#define NOTIFY_HOOK_MS		10000
#define NOTIFY_MAIL_MS		30000

/* Of an answer so much is read; nobody looks at it. */
#define NOTIFY_ANSWER_BYTES	(16 * 1024)

/* A message has so many events at the most, each of a few kilobytes. */
#define NOTIFY_EVENTS_MAX	100
#define NOTIFY_BODY_MAX		(2 * 1024 * 1024)

struct notify_letter {
	const char *id;			/* the same at each try */
	const char *lang;
	const struct zone *zone;	/* of times in texts */
	const json_t *events;		/* [{"kind", "at_ms", "data"}, ...] */
	int64_t now_ms;			/* of the try */
	int64_t limit_ms;		/* all of it; 0: as said above */
	bool (*stops)(void *arg);	/* break it off?  NULL: never */
	void *arg;
};

struct notify_answer {
	bool taken;
	bool gone;		/* it says that it never will be */
	int status;		/* HTTP, or of sendmail; 0: none */
	char detail[256];	/* why it was not taken; "": it was */
};

/* ---- webhooks ---- */

/*
 * As the Standard Webhooks specification 1.0.0 has it: a secret is "whsec_"
 * and base64 of 24 to 64 bytes, and the headers are
 *
 *	webhook-id		the message, the same at each try
 *	webhook-timestamp	seconds, of the try
 *	webhook-signature	"v1," and base64 of HMAC-SHA256 under the
 *				secret's bytes of "ID.TIMESTAMP.BODY"; while
 *				the secret before signs as well, a blank and
 *				the same under that
 */
#define NOTIFY_SECRET_PREFIX	"whsec_"
#define NOTIFY_SECRET_SIZE	128
#define NOTIFY_SIGNATURE_SIZE	64

/* In clear; the holder wipes them. */
struct notify_secrets {
	char now[NOTIFY_SECRET_SIZE];
	char old[NOTIFY_SECRET_SIZE];	/* signs as well; "": there is none */
};

/** notify_secret_new(secret): The caller wipes it. */
void notify_secret_new(char secret[NOTIFY_SECRET_SIZE]);

/** notify_secret_ok(secret): Is it one? */
bool notify_secret_ok(const char *secret);

/** notify_sign(secret, id, seconds, body, n, out): "v1,...".  0; -1: no
 * secret. */
int notify_sign(const char *secret, const char *id, int64_t seconds,
    const char *body, size_t n, char out[NOTIFY_SIGNATURE_SIZE])
    __attribute__((__warn_unused_result__));

/**
 * notify_hook_send(conf, url, secrets, letter, answer, err):
 * 0 with ${answer}; -1: it could not be tried.  Taken is what is answered with
 * 2xx; redirects are not followed, and no proxy is used.
 */
int notify_hook_send(const struct conf *conf, const char *url,
    const struct notify_secrets *secrets, const struct notify_letter *letter,
    struct notify_answer *answer, struct err *err)
    __attribute__((__warn_unused_result__));

/* ---- e-mail ---- */

/**
 * notify_mail_write(letter, from, to, b, err):
 * The message with its header: lines end with LF, all of it is ASCII, texts are
 * in base64.  ${from} may be "".  0, or -1.
 */
int notify_mail_write(const struct notify_letter *letter, const char *from,
    const char *to, struct buf *b, struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_mail_send(conf, to, letter, answer, err): Give it to the program of
 * the setting sendmail.  As notify_hook_send. */
int notify_mail_send(const struct conf *conf, const char *to,
    const struct notify_letter *letter, struct notify_answer *answer,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_NOTIFY_SEND_H_ */
