-- Copies the rows of an older deployment, which 00_before.sql has set aside. Each statement does nothing on other databases.
-- SQL for a column of an old table o, as p_type; p_default where the table has no such column.
create function pg_temp.before_column(p_table text, p_column text, p_type text, p_default text default 'null')
returns text
language plpgsql
stable
as $$
declare
  v_name constant text := format('o.%I', p_column);
  v_type text;
  v_is_bounded boolean;
  v_sql text;
begin
  select coalesce(nullif(t.typbasetype, 0), t.oid)::regtype, a.atttypmod >= 0
  into v_type, v_is_bounded
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_type as t on t.oid = a.atttypid
  where a.attrelid = format('pgbars_before.%I', p_table)::regclass and a.attname = p_column and a.attnum > 0 and not a.attisdropped;
  if v_type is null then
    return format('(%s)::%s', p_default, p_type);
  end if;

  v_sql := case p_type
    when 'text' then format('%s::text', v_name)
    when 'timestamptz' then case v_type
      when 'timestamp with time zone' then v_name
      -- Without a zone it is UTC.
      when 'timestamp without time zone' then format('(%s at time zone ''UTC'')', v_name)
      when 'date' then format('(%s::timestamp at time zone ''UTC'')', v_name)
    end
    when 'boolean' then case
      when v_type = 'boolean' then v_name
      when v_type in ('smallint', 'integer', 'bigint') then format('(%s <> 0)', v_name)
      when v_type in ('text', 'character varying') then format('(lower(%s) in (''t'', ''true'', ''1'', ''y'', ''yes'', ''on''))', v_name)
    end
    when 'jsonb' then case
      when v_type = 'jsonb' then v_name
      when v_type in ('json', 'text', 'character varying') then format('pg_temp.before_json(%s::text)', v_name)
    end
    when 'double precision' then case
      when v_type = 'double precision' then v_name
      when v_type in ('smallint', 'integer', 'bigint') then format('%s::double precision', v_name)
      -- By the digits that it shows.
      when v_type = 'real' then format('%s::text::double precision', v_name)
      when v_type = 'numeric' and v_is_bounded then format('%s::double precision', v_name)
      -- What double precision cannot hold would raise.
      when v_type = 'numeric' then format(
        'case when %1$s = 0 or abs(%1$s) between 1e-300 and 1e300 then %1$s::double precision when %1$s is not null then ''NaN'' end', v_name
      )
    end
    when 'bigint' then case
      when v_type in ('smallint', 'integer', 'bigint') then format('%s::bigint', v_name)
      when v_type in ('numeric', 'real', 'double precision')
        then format('case when %1$s between -9e15 and 9e15 then %1$s::bigint when %1$s is not null then -1 end', v_name)
    end
  end;
  if v_sql is null then
    raise exception '%.% of the older deployment is %, which cannot be read as %', p_table, p_column, v_type, p_type
      using errcode = 'datatype_mismatch', hint = 'Change the type of the column first.';
  end if;
  return format('(%s)', v_sql);
end;
$$;

-- Null for a text that is not JSON, or not such that jsonb takes it.
create function pg_temp.before_json(p_text text)
returns jsonb
language plpgsql
immutable
as $$
begin
  return p_text::jsonb;
exception when data_exception or program_limit_exceeded then
  return null;
end;
$$;

-- SQL for what a row with the columns of a table of public breaks: null, or the words of the first rule.
create function pg_temp.before_problem(p_table regclass)
returns text
language sql
stable
as $$
  select format('case %s end', string_agg(format('when %s then %L', r.is_broken, r.problem), ' ' order by r.kind, r.name))
  from (
    select 1 as kind, a.attname as name, format('%I is null', a.attname) as is_broken, format('%s is null', a.attname) as problem
    from pg_catalog.pg_attribute as a
    where a.attrelid = p_table and a.attname in ('canonical_symbol', 'ts_utc', 'open', 'high', 'low', 'close')
    union all
    select
      2, c.conname, format('(%s) is false', pg_catalog.pg_get_expr(c.conbin, c.conrelid)),
      coalesce(pg_catalog.obj_description(c.oid, 'pg_constraint'), c.conname)
    from pg_catalog.pg_constraint as c
    where c.conrelid = p_table and c.contype = 'c'
  ) as r;
$$;

-- SQL for the rank of a row among those with its key, 1 being the newest; 1 where the old table keeps keys apart by itself.
create function pg_temp.before_rank(p_table text, p_key text[])
returns text
language sql
stable
as $$
  select case
    when exists (
      select
      from pg_catalog.pg_index as i
      where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indexprs is null
        and (i.indpred is null or pg_catalog.pg_get_expr(i.indpred, i.indrelid) = '(deleted_at IS NULL)')
        and p_key @> array(
          select a.attname::text
          from pg_catalog.pg_attribute as a
          where a.attrelid = c.oid and a.attnum = any ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
        )
    ) then '1'
    else format(
      'row_number() over (partition by %s, is_live order by updated_at desc nulls last, created_at desc nulls last, place desc)',
      array_to_string(p_key, ', ')
    )
  end
  from pg_catalog.pg_class as c
  where c.oid = format('pgbars_before.%I', p_table)::regclass;
$$;

-- SQL for what orders the rows of an old table where no time does: their numbers, or else their places.
create function pg_temp.before_place(p_table text)
returns text
language sql
stable
as $$
  select case
    when exists (
      select
      from pg_catalog.pg_attribute as a
      where a.attrelid = c.oid and a.attname = 'id' and a.atttypid in ('integer'::regtype, 'bigint'::regtype) and not a.attisdropped
    ) then 'o.id::bigint'
    when c.relkind = 'r' then '(o.ctid::text::point)[0]::bigint * 65536 + (o.ctid::text::point)[1]::bigint'
    else 'null::bigint'
  end
  from pg_catalog.pg_class as c
  where c.oid = format('pgbars_before.%I', p_table)::regclass;
$$;

create function pg_temp.is_set_aside(p_table text)
returns boolean
language sql
stable
as $$
  select to_regclass(format('pgbars_before.%I', p_table)) is not null;
$$;

-- What default privileges give on new schemas.
do $$
begin
  if to_regnamespace('pgbars_before') is not null then
    revoke all on schema pgbars_before from public, anon, authenticated, service_role;
  end if;
end;
$$;

-- The registry. Its triggers would refuse metadata that are not understood; the sync below takes what it understands.
do $$
begin
  if not pg_temp.is_set_aside('core_asset_registry_all') then
    return;
  end if;
  execute format(
    $sql$
      create temporary view before_asset as
      select a.*, case
        when a.problem is not null then a.problem
        when a.rank > 1 then 'a newer row has the symbol'
      end as reason
      from (
        select j.*, %7$s as rank
        from (
          select n.*, %8$s as problem, (%8$s) is null as is_live
          from (
            select
              %1$s as canonical_symbol, %2$s as asset_class, %3$s as description, coalesce(%4$s, false) as active,
              coalesce(%5$s, %4$s, false) as test_active,
              case when jsonb_typeof(m.metadata) = 'object' then m.metadata else '{}' end as metadata,
              coalesce(jsonb_typeof(m.metadata) <> 'object', m.is_given) as is_broken,
              %9$s as created_at, %10$s as updated_at, %11$s as place
            from pgbars_before.core_asset_registry_all as o
            cross join lateral (select %6$s, %12$s) as m (metadata, is_given)
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_column('core_asset_registry_all', 'canonical_symbol', 'text'),
    pg_temp.before_column('core_asset_registry_all', 'asset_class', 'text'),
    pg_temp.before_column('core_asset_registry_all', 'description', 'text'),
    pg_temp.before_column(
      'core_asset_registry_all', 'active', 'boolean', pg_temp.before_column('core_asset_registry_all', 'is_active', 'boolean', 'true')
    ),
    pg_temp.before_column('core_asset_registry_all', 'test_active', 'boolean'),
    pg_temp.before_column('core_asset_registry_all', 'metadata', 'jsonb'),
    pg_temp.before_rank('core_asset_registry_all', array['canonical_symbol']),
    pg_temp.before_problem('public.core_asset_registry_all'),
    pg_temp.before_column('core_asset_registry_all', 'created_at', 'timestamptz'),
    pg_temp.before_column('core_asset_registry_all', 'updated_at', 'timestamptz'),
    pg_temp.before_place('core_asset_registry_all'),
    case when pg_temp.before_column('core_asset_registry_all', 'metadata', 'text') like '%o.%'
      then 'o.metadata is not null' else 'false' end
  );

  alter table public.core_asset_registry_all disable trigger follow_insert;
  alter table public.core_asset_registry_all disable trigger follow_update;
  insert into public.core_asset_registry_all as r (
    canonical_symbol, asset_class, description, active, test_active, metadata, created_at, updated_at
  )
  select
    b.canonical_symbol, b.asset_class, b.description, b.active, b.test_active, b.metadata,
    coalesce(b.created_at, b.updated_at, now()), least(coalesce(b.updated_at, b.created_at, now()), now())
  from before_asset as b
  where b.reason is null
  -- DXY, which an installation brings: its basket is that of pgbars.
  on conflict (canonical_symbol) do update set
    asset_class = coalesce(excluded.asset_class, r.asset_class),
    description = coalesce(excluded.description, r.description),
    active = excluded.active,
    test_active = excluded.test_active,
    metadata = excluded.metadata || r.metadata,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at;
  alter table public.core_asset_registry_all enable trigger follow_insert;
  alter table public.core_asset_registry_all enable trigger follow_update;

  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select 'core_asset_registry_all', b.reason is null, count(*), coalesce(b.reason, case
    when b.is_broken then 'to core_asset_registry_all; metadata were no JSON object and are {} now'
    else 'to core_asset_registry_all'
  end)
  from before_asset as b
  group by b.reason is null, 4
  order by b.reason is null desc, 3 desc, 4;
end;
$$;

-- 1m bars.
do $$
declare
  v_rows bigint;
begin
  if not pg_temp.is_set_aside('data_bars') then
    return;
  end if;
  execute format(
    $sql$
      create temporary view before_bar as
      select a.*, case
        when a.deleted_at is not null then 'deleted'
        when a.timeframe = '1m' then coalesce(a.problem, case when a.rank > 1 then 'a newer row has the key' end)
        when exists (select from agg.timeframe as t where t.timeframe = a.timeframe)
          then format('%%s: longer bars are built from 1m', a.timeframe)
        else format('%%s is not a timeframe', coalesce(a.timeframe, 'null'))
      end as reason
      from (
        select j.*, %1$s as rank
        from (
          select n.*, %2$s as problem, n.deleted_at is null and coalesce(n.timeframe, '') = '1m' and (%2$s) is null as is_live
          from (
            select
              %3$s as canonical_symbol, %4$s as timeframe, %5$s as ts_utc, %6$s as open, %7$s as high, %8$s as low, %9$s as close,
              %10$s as vol, %11$s as vwap, %12$s as trade_count, coalesce(%13$s, false) as is_partial,
              case when w.source in ('massive_api', 'ingest', 'synthetic') then w.source else 'ingest' end as source,
              coalesce(w.raw, '{}') || case
                when w.source in ('massive_api', 'ingest') or w.source is null or jsonb_typeof(w.raw) <> 'object' then '{}'
                when w.source = 'synthetic' then '{"migrated_from": "data_bars"}'
                else jsonb_build_object('source', w.source)
              end as raw,
              coalesce(%16$s, %17$s) as ingested_at, coalesce(%17$s, %16$s) as created_at, coalesce(%18$s, %16$s, %17$s) as updated_at,
              %19$s as deleted_at, %20$s as place
            from pgbars_before.data_bars as o
            cross join lateral (select %14$s, %15$s) as w (source, raw)
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_rank('data_bars', array['canonical_symbol', 'timeframe', 'ts_utc']),
    pg_temp.before_problem('public.data_bars'),
    pg_temp.before_column('data_bars', 'canonical_symbol', 'text'),
    pg_temp.before_column('data_bars', 'timeframe', 'text', $d$'1m'$d$),
    pg_temp.before_column('data_bars', 'ts_utc', 'timestamptz'),
    pg_temp.before_column('data_bars', 'open', 'double precision'),
    pg_temp.before_column('data_bars', 'high', 'double precision'),
    pg_temp.before_column('data_bars', 'low', 'double precision'),
    pg_temp.before_column('data_bars', 'close', 'double precision'),
    pg_temp.before_column('data_bars', 'vol', 'double precision'),
    pg_temp.before_column('data_bars', 'vwap', 'double precision'),
    pg_temp.before_column('data_bars', 'trade_count', 'bigint'),
    pg_temp.before_column('data_bars', 'is_partial', 'boolean'),
    pg_temp.before_column('data_bars', 'source', 'text'),
    pg_temp.before_column('data_bars', 'raw', 'jsonb'),
    pg_temp.before_column('data_bars', 'ingested_at', 'timestamptz'),
    pg_temp.before_column('data_bars', 'created_at', 'timestamptz'),
    pg_temp.before_column('data_bars', 'updated_at', 'timestamptz'),
    pg_temp.before_column('data_bars', 'deleted_at', 'timestamptz'),
    pg_temp.before_place('data_bars')
  );

  -- One note for all, below.
  alter table public.data_bars disable trigger note_insert;
  insert into public.data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw,
    ingested_at, created_at, updated_at
  )
  select
    b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw,
    coalesce(b.ingested_at, now()), coalesce(b.created_at, now()), least(coalesce(b.updated_at, now()), now())
  from before_bar as b
  where b.reason is null;
  get diagnostics v_rows = row_count;
  alter table public.data_bars enable trigger note_insert;

  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select 'data_bars', true, v_rows, 'to data_bars'
  where v_rows > 0;
  -- To look for reasons takes as long as the copy.
  if v_rows < (select count(*) from before_bar) then
    insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
    select 'data_bars', false, count(*), b.reason
    from before_bar as b
    where b.reason is not null
    group by b.reason
    order by 3 desc, 4;
  end if;
end;
$$;

-- Bars of the derived table: the minutes of computed series, and longer ones.
do $$
declare
  v_rows bigint;
begin
  if not pg_temp.is_set_aside('derived_data_bars') then
    return;
  end if;
  execute format(
    $sql$
      create temporary view before_any_derived as
      select
        %1$s as canonical_symbol, %2$s as timeframe, %3$s as ts_utc, %4$s as open, %5$s as high, %6$s as low, %7$s as close,
        %8$s as vol, %9$s as vwap, %10$s as trade_count, coalesce(%11$s, false) as is_partial, %12$s as source_timeframe,
        %13$s as source_candles, %14$s as expected_candles, %15$s as quality_score, %16$s as derivation_version,
        coalesce(case when jsonb_typeof(w.raw) = 'object' then w.raw end, '{}') || '{"migrated_from": "derived_data_bars"}' as raw,
        coalesce(%18$s, %19$s) as ingested_at, coalesce(%19$s, %18$s) as created_at, coalesce(%20$s, %18$s, %19$s) as updated_at,
        %21$s as deleted_at, %22$s as place
      from pgbars_before.derived_data_bars as o
      cross join lateral (select %17$s) as w (raw)
    $sql$,
    pg_temp.before_column('derived_data_bars', 'canonical_symbol', 'text'),
    pg_temp.before_column('derived_data_bars', 'timeframe', 'text'),
    pg_temp.before_column('derived_data_bars', 'ts_utc', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'open', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'high', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'low', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'close', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'vol', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'vwap', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'trade_count', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'is_partial', 'boolean'),
    pg_temp.before_column('derived_data_bars', 'source_timeframe', 'text'),
    pg_temp.before_column('derived_data_bars', 'source_candles', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'expected_candles', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'quality_score', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'derivation_version', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'raw', 'jsonb'),
    pg_temp.before_column('derived_data_bars', 'ingested_at', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'created_at', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'updated_at', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'deleted_at', 'timestamptz'),
    pg_temp.before_place('derived_data_bars')
  );

  execute format(
    $sql$
      create temporary view before_minute as
      select a.*, case
        when a.deleted_at is not null then 'deleted'
        when not a.is_computed then '1m of a series that is not computed'
        when a.problem is not null then a.problem
        when a.rank > 1 then 'a newer row has the key'
        when a.other_close is null then null
        when abs(a.other_close - a.close) <= 1e-9 * abs(a.close) then 'data_bars has the minute already'
        else 'data_bars has the minute already, at another price'
      end as reason
      from (
        select j.*, %1$s as rank
        from (
          select n.*, %2$s as problem, n.deleted_at is null and n.is_computed and (%2$s) is null as is_live
          from (
            select
              o.canonical_symbol, o.timeframe, o.ts_utc, o.open, o.high, o.low, o.close, o.vol, o.vwap, o.trade_count, o.is_partial,
              'synthetic'::text as source, o.raw, o.ingested_at, o.created_at, o.updated_at, o.deleted_at, o.place,
              o.canonical_symbol in (select s.canonical_symbol from agg.computed_series as s) as is_computed,
              b.close as other_close
            from before_any_derived as o
            left join public.data_bars as b
              on b.canonical_symbol = o.canonical_symbol and b.timeframe = o.timeframe and b.ts_utc = o.ts_utc
            where o.timeframe = '1m'
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_rank('derived_data_bars', array['canonical_symbol', 'timeframe', 'ts_utc']),
    pg_temp.before_problem('public.data_bars')
  );
  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select
    'derived_data_bars', b.reason is null, count(*), coalesce('1m: ' || b.reason, '1m of computed series, to data_bars')
  from before_minute as b
  group by b.reason
  order by b.reason is null desc, 3 desc, 4;
  alter table public.data_bars disable trigger note_insert;
  insert into public.data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw,
    ingested_at, created_at, updated_at
  )
  select
    b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw,
    coalesce(b.ingested_at, now()), coalesce(b.created_at, now()), least(coalesce(b.updated_at, now()), now())
  from before_minute as b
  where b.reason is null;
  alter table public.data_bars enable trigger note_insert;

  execute format(
    $sql$
      create temporary view before_derived as
      select a.*, case
        when a.deleted_at is not null then 'deleted'
        when a.window_minutes is null then format('%%s is not a timeframe', coalesce(a.timeframe, 'null'))
        else coalesce(a.problem, case when a.rank > 1 then 'a newer row has the key' end)
      end as reason
      from (
        select j.*, %1$s as rank
        from (
          select n.*, %2$s as problem, n.deleted_at is null and n.window_minutes is not null and (%2$s) is null as is_live
          from (
            select
              o.canonical_symbol, o.timeframe, o.ts_utc, o.open, o.high, o.low, o.close, o.vol, o.vwap,
              case when o.vol > 0 and o.vwap is not null then o.vol end as vwap_vol, o.trade_count, o.is_partial,
              s.timeframe as source_timeframe, c.source_candles, c.expected_candles,
              least(greatest(c.source_candles * s.minutes, 1), t.minutes) as covered_minutes, t.minutes as expected_minutes,
              case when o.quality_score between 0 and 2 then o.quality_score else 0 end::smallint as quality_score,
              case when o.derivation_version between 1 and 1000000 then o.derivation_version else 1 end::integer as derivation_version,
              o.raw, o.created_at, o.updated_at, o.deleted_at, o.place, t.minutes as window_minutes
            from before_any_derived as o
            left join (
              select l.timeframe, l.source_timeframe, (extract(epoch from l.duration) / 60)::integer as minutes
              from agg.timeframe as l
              where l.source_timeframe is not null
            ) as t on t.timeframe = o.timeframe
            left join (
              select l.timeframe, (extract(epoch from l.duration) / 60)::integer as minutes from agg.timeframe as l
            ) as s on s.timeframe = t.source_timeframe
            cross join lateral (
              select
                case when o.source_candles between 1 and 1000000 then o.source_candles else 1 end::integer as source_candles,
                case when o.expected_candles between 1 and 1000000 then o.expected_candles else t.minutes / s.minutes end::integer
                  as expected_candles
            ) as c
            where o.timeframe is distinct from '1m'
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_rank('derived_data_bars', array['canonical_symbol', 'timeframe', 'ts_utc']),
    pg_temp.before_problem('public.derived_data_bars')
  );
  insert into public.derived_data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count, source_timeframe, source_candles,
    expected_candles, covered_minutes, expected_minutes, quality_score, derivation_version, raw, is_partial, created_at, updated_at
  )
  select
    b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.vwap_vol, b.trade_count,
    b.source_timeframe, b.source_candles, b.expected_candles, b.covered_minutes, b.expected_minutes, b.quality_score,
    b.derivation_version, b.raw, b.is_partial, coalesce(b.created_at, now()), least(coalesce(b.updated_at, now()), now())
  from before_derived as b
  where b.reason is null;
  get diagnostics v_rows = row_count;
  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select 'derived_data_bars', true, v_rows, 'longer bars, to derived_data_bars'
  where v_rows > 0;
  if v_rows < (select count(*) from before_derived) then
    insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
    select 'derived_data_bars', false, count(*), b.reason
    from before_derived as b
    where b.reason is not null
    group by b.reason
    order by 3 desc, 4;
  end if;
end;
$$;

-- Tasks: the registry says which, the old rows how they are set, and the bars where they stand.
do $$
declare
  v_timeframe text;
begin
  if to_regnamespace('pgbars_before') is null then
    return;
  end if;
  analyze public.data_bars, public.derived_data_bars;
  perform public.sync_agg_state_from_registry();

  if pg_temp.is_set_aside('data_agg_state') then
    execute format(
      $sql$
        create temporary view before_task as
        select a.*, case
          when a.rank > 1 then 'a newer row has the key'
          when s.canonical_symbol is not null then null
          when r.canonical_symbol is null then 'the registry does not have the asset'
          when not r.active then 'the asset is not active'
          else format('metadata.agg of the asset do not ask for %%s', coalesce(a.timeframe, 'null'))
        end as reason
        from (
          select j.*, %1$s as rank
          from (
            select
              %2$s as canonical_symbol, %3$s as timeframe, %4$s as aggregation_delay_seconds, %5$s as task_priority,
              %6$s as agg_start_utc, %7$s as total_runs, %8$s as total_bars_created, %9$s as total_bars_quality_poor,
              %10$s as last_attempted_at_utc, %11$s as last_successful_at_utc, %12$s as created_at, %13$s as updated_at,
              true as is_live, %14$s as place
            from pgbars_before.data_agg_state as o
          ) as j
        ) as a
        left join public.data_agg_state as s on s.canonical_symbol = a.canonical_symbol and s.timeframe = a.timeframe
        left join public.core_asset_registry_all as r on r.canonical_symbol = a.canonical_symbol
      $sql$,
      pg_temp.before_rank('data_agg_state', array['canonical_symbol', 'timeframe']),
      pg_temp.before_column('data_agg_state', 'canonical_symbol', 'text'),
      pg_temp.before_column('data_agg_state', 'timeframe', 'text'),
      pg_temp.before_column('data_agg_state', 'aggregation_delay_seconds', 'bigint'),
      pg_temp.before_column('data_agg_state', 'task_priority', 'bigint'),
      pg_temp.before_column('data_agg_state', 'agg_start_utc', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'total_runs', 'bigint'),
      pg_temp.before_column('data_agg_state', 'total_bars_created', 'bigint'),
      pg_temp.before_column('data_agg_state', 'total_bars_quality_poor', 'bigint'),
      pg_temp.before_column('data_agg_state', 'last_attempted_at_utc', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'last_successful_at_utc', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'created_at', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'updated_at', 'timestamptz'),
      pg_temp.before_place('data_agg_state')
    );
    update public.data_agg_state as s
    set
      -- Minutes of a computed series do not wait: a late component is a correction.
      aggregation_delay_seconds = case
        when b.aggregation_delay_seconds between 0 and 86400 and s.source_timeframe <> s.timeframe then b.aggregation_delay_seconds
        else s.aggregation_delay_seconds
      end,
      task_priority = case when abs(b.task_priority) <= 1000000 then b.task_priority else s.task_priority end,
      agg_start_utc = n.agg_start_utc,
      last_agg_bar_ts_utc = case
        when n.agg_start_utc = s.agg_start_utc then s.last_agg_bar_ts_utc
        else agg.bootstrap_cursor(n.agg_start_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin)
      end,
      total_runs = case when b.total_runs between 0 and 1000000000000000 then b.total_runs else 0 end,
      total_bars_created = case when b.total_bars_created between 0 and 1000000000000000 then b.total_bars_created else 0 end,
      total_bars_quality_poor = case
        when b.total_bars_quality_poor between 0 and 1000000000000000 then b.total_bars_quality_poor else 0
      end,
      last_attempted_at_utc = least(b.last_attempted_at_utc, now()),
      last_successful_at_utc = least(b.last_successful_at_utc, now()),
      created_at = coalesce(b.created_at, s.created_at)
    from before_task as b
    cross join agg.defaults as f
    join agg.wanted_task as w on w.canonical_symbol = b.canonical_symbol and w.timeframe = b.timeframe
    cross join lateral (
      select coalesce(
        w.agg_start_utc, case when b.agg_start_utc >= f.least_utc and b.agg_start_utc < f.end_utc then b.agg_start_utc end, f.start_utc
      ) as agg_start_utc
    ) as n
    where b.reason is null and s.canonical_symbol = b.canonical_symbol and s.timeframe = b.timeframe;
    insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
    select 'data_agg_state', b.reason is null, count(*), coalesce(b.reason, 'to data_agg_state; cursors are the last bars')
    from before_task as b
    group by b.reason
    order by b.reason is null desc, 3 desc, 4;
  end if;

  -- The last bar, but for one that is ahead of the clock or of what it is built from. Bottom-up: a task follows its source task.
  for v_timeframe in select t.timeframe from agg.timeframe as t order by t.duration loop
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = n.cursor_utc,
      next_run_at = agg.due_at(n.cursor_utc, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin)
    from agg.task as t
    left join agg.task as u
      on u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe and u.enabled
    cross join lateral (
      select b.ts_utc + interval '1 minute' as source_end_utc
      from public.data_bars as b
      where b.canonical_symbol = t.canonical_symbol and b.timeframe = '1m'
      order by b.ts_utc desc
      limit 1
    ) as m
    cross join lateral (
      select agg.bootstrap_cursor(
        agg.window_start(
          greatest(t.agg_start_utc, least(
            now() - make_interval(secs => t.aggregation_delay_seconds),
            coalesce(u.decided_to_utc, m.source_end_utc)
          )),
          t.window_length, t.window_time_zone, t.window_origin
        ),
        t.window_length, t.window_time_zone, t.window_origin
      ) as last_utc
    ) as l
    cross join lateral (
      select b.ts_utc
      from agg.source_bar as b
      where b.canonical_symbol = t.canonical_symbol and b.timeframe = t.timeframe and b.ts_utc <= l.last_utc and b.is_bar
      order by b.ts_utc desc
      limit 1
    ) as b
    cross join lateral (
      select agg.window_start(b.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as cursor_utc
    ) as n
    where t.timeframe = v_timeframe and s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe
      and n.cursor_utc > t.last_agg_bar_ts_utc;
  end loop;
  analyze public.data_agg_state;

  insert into agg.moved_object (kind, name, is_taken_over, explanation)
  select
    'bars of', string_agg(h.canonical_symbol, ', ' order by h.canonical_symbol), true,
    'the registry does not have these symbols: nothing is built of their bars'
  from public.agg_health() as h
  where h.state = 'unregistered'
  having count(*) > 0;

  -- Everything that is decided is built again, by the rules of pgbars, newest first.
  perform public.agg_add_change_note();
  insert into agg.moved_object (kind, name, is_taken_over, explanation)
  select 'asset', p.canonical_symbol, true, format('metadata are understood in part: %s (left out: %s)', p.problem, p.leaves_out)
  from agg.asset_problems(array(select a.canonical_symbol from agg.active_asset as a where not a.is_test)) as p
  order by p.canonical_symbol, p.problem;
end;
$$;

-- What reads or feeds the old tables from outside goes over to the new ones, where these allow it.
do $$
declare
  v_object record;
  v_commands text[];
  v_error text;
begin
  if to_regnamespace('pgbars_before') is null then
    return;
  end if;
  insert into agg.move (moved_at, moved_xid) values (now(), pg_current_xact_id()::xid);
  insert into agg.moved_object (kind, parent, name, definition, is_taken_over, explanation)
  select o.kind, o.parent, o.name, o.definition, o.is_taken_over, coalesce(o.explanation, '') from before_object as o order by o.object_no;
  for v_object in
    select o.*
    from agg.moved_object as o
    where o.kind in ('reading view', 'foreign key', 'publication')
    order by o.moved_object_id
  loop
    v_commands := array[
      case v_object.kind
        when 'foreign key' then format('alter table %s drop constraint %s', v_object.parent, v_object.name)
        when 'publication' then format(
          'alter publication %s drop table %s', v_object.name, replace(v_object.parent, 'public.', 'pgbars_before.')
        )
      end,
      v_object.definition
    ];
    begin
      for i in 1 .. 2 loop
        if v_commands[i] is not null then
          execute v_commands[i];
        end if;
      end loop;
      v_error := null;
    exception when others then
      v_error := sqlerrm;
    end;
    update agg.moved_object as o
    set
      is_taken_over = v_error is null,
      explanation = case
        when v_error is not null then format('stays with the table that was set aside: %s', v_error)
        when o.kind = 'publication' then 'publishes the new table'
        else 'goes by the new tables'
      end
    where o.moved_object_id = v_object.moved_object_id;
  end loop;
end;
$$;

-- Who read the old tables reads the new ones, and no more than that: by the policies there were, or where there was no row level
-- security by one of its own.
do $$
declare
  v_search_path constant text := current_setting('search_path');
  v_reader record;
  v_error text;
begin
  if to_regnamespace('pgbars_before') is null then
    return;
  end if;
  perform set_config('search_path', 'pg_catalog', true);
  for v_reader in
    select
      c.relname as table_name, r.rolname as role_name, c.relrowsecurity as has_policies,
      case when not c.relrowsecurity then agg.read_policy_name(r.rolname) else p.polname end as policy_name,
      concat_ws(
        ' and ', case when c.relrowsecurity and p.polqual is not null then '(' || pg_get_expr(p.polqual, p.polrelid) || ')' end,
        case when c.relname = 'derived_data_bars' then 'deleted_at is null' end
      ) as condition,
      array(
        select distinct a.privilege_type
        from aclexplode(c.relacl) as a
        where a.grantee in (0, g.grantee) and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
        order by 1
      ) as writes
    from pg_class as c
    cross join lateral (
      -- Public are the roles of the Data API.
      select distinct e.grantee
      from aclexplode(c.relacl) as a
      cross join lateral unnest(
        case when a.grantee = 0 then array['anon'::regrole::oid, 'authenticated'::regrole::oid] else array[a.grantee] end
      ) as e (grantee)
      where a.privilege_type = 'SELECT'
    ) as g
    join pg_roles as r on r.oid = g.grantee and not r.rolsuper and not r.rolbypassrls and r.oid <> c.relowner
    left join pg_policy as p
      on c.relrowsecurity and p.polrelid = c.oid and p.polcmd in ('r', '*') and p.polpermissive
      and p.polroles && array[0::oid, r.oid]
    where c.relnamespace = to_regnamespace('pgbars_before') and c.relkind in ('r', 'p', 'v')
      and c.relname in ('core_asset_registry_all', 'data_bars', 'derived_data_bars', 'data_agg_state')
      and (p.oid is not null or not c.relrowsecurity)
    order by 1, 2, 4
  loop
    begin
      execute format('grant select on table public.%I to %I', v_reader.table_name, v_reader.role_name);
      if not exists (
        select from pg_policies as p
        where p.schemaname = 'public' and p.tablename = v_reader.table_name and p.policyname = v_reader.policy_name
          and v_reader.role_name = any (p.roles)
      ) then
        execute format(
          'create policy %I on public.%I for select to %I using (%s)',
          case when exists (
            select from pg_policies as p
            where p.schemaname = 'public' and p.tablename = v_reader.table_name and p.policyname = v_reader.policy_name
          ) then left(v_reader.policy_name || ' ' || v_reader.role_name, 63) else v_reader.policy_name end,
          v_reader.table_name, v_reader.role_name, coalesce(nullif(v_reader.condition, ''), 'true')
        );
      end if;
      v_error := null;
    exception when others then
      v_error := sqlerrm;
    end;
    insert into agg.moved_object (kind, parent, name, is_taken_over, explanation)
    values (
      'reader', format('public.%I', v_reader.table_name), v_reader.role_name, v_error is null,
      case
        when v_error is not null then format('does not read the new table: %s', v_error)
        else format('reads the new table, by the policy %s', v_reader.policy_name)
      end || case
        when v_reader.writes <> '{}' then format('; its rights to %s stay with the old one', lower(array_to_string(v_reader.writes, ', ')))
        else ''
      end
    );
  end loop;
  perform set_config('search_path', v_search_path, true);
end;
$$;

-- Jobs that call an old function do what the jobs of pgbars do.
do $$
declare
  v_names text;
  v_job record;
  v_error text;
begin
  if to_regnamespace('pgbars_before') is null or not exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    return;
  end if;
  select string_agg(distinct p.proname, '|') into v_names
  from pg_catalog.pg_proc as p
  where p.pronamespace = to_regnamespace('pgbars_before');
  if v_names is null then
    return;
  end if;
  for v_job in execute format(
    $sql$
      select j.jobid, coalesce(j.jobname, j.jobid::text) as name
      from cron.job as j
      where j.active and j.database = current_database() and coalesce(j.jobname, '') not like 'pgbars:%%' and j.command ~ %L
      order by j.jobid
    $sql$,
    format('\m(%s)\M', v_names)
  ) loop
    begin
      perform cron.alter_job(v_job.jobid, active => false);
      v_error := null;
    exception when others then
      v_error := sqlerrm;
    end;
    insert into agg.moved_object (kind, parent, name, is_taken_over, explanation)
    values (
      'job', v_job.jobid::text, v_job.name, v_error is null,
      case
        when v_error is null then 'is inactive: the jobs of pgbars do its work'
        else format('calls an old function, and could not be made inactive: %s', v_error)
      end
    );
  end loop;
end;
$$;

-- Callers of the older function are served until finish_move.
do $$
begin
  if to_regnamespace('pgbars_before') is null
    or not exists (
      select from pg_catalog.pg_proc as p
      where p.pronamespace = to_regnamespace('pgbars_before') and p.proname = 'calc_dxy_range_derived'
    )
  then
    return;
  end if;
  execute $sql$
    create function public.calc_dxy_range_derived(
      p_from_utc timestamptz, p_to_utc timestamptz, p_tf text default '1m', p_derivation_version integer default 1
    )
    returns jsonb
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    set statement_timeout = '120s'
    as $body$
    begin
      if not exists (select from agg.timeframe as t where t.timeframe = p_tf) then
        raise exception '% is not a timeframe', coalesce(p_tf, 'null')
          using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
      end if;
      if p_tf <> '1m' then
        return jsonb_build_object('success', true, 'inserted', 0, 'updated', 0, 'message', 'the dispatcher builds longer bars');
      end if;
      return public.calc_dxy_range_1m(p_from_utc, p_to_utc, p_derivation_version);
    end;
    $body$
  $sql$;
  comment on function public.calc_dxy_range_derived is
    'calc_dxy_range_1m, for callers of an older deployment. For longer timeframes it does nothing, since the dispatcher builds them. finish_move drops it.';
  revoke execute on function public.calc_dxy_range_derived from public, anon, authenticated, service_role;
  grant execute on function public.calc_dxy_range_derived to service_role;
end;
$$;

-- Workers of the older deployment may write cursors, until finish_move: to them a cursor is where the next window begins.
do $$
begin
  if not pg_temp.is_set_aside('data_agg_state') then
    return;
  end if;
  execute $sql$
    create function agg.follow_old_worker()
    returns trigger
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    as $body$
    declare
      v_length constant interval := make_interval(mins => new.run_interval_minutes);
    begin
      new.last_agg_bar_ts_utc := agg.window_start(new.last_agg_bar_ts_utc, v_length, new.window_time_zone, new.window_origin);
      if new.last_agg_bar_ts_utc > old.last_agg_bar_ts_utc then
        insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
        values (new.canonical_symbol, new.timeframe, tstzmultirange(tstzrange(
          agg.window_end(old.last_agg_bar_ts_utc, v_length, new.window_time_zone, new.window_origin),
          agg.window_end(new.last_agg_bar_ts_utc, v_length, new.window_time_zone, new.window_origin)
        )), now());
      end if;
      return new;
    end;
    $body$
  $sql$;
  comment on function agg.follow_old_worker is
    'Aligns a cursor that a worker of an older deployment writes, and has the windows built that it passes over. finish_move drops it.';
  revoke execute on function agg.follow_old_worker from public, anon, authenticated, service_role;
  -- The functions of pgbars write cursors as their owner.
  execute format(
    $sql$
      create trigger follow_old_worker before update of last_agg_bar_ts_utc on public.data_agg_state
        for each row when (new.last_agg_bar_ts_utc <> old.last_agg_bar_ts_utc and current_user <> %L)
        execute function agg.follow_old_worker()
    $sql$,
    current_user
  );
end;
$$;

-- No view of this session may keep the old tables from being dropped.
do $$
declare
  v_name text;
begin
  for v_name in
    select format('view pg_temp.%I', v.name)
    from unnest(array['before_asset', 'before_bar', 'before_minute', 'before_derived', 'before_any_derived', 'before_task']) as v (name)
    where to_regclass('pg_temp.' || v.name) is not null
  loop
    execute 'drop ' || v_name;
  end loop;
  drop table if exists pg_temp.before_object;
  if to_regnamespace('pgbars_before') is not null then
    notify pgrst, 'reload schema';
  end if;
end;
$$;
drop function
  pg_temp.before_column(text, text, text, text), pg_temp.before_json(text), pg_temp.before_problem(regclass),
  pg_temp.before_rank(text, text[]), pg_temp.before_place(text), pg_temp.is_set_aside(text);
