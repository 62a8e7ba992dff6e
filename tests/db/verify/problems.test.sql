begin;
select plan(7);

call tests.clear();
call tests.add_asset('ACME');
-- 02:00 to 03:00 is empty.
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00', p_high => 2);
call tests.add_minutes('ACME', '2025-07-01 03:00+00', '2025-07-01 06:00+00', p_high => 2);
call tests.run('2025-07-01 07:00+00');
select is_empty('select v.ts_utc from public.agg_verify() as v', 'agg_verify() lists nothing when every bar is right');

create function pg_temp.break_bars(p_timeframe text, p_length interval) returns void
language plpgsql as $$
begin
  delete from public.derived_data_bars as d where d.timeframe = p_timeframe and d.ts_utc = '2025-07-01 00:00+00';
  update public.derived_data_bars as d set deleted_at = now() where d.timeframe = p_timeframe and d.ts_utc = '2025-07-01 01:00+00';
  update public.derived_data_bars as d set high = 9, quality_score = 0
  where d.timeframe = p_timeframe and d.ts_utc = '2025-07-01 03:00+00';
  insert into public.derived_data_bars
  select (jsonb_populate_record(d, jsonb_build_object('ts_utc', d.ts_utc - interval '2 hours'))).*
  from public.derived_data_bars as d
  where d.timeframe = p_timeframe and d.ts_utc = '2025-07-01 04:00+00';
end;
$$;

do $$ begin perform pg_temp.break_bars('5m', '5 minutes'); end; $$;
select results_eq(
  $$ select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem from public.agg_verify('ACME', '5m') as v $$,
  $$
    values
      ('ACME', '5m', timestamptz '2025-07-01 00:00+00', 'missing'), ('ACME', '5m', '2025-07-01 01:00+00', 'missing'),
      ('ACME', '5m', '2025-07-01 02:00+00', 'stale'), ('ACME', '5m', '2025-07-01 03:00+00', 'different')
  $$,
  'agg_verify() lists 5m bars that are missing, soft-deleted, stale or different'
);
select results_eq(
  $$ select v.stored, v.expected from public.agg_verify('ACME', '5m') as v where v.problem = 'different' $$,
  $$ values ('{"high": 9, "quality_score": 0}'::jsonb, '{"high": 2, "quality_score": 2}'::jsonb) $$,
  'agg_verify() shows the fields that differ, as stored and as expected'
);
select results_eq(
  $$
    select v.problem, v.stored -> 'high', v.stored -> 'covered_minutes', v.expected -> 'high', v.expected -> 'covered_minutes'
    from public.agg_verify('ACME', '5m') as v
    where v.problem <> 'different'
  $$,
  $$
    values
      ('missing', null::jsonb, null::jsonb, '2'::jsonb, '5'::jsonb), ('missing', null, null, '2', '5'),
      ('stale', '2', '5', null, null)
  $$,
  'agg_verify() shows the whole of a missing and of a stale bar'
);
select results_eq(
  $$ select v.timeframe, v.ts_utc, v.problem from public.agg_verify(p_timeframe => '1h') as v $$,
  $$
    values
      ('1h', timestamptz '2025-07-01 00:00+00', 'different'), ('1h', '2025-07-01 01:00+00', 'different'),
      ('1h', '2025-07-01 02:00+00', 'missing'), ('1h', '2025-07-01 03:00+00', 'different')
  $$,
  'agg_verify() holds each 1h bar against its 5m bars as they stand'
);

do $$
begin
  perform public.agg_bootstrap_cursor('ACME', '5m');
  perform public.agg_run_due(p_now => '2025-07-01 07:00+00');
  perform pg_temp.break_bars('1h', '1 hour');
end;
$$;
select results_eq(
  'select v.timeframe, v.ts_utc, v.problem from public.agg_verify() as v',
  $$
    values
      ('1h', timestamptz '2025-07-01 00:00+00', 'missing'), ('1h', '2025-07-01 01:00+00', 'missing'),
      ('1h', '2025-07-01 02:00+00', 'stale'), ('1h', '2025-07-01 03:00+00', 'different')
  $$,
  'agg_verify() lists 1h bars that are missing, soft-deleted, stale or different'
);

delete from public.derived_data_bars as d;
select results_eq(
  'select v.timeframe, v.problem, count(*) from public.agg_verify() as v group by 1, 2 order by 1',
  $$ values ('5m', 'missing', 60::bigint) $$,
  'agg_verify() lists only the lowest level when every bar is gone'
);

select * from finish();
rollback;
