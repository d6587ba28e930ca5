#ifndef HTTP_ACCESS_LINE_H_
#define HTTP_ACCESS_LINE_H_

#include <stdbool.h>
#include <stdint.h>

struct log;

/**
 * What the access log says of a request that is over, whichever responder
 * served it.  Never a prompt, a path as it was asked for, or a secret.  Texts
 * that are NULL or "" and numbers that are -1 are left out.
 */
struct access_line {
	const char *responder;		/* "relay", "admin" */
	const char *request_id;
	const char *method;
	const char *route;		/* "/v1/models/{id}" */
	int status;
	int64_t bytes, request_bytes;	/* of bodies */
	int64_t duration_ms, first_byte_ms, queue_ms;
	const char *key;		/* its name */
	int64_t key_id;
	const char *user;		/* of the admin pages */
	const char *group, *account;
	const char *model, *sent_as;
	bool stream;			/* said if it is */
	bool metered;			/* the five that follow count */
	int64_t input_tokens, output_tokens, cache_read_tokens;
	int64_t cache_write_5m_tokens, cache_write_1h_tokens;
	int64_t cost_nusd;
	const char *outcome;
	int64_t attempts;
	const char *client;		/* address */
	const char *agent;		/* kind of client, see pool/rules.h */
	const char *trace_id;
};

/** access_line_init(a, responder): Nothing is known of it. */
void access_line_init(struct access_line *a, const char *responder);

/** access_line_write(log, a): ${log} NULL: nothing.  Any thread. */
void access_line_write(struct log *log, const struct access_line *a);

#endif /* !HTTP_ACCESS_LINE_H_ */
