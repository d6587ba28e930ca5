#ifndef ADMIN_BUDGET_TEXT_H_
#define ADMIN_BUDGET_TEXT_H_

#include <jansson.h>

/**
 * budget_text_table(budgets), budget_text_fields(budget):
 * Print what budget_view.h made, for people: each amount in its unit, times in
 * the budget's own zone.
 */
void budget_text_table(const json_t *budgets);
void budget_text_fields(const json_t *budget);

#endif /* !ADMIN_BUDGET_TEXT_H_ */
