-- The secret before the last one signs as well for a while, until receivers
-- know the new one.  When a target was last told is looked up by what about:
-- thousands of accounts can be parked at once.
-- Each step can be run again when one broke off.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'notify_target'
    AND column_name = 'old_secret') > 0, 'DO 0',
    'ALTER TABLE notify_target
	ADD COLUMN old_secret VARBINARY(512)
	    COMMENT ''sealed; the one before, signs as well'',
	ADD COLUMN old_until_ms BIGINT COMMENT ''until then''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = 'notify_event'
    AND index_name = 'notify_event_topic') > 0, 'DO 0',
    'ALTER TABLE notify_event ADD INDEX notify_event_topic (topic, kind)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
