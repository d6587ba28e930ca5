#ifndef ADMIN_BACKUP_BEFORE_H_
#define ADMIN_BACKUP_BEFORE_H_

#include <stddef.h>

struct conf;
struct err;
struct store;

/**
 * backup_before(conf, st, path, size, err):
 * Before a migration: copy the SQLite database of ${st}, whose schema is older
 * than this program's, to a new file in backup_dir (or, where that is empty,
 * beside the database), which belongs to whom the database belongs to.  ${path}
 * is its name; "" if there is nothing that could be lost.  1: done; 0: the
 * store is a MySQL database, whose older schema only the version that made it
 * can copy; -1.
 */
int backup_before(const struct conf *conf, struct store *st, char *path,
    size_t size, struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_BACKUP_BEFORE_H_ */
