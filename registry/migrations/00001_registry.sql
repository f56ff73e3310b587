-- Portable SQL (SQLite and PostgreSQL): text, bigint milliseconds, no engine
-- functions. Every table carries the tenant and every key begins with it.

-- +goose Up
CREATE TABLE versions (
    tenant     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('received', 'in_review', 'quarantined', 'approved', 'rejected')),
    review     TEXT   NOT NULL,
    alias      TEXT   NOT NULL,
    approval   TEXT   NOT NULL DEFAULT '', -- digest of the approval bundle; in force only if the bundle verifies
    submission TEXT   NOT NULL,            -- digest of everything that the publisher sent
    record     TEXT   NOT NULL,            -- JSON: the rest
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    PRIMARY KEY (tenant, name, version),
    UNIQUE (tenant, review)
);
CREATE INDEX versions_by_state ON versions (tenant, state);

CREATE TABLE entries (
    tenant      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    era         TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    entry       TEXT   NOT NULL,
    position    BIGINT NOT NULL, -- two entries may have one key: both are held
    whole       TEXT   NOT NULL,
    behavioural TEXT   NOT NULL,
    summary     TEXT   NOT NULL, -- JSON: title, description, parameters, for shadowing context
    PRIMARY KEY (tenant, name, version, era, kind, entry, position),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);

CREATE TABLE items (
    tenant   TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    version  TEXT   NOT NULL,
    code     TEXT   NOT NULL,
    position BIGINT NOT NULL,
    result   TEXT   NOT NULL CHECK (result IN ('pass', 'fail', 'n/a', 'waived', 'unanswered')),
    evidence TEXT   NOT NULL DEFAULT '',
    record   TEXT   NOT NULL,
    PRIMARY KEY (tenant, name, version, code),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);

CREATE TABLE votes (
    tenant  TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    version TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    voter   TEXT   NOT NULL,
    value   TEXT   NOT NULL CHECK (value IN ('approve', 'reject')),
    kind    TEXT   NOT NULL CHECK (kind IN ('key', 'session')),
    bundle  TEXT   NOT NULL DEFAULT '',
    at      BIGINT NOT NULL,
    PRIMARY KEY (tenant, name, version, subject, voter),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);

CREATE TABLE waivers (
    tenant  TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    version TEXT   NOT NULL,
    rule    TEXT   NOT NULL,
    pointer TEXT   NOT NULL,
    leaf    TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    by_whom TEXT   NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (tenant, name, version, rule, pointer, leaf),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);

CREATE TABLE drifts (
    tenant   TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    version  TEXT   NOT NULL,
    era      TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    entry    TEXT   NOT NULL,
    evidence TEXT   NOT NULL,
    reporter TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name, version, era, kind, entry, evidence),
    FOREIGN KEY (tenant, name, version) REFERENCES versions (tenant, name, version) ON DELETE CASCADE
);

-- Blobs are shared by content; who may open one is decided here.
CREATE TABLE blob_refs (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    media  TEXT NOT NULL,
    PRIMARY KEY (tenant, digest)
);

CREATE TABLE signers (
    tenant    TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    namespace TEXT   NOT NULL,
    record    TEXT   NOT NULL,
    added     BIGINT NOT NULL,
    PRIMARY KEY (tenant, namespace, id)
);

CREATE TABLE api_keys (
    tenant  TEXT   NOT NULL,
    id      TEXT   NOT NULL PRIMARY KEY, -- random and global: it is what finds the tenant
    record  TEXT   NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant, created);

CREATE TABLE feed (
    tenant TEXT   NOT NULL,
    cursor BIGINT NOT NULL,
    kind   TEXT   NOT NULL,
    ref    TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (tenant, cursor)
);

-- +goose Down
DROP TABLE feed;
DROP TABLE api_keys;
DROP TABLE signers;
DROP TABLE blob_refs;
DROP TABLE drifts;
DROP TABLE waivers;
DROP TABLE votes;
DROP TABLE items;
DROP TABLE entries;
DROP TABLE versions;
