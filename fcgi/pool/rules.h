#ifndef POOL_RULES_H_
#define POOL_RULES_H_

#include <stdbool.h>
#include <stddef.h>

#include "pool/pool.h"

struct err;

/**
 * Which clients a key lets in, and from where.  Kinds of clients go by what
 * they call themselves in User-Agent, so that they are an aid to policy ("this
 * key is for Claude Code") and no security: anybody can claim to be anybody.
 * Networks are security as far as the client's address can be told
 * (http/peer.h): one that cannot is let in by no list.  Pure; any thread.
 *
 * A list of clients has names of kinds, and patterns of whole User-Agents
 * behind "ua:", by comma: "claude-code,ua:our-tool *".  What is compared are
 * the first CALLER_AGENT_SIZE - 1 bytes, whatever the case.
 */

/** rules_kind(agent): The kind of client that calls itself so: "claude-code",
 * "curl"; "unknown" if it is none of ours.  Static. */
const char *rules_kind(const char *agent);

/** rules_client(clients, agent): Is it one of them?  "" and NULL: any is. */
bool rules_client(const char *clients, const char *agent);

/**
 * rules_verdict(clients, nets, caller):
 * ADMIT_LEASED if the caller may go on, else ADMIT_CLIENT or ADMIT_ADDRESS.
 * Lists that are "" or NULL let everybody in.
 */
enum admit_verdict rules_verdict(const char *clients, const char *nets,
    const struct caller *caller);

/** rules_explain(verdict, clients, caller, out, size): Such a refusal in words
 * for the client: what was seen, and, of kinds, what is allowed. */
void rules_explain(enum admit_verdict verdict, const char *clients,
    const struct caller *caller, char *out, size_t size);

/** rules_check(clients, err): 0, or -1 with ERR_INVAL that names the entry and
 * lists the kinds that there are. */
int rules_check(const char *clients, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_RULES_H_ */
