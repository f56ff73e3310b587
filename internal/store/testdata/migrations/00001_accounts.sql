-- +goose Up
CREATE TABLE account (
    id      TEXT   NOT NULL PRIMARY KEY,
    tenant  TEXT   NOT NULL,
    opened  BIGINT NOT NULL,
    payload TEXT   NOT NULL DEFAULT ''
);
CREATE TABLE entry (
    seq     BIGINT NOT NULL PRIMARY KEY,
    account TEXT   NOT NULL REFERENCES account (id)
);

-- +goose Down
DROP TABLE entry;
DROP TABLE account;
