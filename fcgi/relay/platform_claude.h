#ifndef RELAY_PLATFORM_CLAUDE_H_
#define RELAY_PLATFORM_CLAUDE_H_

#include <stdbool.h>

struct account;
struct err;
struct http_request;
struct outgoing;

/**
 * Anthropic's API, and what speaks like it at any base URL (claude_console).
 * Contracts: struct platform.
 *
 * An account with an API key sends x-api-key, or the header that it names (one
 * of that name that the client sent is not passed on); "oauth-2025-04-20" is
 * taken out of anthropic-beta.  One with a bearer token sends Authorization;
 * where the token is one of Anthropic's OAuth tokens ("sk-ant-oat..."), that
 * beta is added if the client did not name it.  Otherwise anthropic-beta is
 * untouched.
 */
int platform_claude_request(const struct http_request *r, const char *path,
    const struct account *account, struct outgoing *out, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * All of anthropic-ratelimit-* stays here: it describes one account of the
 * pool, and clients with a subscription's token stop for hours when they read
 * the unified ones (WIRE.md section 3).
 */
bool platform_claude_pass_header(const char *name, int status);

#endif /* !RELAY_PLATFORM_CLAUDE_H_ */
