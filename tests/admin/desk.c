#include "desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "ledger/meta.h"

#include "accounts.h"
#include "install.h"
#include "notify_targets.h"

static const struct store_options options = {
	.synchronous_full = false,
	.create = true,
	.busy_timeout_ms = 2000,
};

void
desk_works(struct desk *d, int rc)
{

	if (rc != 0)
		fail_msg("it failed: %s", d->err.text);
}

void
desk_fails(struct desk *d, int rc, enum err_code code)
{

	if (rc != -1 || d->err.code != code)
		fail_msg("it gave %d, %s: %s", rc,
		    err_info(d->err.code)->name, d->err.text);
	err_clear(&d->err);
}

int
desk_start_curl(void **state)
{

	(void)state;
	return (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1);
}

int
desk_stop_curl(void **state)
{

	(void)state;
	curl_global_cleanup();
	return (0);
}

void
desk_open_seal(struct desk *d)
{

	seal_free(d->seal);
	d->seal = seal_open(d->key_path, &d->err);
	desk_works(d, d->seal == NULL);
}

static struct desk *
desk_new(void)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/leasehold-desk.XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	(void)snprintf(d->db_path, sizeof(d->db_path), "%s/db", d->dir);
	(void)snprintf(d->key_path, sizeof(d->key_path), "%s/key", d->dir);
	(void)snprintf(d->conf_path, sizeof(d->conf_path), "%s/conf",
	    d->dir);
	return (d);
}

static void
write_conf(const struct desk *d)
{
	FILE *f = fopen(d->conf_path, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "store = %s\nmaster_key_file = %s\n"
	    "run_dir = %s\nspool_dir = %s\nledger_keep_days = 30\n", d->url,
	    d->key_path, d->dir, d->dir) > 0);
	assert_int_equal(fclose(f), 0);
}

static int
install(struct desk *d)
{
	int64_t from, to;
	bool made;

	write_conf(d);
	d->st = store_open(d->url, &options, &d->err);
	desk_works(d, d->st == NULL);
	desk_works(d, store_migrate(d->st, &from, &to, &d->err));
	desk_works(d, store_prepare(d->st, &d->err));
	desk_works(d, install_key_file(d->st, d->key_path, &made, &d->err));
	assert_true(made);
	desk_open_seal(d);
	desk_works(d, install_meta(d->st, d->seal, &made, &d->err));
	assert_true(made);
	desk_works(d, meta_pepper(d->st, d->seal, &d->pepper, &d->err));
	return (0);
}

int
desk_setup(void **state)
{
	struct desk *d = desk_new();

	raw_make(d->dir, d->url);
	*state = d;
	return (install(d));
}

int
desk_setup_sqlite(void **state)
{
	struct desk *d = desk_new();

	(void)snprintf(d->url, sizeof(d->url), "sqlite:%s", d->db_path);
	*state = d;
	return (install(d));
}

int
desk_teardown(void **state)
{
	static const char *const files[] = {
		"db", "db-wal", "db-shm", "db.lock", "key", "conf", "metrics"
	};
	struct desk *d = *state;
	char path[128];
	size_t i;

	store_close(d->st);
	seal_free(d->seal);
	raw_drop(d->url);
	for (i = 0; i < NITEMS(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(d->dir), 0);
	free(d);
	return (0);
}

void
desk_sql(struct desk *d, const char *fmt, ...)
{
	char sql[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	raw_sql(d->url, sql);
}

int64_t
desk_number(struct desk *d, const char *fmt, ...)
{
	const char *text;
	char sql[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	text = raw_text(d->url, sql);
	return (*text == '\0' ? -1 : strtoll(text, NULL, 10));
}

void
desk_account(struct desk *d, const char *name, int64_t concurrency)
{
	struct account_change c;

	account_change_init(&c);
	c.name = name;
	c.platform = "claude";
	c.base_url = "https://upstream.example";
	c.credential = "api_key";
	c.concurrency = concurrency;
	c.secret = "sk-ant-one";
	c.secret_len = strlen(c.secret);
	desk_works(d, accounts_add(d->st, d->seal, &c, &d->err));
}

void
desk_webhook(struct desk *d, const char *name, const char *events,
    const char *quiet)
{
	char secret[NOTIFY_SECRET_SIZE];
	struct notify_spec s;

	notify_spec_init(&s);
	s.name = name;
	s.kind = "webhook";
	s.address = "https://hooks.example/in?key=sesame";
	s.events = events;
	s.quiet = quiet;
	desk_works(d, notify_targets_add(d->st, d->seal, &s, secret,
	    &d->err));
	assert_true(notify_secret_ok(secret));
}

int64_t
desk_int(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_integer(v))
		fail_msg("%s is no integer", key);
	return (json_integer_value(v));
}
