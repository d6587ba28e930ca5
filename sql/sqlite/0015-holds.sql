-- A request may count against any number of budgets: their text has no bound
-- here.

-- A fixed window begins within the years 1 to 9999.
CREATE TRIGGER budget_anchor_added BEFORE INSERT ON budget
WHEN NEW.anchor_ms NOT BETWEEN -62135596800000 AND 253402300799999
BEGIN
	SELECT RAISE(ABORT, 'anchor_ms is out of range');
END;
CREATE TRIGGER budget_anchor_changed BEFORE UPDATE OF anchor_ms ON budget
WHEN NEW.anchor_ms NOT BETWEEN -62135596800000 AND 253402300799999
BEGIN
	SELECT RAISE(ABORT, 'anchor_ms is out of range');
END;
