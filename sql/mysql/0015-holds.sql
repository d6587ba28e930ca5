-- A request may count against any number of budgets, whose text goes with its
-- row; and a fixed window begins within the years 1 to 9999.
--
-- Each step can be run again when it broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ledger'
    AND column_name = 'holds' AND data_type = 'mediumtext') > 0, 'DO 0',
    'ALTER TABLE ledger MODIFY COLUMN holds MEDIUMTEXT
	CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ('''')
	COMMENT ''what the request holds of budgets, a JSON array of [budget, start of the window, kind, amount]; kinds are 0 money, 1 tokens, 2 input tokens, 3 output tokens, 4 requests. Open: what is reserved; closed: what was charged''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.table_constraints
    WHERE table_schema = database() AND table_name = 'budget'
    AND constraint_name = 'budget_anchor') > 0, 'DO 0',
    'ALTER TABLE budget ADD CONSTRAINT budget_anchor
	CHECK (anchor_ms BETWEEN -62135596800000 AND 253402300799999)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
