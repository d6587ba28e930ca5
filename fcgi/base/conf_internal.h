#ifndef BASE_CONF_INTERNAL_H_
#define BASE_CONF_INTERNAL_H_

/*
 * What the files of the config share: conf.c (files and lines), conf_table.c
 * (the settings), conf_value.c (types of values), conf_doc.c (help).  Nobody
 * else includes this.
 */

#include "base/conf.h"

#define CONF_SETTINGS_MAX	96

/**
 * conf_value_set(conf, s, value, err):
 * Read ${value} as the type of ${s} says, check it, and put it into its
 * field.  0, or -1 with ${err} saying what is allowed (not where).
 */
int conf_value_set(struct conf *conf, const struct conf_setting *s,
    const char *value, struct err *err)
    __attribute__((__warn_unused_result__));

/** conf_value_is_text(s): Whether the field is a char *, else an int64_t. */
bool conf_value_is_text(const struct conf_setting *s);

/** conf_text_field, conf_int_field: The field of ${s} in ${conf}. */
char **conf_text_field(struct conf *conf, const struct conf_setting *s);
int64_t *conf_int_field(struct conf *conf, const struct conf_setting *s);

/** conf_type_name(type): What the manual calls such a value: "duration". */
const char *conf_type_name(enum conf_type type);

#endif /* !BASE_CONF_INTERNAL_H_ */
