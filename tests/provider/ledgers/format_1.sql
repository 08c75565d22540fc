-- The ledger's tables as the first version made them.
CREATE SCHEMA pulumi_timescaledb;
CREATE TABLE pulumi_timescaledb.identity (
  ledger uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
  created_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
CREATE TABLE pulumi_timescaledb.ledger (
  kind text NOT NULL,
  id text NOT NULL,
  stack text NOT NULL,
  urn text NOT NULL,
  parent text,
  declared jsonb NOT NULL,
  canonical jsonb NOT NULL,
  step text,
  applied_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (kind, id)
);
CREATE TABLE pulumi_timescaledb.history (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
  stack text NOT NULL,
  urn text NOT NULL,
  kind text NOT NULL,
  id text NOT NULL,
  verb text NOT NULL,
  statements text[] NOT NULL
);
