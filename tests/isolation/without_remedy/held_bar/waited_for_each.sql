-- A batch waits 500 ms for each held bar, instead of once.
select pg_temp.take_away('agg.build_or_split(agg.build_request[])', $$perform set_config('lock_timeout', '10ms', true);$$);
