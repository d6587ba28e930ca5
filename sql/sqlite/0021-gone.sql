-- When the upstream said that it has the object no more; NULL: it did not, or
-- gave it again since.
ALTER TABLE object ADD COLUMN gone_ms INTEGER;
CREATE INDEX object_by_age ON object (kind, created_ms);
CREATE INDEX object_gone ON object (gone_ms) WHERE gone_ms IS NOT NULL;
