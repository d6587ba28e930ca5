-- Objects that the upstream has no more.
-- Each step can be run again when one broke off.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'object'
    AND column_name = 'gone_ms') > 0, 'DO 0',
    'ALTER TABLE object ADD COLUMN gone_ms BIGINT
	COMMENT ''when the upstream said that it has it no more; null: it did not, or gave it again since''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = 'object'
    AND index_name = 'object_by_age') > 0, 'DO 0',
    'CREATE INDEX object_by_age ON object (kind, created_ms)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = 'object'
    AND index_name = 'object_gone') > 0, 'DO 0',
    'CREATE INDEX object_gone ON object (gone_ms)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
