-- +goose Up
CREATE UNIQUE INDEX account_tenant ON account (tenant, id);

-- +goose Down
DROP INDEX account_tenant;
