-- Requests of a key, newest first, for whoever looks at them; all else about
-- them is found by their ids, see admin/requests_find.h.
CREATE INDEX ledger_by_key ON ledger (key_id);
