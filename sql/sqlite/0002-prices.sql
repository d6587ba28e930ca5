-- Prices that end, and what multiplies them.
--
-- Percentages multiply the prices of tokens; 100 is the plain price, 0: no
-- such price is known, and a call that is served so is unpriced.

ALTER TABLE price ADD COLUMN valid_until_ms	INTEGER NOT NULL DEFAULT 0
    CHECK (valid_until_ms = 0 OR valid_until_ms > valid_from_ms); -- 0: open
ALTER TABLE price ADD COLUMN batch_percent	INTEGER NOT NULL DEFAULT 0
    CHECK (batch_percent BETWEEN 0 AND 10000);
ALTER TABLE price ADD COLUMN fast_percent	INTEGER NOT NULL DEFAULT 0
    CHECK (fast_percent BETWEEN 0 AND 10000);
ALTER TABLE price ADD COLUMN priority_percent	INTEGER NOT NULL DEFAULT 0
    CHECK (priority_percent BETWEEN 0 AND 10000);	-- of the service tier
ALTER TABLE price ADD COLUMN geo_us_percent	INTEGER NOT NULL DEFAULT 0
    CHECK (geo_us_percent BETWEEN 0 AND 10000);	-- inference_geo "us"
ALTER TABLE price ADD COLUMN web_search_nusd	INTEGER NOT NULL DEFAULT 0
    CHECK (web_search_nusd >= 0);	-- of one; 0: no price known

-- What was charged for one until now.
UPDATE price SET web_search_nusd = 10000000;
