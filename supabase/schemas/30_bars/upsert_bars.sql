comment on function public.upsert_bars is
  'Stores 1m bars, a JSON array of objects with canonical_symbol, ts_utc (with its zone), open, high, low, close, and optionally vol, vwap, trade_count (null where unknown), is_partial, source, raw. A bar that is there already is replaced as a whole, and not written where it is the same. A bad bar is refused and the others are stored: refused lists index (from 0), canonical_symbol, ts_utc, code (SQLSTATE), constraint and problem of each. inserted, updated and unchanged count bars; superseded those that a later one with the same key replaced in the same call. Locks the bars it writes, in the order of their keys, to the end of the transaction; repeating it changes nothing. Runs with the rights of the owner: no policy on data_bars binds its caller. Errors raise and store nothing: invalid_parameter_value for what is no array, what is no JSON (which jsonb refuses before: a NUL, half a surrogate, a number beyond numeric), what a trigger or foreign key of your own raises, and what passes by itself (a deadlock, a timeout).';

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
  v_refused agg.rejected_bar[];
  v_broken agg.rejected_bar[];
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
