-- What the store itself needs: transactions, settings of a connection, and
-- the numbers of migrations.

-- name: begin_read @sqlite
BEGIN;
-- name: begin_read @mysql
-- One view for all that it reads, see mysql_snapshot.
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;

-- name: begin_write @sqlite
-- Takes the write lock at once, so that it cannot fail half-way.
BEGIN IMMEDIATE;
-- name: begin_write @mysql
-- Not needed on connections with autocommit = 0.
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

-- name: lock_migrations @mysql only
-- Changes of the schema commit by themselves: a lock of its own, for the
-- connection.  1: it is ours.
SELECT GET_LOCK(concat('leasehold:', DATABASE()), 60);

-- name: unlock_migrations @mysql only
SELECT RELEASE_LOCK(concat('leasehold:', DATABASE()));

-- The tables of a schema of any version, which no named statement knows; see
-- store/table.h.

-- name: table_names @sqlite only
SELECT name FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name;

-- name: table_columns @sqlite
SELECT name FROM pragma_table_info(?) ORDER BY cid;
-- name: table_columns @mysql
SELECT column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position;

-- name: table_read
-- columns, table
SELECT `?` FROM `?`;

-- name: table_put @sqlite only
-- table, columns, a parameter for each
INSERT INTO `?` (`?`) VALUES (`?`);

-- name: table_clear @sqlite only
-- table
DELETE FROM `?`;

-- name: sqlite_last_id_drop @sqlite only
-- table
DELETE FROM sqlite_sequence WHERE name = ?;

-- name: sqlite_last_id_put @sqlite only
-- table, the last id that was given out in it
INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?);

-- name: sqlite_dangling @sqlite only
-- Rows that refer to what is not there.
SELECT count(*) FROM pragma_foreign_key_check;

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

-- name: sqlite_no_foreign_keys @sqlite only
PRAGMA foreign_keys = OFF;

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

-- name: sqlite_delete @sqlite only
-- A copy is one file, without a log beside it.
PRAGMA journal_mode = DELETE;

-- name: sqlite_check @sqlite only
PRAGMA quick_check(1);

-- name: sqlite_query_only @sqlite only
PRAGMA query_only = ON;

-- name: mysql_create_database @mysql only
-- The name takes the place of the mark.
CREATE DATABASE IF NOT EXISTS `?`
	CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- name: mysql_session @mysql only
-- What a connection goes by, whatever the server's defaults are.  A host that
-- vanished keeps its locks for no longer than wait_timeout.
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO',
	time_zone = '+00:00', wait_timeout = 15, innodb_lock_wait_timeout = 2,
	lock_wait_timeout = 2, net_write_timeout = 15;

-- name: mysql_patient @mysql only
-- Rows that are read as they come wait for a disk here.
SET SESSION net_write_timeout = 600;

-- name: mysql_fresh @mysql only
-- MySQL alone: what it says of tables is up to a day old without this.
SET SESSION information_schema_stats_expiry = 0;

-- name: mysql_hasty @mysql only
-- For who would have an outage told sooner.
SET SESSION lock_wait_timeout = 1;

-- name: mariadb_session @mysql only
-- MariaDB can tell such a host from one that has nothing to do.
SET SESSION idle_transaction_timeout = 5;

-- name: mysql_names @mysql only
SET NAMES utf8mb4 COLLATE utf8mb4_bin;

-- name: mysql_read_committed @mysql only
-- Locks only what is found, and each statement sees what was committed before
-- it: what is read under a lock is what is there.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;

-- name: mysql_no_autocommit @mysql only
-- A transaction begins with its first statement, without asking for it.
SET SESSION autocommit = 0;

-- name: mysql_read_only @mysql only
SET SESSION TRANSACTION READ ONLY;

-- name: mysql_snapshot @mysql only
-- For the next transaction.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: mysql_now @mysql only
SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED);
