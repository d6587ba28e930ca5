-- What the store itself needs: transactions, settings of a connection, and
-- the numbers of migrations.

-- name: begin_read @sqlite
BEGIN;
-- name: begin_read @mysql
START TRANSACTION READ ONLY;

-- name: begin_write @sqlite
-- Takes the write lock at once, so that it cannot fail half-way.
BEGIN IMMEDIATE;
-- name: begin_write @mysql
START TRANSACTION;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: migration_table @sqlite
-- Is the table there at all?
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'migration';
-- name: migration_table @mysql
SELECT count(*) FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = 'migration';

-- name: migration_newest
SELECT coalesce(max(number), 0) FROM migration;

-- name: migration_add
-- number, name, applied_ms
INSERT INTO migration (number, name, applied_ms) VALUES (?, ?, ?);

-- name: probe
-- time: a small write that shows whether there is room and leave to write.
REPLACE INTO meta (name, value) VALUES ('probe', ?);

-- name: sqlite_foreign_keys @sqlite only
PRAGMA foreign_keys = ON;

-- name: sqlite_journal_mode @sqlite only
PRAGMA journal_mode;

-- name: sqlite_wal @sqlite only
PRAGMA journal_mode = WAL;

-- name: sqlite_sync_full @sqlite only
PRAGMA synchronous = FULL;

-- name: sqlite_sync_normal @sqlite only
PRAGMA synchronous = NORMAL;

-- name: sqlite_cache @sqlite only
-- In KiB, negative: 2 MiB hold the hot pages of a connection.
PRAGMA cache_size = -2048;

-- name: sqlite_journal_limit @sqlite only
-- A WAL that once grew is cut to this (bytes) when it is started anew.
PRAGMA journal_size_limit = 16777216;

-- name: sqlite_query_only @sqlite only
PRAGMA query_only = ON;
