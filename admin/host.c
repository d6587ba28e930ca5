#include "config.h"

#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "pool/responder.h"
#include "store/store.h"

#include "in_force.h"
#include "jobs.h"

#include "host.h"

/* ---- what there is ---- */

/* Takes ${backups} and ${differs} over. */
static json_t *
show(const struct conf *conf, const char *path, int64_t schema,
    json_t *backups, json_t *differs, struct err *err)
{
	json_t *answer = json_pack("{s:s, s:b, s:s, s:I, s:I, s:s, s:s, s:s, "
	    "s:s, s:o, s:o}", "config", conf_path(path), "default_config",
	    strcmp(conf_path(path), conf_default_path()) == 0, "version",
	    PACKAGE_VERSION, "schema", (json_int_t)schema, "schema_wanted",
	    (json_int_t)store_schema_wanted(), "store", conf->store,
	    "master_key_file", conf->master_key_file, "public_url",
	    conf->public_url, "backup_dir", conf->backup_dir, "backups",
	    backups, "differs", differs);

	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}

json_t *
host_show(struct store *st, const struct conf *conf, const char *path,
    struct in_force *f, struct err *err)
{
	json_t *backups, *differs;
	int64_t schema;

	if (store_schema_version(st, &schema, err) ||
	    (backups = job_backups(conf->backup_dir, err)) == NULL)
		return (NULL);
	differs = f == NULL ? json_null() : in_force_differs(f, conf, err);
	if (differs != NULL)
		return (show(conf, path, schema, backups, differs, err));
	json_decref(backups);
	return (NULL);
}

/* ---- reload ---- */

struct telling {
	char host[RESPONDER_HOST_SIZE];
	int told, elsewhere, missed;
};

/* id, host, lock_path, wake_path, beat; those without a host left their row
 * behind. */
static int
tell(void *arg, const struct store_value *c, size_t ncols)
{
	struct telling *t = arg;
	const char *host = store_get_text(&c[1]);

	(void)ncols;
	if (host[0] == '\0')
		return (0);
	if (strcmp(host, t->host) != 0)
		t->elsewhere++;
	else if (responder_tell_reload(store_get_text(&c[3])) == 0)
		t->told++;
	else
		t->missed++;
	return (0);
}

json_t *
host_reload(struct store *st, const struct conf *conf, struct err *err)
{
	struct telling t = { .told = 0 };
	json_t *answer;

	responder_host(conf->host_name, t.host, sizeof(t.host));
	if (store_query(st, STMT_RESPONDERS, NULL, 0, tell, &t, err) == -1)
		return (NULL);
	answer = json_pack("{s:i, s:i, s:i}", "told", t.told, "elsewhere",
	    t.elsewhere, "missed", t.missed);
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}
