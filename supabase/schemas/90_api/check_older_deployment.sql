comment on function agg.check_older_deployment is
  'The checks derived_1m, set_aside_readers and rows_left of agg_check: a row PASS for each, and a row for each subject that does not pass.';

create function agg.check_older_deployment()
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select 'derived_1m', '*', 'PASS', 'no 1m bar in derived_data_bars', null
  union all
  select
    'derived_1m', r.canonical_symbol, 'FAIL', format('derived_data_bars has 1m bars, the first of %s', b.ts_utc),
    '1m bars belong into data_bars; is the check derived_data_bars_timeframe_check still there?'
  from public.core_asset_registry_all as r
  cross join lateral (
    -- A probe of the key for each symbol.
    select d.ts_utc
    from public.derived_data_bars as d
    where d.canonical_symbol = r.canonical_symbol and d.timeframe = '1m' and d.deleted_at is null
    order by d.ts_utc
    limit 1
  ) as b
  union all
  select
    'set_aside_readers', '*', 'PASS',
    case when to_regnamespace('pgbars_before') is null then 'no older deployment' else 'nothing reads what was set aside' end, null
  union all
  select
    'set_aside_readers', u, 'FAIL', 'reads what was set aside, which no longer changes', 'make it read the table of the same name in public'
  from agg.used_from_outside('pgbars_before') as u
  union all
  select
    'rows_left', '*', 'PASS',
    case when to_regnamespace('pgbars_before') is null then 'no older deployment' else 'every row was taken over' end, null
  union all
  select
    'rows_left', l.table_name, 'WARN', string_agg(format('%s: %s', l.rows, l.explanation), '; ' order by l.rows desc, l.explanation),
    'they stay in the schema pgbars_before: look at them before finish_move() drops it'
  from agg.moved_row as l
  where not l.is_taken_over and l.rows > 0
  group by l.table_name;
$$;
