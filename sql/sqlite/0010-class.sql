-- Who goes first when requests wait for slots: 0 high, 1 normal, 2 low.  A
-- class waits while those before it have requests that could be served.
ALTER TABLE api_key ADD COLUMN queue_class INTEGER NOT NULL DEFAULT 1
    CHECK (queue_class IN (0, 1, 2));
