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
    'set_aside_readers', o.identity, 'FAIL', format('%s that reads %s, which no longer changes', o.type, string_agg(distinct b.name, ', ')),
    'make it read the table of the same name in public'
  from (
    select c.oid, 'pg_class'::regclass as catalog, c.oid::regclass::text as name
    from pg_class as c
    where c.relnamespace = to_regnamespace('pgbars_before') and c.relkind <> 'i'
    union all
    select p.oid, 'pg_proc'::regclass, p.oid::regprocedure::text
    from pg_proc as p
    where p.pronamespace = to_regnamespace('pgbars_before')
  ) as b
  join pg_depend as d on d.refclassid = b.catalog and d.refobjid = b.oid and d.deptype = 'n'
  -- Of a rule, the view that it makes; of a constraint, a policy and a trigger, itself, on its table.
  left join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
  left join pg_constraint as k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
  left join pg_policy as y on d.classid = 'pg_policy'::regclass and y.oid = d.objid
  left join pg_trigger as t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
  left join pg_class as c
    on c.oid = coalesce(w.ev_class, k.conrelid, y.polrelid, t.tgrelid, case when d.classid = 'pg_class'::regclass then d.objid end)
  left join pg_proc as p on d.classid = 'pg_proc'::regclass and p.oid = d.objid
  cross join lateral pg_identify_object(
    case when w.oid is not null then 'pg_class'::regclass else d.classid end, coalesce(w.ev_class, d.objid), 0
  ) as o
  where coalesce(c.relnamespace, p.pronamespace) <> to_regnamespace('pgbars_before')
  group by o.type, o.identity
  union all
  select
    'rows_left', '*', 'PASS',
    case when to_regnamespace('pgbars_before') is null then 'no older deployment' else 'every row was taken over' end, null
  union all
  select
    'rows_left', l.table_name, 'WARN', string_agg(format('%s: %s', l.rows, l.explanation), '; ' order by l.rows desc, l.explanation),
    'they stay in the schema pgbars_before: look at them before finish_move() drops it'
  from unnest(agg.rows_left()) as r (item)
  cross join lateral jsonb_to_record(r.item) as l (table_name text, rows bigint, explanation text)
  group by l.table_name;
$$;
