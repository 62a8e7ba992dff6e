begin;
select plan(15);

-- Four days of minutes, with an hour and a day made of them.
call tests.clear();
call tests.add_asset('ACME', '{"optional": ["1d"], "keep": {"1m": "2 days"}}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-05 00:00+00', p_vol => 1);
call tests.run('2025-07-05 00:05+00');
create function pg_temp.bars() returns text
language sql as $$
  select string_agg(format('%s %s', b.timeframe, b.bars), ', ' order by b.timeframe)
  from (
    select d.timeframe, count(*) as bars from public.derived_data_bars as d where d.deleted_at is null group by d.timeframe
    union all
    select '1m', count(*) from public.data_bars as b where b.canonical_symbol = 'ACME'
  ) as b
$$;
create temporary table before as select d.* from public.derived_data_bars as d;
create function pg_temp.changed() returns setof public.derived_data_bars
language sql as $$
  (select d.* from public.derived_data_bars as d except select b.* from before as b)
  union all
  (select b.* from before as b except select d.* from public.derived_data_bars as d)
$$;

select is(pg_temp.bars(), '1d 4, 1h 96, 1m 5760, 5m 1152', 'there are bars of four days');
select is(
  public.agg_maintain(p_now => '2025-07-05 00:10+00') -> 'bars_removed', '0', 'agg_maintain() removes nothing before floors are raised'
);
select results_eq(
  'select f.canonical_symbol, f.timeframe, f.floor_utc from agg.floor as f',
  $$ values ('ACME', '1m', timestamptz '2025-07-03 00:00+00') $$,
  'it raises the floor to the day that metadata.agg.keep says'
);
select results_eq(
  $$ select s.timeframe, s.agg_start_utc from public.data_agg_state as s order by s.run_interval_minutes $$,
  $$ values ('5m', timestamptz '2025-07-03 00:00+00'), ('1h', '2025-07-01 00:00+00'), ('1d', '2025-07-01 00:00+00') $$,
  'what is built from minutes starts at the floor'
);
select is(
  public.agg_maintain(p_now => '2025-07-05 00:15+00') -> 'bars_removed', '2880', 'the next time it removes the minutes behind it'
);
call tests.run('2025-07-05 00:20+00');
select is(pg_temp.bars(), '1d 4, 1h 96, 1m 2880, 5m 1152', 'no longer bar goes with them');
select is_empty('select from agg.change_note union all select from agg.correction', 'nothing waits to be built again');
select is_empty($$ select v.* from public.agg_verify() as v $$, 'agg_verify() lists no difference behind the floor');
select is(public.agg_repair() ->> 'windows', '0', 'agg_repair() has nothing to build');
select is(
  (select min(g.gap_from_utc) from public.agg_gaps('ACME', '5m') as g), null, 'agg_gaps() lists no gap behind it'
);
select is(
  public.aggregate_window('ACME', '5m', '2025-07-01 00:00+00', p_now => '2025-07-05 00:20+00') ->> 'reason', 'before_agg_start_utc',
  'no window behind it is built by hand'
);
do $$ begin perform public.agg_bootstrap_cursor('ACME', '5m'); end; $$;
call tests.run('2025-07-05 00:20+00');
select is_empty('select c.* from pg_temp.changed() as c', 'a task that starts over starts at the floor');
call tests.set_metadata('ACME', '{agg,quality}', '{"good": 70, "poor": 50}');
call tests.run('2025-07-05 00:25+00');
select is_empty('select c.* from pg_temp.changed() as c', 'new rules change nothing behind it');
call tests.set_metadata('ACME', '{agg,start_utc}', '"2025-06-01T00:00:00Z"');
update public.core_asset_registry_all as r set metadata = r.metadata #- '{agg,keep}' where r.canonical_symbol = 'ACME';
do $$ begin perform public.agg_maintain(p_now => '2025-07-05 00:30+00'); end; $$;
call tests.run('2025-07-05 00:30+00');
select is_empty('select c.* from pg_temp.changed() as c', 'nor does an earlier start, or metadata without keep');
select is(
  (select f.floor_utc from agg.floor as f), timestamptz '2025-07-03 00:00+00', 'a floor once raised stays'
);

select * from finish();
rollback;
