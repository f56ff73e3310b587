-- What is judged again, by whom it is owed, and what each time said. Portable
-- SQL as in 00001; judgements are only ever added.

-- +goose Up
CREATE TABLE rescans (
    tenant     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    generation TEXT   NOT NULL, -- digest of the inputs that this run is owed to
    cause      TEXT   NOT NULL,
    due        BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    PRIMARY KEY (tenant, name, version),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);
CREATE INDEX rescans_by_due ON rescans (tenant, due);

CREATE TABLE judgements (
    tenant   TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    version  TEXT   NOT NULL,
    sequence BIGINT NOT NULL,
    record   TEXT   NOT NULL, -- JSON; its evidence is named by digest
    at       BIGINT NOT NULL,
    PRIMARY KEY (tenant, name, version, sequence),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);

-- The inputs for which every version of a tenant has been queued.
CREATE TABLE rescan_inputs (
    tenant TEXT   NOT NULL PRIMARY KEY,
    record TEXT   NOT NULL,
    at     BIGINT NOT NULL
);

-- +goose Down
DROP TABLE rescan_inputs;
DROP TABLE judgements;
DROP TABLE rescans;
