#ifndef ADMIN_BUDGET_NOTES_H_
#define ADMIN_BUDGET_NOTES_H_

#include <jansson.h>
#include <stdbool.h>

/**
 * What people may not have meant with the budgets of a key, in plain sentences:
 * a limit of 0, one that never refuses anything because another is used up
 * first, one of models that the key may not ask for, one that is smaller than
 * a single usual request, and so on.  Pure.
 */

/*
 * A usual request: 60,000 bytes (the tools and instructions of a coding agent,
 * and a little of its work) and room for 32,000 tokens of output (what Claude
 * Code asks for).  strict reserves a token for each byte, elastic one for three
 * of them, as pool/demand.h says.
 */
#define BUDGET_USUAL_BYTES	INT64_C(60000)
#define BUDGET_USUAL_OUTPUT	INT64_C(32000)

/**
 * budget_notes(key_models, budgets, prices, slice_tokens):
 * ${key_models}: the patterns that the key may ask for, by comma, "": any;
 * ${budgets}: as budget_view_key has them; ${prices}: as prices_list has them;
 * ${slice_tokens}: the output that elastic budgets reserve to begin with.  A
 * new array of strings, or NULL without memory.
 */
json_t *budget_notes(const char *key_models, const json_t *budgets,
    const json_t *prices, int64_t slice_tokens);

/** budget_models_meet(a, b): Is there a model that a pattern of both lists
 * matches?  budget_models_cover(a, b): Does ${a} match whatever ${b} does?
 * Patterns by comma; "" is any. */
bool budget_models_meet(const char *a, const char *b);
bool budget_models_cover(const char *a, const char *b);

#endif /* !ADMIN_BUDGET_NOTES_H_ */
