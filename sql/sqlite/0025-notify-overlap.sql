-- The secret before the last one signs as well for a while, until receivers
-- know the new one.  When a target was last told is looked up by what about:
-- thousands of accounts can be parked at once.
ALTER TABLE notify_target ADD COLUMN old_secret BLOB;	-- sealed as .secret
ALTER TABLE notify_target ADD COLUMN old_until_ms INTEGER;
CREATE INDEX notify_event_topic ON notify_event (topic, kind);
