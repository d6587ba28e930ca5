-- When a client leaves, the upstream of this key may go on for so long, so that
-- its usage is known; 0: it is cut; NULL: as the installation has it.
ALTER TABLE api_key ADD COLUMN drain_ms INTEGER
    CHECK (drain_ms BETWEEN 0 AND 3600000);
