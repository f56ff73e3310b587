-- Lifecycle status of the official registry API, and the index that its lists
-- are paged by. Portable SQL (SQLite and PostgreSQL).

-- +goose Up
ALTER TABLE versions ADD COLUMN status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deprecated', 'deleted'));
ALTER TABLE versions ADD COLUMN status_message TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN status_changed BIGINT NOT NULL DEFAULT 0; -- 0: never

-- Everything that a page is chosen by, so that no record is read for a row
-- that is not on it.
CREATE INDEX versions_public ON versions (tenant, state, name, version, approval, status, updated);

-- A proof of a namespace is exchanged once. key_id is the key that it was
-- exchanged for, which goes with it.
CREATE TABLE namespace_proofs (
    tenant  TEXT   NOT NULL,
    digest  TEXT   NOT NULL,
    key_id  TEXT   NOT NULL,
    expires BIGINT NOT NULL, -- when neither the proof nor the key is of use any more
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX namespace_proofs_by_expiry ON namespace_proofs (tenant, expires);

-- +goose Down
DROP TABLE namespace_proofs;
DROP INDEX versions_public;
ALTER TABLE versions DROP COLUMN status_changed;
ALTER TABLE versions DROP COLUMN status_message;
ALTER TABLE versions DROP COLUMN status;
