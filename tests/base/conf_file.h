#ifndef TESTS_BASE_CONF_FILE_H_
#define TESTS_BASE_CONF_FILE_H_

#include <stddef.h>

#include "base/conf.h"
#include "base/err.h"

/** A config file of a test's own, empty at first: the state that
 * conf_file_setup makes and conf_file_teardown removes, together with what
 * tests set in the environment. */
struct conf_file {
	char path[32];
	struct err err;
};

int conf_file_setup(void **state);
int conf_file_teardown(void **state);

/** conf_file_write(f, text, n): All that the file holds; f->err is cleared. */
void conf_file_write(struct conf_file *f, const char *text, size_t n);

/** conf_file_setting(name): Its row of the table; there must be one. */
const struct conf_setting *conf_file_setting(const char *name);

#endif /* !TESTS_BASE_CONF_FILE_H_ */
