comment on function public.upsert_bars is
  'Stores 1m bars, refuses bad ones, and says what became of each.
p_bars: a JSON array of objects with canonical_symbol, ts_utc (an instant with its zone), open, high, low, close, and optionally vol, vwap, trade_count (null where unknown), is_partial, source, raw.
p_clamp: widens high and low to cover open and close where they miss by at most 1e-9 of the price.
A bar that is stored already is replaced as a whole, and not written where it is the same. Repeating a call changes nothing.
Result: inserted, updated and unchanged count bars; superseded counts bars that a later one with the same key replaced in the same call. refused lists index (from 0), canonical_symbol, ts_utc, code (SQLSTATE), constraint and problem of each refused bar; constraint is data_bars_not_computed for a bar of a computed series, data_bars_kept for one older than metadata.agg.keep says, null where it breaks no constraint by name. unregistered lists the symbols of stored bars that the registry does not know: no task builds from them.
Refused are malformed bars, bars that break a check of data_bars, bars of a computed series, bars older than metadata.agg.keep says, and what a check, foreign key or trigger of your own refuses. A constraint that is deferred raises at the end of the transaction instead.
Raises invalid_parameter_value for what is not an array, and what no bar is the reason of, such as a deadlock or a timeout; then nothing is stored. jsonb itself refuses what is not JSON, a NUL, half a surrogate pair and a number beyond numeric.
Locks the bars it writes, in the order of their keys, to the end of the transaction. Runs with the rights of its owner: no policy on data_bars binds the caller.';

create function public.upsert_bars(p_bars jsonb, p_clamp boolean default false)
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
  v_refused agg.rejected_bar[];
  v_read record;
  v_bars agg.input_bar[];
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
  cross join lateral agg.read_bars(w.bars, w.indexes, coalesce(p_clamp, false)) as r;
  v_refused := v_refused || v_read.refused || array(
    select agg.new_rejected_bar(b.index, '23000', 'data_bars_not_computed', s.problem)
    from unnest(v_read.bars) as b
    join agg.computed_series as s on s.canonical_symbol = b.canonical_symbol
    union all
    select agg.new_rejected_bar(b.index, '23000', 'data_bars_kept', f.problem)
    from unnest(v_read.bars) as b
    join agg.minute_floor as f on f.canonical_symbol = b.canonical_symbol and b.ts_utc < f.floor_utc
    where not exists (select from agg.computed_series as s where s.canonical_symbol = b.canonical_symbol)
  );
  v_bars := agg.bars_without(v_read.bars, v_refused);
  v_refused := v_refused || array(select k from agg.broken_bars(v_bars) as k);
  v_bars := agg.bars_without(v_bars, v_refused);
  v_stored := agg.store_or_split(v_bars);
  v_refused := v_refused || v_stored.refused;
  v_bars := agg.bars_without(v_bars, v_refused);

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
    ),
    'unregistered', (
      select coalesce(jsonb_agg(s.symbol order by s.symbol), '[]')
      from (select distinct b.canonical_symbol from unnest(v_bars) as b) as s (symbol)
      where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.symbol)
    )
  );
end;
$$;
