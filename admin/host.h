#ifndef ADMIN_HOST_H_
#define ADMIN_HOST_H_

#include <jansson.h>

struct conf;
struct err;
struct in_force;
struct store;

/**
 * What wants the rights of the host, for a page that says what to run there:
 * the settings' places, the schema, the backups that there are, and whether
 * the config file says something else than what is in force.
 */

/**
 * host_show(st, conf, path, f, err):
 * {"config", "default_config", "version", "schema", "schema_wanted", "store",
 * "master_key_file", "public_url", "backup_dir", "backups" (see job_backups),
 * "differs" (see in_force.h; null: ${f} is NULL)}.  ${conf} is what ${path}, as
 * conf_load takes it, says now.  NULL with ${err}.
 */
json_t *host_show(struct store *st, const struct conf *conf,
    const char *path, struct in_force *f, struct err *err);

/**
 * host_reload(st, conf, err):
 * Tell the responders of this host to read the settings again: {"told",
 * "elsewhere" (they run on other hosts), "missed" (they could not be told)}.
 */
json_t *host_reload(struct store *st, const struct conf *conf,
    struct err *err);

#endif /* !ADMIN_HOST_H_ */
