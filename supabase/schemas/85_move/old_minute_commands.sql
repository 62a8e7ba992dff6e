comment on function agg.old_minute_commands is
  'Two statements that write minutes n of agg.data_bars to an old table by key: the first updates prices that differ, but for computed ones, the second adds what it does not have. They take those for which p_condition holds and that the transaction $1 has not written. p_values gives SQL for some columns, null to leave one out; columns that Postgres fills are left out.';

create function agg.old_minute_commands(p_table regclass, p_condition text, p_values jsonb, out update_command text, out insert_command text)
returns record
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with old_column as (
    select
      a.attname::text as name,
      format(
        case when a.atttypid = 'timestamp'::regtype and n.atttypid = 'timestamptz'::regtype then '(%s at time zone ''UTC'')::%s' else '(%s)::%s' end,
        w.value, format_type(a.atttypid, a.atttypmod)
      ) as value,
      a.attname in ('open', 'high', 'low', 'close', 'vol', 'vwap', 'trade_count', 'is_partial') as is_price
    from pg_attribute as a
    left join pg_attribute as n
      on n.attrelid = to_regclass('agg.data_bars') and n.attname = a.attname and n.attnum > 0 and not n.attisdropped
    cross join lateral (
      select case when p_values ? a.attname::text then p_values ->> a.attname::text else 'n.' || quote_ident(n.attname) end as value
    ) as w
    where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = '' and w.value is not null
  ),
  part as (
    select
      string_agg(quote_ident(c.name), ', ') as names,
      string_agg(c.value, ', ') as values,
      string_agg(format('%I = %s', c.name, c.value), ', ') filter (where c.is_price or c.name in ('ingested_at', 'updated_at')) as settings,
      string_agg(format('o.%I is not distinct from %s', c.name, c.value), ' and ') filter (where c.is_price) as same,
      string_agg(format('o.%I = %s', c.name, c.value), ' and ') filter (where c.name in ('canonical_symbol', 'timeframe', 'ts_utc'))
        || case when exists (
          select from pg_attribute as a where a.attrelid = p_table and a.attname = 'deleted_at' and not a.attisdropped
        ) then ' and o.deleted_at is null' else '' end as match
    from old_column as c
  )
  select
    -- Of doubles, one that has the prices is enough.
    format(
      'update %1$s as o set %2$s from ('
        'select n.* from agg.data_bars as n where n.xmin <> $1 and n.source <> ''synthetic'' and (%3$s) '
        'and not exists (select from %1$s as o where %4$s and %5$s)) as n where %4$s',
      p_table, p.settings, p_condition, p.match, p.same
    ),
    format(
      'insert into %1$s (%2$s) select %3$s from agg.data_bars as n where n.xmin <> $1 and (%4$s) and not exists (select from %1$s as o where %5$s)',
      p_table, p.names, p.values, p_condition, p.match
    )
  from part as p;
$$;
