create function agg.upsert_or_split(
  p_bars jsonb[], p_indexes integer[],
  out inserted bigint, out updated bigint, out unchanged bigint, out refused jsonb
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  v_half constant integer := cardinality(p_bars) / 2;
  v_constraint text;
  v_first record;
  v_second record;
begin
  with given as materialized (
    select
      g.canonical_symbol, coalesce(g.timeframe, '1m') as timeframe, g.ts_utc, g.open, g.high, g.low, g.close,
      g.vol, g.vwap, g.trade_count, coalesce(g.is_partial, false) as is_partial,
      coalesce(g.source, 'ingest') as source, coalesce(g.raw, '{}') as raw
    from unnest(p_bars, p_indexes) as i (bar, index)
    cross join lateral jsonb_to_record(i.bar) as g (
      canonical_symbol text, timeframe text, ts_utc timestamptz,
      open double precision, high double precision, low double precision, close double precision,
      vol double precision, vwap double precision, trade_count bigint, is_partial boolean, source text, raw jsonb
    )
    order by g.canonical_symbol, g.ts_utc, i.index
  ),
  stored as (
    insert into public.data_bars as b (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw
    )
    select g.* from given as g
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
      vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count,
      is_partial = excluded.is_partial, source = excluded.source, raw = excluded.raw,
      ingested_at = excluded.ingested_at, updated_at = now()
    where (b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw)
      is distinct from (
        excluded.open, excluded.high, excluded.low, excluded.close, excluded.vol, excluded.vwap, excluded.trade_count,
        excluded.is_partial, excluded.source, excluded.raw
      )
    -- A row version that nobody has locked or replaced yet was inserted.
    returning b.xmax = 0 as is_new
  )
  select
    count(*) filter (where s.is_new), count(*) filter (where not s.is_new),
    (select count(*) from given as g) - count(*), '[]'::jsonb
  into inserted, updated, unchanged, refused
  from stored as s;
-- Two bars with one key are a cardinality_violation: they are stored one after the other then.
exception when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
  if v_half = 0 then
    get stacked diagnostics v_constraint = constraint_name;
    inserted := 0;
    updated := 0;
    unchanged := 0;
    refused := jsonb_build_array(jsonb_build_object(
      'index', p_indexes[1], 'canonical_symbol', p_bars[1] -> 'canonical_symbol', 'ts_utc', p_bars[1] -> 'ts_utc',
      'code', sqlstate, 'constraint', nullif(v_constraint, ''), 'problem', left(sqlerrm, 300)
    ));
    return;
  end if;
  v_first := agg.upsert_or_split(p_bars[:v_half], p_indexes[:v_half]);
  v_second := agg.upsert_or_split(p_bars[v_half + 1:], p_indexes[v_half + 1:]);
  inserted := v_first.inserted + v_second.inserted;
  updated := v_first.updated + v_second.updated;
  unchanged := v_first.unchanged + v_second.unchanged;
  refused := v_first.refused || v_second.refused;
end;
$$;

create function public.upsert_bars(p_bars jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '60s'
as $$
declare
  v_known constant text[] := array[
    'canonical_symbol', 'timeframe', 'ts_utc', 'open', 'high', 'low', 'close', 'vol', 'vwap', 'trade_count', 'is_partial', 'source', 'raw'
  ];
  v_malformed jsonb;
  v_bars jsonb[];
  v_indexes integer[];
  v_result record;
begin
  if jsonb_typeof(p_bars) is distinct from 'array' then
    raise exception 'p_bars must be an array of bars, not %', coalesce(jsonb_typeof(p_bars), 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  select
    coalesce(jsonb_agg(
      jsonb_build_object(
        'index', i.index, 'canonical_symbol', i.bar -> 'canonical_symbol', 'ts_utc', i.bar -> 'ts_utc',
        'code', '22023', 'constraint', null, 'problem', p.problem
      ) order by i.index
    ) filter (where p.problem is not null), '[]'),
    coalesce(array_agg(i.bar order by i.index) filter (where p.problem is null), '{}'),
    coalesce(array_agg(i.index order by i.index) filter (where p.problem is null), '{}')
  into v_malformed, v_bars, v_indexes
  from (
    select e.bar, e.nr::integer - 1 as index from jsonb_array_elements(p_bars) with ordinality as e (bar, nr)
  ) as i
  cross join lateral (
    select case
      when jsonb_typeof(i.bar) <> 'object' then format('a bar must be an object, not %s', jsonb_typeof(i.bar))
      when i.bar - v_known <> '{}' then format(
        '%s is not known; known are %s', (select string_agg(k.key, ', ') from jsonb_object_keys(i.bar - v_known) as k (key)),
        array_to_string(v_known, ', ')
      )
      when i.bar ->> 'ts_utc' !~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$' then format(
        'ts_utc must be an instant with its zone such as "2026-01-02T10:00:00Z", not %s', i.bar -> 'ts_utc'
      )
    end as problem
  ) as p;

  if v_bars = '{}' then
    select 0::bigint as inserted, 0::bigint as updated, 0::bigint as unchanged, '[]'::jsonb as refused into v_result;
  else
    v_result := agg.upsert_or_split(v_bars, v_indexes);
  end if;
  return jsonb_build_object(
    'success', true, 'inserted', v_result.inserted, 'updated', v_result.updated, 'unchanged', v_result.unchanged,
    'refused', (
      select coalesce(jsonb_agg(r.refusal order by (r.refusal -> 'index')::integer), '[]')
      from jsonb_array_elements(v_malformed || v_result.refused) as r (refusal)
    )
  );
end;
$$;

revoke execute on function agg.upsert_or_split(jsonb[], integer[]) from public, anon, authenticated, service_role;
revoke execute on function public.upsert_bars(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.upsert_bars(jsonb) to service_role;

comment on function agg.upsert_or_split(jsonb[], integer[]) is
  'Stores bars in one statement; where a bar among them is bad, by halves, until only the bad ones are left out. p_indexes says which bar of the caller each one is.';
comment on function public.upsert_bars(jsonb) is
  'Stores 1m bars, a JSON array of objects with canonical_symbol, ts_utc (with its zone), open, high, low, close, and optionally vol, vwap, trade_count (null where unknown), is_partial, source, raw. A bar that is there already is replaced as a whole, and not written where it is the same; bars with one key are stored in the order given. A bad bar is refused and the others are stored, as if each had come alone: refused lists index (from 0), canonical_symbol, ts_utc, code (SQLSTATE), constraint and problem of each. inserted, updated and unchanged count bars. Locks the bars it writes, in the order of their keys, to the end of the transaction; repeating it changes nothing. Errors raise and store nothing: invalid_parameter_value for what is no array, and whatever passes by itself (a deadlock, a timeout).';
