-- People who sign in to the admin pages, and what they change.
--
-- Each step can be run again when the migration broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'role') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
	NOT NULL DEFAULT ''user''
	CHECK (role IN (''admin'', ''operator'', ''user''))');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'enabled') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN enabled TINYINT NOT NULL DEFAULT 1 COMMENT ''may sign in''
	CHECK (enabled IN (0, 1))');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'password') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN password VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
	COMMENT ''Argon2id, as libsodium writes it; NULL: cannot sign in''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'totp') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN totp BLOB
	COMMENT ''secret of the second factor, sealed, context person:ID:totp''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'totp_on') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN totp_on TINYINT NOT NULL DEFAULT 0
	COMMENT ''0: not confirmed by a code yet'' CHECK (totp_on IN (0, 1))');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'totp_step') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0
	COMMENT ''of the last code: none counts twice''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

CREATE TABLE IF NOT EXISTS recovery_code (
	person_id	BIGINT NOT NULL,
	hash		BINARY(32) NOT NULL COMMENT 'keyed BLAKE2b-256',
	PRIMARY KEY (person_id, hash),
	CONSTRAINT recovery_code_of_person FOREIGN KEY (person_id)
	    REFERENCES person (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Codes that stand in for the second factor, each once';

CREATE TABLE IF NOT EXISTS sign_in (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	hash		BINARY(32) NOT NULL COMMENT 'of the cookie',
	person_id	BIGINT NOT NULL,
	created_ms	BIGINT NOT NULL,
	seen_ms		BIGINT NOT NULL COMMENT 'roughly, see idle time',
	expires_ms	BIGINT NOT NULL COMMENT 'however busy it is',
	address		VARCHAR(64) NOT NULL,
	agent		VARCHAR(512) NOT NULL COMMENT 'the browser''s words',
	UNIQUE KEY sign_in_hash (hash),
	KEY sign_in_by_person (person_id),
	CONSTRAINT sign_in_of_person FOREIGN KEY (person_id)
	    REFERENCES person (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Browsers that are signed in';

CREATE TABLE IF NOT EXISTS sign_in_try (
	subject		VARCHAR(160) NOT NULL PRIMARY KEY
	    COMMENT 'name:NAME, address:NETWORK',
	tries		BIGINT NOT NULL,
	last_ms		BIGINT NOT NULL,
	until_ms	BIGINT NOT NULL COMMENT 'none is looked at before'
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Sign-ins that failed, by name and by address';

CREATE TABLE IF NOT EXISTS invitation (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	hash		BINARY(32) NOT NULL,
	role		VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
	    CHECK (role IN ('admin', 'operator', 'user')),
	person_id	BIGINT COMMENT 'whom it is for; NULL: a new one',
	invited_by	VARCHAR(128) NOT NULL,
	created_ms	BIGINT NOT NULL,
	expires_ms	BIGINT NOT NULL,
	UNIQUE KEY invitation_hash (hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Links by which people choose a name and a password, each once';

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'admin_token'
    AND column_name = 'person_id') > 0, 'DO 0',
    'ALTER TABLE admin_token ADD COLUMN person_id BIGINT
	COMMENT ''whose it is; NULL: the installation''''s''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'admin_token'
    AND column_name = 'scope') > 0, 'DO 0',
    'ALTER TABLE admin_token ADD COLUMN scope VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
	NOT NULL DEFAULT ''all'' CHECK (scope IN (''read'', ''all''))');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

CREATE TABLE IF NOT EXISTS audit (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	at_ms		BIGINT NOT NULL,
	actor_kind	VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
	    COMMENT 'shell: the command'
	    CHECK (actor_kind IN ('person', 'token', 'shell', 'machine',
		'nobody')),
	actor		VARCHAR(128) NOT NULL,
	address		VARCHAR(64) NOT NULL,
	verb		VARCHAR(64) NOT NULL COMMENT 'account.set, ...',
	object		VARCHAR(128) NOT NULL COMMENT 'its name',
	before_json	MEDIUMTEXT COMMENT 'without secrets',
	after_json	MEDIUMTEXT,
	KEY audit_by_object (object, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Who changed what, when and from where; only added to';
