-- The proxy through which an account is reached.
--
-- The step can be run again when it broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'account'
    AND column_name = 'proxy') > 0, 'DO 0',
    'ALTER TABLE account ADD COLUMN proxy VARBINARY(4096)
	COMMENT ''its URL, sealed, context account:ID:proxy; NULL: none'',
	ADD COLUMN proxy_shown VARCHAR(300) NOT NULL DEFAULT ''''
	COMMENT ''the same without user and password, to be shown''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
