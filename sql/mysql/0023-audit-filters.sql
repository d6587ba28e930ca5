-- The audit log by whatever it is filtered by, newest first.  Changes are few,
-- so that what each index costs them does not matter.
-- It can be run again when it broke off.

SET @step = IF((SELECT count(*) FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = 'audit'
    AND index_name = 'audit_by_verb') > 0, 'DO 0',
    'ALTER TABLE audit ADD INDEX audit_by_verb (verb, id),
	ADD INDEX audit_by_actor (actor, id),
	ADD INDEX audit_by_verb_object (verb, object, id),
	ADD INDEX audit_by_actor_verb (actor, verb, id),
	ADD INDEX audit_by_actor_object (actor, object, id)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
