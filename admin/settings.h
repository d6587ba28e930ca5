#ifndef ADMIN_SETTINGS_H_
#define ADMIN_SETTINGS_H_

#include <jansson.h>

struct err;

/**
 * settings_show(path, err):
 * The settings as the config file (see conf_path) and the environment have
 * them now: {"file", "items": [{"name", "section", "value", "default",
 * "source": "default", "file" or "environment", "variable" (which of the
 * environment it is, or would be), "set" (to another value than the default),
 * "reloadable", "help"}]}.  A responder that runs takes over
 * reloadable ones when it is told so, the others when it is started.
 *
 * No setting is a secret: the database's password is in a file, or in the
 * environment.
 */
json_t *settings_show(const char *path, struct err *err);

#endif /* !ADMIN_SETTINGS_H_ */
