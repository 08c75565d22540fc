-- Enum-plain: create
CREATE TYPE "life"."mood" AS ENUM (
  'sad',
  'ok',
  'happy'
);
ALTER TYPE "life"."mood" OWNER TO "one";
COMMENT ON TYPE "life"."mood" IS 'first';

-- alter: at the end
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'thrilled' AFTER 'happy';

-- alter: everywhere
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'dead' BEFORE 'sad';
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'gone' AFTER 'dead';
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'so-so' AFTER 'sad';
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'fair' AFTER 'so-so';
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'thrilled' AFTER 'happy';
-- irreversible: a label cannot be removed again
ALTER TYPE "life"."mood" ADD VALUE 'mad' AFTER 'thrilled';

-- alter: removed
-- refused: PostgreSQL cannot remove a label from an enum: "ok". Declare a new enum, move the columns to it with ALTER COLUMN TYPE, then drop this one.

-- alter: reordered
-- refused: PostgreSQL cannot change the order of an enum's labels. Declare a new enum, move the columns to it with ALTER COLUMN TYPE, then drop this one.

-- alter: owner
ALTER TYPE "life"."mood" OWNER TO "two";

-- alter: comment
COMMENT ON TYPE "life"."mood" IS 'it''s second';

-- alter: no comment
COMMENT ON TYPE "life"."mood" IS NULL;

-- drop
DROP TYPE "life"."mood";
