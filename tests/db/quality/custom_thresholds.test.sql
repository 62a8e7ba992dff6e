begin;
select plan(4);

call tests.add_asset('DEFAULT');
call tests.add_asset('STRICT', '{"quality": {"good": 100, "poor": 100}}');
call tests.add_asset('LAX', '{"quality": {"good": 60, "poor": 20}}');
call tests.add_asset('PARTLY', '{"quality": {"poor": 80}}');

-- Window n holds n minutes.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select s.symbol, timestamptz '2025-07-01 00:00+00' + (w.n * 5 + m.n) * interval '1 minute', 1, 1, 1, 1
from unnest(array['DEFAULT', 'STRICT', 'LAX', 'PARTLY']) as s (symbol)
cross join generate_series(1, 5) as w (n)
cross join generate_series(0, w.n - 1) as m (n);
call tests.run('2025-07-02 00:00+00');

create function pg_temp.scores(p_symbol text) returns text
language sql as $$
  select string_agg(coalesce(d.quality_score::text, '-'), '' order by w.n)
  from generate_series(1, 5) as w (n)
  left join public.derived_data_bars as d
    on d.canonical_symbol = p_symbol and d.timeframe = '5m'
    and d.ts_utc = timestamptz '2025-07-01 00:00+00' + w.n * interval '5 minutes'
$$;

select is(pg_temp.scores('DEFAULT'), '--012', 'build_windows() scores from 80 and 60 percent on by default');
select is(pg_temp.scores('STRICT'), '----2', 'build_windows() follows metadata.agg.quality that wants every minute');
select is(pg_temp.scores('LAX'), '00112', 'build_windows() follows metadata.agg.quality that takes 20 percent');
select is(pg_temp.scores('PARTLY'), '---12', 'build_windows() keeps the default of the threshold that is not given');

select * from finish();
rollback;
