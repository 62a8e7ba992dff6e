comment on function public.agg_size is
'Says how many rows and bytes the tables hold, by timeframe, how fast they grow, and when they reach a size.
p_bytes: the size to reach; null: days_left is null. p_now is the clock.
A row for each table and timeframe of bars, one for each other table of pgbars (timeframe null), and one for all of them (table_name *), the only one with days_left: 0 where the size is reached, null where nothing grows. bytes are heap_bytes and index_bytes, those of a timeframe in proportion to its rows.
Rows of a table above 100 MB come from the statistics of the last analyze (is_estimate); null where there are none. rows_a_day is what seven days add, a day: the bars of the last seven days, less those that metadata.agg.keep lets go in the next seven. Counted in at most 100 series a timeframe. Reads only.';

create function public.agg_size(p_bytes bigint default null, p_now timestamptz default now())
returns table (
  table_name text,
  timeframe text,
  rows bigint,
  is_estimate boolean,
  heap_bytes bigint,
  index_bytes bigint,
  bytes bigint,
  rows_a_day bigint,
  bytes_a_day bigint,
  days_left integer
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set statement_timeout = '60s'
as $$
  with relation as materialized (
    select
      n.nspname as schema_name, c.relname as name, c.relname in ('data_bars', 'derived_data_bars') as has_bars,
      s.heap_bytes, s.index_bytes, s.rows, s.heap_bytes > 100000000 and s.rows is not null as is_estimate
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    cross join lateral (
      select
        sum(pg_table_size(l.oid)) as heap_bytes, sum(pg_indexes_size(l.oid)) as index_bytes,
        case when bool_and(l.reltuples >= 0) then sum(
          l.reltuples * (pg_relation_size(l.oid) / current_setting('block_size')::integer)::numeric / greatest(l.relpages, 1)
        ) end as rows
      -- A table of bars may have been partitioned.
      from (select c.oid union select t.relid from pg_partition_tree(c.oid) as t) as p (oid)
      join pg_catalog.pg_class as l on l.oid = p.oid and l.relkind = 'r'
    ) as s
    where c.relkind in ('r', 'p') and not c.relispartition and (
      n.nspname = 'agg' or (
        n.nspname = 'public'
        and c.relname in ('core_asset_registry_all', 'data_agg_state', 'data_bars', 'derived_data_bars', 'derived_data_bars_revision')
      )
    )
  ),
  counted as (
    select 'data_bars' as name, b.timeframe, count(*)::numeric as rows
    from public.data_bars as b
    where not (select r.is_estimate from relation as r where r.name = 'data_bars' and r.has_bars)
    group by b.timeframe
    union all
    select 'derived_data_bars', d.timeframe, count(*)
    from public.derived_data_bars as d
    where not (select r.is_estimate from relation as r where r.name = 'derived_data_bars' and r.has_bars)
    group by d.timeframe
    union all
    select r.name, f.timeframe, r.rows * f.share
    from relation as r
    cross join lateral (
      select v.timeframe, v.share
      from pg_catalog.pg_stats as a
      cross join lateral unnest(a.most_common_vals::text::text[], a.most_common_freqs) as v (timeframe, share)
      where a.schemaname = r.schema_name and a.tablename = r.name and a.attname = 'timeframe'
        and a.inherited = (select c.relkind = 'p' from pg_catalog.pg_class as c where c.oid = format('%I.%I', r.schema_name, r.name)::regclass)
    ) as f
    where r.has_bars and r.is_estimate
  ),
  -- Series of bars in an order that says nothing of them, so that the first hundred stand for all.
  series as (
    select
      s.name, s.timeframe, s.symbol, row_number() over w as position,
      count(*) over (partition by s.name, s.timeframe) as series
    from (
      select 'data_bars' as name, '1m' as timeframe, y.canonical_symbol as symbol from agg.bar_symbol as y
      union all
      select 'derived_data_bars', t.timeframe, t.canonical_symbol
      from public.data_agg_state as t
      where t.timeframe <> '1m' and t.enabled
    ) as s
    window w as (partition by s.name, s.timeframe order by hashtextextended(s.symbol, 0), s.symbol)
  ),
  growth as (
    select s.name, s.timeframe, sum(n.bars) / 7 * max(s.series) / least(max(s.series), 100) as rows_a_day
    from series as s
    cross join lateral (
      select count(*) as bars
      from public.data_bars as b
      where s.name = 'data_bars' and b.canonical_symbol = s.symbol and b.timeframe = s.timeframe
        and b.ts_utc >= p_now - interval '168 hours' and b.ts_utc <= p_now
      union all
      select count(*)
      from public.derived_data_bars as d
      where s.name = 'derived_data_bars' and d.canonical_symbol = s.symbol and d.timeframe = s.timeframe
        and d.ts_utc >= p_now - interval '168 hours' and d.ts_utc <= p_now
      union all
      select -count(*)
      from agg.floor as f
      join public.data_bars as b
        on b.canonical_symbol = f.canonical_symbol and b.timeframe = f.timeframe
        and b.ts_utc >= f.floor_utc and b.ts_utc < f.floor_utc + interval '168 hours'
      where s.name = 'data_bars' and f.canonical_symbol = s.symbol and f.timeframe = s.timeframe
      union all
      select -count(*)
      from agg.floor as f
      join public.derived_data_bars as d
        on d.canonical_symbol = f.canonical_symbol and d.timeframe = f.timeframe
        and d.ts_utc >= f.floor_utc and d.ts_utc < f.floor_utc + interval '168 hours'
      where s.name = 'derived_data_bars' and f.canonical_symbol = s.symbol and f.timeframe = s.timeframe
    ) as n
    where s.position <= 100
    group by s.name, s.timeframe
  ),
  part as (
    select
      r.name, c.timeframe, c.rows, r.is_estimate,
      r.heap_bytes * p.share as heap_bytes, r.index_bytes * p.share as index_bytes,
      g.rows_a_day, g.rows_a_day * (r.heap_bytes + r.index_bytes) * p.share / nullif(c.rows, 0) as bytes_a_day
    from counted as c
    join relation as r on r.has_bars and r.name = c.name
    cross join lateral (select c.rows / nullif(sum(a.rows), 0) from counted as a where a.name = c.name) as p (share)
    left join growth as g on g.name = c.name and g.timeframe = c.timeframe
    union all
    select r.name, null, r.rows, r.rows is not null, r.heap_bytes, r.index_bytes, null, null
    from relation as r
    where not r.has_bars
  )
  select
    p.name, p.timeframe, round(p.rows)::bigint, p.is_estimate, round(p.heap_bytes)::bigint, round(p.index_bytes)::bigint,
    round(p.heap_bytes + p.index_bytes)::bigint, round(p.rows_a_day)::bigint, round(p.bytes_a_day)::bigint, null::integer
  from part as p
  union all
  select
    '*', null, null, null, t.heap_bytes, t.index_bytes, t.bytes, null, t.bytes_a_day,
    case
      when p_bytes <= t.bytes then 0
      when p_bytes > t.bytes and t.bytes_a_day > 0 then least(floor((p_bytes - t.bytes)::numeric / t.bytes_a_day), 1000000)::integer
    end
  from (
    select
      round(sum(p.heap_bytes))::bigint as heap_bytes, round(sum(p.index_bytes))::bigint as index_bytes,
      round(sum(p.heap_bytes + p.index_bytes))::bigint as bytes, round(coalesce(sum(p.bytes_a_day), 0))::bigint as bytes_a_day
    from part as p
  ) as t
  order by 1, 7 desc;
$$;
