-- Whoever corrects waits for as long as somebody else's transaction is open.
select pg_temp.take_away('agg.run_batch(text, integer, timestamptz, integer)', 'SET lock_timeout TO ', 'SET lock_timeout TO 0 -- ');
