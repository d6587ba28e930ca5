#ifndef ADMIN_BACKUP_BEFORE_H_
#define ADMIN_BACKUP_BEFORE_H_

#include <stddef.h>

struct conf;
struct err;
struct store;

/**
 * backup_before(conf, st, path, size, err):
 * Before a migration, for which ${st} is locked: copy its database, whose
 * schema is older than this program's, to a new file in backup_dir (or, where
 * that is empty, beside a SQLite database).  It belongs to whom the database
 * belongs to, of a server to whom the master key does.  ${path} is its name; ""
 * if there is nothing that could be lost.  0, or -1.
 */
int backup_before(const struct conf *conf, struct store *st, char *path,
    size_t size, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_BACKUP_BEFORE_H_ */
