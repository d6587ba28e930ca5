-- The audit log by whatever it is filtered by, newest first.  Changes are few,
-- so that what each index costs them does not matter.
CREATE INDEX audit_by_verb ON audit (verb, id);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_verb_object ON audit (verb, object, id);
CREATE INDEX audit_by_actor_verb ON audit (actor, verb, id);
CREATE INDEX audit_by_actor_object ON audit (actor, object, id);
