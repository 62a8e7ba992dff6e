-- A correction waits for a held bar without a limit.
select pg_temp.take_away('agg.run_batch(text, integer, timestamptz, integer)', 'SET lock_timeout TO ', 'SET lock_timeout TO 0 -- ');
