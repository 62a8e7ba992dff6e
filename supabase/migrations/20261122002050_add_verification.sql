create function agg.waiting_changes()
returns setof agg.change
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select c.canonical_symbol, c.timeframe, range_agg(c.spans), min(c.noted_at), max(c.failures)
  from (
    select k.canonical_symbol, k.timeframe, k.spans, k.noted_at, k.failures from agg.correction as k
    union all
    select n.* from agg.noted_changes(array(select c.note_id from agg.change_note as c)) as n
  ) as c
  group by c.canonical_symbol, c.timeframe;
$$;

create function public.agg_pending(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  windows bigint,
  from_utc timestamptz,
  to_utc timestamptz,
  oldest interval,
  failures integer,
  explanation text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_changes constant agg.change[] := array(select c from agg.waiting_changes() as c);
  v_holder constant integer := agg.new_tasks_holder();
begin
  return query
  select
    s.canonical_symbol, s.timeframe, o.windows, o.from_utc, o.to_utc,
    greatest(interval '0', p_now - c.noted_at), c.failures,
    case
      when not s.enabled then 'waits until the asset is switched on again'
      when s.status = 'disabled' then 'waits: the task is disabled after failures'
      when not exists (
        select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol
      ) then 'waits until the asset is active again'
      when s.running_started_at_utc is not null then format('waits for the worker that has claimed the task since %s', s.running_started_at_utc)
      when e.error is not null then format('failed, next try at %s: %s', e.retry_at, e.error)
      when v_holder is not null then format('waits for the open transaction of backend %s, which has added assets', v_holder)
      else 'the next run takes it'
    end
  from unnest(v_changes) as c
  join (
    select
      r.canonical_symbol, r.timeframe,
      sum(extract(epoch from r.to_utc - r.from_utc) / extract(epoch from r.window_length))::bigint as windows,
      min(r.from_utc) as from_utc,
      max(r.to_utc) as to_utc
    from agg.rebuild_orders(v_changes) as r
    group by r.canonical_symbol, r.timeframe
  ) as o on o.canonical_symbol = c.canonical_symbol and o.timeframe = c.timeframe
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
  left join lateral (
    select k.retry_at, k.error
    from agg.correction as k
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe and k.error is not null
    order by k.retry_at
    limit 1
  ) as e on true
  order by s.canonical_symbol, s.run_interval_minutes;
end;
$$;

create function agg.find_differences(p_orders agg.build_order[])
returns setof agg.difference
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_half constant integer := cardinality(p_orders) / 2;
  v_order constant agg.build_order := p_orders[1];
  v_differences agg.difference[];
  v_error text;
begin
  begin
    v_differences := array(
      select row(
        w.canonical_symbol, w.timeframe, w.ts_utc, w.change, to_jsonb(d),
        to_jsonb(w) - array['order_no', 'canonical_symbol', 'timeframe', 'ts_utc', 'change']
      )::agg.difference
      from agg.compare_windows(p_orders) as w
      left join public.derived_data_bars as d
        on d.canonical_symbol = w.canonical_symbol and d.timeframe = w.timeframe and d.ts_utc = w.ts_utc and d.deleted_at is null
      where w.change is not null
      union all
      select row(
        m.canonical_symbol, m.timeframe, m.ts_utc, m.change, to_jsonb(d),
        jsonb_build_object(
          'open', m.open, 'high', m.high, 'low', m.low, 'close', m.close, 'vol', 0, 'vwap', null, 'trade_count', 0,
          'is_partial', false, 'source', 'synthetic', 'raw', m.raw
        )
      )::agg.difference
      from agg.compare_synthetic(p_orders) as m
      left join public.data_bars as d
        on d.canonical_symbol = m.canonical_symbol and d.timeframe = m.timeframe and d.ts_utc = m.ts_utc
      where m.change is not null
    );
  exception when others then
    v_error := format('%s (%s)', sqlerrm, sqlstate);
  end;

  if v_error is null then
    return query select d.* from unnest(v_differences) as d;
  elsif v_half > 0 then
    return query
    select d.* from agg.find_differences(p_orders[:v_half]) as d
    union all
    select d.* from agg.find_differences(p_orders[v_half + 1:]) as d;
  else
    return query
    select
      v_order.canonical_symbol, v_order.timeframe, v_order.from_utc, 'failed', null::jsonb,
      jsonb_build_object('error', v_error, 'to_utc', v_order.to_utc);
  end if;
end;
$$;

create function public.agg_verify(
  p_symbol text default null, p_timeframe text default null, p_from timestamptz default null, p_to timestamptz default null
)
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  problem text,
  stored jsonb,
  expected jsonb,
  is_pending boolean
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_orders agg.build_order[];
  v_pending constant agg.change[] := array(select c from agg.waiting_changes() as c);
begin
  if p_timeframe is not null and not exists (select from agg.timeframe as t where t.timeframe = p_timeframe) then
    raise exception '% is not a timeframe', p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = format('Timeframes are %s.', (select string_agg(t.timeframe, ', ' order by t.duration) from agg.timeframe as t));
  end if;
  if p_symbol is not null and not exists (
    select from public.data_agg_state as s
    where s.canonical_symbol = p_symbol and (p_timeframe is null or s.timeframe = p_timeframe)
  ) then
    perform agg.raise_no_task(p_symbol, coalesce(p_timeframe, 'of any timeframe'));
  end if;
  if p_from >= p_to then
    raise exception '[%, %) is not a range of time', p_from, p_to using errcode = 'invalid_parameter_value';
  end if;

  v_orders := array(
    select o
    from agg.rebuild_orders(array(
      select row(s.canonical_symbol, s.timeframe, tstzmultirange(tstzrange(p_from, p_to)), null, 0)::agg.change
      from public.data_agg_state as s
      where (p_symbol is null or s.canonical_symbol = p_symbol) and (p_timeframe is null or s.timeframe = p_timeframe)
    )) as o
  );
  return query
  select
    d.canonical_symbol, d.timeframe, d.ts_utc,
    case
      when d.change = 'failed' then 'failed'
      when d.change = 'remove' then 'stale'
      when d.stored is null then 'missing'
      else 'different'
    end,
    (
      select jsonb_object_agg(e.key, d.stored -> e.key)
      from jsonb_each(d.expected) as e
      where d.change = 'remove' or d.stored -> e.key <> e.value
    ),
    (
      select jsonb_object_agg(e.key, e.value)
      from jsonb_each(d.expected) as e
      where d.change <> 'remove' and (d.stored is null or d.stored -> e.key <> e.value)
    ),
    exists (
      select from unnest(v_pending) as c
      where c.canonical_symbol = d.canonical_symbol and c.timeframe = d.timeframe
        and c.spans && tstzrange(d.ts_utc, d.ts_utc + t.duration)
    )
  from agg.find_differences(v_orders) as d
  join agg.timeframe as t on t.timeframe = d.timeframe
  order by d.canonical_symbol, t.duration, d.ts_utc;
end;
$$;

create function public.agg_repair(
  p_symbol text default null, p_timeframe text default null, p_from timestamptz default null, p_to timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_windows bigint;
  v_changes agg.change[];
begin
  select coalesce(sum(v.windows), 0), array_agg(row(v.canonical_symbol, v.timeframe, v.spans, now(), 0)::agg.change)
  into v_windows, v_changes
  from (
    select d.canonical_symbol, d.timeframe, count(*) as windows, range_agg(tstzrange(d.ts_utc, d.ts_utc + t.duration)) as spans
    from public.agg_verify(p_symbol, p_timeframe, p_from, p_to) as d
    join agg.timeframe as t on t.timeframe = d.timeframe
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ) as v;
  if v_changes is not null then
    perform agg.note_tasks(v_changes);
  end if;
  return jsonb_build_object('success', true, 'tasks', coalesce(cardinality(v_changes), 0), 'windows', v_windows);
end;
$$;

revoke execute on function agg.waiting_changes() from public, anon, authenticated, service_role;
revoke execute on function public.agg_pending(timestamptz) from public, anon, authenticated, service_role;
revoke execute on function agg.find_differences(agg.build_order[]) from public, anon, authenticated, service_role;
revoke execute on function public.agg_verify(text, text, timestamptz, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.agg_repair(text, text, timestamptz, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.agg_pending(timestamptz) to service_role;
grant execute on function public.agg_verify(text, text, timestamptz, timestamptz) to service_role;
grant execute on function public.agg_repair(text, text, timestamptz, timestamptz) to service_role;

comment on function agg.waiting_changes() is 'All that waits, by task: corrections, and change notes that no dispatcher has read.';
comment on function public.agg_pending(timestamptz) is
  'Decided windows that wait to be built again because their source changed: how many, from where to where, since when (oldest, at p_now), how often it failed, and what they wait for. No row: every stored bar is up to date with what has been noted.';
comment on function agg.find_differences(agg.build_order[]) is
  'How what is stored differs from what the orders make. A task that cannot be computed is told as such, and the others go on.';
comment on function public.agg_verify(text, text, timestamptz, timestamptz) is
  'Computes decided windows again from their source bars, as the dispatcher would, and lists every difference to what is stored: problem is missing, different (stored and expected hold the fields that differ), stale (a bar that nothing makes any more) or failed (the task cannot be computed: expected holds the error). is_pending: a note waits for it, and the next run mends it. Each level is held against the one below it as it stands. Nulls mean every task, and the whole of its decided range; windows that p_from and p_to cut count whole. Writes and locks nothing. Raises no_data_found without a task, invalid_parameter_value for an unknown timeframe or an empty range.';
comment on function public.agg_repair(text, text, timestamptz, timestamptz) is
  'Makes a correction of every window that agg_verify lists, for the dispatcher to build again, level by level. Returns how many windows of how many tasks.';
