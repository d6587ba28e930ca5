-- Prices that end, and what multiplies them.
--
-- One change of the table, which is there as a whole or not at all: so the
-- step can be run again when it broke off.  MySQL knows no ADD COLUMN IF NOT
-- EXISTS: what is to be done is looked up and prepared.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'price'
    AND column_name = 'valid_until_ms') > 0, 'DO 0',
    'ALTER TABLE price
	ADD COLUMN valid_until_ms BIGINT NOT NULL DEFAULT 0
	    COMMENT ''not valid any more at this time; 0: open'',
	ADD COLUMN batch_percent INT NOT NULL DEFAULT 0
	    COMMENT ''multiplies the prices of tokens; 100 is the plain price; 0: no such price known, so that a call that is served so is unpriced''
	    CHECK (batch_percent BETWEEN 0 AND 10000),
	ADD COLUMN fast_percent INT NOT NULL DEFAULT 0
	    CHECK (fast_percent BETWEEN 0 AND 10000),
	ADD COLUMN priority_percent INT NOT NULL DEFAULT 0
	    COMMENT ''of the service tier''
	    CHECK (priority_percent BETWEEN 0 AND 10000),
	ADD COLUMN geo_us_percent INT NOT NULL DEFAULT 0
	    COMMENT ''inference_geo us''
	    CHECK (geo_us_percent BETWEEN 0 AND 10000),
	ADD COLUMN web_search_nusd BIGINT NOT NULL DEFAULT 10000000
	    COMMENT ''of one; 0: no price known''
	    CHECK (web_search_nusd >= 0),
	ADD CONSTRAINT price_span
	    CHECK (valid_until_ms = 0 OR valid_until_ms > valid_from_ms)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

-- Rows that were there have what was charged for a search until now.
ALTER TABLE price ALTER COLUMN web_search_nusd SET DEFAULT 0;
