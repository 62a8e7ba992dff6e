-- Whoever corrects has the same patience with each held bar, over and over.
select pg_temp.take_away('agg.build_or_split(agg.build_request[])', $$perform set_config('lock_timeout', '10ms', true);$$);
