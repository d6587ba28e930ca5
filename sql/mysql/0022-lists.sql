-- Requests of a key, newest first; all else about them is found by their ids,
-- see admin/requests_find.h.
-- It can be run again when it broke off.

SET @step = IF((SELECT count(*) FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = 'ledger'
    AND index_name = 'ledger_by_key') > 0, 'DO 0',
    'ALTER TABLE ledger ADD INDEX ledger_by_key (key_id)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
