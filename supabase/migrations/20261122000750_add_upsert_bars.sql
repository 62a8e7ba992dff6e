create function agg.malformed_bars(p_bars jsonb)
returns setof agg.refused_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := array[
    'canonical_symbol', 'timeframe', 'ts_utc', 'open', 'high', 'low', 'close', 'vol', 'vwap', 'trade_count', 'is_partial', 'source', 'raw'
  ];
  v_pattern constant text := agg.instant_pattern();
begin
  return query
  select (e.nr - 1)::integer, '22023', null::text, left(p.problem, 300)
  from jsonb_array_elements(p_bars) with ordinality as e (bar, nr)
  cross join lateral (
    select case
      when jsonb_typeof(e.bar) <> 'object' then format('a bar must be an object, not %s', jsonb_typeof(e.bar))
      when e.bar - v_known <> '{}' then format(
        '%s is not known; known are %s',
        (select string_agg(k.key, ', ') from jsonb_object_keys(e.bar - v_known) as k (key)), array_to_string(v_known, ', ')
      )
      when coalesce(jsonb_typeof(e.bar -> 'canonical_symbol'), '') <> 'string'
        or e.bar ->> 'canonical_symbol' <> btrim(e.bar ->> 'canonical_symbol')
        or length(e.bar ->> 'canonical_symbol') not between 1 and 200
        or e.bar ->> 'canonical_symbol' ~ '[[:cntrl:]]'
      then format(
        'canonical_symbol must be a text of 1 to 200 characters, none of them a control character, without space around it, not %s', coalesce(e.bar -> 'canonical_symbol', 'null')
      )
      when coalesce(e.bar ->> 'ts_utc' !~ v_pattern, true) then format(
        'ts_utc must be an instant with its zone such as "2026-01-02T10:00:00Z", not %s', coalesce(e.bar -> 'ts_utc', 'null')
      )
      when jsonb_typeof(e.bar -> 'is_partial') not in ('boolean', 'null') then format(
        'is_partial must be true or false, not %s', e.bar -> 'is_partial'
      )
    end
  ) as p (problem)
  where p.problem is not null;
end;
$$;

create function agg.read_bars(p_bars jsonb[], p_indexes integer[], out bars agg.given_bar[], out refused agg.refused_bar[])
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_bars) / 2;
  v_first record;
  v_second record;
begin
  bars := array(
    select row(
      i.index, g.canonical_symbol, coalesce(g.timeframe, '1m'), g.ts_utc, g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count,
      coalesce(g.is_partial, false), coalesce(g.source, 'ingest'), coalesce(g.raw, '{}')
    )::agg.given_bar
    from unnest(p_bars, p_indexes) as i (bar, index)
    cross join lateral jsonb_to_record(i.bar) as g (
      canonical_symbol text, timeframe text, ts_utc timestamptz,
      open double precision, high double precision, low double precision, close double precision,
      vol double precision, vwap double precision, trade_count bigint, is_partial boolean, source text, raw jsonb
    )
  );
  refused := '{}';
exception when data_exception then
  if v_half = 0 then
    bars := '{}';
    refused := array[row(p_indexes[1], sqlstate, null, regexp_replace(sqlerrm, '"([^"]{40})[^"]+"', '"\1..."'))::agg.refused_bar];
    return;
  end if;
  v_first := agg.read_bars(p_bars[:v_half], p_indexes[:v_half]);
  v_second := agg.read_bars(p_bars[v_half + 1:], p_indexes[v_half + 1:]);
  bars := v_first.bars || v_second.bars;
  refused := v_first.refused || v_second.refused;
end;
$$;

create function agg.bar_rules()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(r.rule, ', ' order by r.is_check, r.name)
  from (
    select false as is_check, a.attname as name, format('(%1$I is null, ''23502'', null, ''%1$s must not be null'')', a.attname) as rule
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_attribute as g on g.attname = a.attname and g.attrelid = (
      select t.typrelid from pg_catalog.pg_type as t where t.oid = 'agg.given_bar'::regtype
    )
    where a.attrelid = 'public.data_bars'::regclass and a.attnotnull
    union all
    select
      true, c.conname,
      format('(not (%s), ''23514'', %L, %L)', e.expression, c.conname, format('%s requires %s', c.conname, e.expression))
    from pg_catalog.pg_constraint as c
    cross join lateral (select pg_catalog.pg_get_expr(c.conbin, c.conrelid)) as e (expression)
    where c.conrelid = 'public.data_bars'::regclass and c.contype = 'c'
  ) as r;
$$;

create function agg.broken_bars(p_bars agg.given_bar[])
returns setof agg.refused_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $sql$
      select distinct on (b.index) b.index, r.code, r.constraint_name, r.problem
      from unnest($1) as b
      cross join lateral (values %s) as r (is_broken, code, constraint_name, problem)
      where r.is_broken
      order by b.index
    $sql$,
    agg.bar_rules()
  ) using p_bars;
end;
$$;

create function agg.store_bars(p_bars agg.given_bar[], out inserted bigint, out updated bigint, out unchanged bigint)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  with given as materialized (
    select distinct on (g.canonical_symbol, g.ts_utc) g.*
    from unnest(p_bars) as g
    order by g.canonical_symbol, g.ts_utc, g.index desc
  ),
  stored as (
    insert into public.data_bars as b (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw
    )
    select
      g.canonical_symbol, g.timeframe, g.ts_utc, g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count, g.is_partial, g.source, g.raw
    from given as g
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
    count(*) filter (where s.is_new), count(*) filter (where not s.is_new), (select count(*) from given as g) - count(*)
  into inserted, updated, unchanged
  from stored as s;
end;
$$;

create function public.upsert_bars(p_bars jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Times have their zone; what Postgres says of a bad one is in UTC.
set timezone = 'UTC'
set statement_timeout = '60s'
as $$
declare
  v_refused agg.refused_bar[];
  v_broken agg.refused_bar[];
  v_read record;
  v_bars agg.given_bar[];
  v_stored record;
begin
  if jsonb_typeof(p_bars) is distinct from 'array' then
    raise exception 'p_bars must be an array of bars, not %', coalesce(jsonb_typeof(p_bars), 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  v_refused := array(select m from agg.malformed_bars(p_bars) as m);
  select r.* into strict v_read
  from (
    select
      coalesce(array_agg(e.bar order by e.nr), '{}') as bars,
      coalesce(array_agg((e.nr - 1)::integer order by e.nr), '{}') as indexes
    from jsonb_array_elements(p_bars) with ordinality as e (bar, nr)
    where e.nr - 1 not in (select m.index from unnest(v_refused) as m)
  ) as w
  cross join lateral agg.read_bars(w.bars, w.indexes) as r;
  v_refused := v_refused || v_read.refused;
  v_bars := v_read.bars;

  begin
    v_stored := agg.store_bars(v_bars);
  exception when check_violation or not_null_violation then
    v_broken := array(select k from agg.broken_bars(v_bars) as k);
    if v_broken = '{}' then
      raise;
    end if;
    v_refused := v_refused || v_broken;
    v_bars := array(select g from unnest(v_bars) as g where g.index not in (select k.index from unnest(v_broken) as k));
    v_stored := agg.store_bars(v_bars);
  end;

  return jsonb_build_object(
    'success', true, 'inserted', v_stored.inserted, 'updated', v_stored.updated, 'unchanged', v_stored.unchanged,
    'superseded', cardinality(v_bars) - v_stored.inserted - v_stored.updated - v_stored.unchanged,
    'refused', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'index', r.index, 'canonical_symbol', p_bars -> r.index -> 'canonical_symbol', 'ts_utc', p_bars -> r.index -> 'ts_utc',
          'code', r.code, 'constraint', r.constraint_name, 'problem', r.problem
        ) order by r.index
      ), '[]')
      from unnest(v_refused) as r
    )
  );
end;
$$;

revoke execute on function agg.malformed_bars(jsonb) from public, anon, authenticated, service_role;
revoke execute on function agg.read_bars(jsonb[], integer[]) from public, anon, authenticated, service_role;
revoke execute on function agg.bar_rules() from public, anon, authenticated, service_role;
revoke execute on function agg.broken_bars(agg.given_bar[]) from public, anon, authenticated, service_role;
revoke execute on function agg.store_bars(agg.given_bar[]) from public, anon, authenticated, service_role;
revoke execute on function public.upsert_bars(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.upsert_bars(jsonb) to service_role;

comment on function agg.malformed_bars(jsonb) is
  'The bars of an array that are refused before they are read: no object, a key that is not known, no symbol, no instant with its zone, a flag that is none.';
comment on function agg.read_bars(jsonb[], integer[]) is
  'Reads bars out of JSON, with the places that they have among those of the caller. Where a value cannot be read, by halves, until only the bad ones are refused.';
comment on function agg.bar_rules() is
  'The checks of data_bars, and the columns that it needs a value in, as rows of SQL: whether a bar breaks it, SQLSTATE, constraint, and the problem in words.';
comment on function agg.broken_bars(agg.given_bar[]) is
  'The bars that break a check of data_bars, or lack a value that it needs, each with the first one by name.';
comment on function agg.store_bars(agg.given_bar[]) is
  'Stores bars in one statement, locking them in the order of their keys; of bars with one key the last one.';
comment on function public.upsert_bars(jsonb) is
  'Stores 1m bars, a JSON array of objects with canonical_symbol, ts_utc (with its zone), open, high, low, close, and optionally vol, vwap, trade_count (null where unknown), is_partial, source, raw. A bar that is there already is replaced as a whole, and not written where it is the same. A bad bar is refused and the others are stored: refused lists index (from 0), canonical_symbol, ts_utc, code (SQLSTATE), constraint and problem of each. inserted, updated and unchanged count bars; superseded those that a later one with the same key replaced in the same call. Locks the bars it writes, in the order of their keys, to the end of the transaction; repeating it changes nothing. Runs with the rights of the owner: no policy on data_bars binds its caller. Errors raise and store nothing: invalid_parameter_value for what is no array, what is no JSON (which jsonb refuses before: a NUL, half a surrogate, a number beyond numeric), what a trigger or foreign key of your own raises, and what passes by itself (a deadlock, a timeout).';
