-- What models are called upstream, and which of them an account serves.
--
-- Each step can be run again when one broke off, see 0003.

CREATE TABLE IF NOT EXISTS model_alias (
	scope		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    COMMENT 'of the accounts of a group, or of one, after it'
	    CHECK (scope IN ('group', 'account')),
	scope_id	BIGINT NOT NULL COMMENT 'account_group.id, account.id',
	pattern		VARCHAR(255) NOT NULL
	    COMMENT 'of the name asked for, with *; the most specific one wins'
	    CHECK (pattern <> ''),
	target		VARCHAR(255) NOT NULL COMMENT 'goes upstream'
	    CHECK (target <> ''),
	created_ms	BIGINT NOT NULL,
	PRIMARY KEY (scope, scope_id, pattern)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What models are called upstream';

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'account'
    AND column_name = 'models') > 0, 'DO 0',
    'ALTER TABLE account
	ADD COLUMN models VARCHAR(8192) NOT NULL DEFAULT ''''
	    COMMENT ''what it serves: wildcards by comma, of names as they go upstream; empty: any'',
	ADD COLUMN auth_header VARCHAR(64) CHARACTER SET ascii
	    COLLATE ascii_bin NOT NULL DEFAULT ''''
	    COMMENT ''that its API key goes in; empty: x-api-key''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ledger'
    AND column_name = 'sent_as') > 0, 'DO 0',
    'ALTER TABLE ledger ADD COLUMN sent_as VARCHAR(255) NOT NULL DEFAULT ''''
	COMMENT ''name under which it went upstream last; empty: the one asked for, and no other was possible. Budgets by model, sums and prices go by this one''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'attempt'
    AND column_name = 'model') > 0, 'DO 0',
    'ALTER TABLE attempt ADD COLUMN model VARCHAR(255) NOT NULL DEFAULT ''''
	COMMENT ''empty: the one asked for''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ticket'
    AND column_name = 'names') > 0, 'DO 0',
    'ALTER TABLE ticket ADD COLUMN names VARCHAR(512) NOT NULL DEFAULT ''''
	COMMENT ''names under which a request that waits may go upstream, as it reserved for them: PLATFORM/NAME, a line each; empty: as it was asked for; *: any''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
