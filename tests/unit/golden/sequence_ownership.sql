-- SequenceOwnership-serial: create
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" OWNED BY "life"."things"."id";

-- alter: table
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" OWNED BY "life"."others"."id";

-- alter: column
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" OWNED BY "life"."things"."other";

-- drop
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" OWNED BY NONE;
