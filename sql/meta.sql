-- Facts of the installation.

-- name: meta_get
SELECT value FROM meta WHERE name = ?;

-- name: meta_put
-- name, value
REPLACE INTO meta (name, value) VALUES (?, ?);

-- name: meta_config_version
SELECT value + 0 FROM meta WHERE name = 'config_version';

-- name: meta_epoch
-- Raised when a backup is restored; no row: it never was.
SELECT value + 0 FROM meta WHERE name = 'epoch';

-- name: meta_config_bump
-- Part of each change that running responders must see.
UPDATE meta SET value = value + 1 WHERE name = 'config_version';
