-- topic: Money
-- title: Which meters need a top-up?
-- note: Prepayment meters below the setting lowBalance; the view says what counts.
SELECT serial, name, balance
FROM api.meters_low_balance
ORDER BY balance, serial;
