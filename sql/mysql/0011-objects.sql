-- Objects that live upstream, in the account that made them: batches of
-- messages and files.  See fcgi/pool/objects.h.
CREATE TABLE IF NOT EXISTS object (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	kind		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL CHECK (kind IN ('batch', 'file')),
	upstream_id	VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL CHECK (upstream_id <> ''),
	account_id	BIGINT NOT NULL COMMENT 'that made it',
	key_id		BIGINT NOT NULL COMMENT 'whose it is',
	ledger_id	BIGINT NOT NULL COMMENT 'request that made it',
	model		VARCHAR(128) NOT NULL DEFAULT ''
	    COMMENT 'of all requests of a batch; empty: several',
	final		TINYINT NOT NULL
	    COMMENT '1: what was seen of it will not change (a batch ended)'
	    CHECK (final IN (0, 1)),
	unheard		TINYINT NOT NULL
	    COMMENT '1: the client was not told its id'
	    CHECK (unheard IN (0, 1)),
	created_ms	BIGINT NOT NULL,
	seen		TEXT NOT NULL
	    COMMENT 'JSON, as the upstream last described it',
	usage_ledger_id	BIGINT
	    COMMENT 'of a batch: the request that read its results first, and has its usage; NULL: none yet',
	UNIQUE KEY object_by_name (key_id, kind, upstream_id),
	KEY object_by_key (key_id, kind, id),
	KEY object_by_account (account_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Objects that live upstream, in the account that made them';
