#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"

#include "in_force.h"

#define VALUE_SIZE	4200

struct in_force {
	pthread_mutex_t lock;	/* guards values */
	json_t *values;		/* by name */
};

static json_t *
values_of(const struct conf *conf, struct err *err)
{
	const struct conf_setting *s;
	char value[VALUE_SIZE];
	json_t *values = json_object();
	size_t i, n;

	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		conf_format(conf, &s[i], value, sizeof(value));
		if (json_object_set_new(values, s[i].name,
		    json_string(value)) == 0)
			continue;
		json_decref(values);
		err_set(err, ERR_NOMEM, "no memory for the settings");
		return (NULL);
	}
	return (values);
}

struct in_force *
in_force_new(const struct conf *conf, struct err *err)
{
	struct in_force *f;

	if ((f = calloc(1, sizeof(*f))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the settings");
		return (NULL);
	}
	(void)pthread_mutex_init(&f->lock, NULL);
	if ((f->values = values_of(conf, err)) != NULL)
		return (f);
	in_force_free(f);
	return (NULL);
}

void
in_force_free(struct in_force *f)
{

	if (f == NULL)
		return;
	json_decref(f->values);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

int
in_force_set(struct in_force *f, const struct conf *conf, struct err *err)
{
	json_t *values, *was;

	if ((values = values_of(conf, err)) == NULL)
		return (-1);
	(void)pthread_mutex_lock(&f->lock);
	was = f->values;
	f->values = values;
	(void)pthread_mutex_unlock(&f->lock);
	json_decref(was);
	return (0);
}

/* Add one to ${list} if it is another. */
static int
compare(json_t *list, const json_t *values, const struct conf *conf,
    const struct conf_setting *s)
{
	const char *was = json_string_value(json_object_get(values,
	    s->name));
	char value[VALUE_SIZE];

	conf_format(conf, s, value, sizeof(value));
	if (was == NULL || strcmp(was, value) == 0)
		return (0);
	return (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}",
	    "name", s->name, "in_force", was, "value", value, "reloadable",
	    s->reloadable)));
}

json_t *
in_force_differs(struct in_force *f, const struct conf *conf,
    struct err *err)
{
	const struct conf_setting *s;
	json_t *list = json_array();
	size_t i, n;
	int rc = 0;

	s = conf_settings(&n);
	(void)pthread_mutex_lock(&f->lock);
	for (i = 0; i < n && rc == 0; i++)
		rc = compare(list, f->values, conf, &s[i]);
	(void)pthread_mutex_unlock(&f->lock);
	if (rc == 0)
		return (list);
	json_decref(list);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (NULL);
}
