-- Which clients a key lets in, from where, and how fast; and where a request
-- came from.
--
-- Each step can be run again when it broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'api_key'
    AND column_name = 'clients') > 0, 'DO 0',
    'ALTER TABLE api_key ADD COLUMN clients VARCHAR(1024) NOT NULL DEFAULT ''''
	COMMENT ''kinds of clients and patterns of their User-Agent, by comma; empty: any''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'api_key'
    AND column_name = 'nets') > 0, 'DO 0',
    'ALTER TABLE api_key ADD COLUMN nets VARCHAR(2048) CHARACTER SET ascii
	COLLATE ascii_bin NOT NULL DEFAULT ''''
	COMMENT ''networks that it may be used from, by comma; empty: any''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'api_key'
    AND column_name = 'rate_id') > 0, 'DO 0',
    'ALTER TABLE api_key ADD COLUMN rate_id BIGINT
	COMMENT ''the budget that is its rate of requests; NULL: it never had one''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ledger'
    AND column_name = 'address') > 0, 'DO 0',
    'ALTER TABLE ledger ADD COLUMN address VARCHAR(46) CHARACTER SET ascii
	COLLATE ascii_bin NOT NULL DEFAULT ''''
	COMMENT ''of the client, as it was judged; empty: not known, or not recorded''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
