begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
-- Not decided yet when the dispatcher runs at 05:00, though a bar stands there.
call tests.add_minute('ACME', '2025-07-01 04:57+00');
call tests.run('2025-07-01 05:00+00');
update public.derived_data_bars as d set trade_count = 99 where d.timeframe = '5m';
insert into public.derived_data_bars
select (jsonb_populate_record(d, jsonb_build_object('ts_utc', d.ts_utc + f.shift))).*
from public.derived_data_bars as d
cross join unnest(array[interval '-1 hour', interval '5 hours']) as f (shift)
where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00';
create function pg_temp.found(p_from timestamptz, p_to timestamptz) returns text
language sql as $$
  select string_agg(to_char(v.ts_utc, 'HH24:MI'), ' ' order by v.ts_utc) from public.agg_verify('ACME', '5m', p_from, p_to) as v
$$;

select is(
  pg_temp.found('2025-07-01 01:00+00', '2025-07-01 01:15+00'), '01:00 01:05 01:10', 'agg_verify() keeps to its range'
);
select is(
  pg_temp.found('2025-07-01 01:04+00', '2025-07-01 01:06+00'), '01:00 01:05', 'agg_verify() counts windows whole that its range cuts'
);
select is(pg_temp.found(null, '2025-07-01 00:10+00'), '00:00 00:05', 'agg_verify() begins with the first window');
select is(pg_temp.found('2025-07-01 03:50+00', null), '03:50 03:55', 'agg_verify() ends with the last window that is decided');
select is(
  (select count(*) from public.agg_verify('ACME') as v where v.timeframe = '5m'), 48::bigint, 'agg_verify() takes the whole of it by default'
);

select * from finish();
rollback;
