-- Who goes first when requests wait for slots.
--
-- The step can be run again when it broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'api_key'
    AND column_name = 'queue_class') > 0, 'DO 0',
    'ALTER TABLE api_key ADD COLUMN queue_class BIGINT NOT NULL DEFAULT 1
	COMMENT ''0 high, 1 normal, 2 low: a class waits while those before it have requests that could be served''
	CHECK (queue_class IN (0, 1, 2))');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
