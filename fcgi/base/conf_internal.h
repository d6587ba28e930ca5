#ifndef BASE_CONF_INTERNAL_H_
#define BASE_CONF_INTERNAL_H_

/*
 * What the files of the config share: conf.c (files and lines), conf_env.c
 * (the environment), conf_table.c (the settings), conf_value.c (types of
 * values), conf_doc.c (help).  Nobody else includes this.
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

/** conf_note_source(conf, s, source, line): ${s} in ${conf}, which conf_load
 * or conf_parse made, is from there. */
void conf_note_source(struct conf *conf, const struct conf_setting *s,
    enum conf_source source, int line);

/** conf_nearest(name): What ${name}, shorter than CONF_NAME_SIZE, was probably
 * meant to be, or NULL. */
const struct conf_setting *conf_nearest(const char *name);

/** conf_apply_environment(conf, err): Take over what the environment says.  0,
 * or -1 with ${err} naming the variable. */
int conf_apply_environment(struct conf *conf, struct err *err)
    __attribute__((__warn_unused_result__));

/** conf_value_is_text(s): Whether the field is a char *, else an int64_t. */
bool conf_value_is_text(const struct conf_setting *s);

/** conf_text_field, conf_int_field: The field of ${s} in ${conf}. */
char **conf_text_field(struct conf *conf, const struct conf_setting *s);
int64_t *conf_int_field(struct conf *conf, const struct conf_setting *s);

/** conf_type_name(type): What the manual calls such a value: "duration". */
const char *conf_type_name(enum conf_type type);

#endif /* !BASE_CONF_INTERNAL_H_ */
