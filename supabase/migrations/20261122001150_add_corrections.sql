create view agg.task_component with (security_invoker = true) as
select s.canonical_symbol, k.component
from public.data_agg_state as s
cross join lateral jsonb_array_elements_text(s.basket -> 'components') as k (component)
where s.basket is not null;

revoke all on table agg.task_component from public, anon, authenticated, service_role;
grant select on table agg.task_component to service_role;
comment on view agg.task_component is
  'The baskets that synthetic tasks were last given by a sync, a row a component: also while the registry says something that cannot be.';

create function agg.note_tasks(p_changes agg.change[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever is believed of the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  with change as (
    select c.* from unnest(p_changes) as c where not isempty(c.spans)
  ),
  held as materialized (
    select
      c.canonical_symbol, c.timeframe, c.spans,
      case when s.running_started_at_utc is null then
        tstzmultirange(tstzrange(
          null, greatest(s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes), s.built_to_utc)
        ))
      end as decided
    from change as c
    join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    for update of s skip locked
  ),
  taken as (
    delete from agg.correction as k
    using held as h
    where k.canonical_symbol = h.canonical_symbol and k.timeframe = h.timeframe
      -- What failed waits for its time, unless its source has changed.
      and (k.error is null or k.spans && h.spans)
    returning k.canonical_symbol, k.timeframe, k.spans, k.noted_at, k.failures
  ),
  -- Grouped rather than joined: linear whatever the planner believes of the number of tasks.
  merged as (
    select
      m.canonical_symbol, m.timeframe,
      range_agg(m.spans) as spans,
      range_agg(m.decided) as decided,
      bool_or(m.is_held) as is_held,
      min(m.noted_at) as noted_at,
      max(m.failures) as failures
    from (
      select c.canonical_symbol, c.timeframe, c.spans, null::tstzmultirange as decided, false as is_held, c.noted_at, c.failures
      from change as c
      union all
      select t.canonical_symbol, t.timeframe, t.spans, null, false, t.noted_at, t.failures
      from taken as t
      union all
      select h.canonical_symbol, h.timeframe, null, h.decided, true, null, null
      from held as h
    ) as m
    group by m.canonical_symbol, m.timeframe
  )
  insert into agg.correction (canonical_symbol, timeframe, spans, noted_at, failures)
  select m.canonical_symbol, m.timeframe, w.spans, m.noted_at, m.failures
  from merged as m
  -- Only whoever holds a task that nobody has claimed knows what it has decided, and may drop the rest.
  cross join lateral (select case when m.decided is null then m.spans else m.spans * m.decided end) as w (spans)
  where not isempty(w.spans)
    and (
      m.is_held
      or (
        select true from public.data_agg_state as s where s.canonical_symbol = m.canonical_symbol and s.timeframe = m.timeframe
      )
    );
end;
$$;

create function agg.noted_changes(p_note_ids bigint[])
returns setof agg.change
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
begin
  return query
  with noted as materialized (
    select
      u.symbol, n.noted_at, n.is_built, tstzrange(u.from_utc, coalesce(u.to_utc, u.from_utc + interval '1 minute')) as span
    from agg.change_note as n
    cross join lateral unnest(coalesce(n.symbols, array[null]), n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
    where n.note_id = any (p_note_ids)
  ),
  merged as materialized (
    select
      m.symbol, range_agg(m.span) as spans, range_agg(m.span) filter (where not m.is_built) as foreign_spans, min(m.noted_at) as noted_at
    from (
      select n.symbol, n.span, n.noted_at, n.is_built from noted as n where n.symbol is not null
      union all
      select a.canonical_symbol, n.span, n.noted_at, n.is_built
      from noted as n
      cross join lateral (
        select s.canonical_symbol from public.data_agg_state as s
        union all
        select k.component from agg.task_component as k
      ) as a
      where n.symbol is null
    ) as m
    group by m.symbol
  )
  select d.symbol, d.timeframe, range_agg(d.spans), min(d.noted_at), 0
  from (
    select m.symbol, t.timeframe, m.spans, m.noted_at
    from merged as m
    cross join agg.timeframe as t
    where t.source_timeframe = '1m'
    union all
    select k.canonical_symbol, '1m', m.spans, m.noted_at
    from merged as m
    join agg.task_component as k on k.component = m.symbol
    union all
    -- A hand in a synthetic series.
    select s.canonical_symbol, s.timeframe, m.foreign_spans, m.noted_at
    from merged as m
    join public.data_agg_state as s on s.canonical_symbol = m.symbol and s.basket is not null
    where m.foreign_spans is not null
  ) as d
  group by d.symbol, d.timeframe;
end;
$$;

create function agg.new_tasks_key()
returns bigint
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select hashtextextended('pgbars.new_tasks', 0);
$$;

create function agg.new_tasks_holder()
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select l.pid
  from pg_catalog.pg_locks as l
  where l.locktype = 'advisory' and l.objsubid = 1 and l.mode = 'ExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = agg.new_tasks_key()
  limit 1;
$$;

create function agg.take_notes(p_limit integer)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_note_ids bigint[];
begin
  v_note_ids := array(
    select n.note_id from agg.change_note as n order by n.note_id limit p_limit for update skip locked
  );
  if cardinality(v_note_ids) > 0 then
    -- A task that an open transaction has made is not to be seen, and may already be built.
    if not pg_try_advisory_xact_lock_shared(agg.new_tasks_key()) then
      return 0;
    end if;
    perform agg.note_tasks(array(select c from agg.noted_changes(v_note_ids) as c));
    delete from agg.change_note as n where n.note_id = any (v_note_ids);
  end if;
  return cardinality(v_note_ids);
end;
$$;

create function agg.rebuild_orders(p_changes agg.change[], p_max_windows integer default null)
returns setof agg.build_order
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  return query
  with run as (
    select
      c.canonical_symbol, c.timeframe, t.source_timeframe, t.duration, st.duration as source_duration, w.span,
      s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes,
      extract(epoch from upper(w.span) - lower(w.span))::bigint / extract(epoch from t.duration)::bigint as windows
    from unnest(p_changes) as c
    join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    join agg.timeframe as t on t.timeframe = c.timeframe
    left join agg.timeframe as st on st.timeframe = t.source_timeframe
    cross join lateral (
      select
        agg.bootstrap_cursor(s.agg_start_utc, t.duration) + t.duration,
        greatest(s.last_agg_bar_ts_utc + t.duration, s.built_to_utc)
    ) as k (start_utc, end_utc)
    cross join lateral (
      select range_agg(tstzrange(
        date_bin(t.duration, lower(d.span), timestamptz '2000-01-01 00:00:00+00'),
        date_bin(t.duration, upper(d.span) + t.duration - interval '1 microsecond', timestamptz '2000-01-01 00:00:00+00')
      ))
      from unnest(
        c.spans * case when k.start_utc < k.end_utc then tstzmultirange(tstzrange(k.start_utc, k.end_utc)) else '{}' end
      ) as d (span)
    ) as a (spans)
    cross join lateral unnest(a.spans) as u (span)
    cross join lateral (
      select case
        when s.basket is not null or upper(u.span) - lower(u.span) <= 1000 * t.duration then u.span
        -- Years without a bar would cost their share of every batch.
        else (
          select tstzrange(
            date_bin(t.duration, min(x.first_utc), timestamptz '2000-01-01 00:00:00+00'),
            date_bin(t.duration, max(x.last_utc), timestamptz '2000-01-01 00:00:00+00') + t.duration
          )
          from (
            select min(c.ts_utc) as first_utc, max(c.ts_utc) as last_utc
            from agg.source_bar as c
            where c.canonical_symbol = s.canonical_symbol and c.timeframe = t.source_timeframe
              and c.ts_utc >= lower(u.span) and c.ts_utc < upper(u.span) and c.deleted_at is null
            union all
            select min(d.ts_utc), max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
              and d.ts_utc >= lower(u.span) and d.ts_utc < upper(u.span) and d.deleted_at is null
          ) as x
          having max(x.last_utc) is not null
        )
      end
    ) as w (span)
    where w.span is not null
  ),
  ranked as (
    select
      r.*, sum(r.windows) over (partition by r.canonical_symbol, r.timeframe order by r.span desc) - r.windows as newer_windows
    from run as r
  )
  select
    r.canonical_symbol, r.timeframe, r.source_timeframe, r.duration, r.source_duration,
    upper(r.span) - r.duration * least(r.windows, p_max_windows - r.newer_windows)::double precision,
    upper(r.span), upper(r.span), null::timestamptz, null::integer,
    case when r.source_timeframe is null then (
      select k.derivation_version from agg.synthetic_component as k where k.canonical_symbol = r.canonical_symbol limit 1
    ) end,
    r.good_percent, r.poor_percent, r.session_time_zone, r.session_minutes, true
  from ranked as r
  where p_max_windows is null or r.newer_windows < p_max_windows;
end;
$$;

revoke execute on function agg.note_tasks(agg.change[]) from public, anon, authenticated, service_role;
revoke execute on function agg.noted_changes(bigint[]) from public, anon, authenticated, service_role;
revoke execute on function agg.new_tasks_key() from public, anon, authenticated, service_role;
revoke execute on function agg.new_tasks_holder() from public, anon, authenticated, service_role;
revoke execute on function agg.take_notes(integer) from public, anon, authenticated, service_role;
revoke execute on function agg.rebuild_orders(agg.change[], integer) from public, anon, authenticated, service_role;

comment on function agg.note_tasks(agg.change[]) is
  'Makes corrections of changes to the source bars of tasks, merged with those that wait already. What lies behind neither the cursor nor built_to_utc is dropped, but only for tasks that it can lock and that nobody has claimed: a row lock taken elsewhere, or a claim, may hide a build that has not seen the change. Never waits; holds the locks it gets to the end of the transaction. Changes of tasks that do not exist are dropped: what such a task will build, it will see.';
comment on function agg.noted_changes(bigint[]) is
  'What these notes mean for tasks: those that build from the 1m bars of a noted symbol, the synthetic series that have it in their basket, and the series itself where it is one and another hand than its builder''s wrote.';
comment on function agg.new_tasks_key() is
  'The advisory lock that a transaction holds which has made tasks, and, shared, one that has read change notes.';
comment on function agg.new_tasks_holder() is
  'Another backend whose open transaction has made tasks, for which change notes wait; null where there is none.';
comment on function agg.take_notes(integer) is
  'Turns up to p_limit committed notes that no other dispatcher has taken into corrections, and deletes them; returns how many. Returns 0 while a transaction is open that has made tasks, which nobody sees yet. Never waits.';
comment on function agg.rebuild_orders(agg.change[], integer) is
  'Orders to build again the windows that the changes touch, behind the cursor or built_to_utc, one for each run of windows, at most p_max_windows a task, the newest of them.';
