#ifndef POOL_MODELS_H_
#define POOL_MODELS_H_

#include <stdbool.h>
#include <stddef.h>

struct account;
struct alias;
struct model_ask;

/**
 * What models are called.  A client asks for one by a name; the aliases of an
 * account's group, then its own, each once, make of that the name that goes
 * upstream; of those that match the most specific one counts (more characters
 * that are no '*', then fewer '*', then the first in the order of bytes).  An
 * alias leads to a name, never to another alias of its own level, so there are
 * no loops.  Any thread.
 *
 * By the name that the client asks for: what its key may use.  By the one that
 * goes upstream: what an account may serve, price, cooldown, budgets by model,
 * and sums.
 */

/**
 * account_model(a, asked): What ${asked} is called there: ${asked} itself, or
 * a name that stays as long as the account's snapshot.  "" (no model is named)
 * has no other name.
 */
const char *account_model(const struct account *a, const char *asked);

/**
 * account_family(a, asked, family, room):
 * The family (see model_family) of what ${asked}, which is of ${family}, is
 * called there; it may be in ${room}, of POOL_FAMILY_SIZE.
 */
const char *account_family(const struct account *a, const char *asked,
    const char *family, char *room);

/** account_serves(a, model): Is ${model}, as it goes upstream, on the list of
 * what the account may serve?  Anything is if it has no list, and "" is. */
bool account_serves(const struct account *a, const char *model);

/** account_serves_all(a, asked, names): Does it serve ${asked} and what else
 * ${names} (see below) says is in the body, each as it is called there? */
bool account_serves_all(const struct account *a, const char *asked,
    const char *names);

/**
 * account_alike(a, b): Do both serve the same models, each under the same name,
 * on one platform and in one group?  As the snapshot found out; false where it
 * did not, also of an account with itself.
 * account_likeness_cmp(a, b): The order that brings those together.
 */
bool account_alike(const struct account *a, const struct account *b);
int account_likeness_cmp(const struct account *a, const struct account *b);

/** account_speaks(a, api): Is ${api} ("claude", ...) what its platform
 * speaks? */
bool account_speaks(const struct account *a, const char *api);

/** alias_sort(list, n): As they are to be tried. */
void alias_sort(struct alias *list, size_t n);

/**
 * Names under which one request may go upstream: those that it reserved for.
 * As accounts may have different names for one model, it reserves for the
 * dearest; and as aliases may change while it waits or moves, it never goes to
 * an account under a name that it did not reserve for.
 *
 * As text: PLATFORM/NAME in lines.  "": the name that was asked for, on
 * platform claude, and no other.  "*": any, as it reserves nothing.
 *
 * Before these stands what else the body names, as the client wrote it: +NAME,
 * a line each.  It goes to an account only where all of them are served, and
 * each is called there as it reserved for.  "+" alone: what it does not name,
 * which only an account serves that serves anything.
 */
#define MODEL_NAMES_SIZE	512
#define MODEL_NAMES_ANY		"*"

/** model_names_add(names, platform, model): 0; -1: it has no room, which is
 * for some ten names. */
int model_names_add(char names[MODEL_NAMES_SIZE], const char *platform,
    const char *model) __attribute__((__warn_unused_result__));

/** model_names_also(names, also): Begin ${names}, which is "", with what else
 * the body names; NULL: nothing.  0; -1: it has no room. */
int model_names_also(char names[MODEL_NAMES_SIZE],
    const struct model_ask *also) __attribute__((__warn_unused_result__));

/** model_names_any(names): Any will do, as nothing is reserved.  0; -1: it has
 * no room.  model_names_are_any(names): Is that so? */
int model_names_any(char names[MODEL_NAMES_SIZE])
    __attribute__((__warn_unused_result__));
bool model_names_are_any(const char *names);

/** model_names_plain(names, asked): Make it "" if that says all. */
void model_names_plain(char names[MODEL_NAMES_SIZE], const char *asked);

/** model_names_have(names, asked, platform, model): Is ${model} on ${platform}
 * one of them? */
bool model_names_have(const char *names, const char *asked,
    const char *platform, const char *model);

/** model_names_fit(names, asked, a): Is what ${asked}, and all else that the
 * body names, is called at ${a} one of them?  (It may not serve it.) */
bool model_names_fit(const char *names, const char *asked,
    const struct account *a);

/** model_names_match(names, asked, patterns): Does one of the wildcards (by
 * comma) match one of them, whatever its platform? */
bool model_names_match(const char *names, const char *asked,
    const char *patterns);

#endif /* !POOL_MODELS_H_ */
