-- Generated from supabase/schemas by `deno task migration`.

drop type agg.window_bar cascade;

SET local check_function_bodies = off;

DROP INDEX "public"."data_agg_state_queue_idx";

DROP INDEX "public"."data_agg_state_sleeping_idx";

ALTER TABLE "public"."data_agg_state"
  DROP CONSTRAINT "data_agg_state_cursor_aligned";

DROP FUNCTION "agg"."new_changed_span"(text, text, tstzmultirange, timestamp WITH time zone, integer);

CREATE TABLE "agg"."queue" (
  "is_mandatory"         boolean                  NOT NULL,
  "run_interval_minutes" integer                  NOT NULL,
  "task_priority"        integer                  NOT NULL,
  "due_at"               timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp WITH time zone,
  CONSTRAINT "queue_pkey" PRIMARY KEY (is_mandatory, run_interval_minutes, task_priority)
);

ALTER TABLE "agg"."queue"
  ENABLE ROW LEVEL SECURITY;

CREATE TABLE "agg"."revision_floor" (
  "canonical_symbol" text                     NOT NULL,
  "floor_utc"        timestamp with time zone NOT NULL,
  CONSTRAINT "revision_floor_pkey" PRIMARY KEY (canonical_symbol)
);

ALTER TABLE "agg"."revision_floor"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "public"."data_agg_state"
  SET (fillfactor=50);

ALTER TABLE "agg"."environment"
  ADD COLUMN "has_foreign_tasks" boolean NOT NULL DEFAULT false;

ALTER TABLE "public"."data_agg_state"
  ADD COLUMN "due_together_at" timestamp WITH time zone;

ALTER TABLE "public"."data_agg_state"
  ADD COLUMN "queued_at" timestamp WITH time zone GENERATED ALWAYS AS (
CASE
    WHEN (next_run_at = due_together_at) THEN '-infinity'::timestamp WITH time zone
    ELSE next_run_at
END) STORED;

CREATE TYPE "agg"."window_bar" AS (
  "request_no"         bigint,
  "canonical_symbol"   text,
  "timeframe"          text,
  "ts_utc"             timestamp WITH time zone,
  "open"               double precision,
  "high"               double precision,
  "low"                double precision,
  "close"              double precision,
  "vol"                double precision,
  "vwap"               double precision,
  "vwap_vol"           double precision,
  "trade_count"        bigint,
  "source_timeframe"   text,
  "source_candles"     integer,
  "expected_candles"   integer,
  "covered_minutes"    integer,
  "expected_minutes"   integer,
  "quality_score"      smallint,
  "derivation_version" integer,
  "is_partial"         boolean,
  "change"             text,
  "was_bar"            boolean
);

CREATE OR REPLACE FUNCTION agg.add_change_notes()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
declare
  v_builder constant text := coalesce(current_setting('pgbars.is_building', true), '');
  v_is_built constant boolean := v_builder = 'on';
  v_rows bigint;
  v_first_utc timestamptz;
  v_problem text;
  v_computed text;
  v_is_fold_due boolean;
begin
  -- agg.remove_old_bars: no task starts behind the floor.
  if v_builder = 'removing' then
    return null;
  end if;
  select count(*), min(c.ts_utc), min(c.canonical_symbol) filter (
    where c.canonical_symbol = any (array(select s.canonical_symbol from agg.computed_series as s))
  )
  into v_rows, v_first_utc, v_computed
  from changed_rows as c;
  -- The update that an upsert of new bars is as well.
  if v_rows = 0 then
    return null;
  end if;
  if v_computed is not null and not v_is_built and tg_op <> 'DELETE' then
    raise exception '%', (select s.problem from agg.computed_series as s where s.canonical_symbol = v_computed)
      using errcode = 'integrity_constraint_violation', constraint = 'data_bars_not_computed',
        hint = 'Store bars of its components, or change the registry. Deleted bars are computed again.';
  end if;
  if tg_op <> 'DELETE' and v_first_utc < (select max(f.floor_utc) from agg.floor as f where f.timeframe = '1m') then
    select f.problem into v_problem
    from changed_rows as c
    join agg.minute_floor as f on f.canonical_symbol = c.canonical_symbol
    where c.ts_utc < f.floor_utc
    order by f.canonical_symbol
    limit 1;
    if found then
      raise exception '%', v_problem
        using errcode = 'integrity_constraint_violation', constraint = 'data_bars_kept',
          hint = 'Leave these bars out; upsert_bars refuses them one by one. A floor once raised stays.';
    end if;
  end if;

  if v_rows <= 1000 then
    insert into agg.change_note (symbols, from_utc, is_built)
    select array_agg(c.canonical_symbol), array_agg(c.ts_utc), v_is_built from changed_rows as c
    returning note_id % 1000 = 0 into v_is_fold_due;
  else
    with added as (
      insert into agg.change_note (symbols, from_utc, to_utc, is_built)
      select array_agg(i.canonical_symbol), array_agg(i.from_utc), array_agg(i.to_utc), v_is_built
      from (
        select
          r.canonical_symbol, min(r.ts_utc) as from_utc, max(r.ts_utc) + interval '1 minute' as to_utc,
          (row_number() over (order by r.canonical_symbol, min(r.ts_utc)) - 1) / 1000 as chunk
        from (
          -- Minutes in a row are as far from their rank as their first.
          select
            c.canonical_symbol, c.ts_utc,
            c.ts_utc - interval '1 minute' * dense_rank() over (partition by c.canonical_symbol order by c.ts_utc) as run
          from changed_rows as c
        ) as r
        group by r.canonical_symbol, r.run
      ) as i
      group by i.chunk
      returning note_id
    )
    select bool_or(a.note_id % 1000 = 0) into v_is_fold_due from added as a;
  end if;
  if v_is_fold_due then
    perform agg.fold_notes();
  end if;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.add_corrections (
  p_changes     agg.changed_span[],
  p_is_backfill boolean            DEFAULT false
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_woken agg.changed_span[];
begin
  with change as materialized (
    select c.* from unnest(p_changes) with ordinality as c where not isempty(c.spans)
  ),
  held as materialized (
    select
      c.ordinality, c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures,
      -- Only the holder of a task that no worker has claimed knows what it has decided, and may drop the rest.
      case
        when f.is_free then c.spans * tstzmultirange(tstzrange(null, s.followed_to_utc))
        else c.spans
      end as kept,
      f.is_free and s.queued_at = 'infinity' and c.spans && tstzrange(s.decided_to_utc, null) as is_woken
    from change as c
    join agg.task as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    cross join lateral (select s.running_started_at_utc is null) as f (is_free)
    for update of s skip locked
  ),
  taken as (
    -- By place: a join would read all corrections for each task where the planner takes their table for empty.
    delete from agg.correction as k
    where k.ctid = any (array(
      select w.ctid
      from held as h
      cross join lateral (
        select c.ctid
        from agg.correction as c
        where c.canonical_symbol = h.canonical_symbol and c.timeframe = h.timeframe
          and case
            -- A failed correction waits for its time, unless its source has changed.
            when c.is_backfill = p_is_backfill then c.error is null or c.spans && h.spans
            -- Taken and put back: what a dispatcher has taken meanwhile, and may have built from an older snapshot, is not there.
            else c.is_backfill and c.error is null and c.spans && h.spans
          end
        offset 0
      ) as w
      where not isempty(h.kept)
    ))
    returning k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures, k.is_backfill <> p_is_backfill as is_history
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of tasks.
  merged as (
    select
      m.canonical_symbol, m.timeframe,
      range_agg(m.spans) filter (where not m.is_history) as spans,
      range_agg(m.spans) filter (where m.is_history) as history,
      min(m.changed_at) filter (where not m.is_history) as changed_at,
      min(m.changed_at) filter (where m.is_history) as history_at,
      max(m.failures) filter (where not m.is_history) as failures
    from (
      select h.canonical_symbol, h.timeframe, h.kept as spans, h.changed_at, h.failures, false as is_history
      from held as h
      where not isempty(h.kept)
      union all
      -- Of a task that another session holds, all.
      select c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures, false
      from change as c
      cross join lateral (
        select from public.data_agg_state as s where s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe offset 0
      ) as s
      where c.ordinality not in (select h.ordinality from held as h)
      union all
      select t.canonical_symbol, t.timeframe, t.spans, t.changed_at, t.failures, t.is_history
      from taken as t
    ) as m
    group by m.canonical_symbol, m.timeframe
  ),
  added as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, is_backfill)
    select m.canonical_symbol, m.timeframe, m.history, m.history_at, 0, true
    from merged as m
    where m.history is not null
    union all
    select m.canonical_symbol, m.timeframe, w.spans, m.changed_at, m.failures, p_is_backfill
    from merged as m
    cross join lateral (select m.spans - coalesce(m.history, '{}')) as w (spans)
    where not isempty(w.spans)
  )
  select array_agg((h.canonical_symbol, h.timeframe, h.spans, h.changed_at, h.failures)::agg.changed_span)
  into v_woken
  from held as h
  where h.is_woken;
  if v_woken is not null then
    perform agg.wake_tasks(v_woken);
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.add_deliveries (
  p_now timestamp with time zone
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- No clock that was ahead puts a message off for longer than any waits.
  update agg.delivery as d
  set created_at = least(d.created_at, p_now), next_try_at = p_now
  where d.delivered_at is null and (d.created_at > p_now or d.next_try_at > p_now + interval '1 day');
  update agg.alert_target as t set next_try_at = p_now where t.next_try_at > p_now + interval '1 day';

  insert into agg.delivery (target, alert_id, event, created_at, next_try_at)
  select t.name, a.alert_id, 'opened', p_now, p_now
  from agg.alert_target as t
  join agg.alert as a
    on (a.resolved_at is null or (a.raised_at >= t.added_at and a.kind <> 'undelivered'))
    and (t.min_severity = 'warning' or a.severity = 'critical')
  where t.kind <> 'heartbeat'
    -- Also not when it takes messages again: its message is written anew by the next maintenance run.
    and not (a.kind = 'undelivered' and a.message ~ format('(^|; )%s: ', t.name))
    and not exists (
      select from agg.delivery as d where d.target = t.name and d.alert_id = a.alert_id and d.event = 'opened'
    )
  on conflict (target, alert_id, event) do nothing;

  insert into agg.delivery (target, alert_id, event, created_at, next_try_at)
  select o.target, o.alert_id, 'resolved', p_now, p_now
  from agg.delivery as o
  join agg.alert as a on a.alert_id = o.alert_id and a.resolved_at is not null
  where o.event = 'opened'
    and not exists (
      select from agg.delivery as d where d.target = o.target and d.alert_id = o.alert_id and d.event = 'resolved'
    )
  on conflict (target, alert_id, event) do nothing;
$function$;

CREATE OR REPLACE FUNCTION agg.apply_task_changes (
  p_changes agg.task_change[]
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
declare
  v_new_rules constant agg.changed_span[] := array(
    select (c.canonical_symbol, c.timeframe, c.changed_spans, now(), 0)::agg.changed_span
    from unnest(p_changes) as c
    where c.changed_spans is not null
  );
begin
  -- A dispatcher that reads notes before this transaction ends does not see the tasks that it makes.
  if exists (select from unnest(p_changes) as c where c.action = 'insert') then
    perform pg_advisory_xact_lock(agg.new_tasks_key());
  end if;

  -- Many tasks begin alike.
  with first as materialized (
    select
      d.*, b.cursor_utc,
      agg.due_at(b.cursor_utc, l.length, d.aggregation_delay_seconds, d.window_time_zone, d.window_origin) as due_at
    from (
      select distinct c.agg_start_utc, c.run_interval_minutes, c.aggregation_delay_seconds, c.window_time_zone, c.window_origin
      from unnest(p_changes) as c
      where c.action <> 'disable'
    ) as d
    cross join lateral (select make_interval(mins => d.run_interval_minutes)) as l (length)
    cross join lateral (
      select agg.bootstrap_cursor(d.agg_start_utc, l.length, d.window_time_zone, d.window_origin)
      offset 0
    ) as b (cursor_utc)
  )
  insert into public.data_agg_state as s (
    canonical_symbol, timeframe, source_timeframe, run_interval_minutes, aggregation_delay_seconds, is_mandatory,
    agg_start_utc, last_agg_bar_ts_utc, next_run_at,
    good_percent, poor_percent, session_time_zone, session_minutes, basket, calendar, window_time_zone, window_origin
  )
  select
    c.canonical_symbol, c.timeframe, c.source_timeframe, c.run_interval_minutes, c.aggregation_delay_seconds, c.is_mandatory,
    c.agg_start_utc, f.cursor_utc, agg.first_run_at(f.cursor_utc, f.due_at, c.session_minutes, c.calendar),
    c.good_percent, c.poor_percent, c.session_time_zone, c.session_minutes, c.basket, c.calendar, c.window_time_zone, c.window_origin
  from unnest(p_changes) as c
  join first as f
    on f.agg_start_utc = c.agg_start_utc and f.run_interval_minutes = c.run_interval_minutes
    and f.aggregation_delay_seconds = c.aggregation_delay_seconds
    and f.window_time_zone is not distinct from c.window_time_zone and f.window_origin = c.window_origin
  where c.action <> 'disable'
  order by c.canonical_symbol, c.run_interval_minutes
  on conflict (canonical_symbol, timeframe) do update set
    source_timeframe = excluded.source_timeframe,
    run_interval_minutes = excluded.run_interval_minutes,
    is_mandatory = excluded.is_mandatory,
    agg_start_utc = excluded.agg_start_utc,
    -- A task that has decided nothing since its start begins at an earlier one like a new one. Other windows begin below.
    (last_agg_bar_ts_utc, built_to_utc) = (
      select
        case when b.is_earlier then excluded.last_agg_bar_ts_utc else s.last_agg_bar_ts_utc end,
        -- Bars may be there from before the start was moved ahead.
        case
          when b.is_earlier and s.last_attempted_at_utc is not null then greatest(s.built_to_utc, agg.window_end(
            s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
          ))
          else s.built_to_utc
        end
      from (
        select excluded.agg_start_utc < s.agg_start_utc
          and (excluded.window_time_zone, excluded.window_origin) is not distinct from (s.window_time_zone, s.window_origin)
          and s.last_agg_bar_ts_utc <= agg.bootstrap_cursor(
            s.agg_start_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
          )
      ) as b (is_earlier)
    ),
    good_percent = excluded.good_percent,
    poor_percent = excluded.poor_percent,
    session_time_zone = excluded.session_time_zone,
    session_minutes = excluded.session_minutes,
    basket = excluded.basket,
    calendar = excluded.calendar,
    enabled = true,
    status = case
      when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f)) then 'idle'
      else s.status
    end,
    running_started_at_utc = case when s.enabled then s.running_started_at_utc end,
    fail_streak = case when s.enabled then s.fail_streak else 0 end,
    hard_fail_streak = case when s.enabled then s.hard_fail_streak else 0 end,
    next_run_at = least(
      case
        when s.enabled and s.status <> 'disabled' then s.next_run_at
        else agg.due_at(
          s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds,
          s.window_time_zone, s.window_origin
        )
      end,
      case when excluded.agg_start_utc < s.agg_start_utc then excluded.next_run_at end
    ),
    -- It may have stood in no queue, or in another.
    due_together_at = null,
    updated_at = now();

  update public.data_agg_state as s
  set enabled = false, status = 'disabled', updated_at = now()
  from unnest(p_changes) as c
  where c.action = 'disable' and s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe;

  perform agg.move_windows(array(select c from unnest(p_changes) as c where c.has_new_windows));

  if v_new_rules <> '{}' then
    perform agg.reopen_windows(v_new_rules);
    perform agg.add_corrections(v_new_rules, p_is_backfill => true);
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.audit_slices (
  p_symbols text[],
  p_now     timestamp with time zone
)
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_spans agg.changed_span[];
  v_wrong integer;
begin
  update agg.audit as a
  set round_started_at = p_now, wrong_timeframes = '{}'
  where a.canonical_symbol = any (p_symbols) and a.next_utc is null;

  -- All timeframes of an asset, in whole windows of the longest: what is below a wrong bar is found wrong with it, and built first.
  with moved as (
    update agg.audit as a
    set
      audited_at = p_now,
      error = null,
      next_utc = case when s.from_utc > s.start_utc then s.from_utc end,
      verified_since = case when s.from_utc > s.start_utc then a.verified_since else a.round_started_at end
    from (
      select y.symbol, b.start_utc, w.from_utc, w.to_utc
      from unnest(p_symbols) as y (symbol)
      join agg.audit as u on u.canonical_symbol = y.symbol
      cross join lateral (
        select t.window_length, t.run_interval_minutes, t.window_time_zone, t.window_origin
        from agg.runnable_task as t
        where t.canonical_symbol = y.symbol
        order by t.run_interval_minutes desc
        limit 1
      ) as l
      cross join lateral (
        select
          agg.window_start(min(t.agg_start_utc), l.window_length, l.window_time_zone, l.window_origin) as start_utc,
          least(max(t.followed_to_utc), u.next_utc) as end_utc
        from agg.runnable_task as t
        where t.canonical_symbol = y.symbol
      ) as b
      cross join lateral (
        select max(x.last_utc) as last_utc
        from (
          select (
            select max(d.ts_utc)
            from public.data_bars as d
            where d.canonical_symbol = i.symbol and d.timeframe = '1m' and d.ts_utc < b.end_utc
          ) as last_utc
          from (
            select y.symbol
            union all
            select k.component from agg.task_component as k where k.canonical_symbol = y.symbol
          ) as i (symbol)
          union all
          select (
            select max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = y.symbol and d.timeframe = t.timeframe and d.ts_utc < b.end_utc
          )
          from agg.runnable_task as t
          where t.canonical_symbol = y.symbol
        ) as x
      ) as n
      -- Where no bar is left, an empty slice ends the round.
      cross join lateral (
        select agg.window_end(coalesce(n.last_utc, b.start_utc), l.window_length, l.window_time_zone, l.window_origin) as to_utc
      ) as e
      cross join lateral (
        select
          case
            when n.last_utc >= b.start_utc
              then agg.window_start(e.to_utc - interval '24 hours', l.window_length, l.window_time_zone, l.window_origin)
            else b.start_utc
          end as from_utc,
          case when n.last_utc >= b.start_utc then e.to_utc else b.start_utc end as to_utc
      ) as w
    ) as s
    where a.canonical_symbol = s.symbol
    returning a.canonical_symbol, s.from_utc, s.to_utc
  )
  select coalesce(array_agg((m.canonical_symbol, t.timeframe, tstzmultirange(tstzrange(m.from_utc, m.to_utc)), now(), 0)::agg.changed_span), '{}')
  into v_spans
  from moved as m
  join agg.runnable_task as t on t.canonical_symbol = m.canonical_symbol
  where m.from_utc < m.to_utc;

  -- One statement, so that all sees what the same transactions have done.
  with difference as materialized (
    select d.canonical_symbol, d.timeframe, d.ts_utc, d.ends_utc, d.problem
    from agg.verify_spans(v_spans) as d
    where not d.is_pending
  ),
  -- Adding rows needs no lock of the task.
  corrected as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
    select d.canonical_symbol, d.timeframe, range_agg(tstzrange(d.ts_utc, d.ends_utc)), now()
    from difference as d
    group by d.canonical_symbol, d.timeframe
  ),
  wrong as materialized (
    select
      d.canonical_symbol, d.timeframe, count(*) as windows, min(d.ts_utc) as first_utc, max(d.ends_utc) as end_utc,
      count(*) filter (where d.problem = 'missing') as missing,
      count(*) filter (where d.problem = 'different') as different,
      count(*) filter (where d.problem = 'stale') as stale
    from difference as d
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ),
  alerted as (
    insert into agg.alert as r (kind, canonical_symbol, timeframe, severity, message, raised_at)
    select
      'wrong', w.canonical_symbol, w.timeframe, 'warning',
      format(
        'at %s the audit found %s wrong windows in [%s, %s): %s missing, %s different, %s stale; the next run builds them again',
        p_now, w.windows, w.first_utc, w.end_utc, w.missing, w.different, w.stale
      ),
      p_now
    from wrong as w
    on conflict (kind, canonical_symbol, timeframe) where resolved_at is null
    -- The newest first; what was found before stays readable.
    do update set message = left(excluded.message || E'\n' || r.message, 1000)
  ),
  marked as (
    update agg.audit as a
    set wrong_timeframes = array(select distinct t.timeframe from unnest(a.wrong_timeframes || w.timeframes) as t (timeframe))
    from (select w.canonical_symbol, array_agg(w.timeframe) as timeframes from wrong as w group by w.canonical_symbol) as w
    where a.canonical_symbol = w.canonical_symbol
  )
  select coalesce(sum(w.windows), 0) into v_wrong from wrong as w;

  update agg.alert as r
  set resolved_at = p_now
  from agg.audit as a
  where r.kind = 'wrong' and r.resolved_at is null and a.canonical_symbol = r.canonical_symbol
    and a.canonical_symbol = any (p_symbols) and a.next_utc is null and r.timeframe <> all (a.wrong_timeframes)
    and not exists (
      select from agg.correction as k
      -- What is switched off is not built.
      join agg.runnable_task as t on t.canonical_symbol = k.canonical_symbol and t.timeframe = k.timeframe
      where k.canonical_symbol = r.canonical_symbol and k.timeframe = r.timeframe and not k.is_backfill
    );
  return v_wrong;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.build_bars (
  p_requests agg.build_request[]
)
  RETURNS SETOF agg.build_result
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_requests agg.build_request[] := p_requests;
  v_results agg.build_result[];
  v_passed_on agg.changed_span[];
begin
  loop
    begin
      v_results := array(
        select r from agg.build_windows(v_requests) as r
        union all
        select r from agg.build_synthetic(v_requests) as r
      );
      exit;
    exception when unique_violation then
      -- Rows are stored where pgbars has built nothing: compare with them.
      if not exists (select from unnest(v_requests) as q where not q.is_rebuild) then
        raise;
      end if;
      for v_no in 1..cardinality(v_requests) loop
        v_requests[v_no].is_rebuild := true;
      end loop;
    end;
  end loop;
  -- No other task has used yet what is built ahead of a cursor; writes to 1m bars leave notes of their own.
  v_passed_on := array(
    select (
      s.canonical_symbol, s.timeframe,
      range_agg(tstzrange(r.from_utc, case when r.removed > 0 then r.to_utc else r.decided_to_utc end)), now(), 0
    )::agg.changed_span
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    join public.data_agg_state as s
      on s.canonical_symbol = y.symbol and s.source_timeframe = r.timeframe and s.timeframe <> r.timeframe
    where r.is_rebuild and r.timeframe <> '1m' and r.written > 0
    group by s.canonical_symbol, s.timeframe
  );
  if cardinality(v_passed_on) > 0 then
    perform agg.add_corrections(v_passed_on);
  end if;
  return query select r.* from unnest(v_results) as r;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.build_windows (
  p_requests agg.build_request[]
)
  RETURNS SETOF agg.build_result
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_nestloop TO 'off'
  SET enable_hashjoin TO 'on'
  SET enable_mergejoin TO 'off'
  SET enable_sort TO 'off'
  SET enable_hashagg TO 'on'
  SET enable_memoize TO 'off'
  SET max_parallel_workers_per_gather TO '0'
  SET jit TO 'off'
  SET work_mem TO '32MB'
  AS $function$
declare
  -- Most windows are built for the first time, and no symbol is in two requests: nothing to compare with.
  v_is_new constant boolean := not exists (select from unnest(p_requests) as q where q.is_rebuild and q.source_timeframe is not null)
    or cardinality(p_requests) = 1 and not exists (
      select
      from unnest(p_requests) as q
      cross join lateral unnest(q.symbols) as y (symbol)
      cross join lateral (
        select
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = q.timeframe and d.ts_utc >= q.from_utc and d.ts_utc < q.to_utc
        limit 1
      ) as d
    );
begin
  -- Says to agg.keep_changed_bars who writes.
  perform set_config('pgbars.is_building_windows', 'on', true);
  return query
  with request as materialized (
    select q.* from unnest(p_requests) with ordinality as q where q.source_timeframe is not null
  ),
  compared as materialized (
    select w.*, w.covered_minutes > 0 as has_minutes from agg.compare_windows(p_requests) as w where not v_is_new
  ),
  -- Conflicts rather than joins: an update that joins may put the table first when it is thought to be empty.
  changed as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.vwap_vol, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, w.is_partial,
      case when w.quality_score is null or w.change = 'remove' then now() end
    from compared as w
    where w.change is not null
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      vwap_vol = excluded.vwap_vol,
      trade_count = excluded.trade_count,
      source_timeframe = excluded.source_timeframe,
      source_candles = excluded.source_candles,
      expected_candles = excluded.expected_candles,
      covered_minutes = excluded.covered_minutes,
      expected_minutes = excluded.expected_minutes,
      quality_score = excluded.quality_score,
      derivation_version = excluded.derivation_version,
      is_partial = excluded.is_partial,
      raw = case when d.raw ? 'migrated_from' then d.raw - 'migrated_from' else d.raw end,
      deleted_at = case when excluded.deleted_at is not null then coalesce(d.deleted_at, excluded.deleted_at) end,
      updated_at = greatest(now(), d.updated_at)
  ),
  -- New windows are those of the one request that has their symbol.
  tally as materialized (
    select
      0 as request_no, w.canonical_symbol, w.windows, w.bars, w.bars_poor,
      w.bars as inserted, 0 as updated, 0 as removed, w.windows as written, w.last_utc
    from agg.insert_windows(p_requests) as w
    where v_is_new
    union all
    select
      w.request_no, w.canonical_symbol,
      count(*) filter (where w.has_minutes)::integer,
      count(w.quality_score) filter (where w.has_minutes)::integer,
      count(*) filter (where w.quality_score = 0 and w.has_minutes)::integer,
      count(w.quality_score) filter (where not w.was_bar and w.has_minutes)::integer,
      count(w.quality_score) filter (where w.was_bar and w.change = 'update')::integer,
      count(w.change) filter (where w.was_bar and (not w.has_minutes or w.quality_score is null))::integer,
      count(w.change)::integer,
      max(w.ts_utc) filter (where w.has_minutes)
    from compared as w
    group by w.request_no, w.canonical_symbol
  ),
  -- In a tick the same comes of nearly all symbols: what follows is asked for those that fill no range.
  outcome as materialized (
    select
      g.request_no, g.symbols, g.windows, g.bars, g.bars_poor, g.inserted, g.updated, g.removed, g.written,
      -- Windows in UTC need no call.
      case
        when q.window_time_zone is null then g.last_utc + q.window_length
        else agg.window_end(g.last_utc, q.window_length, q.window_time_zone, q.window_origin)
      end as filled_to_utc
    from (
      select
        q.ordinality as request_no, array_agg(y.symbol) as symbols, coalesce(n.windows, 0) as windows, coalesce(n.bars, 0) as bars,
        coalesce(n.bars_poor, 0) as bars_poor, coalesce(n.inserted, 0) as inserted, coalesce(n.updated, 0) as updated,
        coalesce(n.removed, 0) as removed, coalesce(n.written, 0) as written, n.last_utc
      from request as q
      cross join lateral unnest(q.symbols) as y (symbol)
      left join tally as n on n.canonical_symbol = y.symbol and n.request_no = case when v_is_new then 0 else q.ordinality end
      group by q.ordinality, n.windows, n.bars, n.bars_poor, n.inserted, n.updated, n.removed, n.written, n.last_utc
    ) as g
    join request as q on q.ordinality = g.request_no
  ),
  -- What follows the bars of a range that they do not fill: the next source bar; and where source bars end, if none follows.
  -- Those outside the session fill no window, and decide it.
  probed as materialized (
    select
      t.request_no, t.symbol, t.timeframe, t.to_utc, t.frontier_utc, t.window_length, t.window_time_zone, t.window_origin,
      t.windows, t.bars, t.bars_poor, t.inserted, t.updated, t.removed, t.written,
      n.next_utc,
      case when n.next_utc is null and t.clock_utc is not null then greatest(t.filled_to_utc, (
        select agg.window_end(c.ts_utc, t.window_length, t.window_time_zone, t.window_origin)
        from agg.source_bar as c
        where c.canonical_symbol = t.symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.filled_to_utc and c.ts_utc < least(t.to_utc, t.clock_utc) and c.covered_minutes > 0
        order by c.ts_utc desc
        limit 1
      )) end as reached_utc
    from (
      select
        o.request_no, y.symbol, q.timeframe, q.source_timeframe, q.window_length, q.window_time_zone, q.window_origin,
        q.to_utc, q.frontier_utc, q.clock_utc, coalesce(o.filled_to_utc, q.from_utc) as filled_to_utc,
        o.windows, o.bars, o.bars_poor, o.inserted, o.updated, o.removed, o.written
      from outcome as o
      join request as q on q.ordinality = o.request_no
      cross join lateral unnest(o.symbols) as y (symbol)
      where coalesce(o.filled_to_utc, q.from_utc) < q.to_utc
    ) as t
    cross join lateral (
      select (
        select c.ts_utc
        from agg.source_bar as c
        where c.canonical_symbol = t.symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.to_utc and c.ts_utc < coalesce(t.clock_utc, 'infinity') and c.covered_minutes > 0
        order by c.ts_utc
        limit 1
      )
      offset 0
    ) as n (next_utc)
  ),
  opening as materialized (
    select
      p.request_no, p.reached_utc,
      agg.window_start(
        agg.next_open(q.session_time_zone, q.session_minutes, q.calendar, p.reached_utc, q.frontier_utc),
        q.window_length, q.window_time_zone, q.window_origin
      ) as opens_utc
    from (select distinct t.request_no, t.reached_utc from probed as t where t.reached_utc is not null) as p
    join request as q on q.ordinality = p.request_no
  ),
  -- Windows are decided to the end of the range; or over the gap behind it, however long, to the next source bar or to a stored
  -- bar that has to go; or, where the task waits for data, to where its source bars end, and on while the market is closed.
  decided as (
    select
      o.request_no, o.symbols, o.windows, o.bars, o.bars_poor, o.inserted, o.updated, o.removed, o.written, q.to_utc as decided_to_utc
    from outcome as o
    join request as q on q.ordinality = o.request_no
    where coalesce(o.filled_to_utc, q.from_utc) >= q.to_utc
    union all
    select
      d.request_no, array_agg(d.symbol), d.windows, d.bars, d.bars_poor, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc
    from (
      select
        t.*,
        case
          when t.reached_utc is not null then least(t.frontier_utc, greatest(t.reached_utc, o.opens_utc))
          else least(
            t.frontier_utc,
            agg.window_start(t.next_utc, t.window_length, t.window_time_zone, t.window_origin),
            -- A row of another alignment lies within a window.
            (
              select agg.window_start(d.ts_utc, t.window_length, t.window_time_zone, t.window_origin)
              from public.derived_data_bars as d
              where d.canonical_symbol = t.symbol and d.timeframe = t.timeframe and d.ts_utc >= t.to_utc
              order by d.ts_utc
              limit 1
            )
          )
        end as decided_to_utc
      from probed as t
      left join opening as o on o.request_no = t.request_no and o.reached_utc = t.reached_utc
    ) as d
    group by d.request_no, d.windows, d.bars, d.bars_poor, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc
  )
  select
    d.symbols, q.timeframe, q.window_length, q.window_time_zone, q.window_origin, q.from_utc, q.to_utc,
    d.windows, d.bars, case when q.poor_percent > 0 then d.bars_poor else 0 end, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc,
    agg.stopped_reason(q.from_utc, q.frontier_utc, d.decided_to_utc >= q.to_utc, d.decided_to_utc),
    q.is_rebuild, null::tstzmultirange, null::text, null::text
  from decided as d
  join request as q on q.ordinality = d.request_no;
  perform set_config('pgbars.is_building_windows', 'off', true);
end;
$function$;

CREATE OR REPLACE FUNCTION agg.changes_from_notes (
  p_note_ids bigint[]
)
  RETURNS SETOF agg.changed_span
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET jit TO 'off'
  AS $function$
begin
  return query
  with noted as materialized (
    select
      u.symbol, n.changed_at, n.is_built, tstzrange(u.from_utc, coalesce(u.to_utc, u.from_utc + interval '1 minute')) as span
    from agg.change_note as n
    cross join lateral unnest(coalesce(n.symbols, array[null]), n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
    where n.note_id = any (p_note_ids)
  ),
  merged as materialized (
    select
      m.symbol, range_agg(m.span) as spans, range_agg(m.span) filter (where not m.is_built) as foreign_spans, min(m.changed_at) as changed_at
    from (
      select n.symbol, n.span, n.changed_at, n.is_built from noted as n where n.symbol is not null
      union all
      select a.canonical_symbol, n.span, n.changed_at, n.is_built
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
  select m.symbol, t.timeframe, m.spans, m.changed_at, 0
  from merged as m
  cross join agg.timeframe as t
  where t.source_timeframe = '1m'
  union all
  select d.symbol, '1m', range_agg(d.spans), min(d.changed_at), 0
  from (
    select k.canonical_symbol as symbol, m.spans, m.changed_at
    from merged as m
    join agg.task_component as k on k.component = m.symbol
    union all
    -- Someone other than the builder wrote to the series.
    select s.canonical_symbol, m.foreign_spans, m.changed_at
    from merged as m
    join public.data_agg_state as s on s.canonical_symbol = m.symbol and s.basket is not null
    where m.foreign_spans is not null
  ) as d
  group by d.symbol;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.check_timeframe()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_source_length interval;
  v_is_source_mandatory boolean;
  -- In the largest unit that divides it.
  v_minutes constant bigint := extract(epoch from new.duration)::bigint / 60;
  v_name constant text := case
    when mod(v_minutes, 10080) = 0 then v_minutes / 10080 || 'w'
    when mod(v_minutes, 1440) = 0 then v_minutes / 1440 || 'd'
    when mod(v_minutes, 60) = 0 then v_minutes / 60 || 'h'
    else v_minutes || 'm'
  end;
  v_problem text;
  v_user text;
begin
  if tg_op = 'TRUNCATE' then
    raise exception 'agg.timeframe cannot be truncated: tasks and bars refer to it' using errcode = 'object_in_use';
  end if;

  if tg_op <> 'INSERT' and (
    tg_op = 'DELETE'
    or (new.timeframe, new.duration, new.source_timeframe) is distinct from (old.timeframe, old.duration, old.source_timeframe)
  ) then
    v_user := case
      when exists (
        select from public.data_agg_state as s where old.timeframe in (s.timeframe, s.source_timeframe)
      ) then 'tasks'
      when exists (select from public.derived_data_bars as d where d.timeframe = old.timeframe)
        or (old.timeframe = '1m' and exists (select from public.data_bars as d)) then 'bars'
      when exists (select from agg.timeframe as t where t.source_timeframe = old.timeframe) then 'other timeframes'
    end;
    if v_user is not null then
      raise exception 'timeframe % cannot be %: % refer to it',
        old.timeframe, case tg_op when 'DELETE' then 'deleted' else 'changed' end, v_user
        using errcode = 'object_in_use', hint = 'Only is_mandatory can change while a timeframe is in use.';
    end if;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;

  select t.duration, t.is_mandatory into v_source_length, v_is_source_mandatory
  from agg.timeframe as t
  where t.timeframe = new.source_timeframe;
  v_problem := case
    when extract(year from new.duration) <> 0 or extract(month from new.duration) <> 0 then 'a month has no fixed length'
    when new.duration <= interval '0' or mod(extract(epoch from new.duration), 60) <> 0
      then 'its length must be one or more whole minutes'
    when new.duration <= interval '1 hour' and mod(60 * 60, extract(epoch from new.duration)) <> 0 then 'its length must divide an hour'
    when new.duration < interval '2 hours' and new.duration > interval '1 hour'
      then 'windows on a local clock must be longer than a change of the clock'
    when new.duration <= interval '24 hours' and mod(24 * 60 * 60, extract(epoch from new.duration)) <> 0
      then 'its length must divide a day'
    when new.duration > interval '24 hours' and mod(extract(epoch from new.duration), 7 * 24 * 60 * 60) <> 0
      then 'beyond a day its length must be whole weeks'
    when new.timeframe = '1m' and new.is_mandatory then 'minutes are ingested, and no task builds them for every asset'
    when not new.is_mandatory and new.timeframe <> '1m' and exists (select from agg.timeframe as t where t.source_timeframe = new.timeframe)
      then 'others are built from it, so that every asset must have it'
    when (new.source_timeframe is null) <> (new.timeframe = '1m')
      then '1m is built from no other timeframe, and every other timeframe from one'
    when new.source_timeframe is not null and v_source_length is null
      then format('its source %s is not a timeframe', new.source_timeframe)
    when v_source_length > interval '1 hour' then format('its source %s is longer than an hour', new.source_timeframe)
    when new.source_timeframe <> '1m' and not v_is_source_mandatory
      then format('its source %s is not there for every asset', new.source_timeframe)
    when v_source_length >= new.duration or mod(extract(epoch from new.duration), extract(epoch from v_source_length)) <> 0
      then format('its length must be a multiple of its source %s', new.source_timeframe)
    when v_name !~ '^[1-9][0-9]{0,3}[mhdw]$' then 'its length must be at most 9999 weeks'
    when new.timeframe <> v_name then format('its name must be %s, which says its length', v_name)
  end;
  if v_problem is not null then
    raise exception 'timeframe % of % cannot work: %', new.timeframe, new.duration, v_problem
      using errcode = 'invalid_parameter_value';
  end if;
  -- Hours, never days: the length of a day of timestamptz depends on the time zone of the session.
  new.duration := make_interval(secs => extract(epoch from new.duration)::double precision);
  return new;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.claim_corrections (
  p_env         text,
  p_timeframe   text,
  p_limit       integer,
  p_now         timestamp with time zone,
  p_lanes       integer                  DEFAULT 1,
  p_is_backfill boolean                  DEFAULT false
)
  RETURNS text[]
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  AS $function$
declare
  v_is_foreign constant boolean := agg.has_foreign_tasks(p_env);
begin
  return array(
    select s.canonical_symbol
    from (
      select k.canonical_symbol, min(k.correction_id) as first_id, range_agg(k.spans) as spans
      from agg.correction as k
      where k.timeframe = p_timeframe and k.is_backfill = p_is_backfill and k.retry_at <= p_now
      group by k.canonical_symbol
    ) as k
    join agg.runnable_task as s on s.canonical_symbol = k.canonical_symbol and s.timeframe = p_timeframe
    -- What its source waits to be built from first: a longer bar of bars that are not there yet would be removed.
    where not exists (
      select from agg.correction as u
      where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
        and u.is_backfill = p_is_backfill and u.retry_at <= p_now and u.spans && k.spans
    )
    and (
      not v_is_foreign
      or exists (select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol and a.is_test = agg.is_test(p_env))
    )
    -- What a task has left waiting goes to the end of the queue.
    order by k.first_id
    limit least(p_limit, (
      select (count(distinct w.canonical_symbol) + p_lanes - 1) / p_lanes
      from agg.correction as w
      where w.timeframe = p_timeframe and w.is_backfill = p_is_backfill and w.retry_at <= p_now
    ))
    for update of s skip locked
  );
end;
$function$;

CREATE OR REPLACE FUNCTION agg.claim_due_tasks (
  p_env   text,
  p_limit integer,
  p_now   timestamp with time zone,
  p_lanes integer                  DEFAULT 1,
  OUT     timeframe text,
  OUT     symbols text[]
)
  RETURNS record
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_is_foreign constant boolean := agg.has_foreign_tasks(p_env);
  v_queue record;
  v_is_mandatory boolean;
  v_minutes integer;
  v_claimed text[];
  v_timeframe text;
  v_due bigint := 0;
  v_due_here bigint := 0;
  v_is_passed_over boolean := false;
  v_until_at timestamptz;
  v_raised_to timestamptz;
begin
  symbols := '{}';
  for v_queue in
    select q.*
    from agg.due_queues(p_now) as q
    order by
      q.is_mandatory desc,
      least(min(q.due_at) over (partition by q.is_mandatory, q.run_interval_minutes), p_now - interval '5 minutes'),
      q.run_interval_minutes, q.task_priority, q.due_at
  loop
    if (v_is_mandatory, v_minutes) is distinct from (v_queue.is_mandatory, v_queue.run_interval_minutes) then
      exit when timeframe is not null;
      v_is_passed_over := v_minutes is not null;
      v_is_mandatory := v_queue.is_mandatory;
      v_minutes := v_queue.run_interval_minutes;
      v_due := 0;
    end if;
    v_until_at := v_queue.until_at;
    loop
      if p_lanes > 1 then
        v_due_here := (
          select count(*)
          from (
            select
            from agg.runnable_task as s
            where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
              and s.task_priority = v_queue.task_priority
              and s.queued_at between v_queue.from_at and v_queue.to_at and s.next_run_at <= v_until_at
            limit p_limit::bigint * p_lanes
          ) as d
        );
      end if;

      select array_agg(c.canonical_symbol), min(c.timeframe) into v_claimed, v_timeframe
      from (
        select s.canonical_symbol, s.timeframe
        from agg.runnable_task as s
        where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
          and s.task_priority = v_queue.task_priority
          and s.queued_at between v_queue.from_at and v_queue.to_at and s.next_run_at <= v_until_at
          and (
            not v_is_passed_over
            or not exists (
              select
              from agg.runnable_task as u
              where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
                and u.next_run_at <= p_now
            )
          )
          and (
            not v_is_foreign
            or exists (select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol and a.is_test = agg.is_test(p_env))
          )
        order by s.queued_at
        limit case when p_lanes > 1 then least(p_limit, (v_due + v_due_here + p_lanes - 1) / p_lanes) else p_limit end - cardinality(symbols)
        for update of s skip locked
      ) as c;
      exit when v_claimed is not null or not v_queue.is_together;
      v_raised_to := agg.raise_due_at(v_queue.is_mandatory, v_queue.run_interval_minutes, v_queue.task_priority);
      exit when v_raised_to > p_now or (v_raised_to is null and v_until_at >= p_now);
      -- Where another session holds those that have been due for longest, the others.
      v_until_at := coalesce(v_raised_to, p_now);
    end loop;
    v_due := v_due + v_due_here;
    timeframe := coalesce(timeframe, v_timeframe);
    symbols := symbols || v_claimed;
    exit when cardinality(symbols) >= p_limit;
  end loop;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.compare_windows (
  p_requests agg.build_request[]
)
  RETURNS SETOF agg.window_bar
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_nestloop TO 'off'
  SET enable_hashjoin TO 'on'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  SET work_mem TO '32MB'
  AS $function$
begin
  return query
  select
    coalesce(j.request_no, d.request_no), coalesce(j.canonical_symbol, d.canonical_symbol), coalesce(j.timeframe, d.timeframe),
    coalesce(j.ts_utc, d.ts_utc),
    coalesce(j.open, d.open), coalesce(j.high, d.high), coalesce(j.low, d.low), coalesce(j.close, d.close),
    case when j.ts_utc is not null then j.vol else d.vol end,
    case when j.ts_utc is not null then j.vwap else d.vwap end,
    case when j.ts_utc is not null then j.vwap_vol else d.vwap_vol end,
    case when j.ts_utc is not null then j.trade_count else d.trade_count end,
    coalesce(j.source_timeframe, d.source_timeframe), coalesce(j.source_candles, d.source_candles),
    coalesce(j.expected_candles, d.expected_candles), coalesce(j.covered_minutes, 0), coalesce(j.expected_minutes, d.expected_minutes),
    case when j.ts_utc is not null then j.quality_score else d.quality_score end,
    coalesce(j.derivation_version, d.derivation_version, 1), coalesce(j.is_partial, d.is_partial),
    case
      when d.ts_utc is null then 'insert'
      when j.ts_utc is null then d.change
      -- A bar of an older deployment stays until its window qualifies, and is one of pgbars from then on.
      when d.was_bar and d.change is null then case when j.quality_score is not null then 'update' end
      when (
        d.open, d.high, d.low, d.close, d.vol, d.vwap, d.vwap_vol, d.trade_count,
        d.source_timeframe, d.source_candles, d.expected_candles, d.covered_minutes, d.expected_minutes,
        d.quality_score, d.derivation_version, d.is_partial, d.was_bar
      ) is distinct from (
        j.open, j.high, j.low, j.close, j.vol, j.vwap, j.vwap_vol, j.trade_count,
        j.source_timeframe, j.source_candles, j.expected_candles, j.covered_minutes, j.expected_minutes,
        j.quality_score, coalesce(j.derivation_version, d.derivation_version, 1), j.is_partial, j.quality_score is not null
      ) then 'update'
    end,
    coalesce(d.was_bar, false)
  from agg.make_windows(p_requests) as j
  full join agg.stored_windows(p_requests) as d
    on d.request_no = j.request_no and d.canonical_symbol = j.canonical_symbol and d.ts_utc = j.ts_utc
  where j.ts_utc is not null or d.change is not null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.correct_tasks (
  p_symbols     text[],
  p_timeframe   text,
  p_now         timestamp with time zone,
  p_max_windows integer,
  p_is_backfill boolean                  DEFAULT false
)
  RETURNS agg.batch_result
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  AS $function$
declare
  v_taken agg.correction[];
  v_changes agg.changed_span[];
  v_requests agg.build_request[];
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  with taken as (
    delete from agg.correction as k
    using unnest(p_symbols) as c (symbol)
    where k.canonical_symbol = c.symbol and k.timeframe = p_timeframe and k.is_backfill = p_is_backfill and k.retry_at <= p_now
    returning k as correction
  )
  select array_agg(t.correction)
  into v_taken
  from taken as t;
  v_changes := array(
    select (t.canonical_symbol, t.timeframe, range_agg(t.spans), min(t.changed_at), max(t.failures))::agg.changed_span
    from unnest(v_taken) as t
    group by t.canonical_symbol, t.timeframe
  );
  -- Built is what lies behind the cursor; what lies ahead of it may be what the task sleeps for.
  perform agg.wake_tasks(v_changes);
  v_requests := array(select q from agg.rebuild_requests(v_changes, p_max_windows) as q);
  v_results := array(select r from agg.build_or_split(v_requests) as r);

  -- What is older than the requests is left for later.
  if exists (select from unnest(v_requests) as q where q.is_limited) then
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, is_backfill)
    select k.canonical_symbol, k.timeframe, w.spans, k.changed_at, k.failures, p_is_backfill
    from (
      select
        c.canonical_symbol, c.timeframe,
        range_agg(c.spans) as spans, min(c.changed_at) as changed_at, max(c.failures) as failures, min(c.from_utc) as from_utc
      from (
        select c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures, null::timestamptz as from_utc
        from unnest(v_changes) as c
        union all
        select y.symbol, q.timeframe, null, null, null, q.from_utc
        from unnest(v_requests) as q
        cross join lateral unnest(q.symbols) as y (symbol)
      ) as c
      group by c.canonical_symbol, c.timeframe
    ) as k
    cross join lateral (select k.spans * tstzmultirange(tstzrange(null, k.from_utc))) as w (spans)
    where k.from_utc is not null and not isempty(w.spans);
  end if;

  select
    cardinality(p_symbols), coalesce(sum(r.windows * cardinality(r.symbols)), 0), 0, 0,
    coalesce(sum((r.inserted + r.updated + r.removed) * cardinality(r.symbols)), 0),
    (select count(distinct y.symbol) from unnest(v_results) as e cross join lateral unnest(e.symbols) as y (symbol) where e.error is not null), 0
  into
    v_sums.tasks, v_sums.windows, v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.notes
  from unnest(v_results) as r;
  if p_is_backfill then
    select coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length)) * cardinality(q.symbols)), 0)
    into v_sums.windows_backfilled
    from unnest(v_requests) as q;
  end if;
  if v_sums.failed > 0 then
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, retry_at, error, is_backfill)
    select
      y.symbol, r.timeframe, r.failed, b.changed_at, b.failures + 1,
      p_now + agg.retry_delay(b.failures, coalesce(r.fail_kind, 'hard')), r.error, p_is_backfill
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    cross join lateral (
      select min(t.changed_at), least(max(t.failures), 1000000)
      from unnest(v_taken) as t
      where t.canonical_symbol = y.symbol and t.timeframe = r.timeframe and t.spans && r.failed
    ) as b (changed_at, failures)
    where r.error is not null;
  end if;
  return v_sums;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.due_queues (
  p_now timestamp with time zone
)
  RETURNS TABLE (
    is_mandatory         boolean,
    run_interval_minutes integer,
    task_priority        integer,
    is_together          boolean,
    due_at               timestamp with time zone,
    from_at              timestamp with time zone,
    to_at                timestamp with time zone,
    until_at             timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
begin
  return query
  select q.is_mandatory, q.run_interval_minutes, q.task_priority, p.*
  from agg.task_queue as q
  left join agg.queue as k
    on k.is_mandatory = q.is_mandatory and k.run_interval_minutes = q.run_interval_minutes and k.task_priority = q.task_priority
  cross join lateral (
    select true, coalesce(k.due_at, '-infinity'), '-infinity'::timestamptz, '-infinity'::timestamptz, coalesce(k.due_at, p_now)
    where coalesce(k.due_at, '-infinity') <= p_now and exists (
      select
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
        and s.queued_at = '-infinity'
    )
    union all
    select false, f.queued_at, f.queued_at, p_now, p_now
    from (
      select s.queued_at
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
        and s.queued_at > '-infinity'
      order by s.queued_at
      limit 1
    ) as f
    where f.queued_at <= p_now
  ) as p;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.filled_bars (
  p_symbol    text,
  p_timeframe text,
  p_from      timestamp with time zone,
  p_to        timestamp with time zone,
  p_limit     integer,
  p_is_newest boolean,
  p_fill      boolean,
  p_forming   boolean,
  p_as_of     timestamp with time zone
)
  RETURNS TABLE (
    ts_utc           timestamp with time zone,
    open             double precision,
    high             double precision,
    low              double precision,
    close            double precision,
    vol              double precision,
    vwap             double precision,
    trade_count      bigint,
    quality_score    smallint,
    covered_minutes  integer,
    expected_minutes integer,
    is_partial       boolean,
    is_filled        boolean,
    is_forming       boolean,
    updated_at       timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET jit TO 'off'
  AS $function$
declare
  v_series record;
  v_length interval;
  -- Null: nothing is said to be decided.
  v_cursor_utc timestamptz;
begin
  select r.* into v_series
  from agg.readable_series as r
  where r.canonical_symbol = p_symbol and (r.timeframe = p_timeframe or p_timeframe = '1m')
  order by r.timeframe = p_timeframe desc, r.timeframe
  limit 1;
  -- The session is that of the asset. Minutes that are ingested have no task.
  if v_series.timeframe = p_timeframe then
    v_length := make_interval(mins => v_series.run_interval_minutes);
    v_cursor_utc := v_series.cursor_utc;
  else
    v_length := case when v_series.timeframe is not null then interval '1 minute' end;
    v_series.window_time_zone := null;
    v_series.window_origin := timestamp '2000-01-03 00:00:00';
  end if;

  return query
  with stored as materialized (
    select b.*
    from public.get_bars(array[p_symbol], p_timeframe, case when not p_is_newest then p_from end, p_to, p_limit, p_as_of => p_as_of) as b
  ),
  forming as materialized (
    select w.starts_utc, f.*
    from agg.open_windows(
      v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
      greatest(v_cursor_utc + interval '1 microsecond', p_from),
      least(p_to, (
        select m.ts_utc + interval '1 microsecond'
        from public.data_bars as m
        where m.canonical_symbol = p_symbol and m.timeframe = '1m'
        order by m.ts_utc desc
        limit 1
      ))
    ) as w
    cross join lateral (
      select
        (array_agg(m.open order by m.ts_utc))[1] as open, max(m.high) as high, min(m.low) as low,
        (array_agg(m.close order by m.ts_utc))[count(*)] as close, sum(m.vol order by m.ts_utc) as vol,
        sum(m.vwap * m.vol order by m.ts_utc) filter (where m.vol > 0 and m.vwap is not null)
          / sum(m.vol order by m.ts_utc) filter (where m.vol > 0 and m.vwap is not null) as vwap,
        sum(m.trade_count)::bigint as trade_count, count(*)::integer as covered_minutes, max(m.updated_at) as updated_at
      from public.data_bars as m
      where m.canonical_symbol = p_symbol and m.timeframe = '1m' and m.ts_utc >= w.starts_utc and m.ts_utc < w.ends_utc
        and (w.open is null or w.open @> m.ts_utc)
    ) as f
    where p_forming and p_timeframe <> '1m' and v_cursor_utc is not null and f.covered_minutes > 0
      -- Built ahead of the cursor.
      and not exists (select from stored as s where s.ts_utc = w.starts_utc)
    order by case when p_is_newest then w.starts_utc end desc, w.starts_utc
    limit p_limit
  ),
  bar as materialized (
    select
      s.ts_utc, s.open, s.high, s.low, s.close, s.vol, s.vwap, s.trade_count, s.quality_score, s.covered_minutes, s.expected_minutes,
      s.is_partial, false as is_forming, s.updated_at
    from stored as s
    union all
    select
      f.starts_utc, f.open, f.high, f.low, f.close, f.vol, f.vwap, f.trade_count, null, f.covered_minutes, null, true, true, f.updated_at
    from forming as f
  ),
  -- Whose close the first windows have.
  previous as materialized (
    select p.ts_utc, p.close
    from (
      select b.ts_utc, b.close
      from public.get_bars(array[p_symbol], p_timeframe, null, p_from, 1, p_as_of => p_as_of) as b
      union all
      select w.starts_utc, c.close
      from agg.open_windows(
        v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
        v_cursor_utc + interval '1 microsecond', p_from
      ) as w
      cross join lateral (
        select m.close
        from public.data_bars as m
        where m.canonical_symbol = p_symbol and m.timeframe = '1m' and m.ts_utc >= w.starts_utc and m.ts_utc < w.ends_utc
          and (w.open is null or w.open @> m.ts_utc)
        order by m.ts_utc desc
        limit 1
      ) as c
      where p_forming and p_timeframe <> '1m' and v_cursor_utc < p_from
    ) as p
    where p_fill and not p_is_newest
    order by p.ts_utc desc
    limit 1
  ),
  span as materialized (
    select
      case when exists (select from previous) then p_from else (select min(b.ts_utc) from bar as b) end as from_utc,
      least(p_to, interval '1 microsecond' + greatest(
        case when p_as_of is null then v_cursor_utc end,
        (select max(f.starts_utc) from forming as f),
        (select b.ts_utc from public.get_bars(array[p_symbol], p_timeframe, null, null, 1, p_as_of => p_as_of) as b)
      )) as to_utc
    where p_fill
  ),
  filled as (
    select w.starts_utc
    from span as s
    cross join lateral agg.open_windows(
      v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
      s.from_utc, s.to_utc, p_limit, p_is_newest
    ) as w
    where s.from_utc is not null and not exists (select from bar as b where b.ts_utc = w.starts_utc)
  ),
  -- A run is a bar with the windows behind it that have none.
  merged as (
    select m.*, count(m.close) over (order by m.ts_utc) as run
    from (
      select b.*, false as is_filled from bar as b
      union all
      select f.starts_utc, null, null, null, null, 0, null, 0, null, 0, null, false, false, null, true from filled as f
      union all
      select p.ts_utc, null, null, null, p.close, null, null, null, null, null, null, null, null, null, null from previous as p
    ) as m
  )
  select
    m.ts_utc, coalesce(m.open, m.last_close), coalesce(m.high, m.last_close), coalesce(m.low, m.last_close), m.last_close,
    m.vol, m.vwap, m.trade_count, m.quality_score, m.covered_minutes, m.expected_minutes, m.is_partial, m.is_filled, m.is_forming, m.updated_at
  from (
    select c.*, first_value(c.close) over (partition by c.run order by c.ts_utc) as last_close from merged as c
  ) as m
  where m.is_filled is not null and m.run > 0
  order by case when p_is_newest then m.ts_utc end desc, m.ts_utc
  limit p_limit;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.find_differences (
  p_requests agg.build_request[]
)
  RETURNS SETOF agg.difference
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
declare
  v_half constant integer := cardinality(p_requests) / 2;
  v_request constant agg.build_request := p_requests[1];
  v_first agg.build_request := p_requests[1];
  v_second agg.build_request := p_requests[1];
  v_symbols constant integer := cardinality(v_request.symbols) / 2;
  v_differences agg.difference[];
  v_error text;
begin
  begin
    v_differences := array(
      select row(
        w.canonical_symbol, w.timeframe, w.ts_utc, case when w.was_bar and w.quality_score is null then 'remove' else w.change end, to_jsonb(d),
        to_jsonb(w) - array['request_no', 'canonical_symbol', 'timeframe', 'ts_utc', 'change', 'was_bar']
      )::agg.difference
      from agg.compare_windows(p_requests) as w
      left join public.derived_data_bars as d
        on d.canonical_symbol = w.canonical_symbol and d.timeframe = w.timeframe and d.ts_utc = w.ts_utc
        -- A row that is no bar says nothing where there should be one.
        and (w.was_bar or w.quality_score is null)
      where w.change is not null
      union all
      select row(
        m.canonical_symbol, m.timeframe, m.ts_utc, m.change, to_jsonb(d),
        jsonb_build_object(
          'open', m.open, 'high', m.high, 'low', m.low, 'close', m.close, 'vol', 0, 'vwap', null, 'trade_count', 0,
          'is_partial', false, 'source', 'synthetic', 'raw', m.raw
        )
      )::agg.difference
      from agg.compare_synthetic(p_requests) as m
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
    select d.* from agg.find_differences(p_requests[:v_half]) as d
    union all
    select d.* from agg.find_differences(p_requests[v_half + 1:]) as d;
  elsif v_symbols > 0 then
    v_first.symbols := v_first.symbols[:v_symbols];
    v_second.symbols := v_second.symbols[v_symbols + 1:];
    return query
    select d.* from agg.find_differences(array[v_first]) as d
    union all
    select d.* from agg.find_differences(array[v_second]) as d;
  else
    return query
    select
      v_request.symbols[1], v_request.timeframe, v_request.from_utc, 'failed', null::jsonb,
      jsonb_build_object('error', v_error, 'to_utc', v_request.to_utc);
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.finish_tasks (
  p_results agg.build_result[],
  p_now     timestamp with time zone
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_nestloop TO 'on'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  -- The results are of one timeframe.
  v_minutes constant integer := extract(epoch from p_results[1].window_length) / 60;
  v_finished record;
  v_together_from timestamptz;
begin
  -- Planning costs a millisecond, and reading a page about as much as a probe: for a task a page the table is read at once.
  if (select sum(cardinality(r.symbols)) from unnest(p_results) as r)
    > greatest(500, pg_relation_size('public.data_agg_state') / current_setting('block_size')::bigint)
  then
    perform
      set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true),
      set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true);
  end if;
  -- So that no due_at is raised past a task that joins. Null, and no task joins, where another session holds one of the rows.
  select case when count(*) = (select count(*) from agg.queue as q where q.run_interval_minutes = v_minutes) then max(h.due_at) end
  into v_together_from
  from (
    select q.due_at from agg.queue as q where q.run_interval_minutes = v_minutes for share skip locked
  ) as h;
  with result as materialized (
    -- Once a result, however many symbols it has. Windows in UTC need no call.
    select
      r.symbols, r.timeframe, r.from_utc, r.decided_to_utc, r.bars, r.bars_poor, r.stopped_reason, r.fail_kind, r.error,
      case
        when r.window_time_zone is null then r.decided_to_utc - r.window_length
        else agg.window_start(r.decided_to_utc - interval '1 microsecond', r.window_length, r.window_time_zone, r.window_origin)
      end as cursor_utc,
      case
        when r.window_time_zone is null then r.decided_to_utc + r.window_length
        else agg.window_end(r.decided_to_utc, r.window_length, r.window_time_zone, r.window_origin)
      end as next_end_utc
    from unnest(p_results) as r
  ),
  finished as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = case when r.fail_kind is null then greatest(s.last_agg_bar_ts_utc, r.cursor_utc) else s.last_agg_bar_ts_utc end,
      built_to_utc = case when r.fail_kind is not null or s.built_to_utc > r.decided_to_utc then s.built_to_utc end,
      next_run_at = case
        when r.fail_kind is not null then date_trunc('minute', p_now + agg.retry_delay(s.hard_fail_streak, r.fail_kind))
        when r.stopped_reason = 'max_windows' then p_now
        when r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) > p_now
          then r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds)
        else date_trunc('minute', p_now + least(interval '5 minutes', greatest(
          interval '1 minute', (p_now - r.next_end_utc - make_interval(secs => s.aggregation_delay_seconds)) / 8
        )))
      end,
      due_together_at = case
        when r.fail_kind is null and r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) > p_now
          and r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) >= v_together_from
          then r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds)
      end,
      status = case
        when not s.enabled or s.status = 'disabled' then 'disabled'
        when r.fail_kind is null or s.hard_fail_streak + (r.fail_kind = 'hard')::integer < d.hard_failures then 'idle'
        when s.is_mandatory then 'hard_failed'
        else 'disabled'
      end,
      running_started_at_utc = null,
      fail_streak = case when r.fail_kind is null then 0 else least(s.fail_streak, 1000000) + 1 end,
      hard_fail_streak = case when r.fail_kind is null then 0 else least(s.hard_fail_streak, 1000000) + (r.fail_kind = 'hard')::integer end,
      failing_since_utc = case when r.fail_kind is not null then coalesce(least(s.failing_since_utc, p_now), p_now) end,
      total_runs = least(s.total_runs, 999999999999999) + 1,
      total_bars_created = least(s.total_bars_created + coalesce(r.bars, 0), 1000000000000000),
      total_bars_quality_poor = least(s.total_bars_quality_poor + coalesce(r.bars_poor, 0), 1000000000000000),
      last_attempted_at_utc = p_now,
      last_successful_at_utc = case when r.fail_kind is null then p_now else s.last_successful_at_utc end,
      last_stopped_reason = case when r.fail_kind is null then r.stopped_reason else s.last_stopped_reason end,
      last_error = r.error,
      updated_at = now()
    from agg.defaults as d
    cross join result as r
    cross join lateral unnest(r.symbols) as y (symbol)
    where s.canonical_symbol = y.symbol and s.timeframe = r.timeframe
    returning
      s.canonical_symbol, s.timeframe, s.is_mandatory, s.hard_fail_streak, s.last_error,
      -- A gap that is stepped over lies before from_utc.
      r.fail_kind is null and (r.stopped_reason = 'frontier' or r.decided_to_utc is distinct from r.from_utc) as has_advanced,
      r.fail_kind is null and r.stopped_reason is distinct from 'max_windows'
        and p_now >= r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) as is_waiting
  )
  select
    min(f.timeframe) as timeframe,
    array_agg(f.canonical_symbol) filter (where f.has_advanced) as advanced,
    array_agg(f.canonical_symbol) filter (where f.is_waiting) as waiting,
    string_agg(
      format('%s %s (%s, %s in a row): %s', f.canonical_symbol, f.timeframe,
        case when f.is_mandatory then 'mandatory, keeps retrying' else 'optional, now disabled' end, f.hard_fail_streak, f.last_error),
      '; ' order by f.canonical_symbol, f.timeframe
    ) filter (where f.hard_fail_streak >= (select d.hard_failures from agg.defaults as d)) as alarms
  into v_finished
  from finished as f;

  if v_finished.waiting is not null then
    perform agg.sleep_tasks(v_finished.waiting, v_finished.timeframe);
  end if;
  if v_finished.advanced is not null then
    perform agg.wake_dependents(v_finished.advanced, v_finished.timeframe);
  end if;
  if v_finished.alarms is not null then
    raise warning 'hard failures: %', v_finished.alarms using hint = 'select * from agg_health() explains every task.';
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.follow_revisions()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if tg_op = 'TRUNCATE' then
    perform agg.raise_revision_floor(r.canonical_symbol, r.metadata #> '{agg,revisions}', null)
    from public.core_asset_registry_all as r;
  elsif tg_op = 'UPDATE' and new.canonical_symbol = old.canonical_symbol then
    perform agg.raise_revision_floor(new.canonical_symbol, old.metadata #> '{agg,revisions}', new.metadata #> '{agg,revisions}');
  else
    if tg_op <> 'INSERT' then
      perform agg.raise_revision_floor(old.canonical_symbol, old.metadata #> '{agg,revisions}', null);
    end if;
    if tg_op <> 'DELETE' then
      perform agg.raise_revision_floor(new.canonical_symbol, null, new.metadata #> '{agg,revisions}');
    end if;
  end if;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.has_foreign_tasks (
  p_env text
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return coalesce((select e.has_foreign_tasks or agg.is_test(p_env) <> agg.is_test(e.env) from agg.environment as e), true);
end;
$function$;

CREATE OR REPLACE FUNCTION agg.insert_windows (
  p_requests agg.build_request[]
)
  RETURNS TABLE (
    canonical_symbol text,
    windows          integer,
    bars             integer,
    bars_poor        integer,
    last_utc         timestamp with time zone
  )
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_sort TO 'off'
  SET enable_hashagg TO 'on'
  SET max_parallel_workers_per_gather TO '0'
  SET jit TO 'off'
  SET work_mem TO '32MB'
  AS $function$
#variable_conflict use_column
declare
  -- Where symbols have many windows, to count them afterwards costs less than to keep and group what the insert returns.
  v_is_counted_later constant boolean := (
    select bool_and(q.to_utc > q.from_utc + 10 * q.window_length) from unnest(p_requests) as q where q.source_timeframe is not null
  );
begin
  return query
  with inserted as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.vwap_vol, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, coalesce(w.derivation_version, 1), w.is_partial, case when w.quality_score is null then now() end
    from agg.make_windows(p_requests) as w
    returning d.canonical_symbol, d.ts_utc, d.quality_score
  )
  select
    w.canonical_symbol, count(*)::integer, count(w.quality_score)::integer, (count(*) filter (where w.quality_score = 0))::integer, max(w.ts_utc)
  from inserted as w
  where not v_is_counted_later
  group by w.canonical_symbol;

  if v_is_counted_later then
    return query
    select y.symbol, n.windows, n.bars, n.bars_poor, n.last_utc
    from unnest(p_requests) as q
    cross join lateral unnest(q.symbols) as y (symbol)
    cross join lateral (
      select
        count(*)::integer as windows, count(d.quality_score)::integer as bars,
        (count(*) filter (where d.quality_score = 0))::integer as bars_poor, max(d.ts_utc) as last_utc
      from public.derived_data_bars as d
      where d.canonical_symbol = y.symbol and d.timeframe = q.timeframe and d.ts_utc >= q.from_utc and d.ts_utc < q.to_utc
        -- Rows that others have written may lie between them.
        and d.created_at = now()
      offset 0
    ) as n
    where q.source_timeframe is not null and n.windows > 0;
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.is_paused (
  p_now timestamp with time zone
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return exists (select from agg.environment as e where e.paused_until > p_now);
end;
$function$;

CREATE OR REPLACE FUNCTION agg.is_test (
  p_env text
)
  RETURNS boolean
  LANGUAGE plpgsql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return upper(p_env) in ('DEV', 'TEST');
end;
$function$;

CREATE OR REPLACE FUNCTION agg.keep_changed_bars()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET enable_nestloop TO 'off'
  SET enable_mergejoin TO 'off'
  SET enable_hashjoin TO 'on'
  SET jit TO 'off'
  AS $function$
declare
  v_is_built constant boolean := coalesce(current_setting('pgbars.is_building_windows', true), '') = 'on';
begin
  -- The update that an upsert of new bars is as well.
  if not exists (select from old_rows) then
    return null;
  end if;
  insert into public.derived_data_bars_revision (
    canonical_symbol, timeframe, ts_utc, replaced_at, written_at, deleted_at, open, high, low, close, vol, vwap, trade_count,
    covered_minutes, expected_minutes, quality_score, is_partial, reason
  )
  select
    o.canonical_symbol, o.timeframe, o.ts_utc, x.replaced_at, o.updated_at, o.deleted_at, o.open, o.high, o.low, o.close,
    o.vol, o.vwap, o.trade_count, o.covered_minutes, o.expected_minutes, o.quality_score, o.is_partial,
    case
      when n.canonical_symbol is null then 'deleted'
      when not v_is_built then 'by_hand'
      when n.covered_minutes > o.covered_minutes then 'late_minutes'
      when n.covered_minutes < o.covered_minutes then 'lost_minutes'
      when (n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count, n.is_partial)
        is distinct from (o.open, o.high, o.low, o.close, o.vol, o.vwap, o.trade_count, o.is_partial) then 'changed_minutes'
      else 'new_rules'
    end
  from old_rows as o
  -- A row whose key was changed is gone from its place.
  left join new_rows as n on n.canonical_symbol = o.canonical_symbol and n.timeframe = o.timeframe and n.ts_utc = o.ts_utc
  -- A transaction that began later may have written what is gone.
  cross join lateral (
    select coalesce(n.updated_at, case when o.updated_at > now() then o.updated_at + interval '1 microsecond' else now() end)
  ) as x (replaced_at)
  where (o.deleted_at is null or n.canonical_symbol is not null and n.deleted_at is null) and o.updated_at < x.replaced_at
    and (
      -- The call costs more than all else here, and few assets say anything.
      select case when r.metadata #> '{agg,revisions}' is not null then agg.revision_age(r.metadata #> '{agg,revisions}') end
      from public.core_asset_registry_all as r
      where r.canonical_symbol = o.canonical_symbol
    ) is distinct from interval '0'
  on conflict (canonical_symbol, timeframe, ts_utc, replaced_at) do nothing;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.keep_deleted_bars()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
begin
  if current_setting('pgbars.keeps_deleted', true) = 'off' then
    return null;
  end if;
  insert into public.derived_data_bars_revision (
    canonical_symbol, timeframe, ts_utc, replaced_at, written_at, deleted_at, open, high, low, close, vol, vwap, trade_count,
    covered_minutes, expected_minutes, quality_score, is_partial, reason
  )
  select
    o.canonical_symbol, o.timeframe, o.ts_utc,
    -- A transaction that began later may have written it.
    case when o.updated_at > now() then o.updated_at + interval '1 microsecond' else now() end, o.updated_at, o.deleted_at, o.open, o.high, o.low, o.close,
    o.vol, o.vwap, o.trade_count, o.covered_minutes, o.expected_minutes, o.quality_score, o.is_partial, 'deleted'
  from old_rows as o
  where o.deleted_at is null and o.updated_at <> now()
    and (
      -- The call costs more than all else here, and few assets say anything.
      select case when r.metadata #> '{agg,revisions}' is not null then agg.revision_age(r.metadata #> '{agg,revisions}') end
      from public.core_asset_registry_all as r
      where r.canonical_symbol = o.canonical_symbol
    ) is distinct from interval '0'
  on conflict (canonical_symbol, timeframe, ts_utc, replaced_at) do nothing;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.make_history (
  p_symbols   text[],
  p_timeframe text,
  p_from      timestamp with time zone,
  p_to        timestamp with time zone,
  p_now       timestamp with time zone
)
  RETURNS agg.changed_span[]
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_moved agg.changed_span[];
begin
  with live as materialized (
    select t.canonical_symbol, t.decided_to_utc, e.end_utc, agg.bootstrap_cursor(e.end_utc, q.window_length, q.window_time_zone, q.window_origin) as cursor_utc
    from agg.plan_builds(p_symbols, p_timeframe, p_now, null, null) as q
    cross join lateral unnest(q.symbols) as y (symbol)
    join agg.task as t on t.canonical_symbol = y.symbol and t.timeframe = p_timeframe
    cross join lateral (
      select case
        when q.source_timeframe is null then q.to_utc - interval '1 minute'
        else (
          select b.ts_utc
          from agg.source_bar as b
          where b.canonical_symbol = y.symbol and b.timeframe = q.source_timeframe and b.is_derived = (q.source_timeframe <> '1m')
            and b.ts_utc < p_now and b.covered_minutes > 0
          order by b.ts_utc desc
          limit 1
        )
      end
    ) as l (last_utc)
    cross join lateral (
      select agg.window_start(least(l.last_utc, q.frontier_utc, p_to), q.window_length, q.window_time_zone, q.window_origin)
    ) as e (end_utc)
    where l.last_utc is not null and e.end_utc > greatest(t.decided_to_utc, q.from_utc) and t.running_started_at_utc is null
  ),
  moved as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = l.cursor_utc,
      built_to_utc = nullif(greatest(s.built_to_utc, l.end_utc), l.end_utc),
      next_run_at = agg.due_at(
        l.cursor_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds, s.window_time_zone, s.window_origin
      ),
      updated_at = now()
    from live as l
    where s.canonical_symbol = l.canonical_symbol and s.timeframe = p_timeframe
    returning s.canonical_symbol, l.decided_to_utc, l.end_utc
  )
  select array_agg((
    m.canonical_symbol, p_timeframe, tstzmultirange(tstzrange(m.decided_to_utc, m.end_utc)), now(), 0
  )::agg.changed_span)
  into v_moved
  from moved as m;

  if v_moved is not null then
    perform agg.wake_dependents(array(select m.canonical_symbol from unnest(v_moved) as m), p_timeframe);
  end if;
  return v_moved || array(
    select (y.symbol, p_timeframe, tstzmultirange(tstzrange(p_from, p_to)), now(), 0)::agg.changed_span
    from unnest(p_symbols) as y (symbol)
  );
end;
$function$;

CREATE OR REPLACE FUNCTION agg.make_windows (
  p_requests agg.build_request[]
)
  RETURNS SETOF agg.window_bar
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_nestloop TO 'off'
  SET enable_hashjoin TO 'on'
  SET enable_mergejoin TO 'off'
  SET enable_sort TO 'off'
  SET enable_hashagg TO 'on'
  SET enable_memoize TO 'off'
  SET max_parallel_workers_per_gather TO '0'
  SET jit TO 'off'
  SET work_mem TO '32MB'
  AS $function$
begin
  return query
  with request as materialized (
    select
      o.*, z.origin_utc, z.is_derived, u.open, v.ranges,
      -- Also where the session opens or closes within windows: each minute is looked at then.
      z.is_derived or z.is_local or z.is_single or coalesce(u.open <> v.ranges, false) as is_by_window,
      z.is_single and not z.is_local as is_one_window,
      (extract(epoch from o.window_length) / 60)::integer as window_minutes,
      (extract(epoch from o.source_length) / 60)::integer as source_minutes
    from unnest(p_requests) with ordinality as o
    cross join lateral (
      select
        o.window_origin at time zone 'UTC', o.source_timeframe <> '1m', o.window_time_zone is not null, o.to_utc <= o.from_utc + o.window_length
    ) as z (origin_utc, is_derived, is_local, is_single)
    cross join lateral (
      select case
        when o.session_minutes is not null or o.calendar is not null
          then agg.open_spans(o.session_time_zone, o.session_minutes, o.calendar, o.from_utc, o.to_utc)
      end
      offset 0
    ) as u (open)
    -- Where windows are looked for: of a session in UTC where it is open, otherwise everywhere.
    cross join lateral (
      select case
        when u.open is null or z.is_derived or z.is_local or z.is_single then tstzmultirange(tstzrange(o.from_utc, o.to_utc))
        else (
          select coalesce(range_agg(tstzrange(
            date_bin(o.window_length, lower(p.span), z.origin_utc),
            date_bin(o.window_length, upper(p.span) + o.window_length - interval '1 microsecond', z.origin_utc)
          )), '{}')
          from unnest(u.open) as p (span)
        )
      end
      offset 0
    ) as v (ranges)
    where o.source_timeframe is not null and o.from_utc < o.to_utc
  ),
  -- What is read in one go, for each symbol: a window; or of minutes the whole range, and of a session what is open.
  stretch as materialized (
    select
      r.ordinality, t.from_utc, t.to_utc, t.window_start,
      case when r.open is null then t.window_minutes else 0 end as expected_minutes,
      case when r.open is null then t.window_minutes / r.source_minutes else 0 end as expected_candles
    from request as r
    cross join lateral (
      select w.starts_utc, w.ends_utc, w.starts_utc, (extract(epoch from w.ends_utc - w.starts_utc) / 60)::integer
      from unnest(r.ranges) as u (span)
      cross join lateral agg.windows_between(lower(u.span), upper(u.span), r.window_length, r.window_time_zone, r.window_origin) as w
      where r.is_by_window and not r.is_one_window
      union all
      select r.from_utc, r.to_utc, r.from_utc, r.window_minutes
      where r.is_one_window
      union all
      -- Minutes outside the session are in no bar.
      select lower(u.span), upper(u.span), null, r.window_minutes
      from unnest(r.ranges) as u (span)
      where not r.is_by_window
    ) as t (from_utc, to_utc, window_start, window_minutes)
  ),
  -- How many minutes of each window are open, and how many of its source windows have one.
  expected as materialized (
    select s.ordinality, s.ts_utc, sum(s.minutes)::integer as minutes, case when s.is_minute then sum(s.minutes) else count(*) end::integer as candles
    from (
      select
        g.ordinality, g.is_minute, sum(extract(epoch from least(g.ends_utc, upper(g.span)) - greatest(g.starts_utc, lower(g.span)))) / 60 as minutes,
        case
          when g.window_time_zone is null then date_bin(g.window_length, g.starts_utc, g.origin_utc)
          else agg.window_start(g.starts_utc, g.window_length, g.window_time_zone, g.window_origin)
        end as ts_utc
      from (
        select r.ordinality, r.window_length, r.window_time_zone, r.window_origin, r.origin_utc, l.is_minute, u.span, w.starts_utc, w.ends_utc
        from request as r
        cross join lateral (
          select true, r.window_length, r.window_time_zone, r.window_origin where not r.is_derived
          union all
          -- Windows of up to an hour are aligned in UTC, wherever those of the request begin.
          select false, r.source_length, null, timestamp '2000-01-03 00:00:00' where r.is_derived
        ) as l (is_minute, length, time_zone, origin)
        cross join lateral unnest(r.open) as u (span)
        cross join lateral agg.windows_between(lower(u.span), upper(u.span), l.length, l.time_zone, l.origin) as w
        where r.open is not null
      ) as g
      group by g.ordinality, g.is_minute, g.window_length, g.window_time_zone, g.window_origin, g.origin_utc, g.starts_utc
    ) as s
    group by s.ordinality, s.ts_utc, s.is_minute
  )
  select
    b.ordinality, b.symbol, b.timeframe, b.ts_utc,
    b.open, b.high, b.low, b.close, b.vol, b.vwap, b.vwap_vol, b.trade_count,
    b.source_timeframe, b.source_candles, b.expected_candles, b.covered_minutes, b.expected_minutes,
    case
      when b.expected_minutes = 0 then null
      when b.covered_minutes >= b.expected_minutes then 2
      when b.covered_minutes * 100 >= b.expected_minutes * b.good_percent then 1
      when b.covered_minutes * 100 >= b.expected_minutes * b.poor_percent then 0
    end::smallint,
    b.derivation_version, b.is_partial, 'insert', false
  from (
    select
      a.ordinality, a.symbol, a.timeframe, a.source_timeframe, a.derivation_version, a.good_percent, a.poor_percent,
      a.ts_utc, a.open, a.high, a.low, a.close, a.vol, a.vwap, a.vwap_vol, a.trade_count, a.source_candles, a.covered_minutes, a.is_partial,
      coalesce(e.minutes, a.expected_minutes) as expected_minutes, coalesce(e.candles, a.expected_candles) as expected_candles
    from (
      -- Three ways to read, one rule. Columns come in the order in which they are asked for above: so the planner leaves out the
      -- layer of a subquery, which would copy each row.
      -- Minutes, window by window: grouping costs a single window as much as its minutes.
      select
        r.ordinality, y.symbol, r.timeframe, r.source_timeframe, r.derivation_version, r.good_percent, r.poor_percent, w.*,
        s.expected_minutes, s.expected_candles
      from request as r
      join stretch as s on s.ordinality = r.ordinality
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
          s.window_start as ts_utc,
          -- Over a sorted subquery: in the order of ts_utc.
          (array_agg(f.open))[1] as open,
          max(f.high) as high,
          min(f.low) as low,
          (array_agg(f.close))[count(*)] as close,
          sum(f.vol) as vol,
          sum(f.vwap * f.vol) filter (where f.vol > 0) / sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap,
          sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap_vol,
          sum(f.trade_count)::bigint as trade_count,
          count(*)::integer as source_candles,
          count(*)::integer as covered_minutes,
          bool_or(f.is_partial) as is_partial
        from (
          select d.*
          from public.data_bars as d
          where d.canonical_symbol = y.symbol and d.timeframe = '1m' and d.ts_utc >= s.from_utc and d.ts_utc < s.to_utc
            and (r.open is null or r.open @> d.ts_utc)
          -- Sums of floats depend on the order: with this one a bar built again is the same to the last bit.
          order by d.ts_utc
        ) as f
        offset 0
      ) as w
      where not r.is_derived and s.window_start is not null and w.covered_minutes > 0
      union all
      -- Minutes of many windows, all of them in the session.
      select
        r.ordinality, y.symbol, r.timeframe, r.source_timeframe, r.derivation_version, r.good_percent, r.poor_percent, w.*,
        s.expected_minutes, s.expected_candles
      from request as r
      join stretch as s on s.ordinality = r.ordinality
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
          f.window_start as ts_utc,
          -- Over a sorted subquery: in the order of ts_utc.
          (array_agg(f.open))[1] as open,
          max(f.high) as high,
          min(f.low) as low,
          (array_agg(f.close))[count(*)] as close,
          sum(f.vol) as vol,
          sum(f.vwap * f.vol) filter (where f.vol > 0) / sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap,
          sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap_vol,
          sum(f.trade_count)::bigint as trade_count,
          count(*)::integer as source_candles,
          count(*)::integer as covered_minutes,
          bool_or(f.is_partial) as is_partial
        from (
          select
            date_bin(r.window_length, d.ts_utc, r.origin_utc) as window_start,
            d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count, d.is_partial
          from public.data_bars as d
          where d.canonical_symbol = y.symbol and d.timeframe = '1m' and d.ts_utc >= s.from_utc and d.ts_utc < s.to_utc
          order by d.ts_utc
        ) as f
        group by 1
        offset 0
      ) as w
      where s.window_start is null
      union all
      -- Bars, and the windows that have too few minutes for one.
      select
        r.ordinality, y.symbol, r.timeframe, r.source_timeframe, r.derivation_version, r.good_percent, r.poor_percent, w.*,
        s.expected_minutes, s.expected_candles
      from request as r
      join stretch as s on s.ordinality = r.ordinality
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
          s.window_start as ts_utc,
          -- Over a sorted subquery: in the order of ts_utc.
          (array_agg(f.open))[1] as open,
          max(f.high) as high,
          min(f.low) as low,
          (array_agg(f.close))[count(*)] as close,
          sum(f.vol) as vol,
          sum(f.vwap * f.vwap_vol) / sum(f.vwap_vol) as vwap,
          sum(f.vwap_vol) as vwap_vol,
          sum(f.trade_count)::bigint as trade_count,
          count(*) filter (where f.is_bar)::integer as source_candles,
          sum(f.covered_minutes)::integer as covered_minutes,
          bool_or(f.is_partial) as is_partial
        from (
          select d.*, d.deleted_at is null as is_bar
          from public.derived_data_bars as d
          where d.canonical_symbol = y.symbol and d.timeframe = r.source_timeframe and d.ts_utc >= s.from_utc and d.ts_utc < s.to_utc
            and d.covered_minutes > 0
          order by d.ts_utc
        ) as f
        offset 0
      ) as w
      where r.is_derived and w.covered_minutes > 0
    ) as a
    left join expected as e on e.ordinality = a.ordinality and e.ts_utc = a.ts_utc
    offset 0
  ) as b;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.plan_builds (
  p_symbols               text[],
  p_timeframe             text,
  p_now                   timestamp with time zone,
  p_max_windows           integer,
  p_derivation_version    integer,
  p_stop_at_data_frontier boolean                  DEFAULT true,
  p_cursor_utc            timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS SETOF agg.build_request
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_sort TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_is_of_minutes constant boolean := not exists (
    select from agg.timeframe as t where t.timeframe = p_timeframe and t.source_timeframe <> '1m'
  );
  -- Minutes come of a task only where there are baskets.
  v_has_source_tasks constant boolean := not v_is_of_minutes or exists (select from public.data_agg_state as s where s.basket is not null);
begin
  -- Planning costs a millisecond, and joins thousands of symbols at once.
  if cardinality(p_symbols) > 500 then
    perform set_config('plan_cache_mode', 'force_custom_plan', true);
  end if;
  return query
  -- Grouped as it is stored, before anything is computed: in a tick nearly all want the same.
  with task as materialized (
    select
      array_agg(c.symbol) as symbols, s.source_timeframe, s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.aggregation_delay_seconds, s.last_agg_bar_ts_utc, s.built_to_utc,
      f.agg_start_utc, u.decided_to_utc as source_frontier_utc, b.derivation_version, b.last_utc
    from unnest(p_symbols) as c (symbol)
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join public.data_agg_state as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    -- A cursor behind it is of no interest.
    cross join lateral (
      select case when p_cursor_utc is not null or s.last_agg_bar_ts_utc < s.agg_start_utc then s.agg_start_utc end
    ) as f (agg_start_utc)
    cross join lateral (
      select case when t.source_timeframe is not null then coalesce(s.source_timeframe, t.source_timeframe) end
    ) as w (source_timeframe)
    left join agg.task as u
      on v_has_source_tasks and u.canonical_symbol = c.symbol and u.timeframe = w.source_timeframe and u.enabled
        and (not v_is_of_minutes or u.basket is not null)
    -- Of a basket: its version, and the last minute of the component that ends first; null where one has no minute at all.
    cross join lateral (
      select
        case when p_timeframe = '1m' then (
          select max(k.derivation_version) from agg.synthetic_component as k where k.canonical_symbol = c.symbol
        ) end,
        case when p_timeframe = '1m' then (
          select case when count(*) = count(l.ts_utc) then min(l.ts_utc) end
          from agg.synthetic_component as k
          left join lateral (
            select b.ts_utc
            from public.data_bars as b
            where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
            order by b.ts_utc desc
            limit 1
          ) as l on true
          where k.canonical_symbol = c.symbol
        ) end
    ) as b (derivation_version, last_utc)
    group by
      s.source_timeframe, s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.aggregation_delay_seconds, s.last_agg_bar_ts_utc, s.built_to_utc,
      f.agg_start_utc, u.decided_to_utc, b.derivation_version, b.last_utc
  ),
  wish as materialized (
    select
      k.symbols, t.timeframe, t.duration, st.timeframe as source_timeframe, st.duration as source_length, k.window_time_zone, o.origin,
      coalesce(k.good_percent, d.good_percent) as good_percent, coalesce(k.poor_percent, d.poor_percent) as poor_percent,
      k.session_time_zone, k.session_minutes, k.calendar, coalesce(k.aggregation_delay_seconds, d.delay_seconds) as delay_seconds,
      n.from_utc, k.source_frontier_utc, k.derivation_version,
      -- Where a component ends, the series does.
      case when p_timeframe = '1m' then coalesce(k.last_utc + t.duration, '-infinity') end as data_end_utc,
      coalesce(
        n.from_utc < greatest(agg.window_end(k.last_agg_bar_ts_utc, t.duration, k.window_time_zone, o.origin), k.built_to_utc), true
      ) as is_rebuild
    from task as k
    cross join agg.defaults as d
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join agg.timeframe as st
      on st.timeframe = case when t.source_timeframe is not null then coalesce(k.source_timeframe, t.source_timeframe) end
    cross join lateral (select coalesce(k.window_origin, timestamp '2000-01-03 00:00:00')) as o (origin)
    cross join lateral (
      select agg.window_end(
        greatest(
          coalesce(p_cursor_utc, k.last_agg_bar_ts_utc), agg.bootstrap_cursor(k.agg_start_utc, t.duration, k.window_time_zone, o.origin)
        ),
        t.duration, k.window_time_zone, o.origin
      )
      offset 0
    ) as n (from_utc)
  )
  select
    w.symbols, w.timeframe, w.source_timeframe, w.duration, w.window_time_zone, w.origin, w.source_length,
    w.from_utc, greatest(w.from_utc, least(e.last_utc, e.limit_utc)), f.frontier_utc,
    case when p_stop_at_data_frontier then p_now end, e.limit_utc < e.last_utc,
    coalesce(p_derivation_version, w.derivation_version), w.good_percent, w.poor_percent,
    w.session_time_zone, w.session_minutes, w.calendar, w.is_rebuild
  from wish as w
  cross join lateral (
    select agg.window_start(p_now - make_interval(secs => w.delay_seconds), w.duration, w.window_time_zone, w.origin)
    offset 0
  ) as n (complete_utc)
  cross join lateral (
    -- Looked for two weeks ahead: no market is closed for longer.
    select agg.window_start(
      least(
        agg.next_open(w.session_time_zone, w.session_minutes, w.calendar, n.complete_utc, n.complete_utc + interval '336 hours'),
        w.source_frontier_utc
      ),
      w.duration, w.window_time_zone, w.origin
    )
    offset 0
  ) as f (frontier_utc)
  cross join lateral (
    select
      least(f.frontier_utc, case when p_stop_at_data_frontier then w.data_end_utc end) as last_utc,
      case when p_max_windows is null then timestamptz 'infinity' else greatest(
        agg.window_end(w.from_utc, w.duration, w.window_time_zone, w.origin),
        agg.window_start(w.from_utc + w.duration * least(p_max_windows, 1000000)::double precision, w.duration, w.window_time_zone, w.origin)
      ) end as limit_utc
    offset 0
  ) as e;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.raise_due_at (
  p_is_mandatory         boolean,
  p_run_interval_minutes integer,
  p_task_priority        integer
)
  RETURNS timestamp WITH time zone
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_raised_to timestamptz;
begin
  perform
  from agg.queue as q
  where q.is_mandatory = p_is_mandatory and q.run_interval_minutes = p_run_interval_minutes and q.task_priority = p_task_priority
    -- Where other lanes are at work, no lock stands in their way for nothing.
    and ((select e.lanes from agg.environment as e) = 1 or not exists (
      select
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
        and s.queued_at = '-infinity' and s.next_run_at <= q.due_at
    ))
  for update skip locked;
  if not found then
    return null;
  end if;
  -- A later statement: it sees every task that joined before the lock.
  update agg.queue as q
  set due_at = f.next_run_at
  from (
    select min(s.next_run_at) as next_run_at
    from agg.runnable_task as s
    where s.is_mandatory = p_is_mandatory and s.run_interval_minutes = p_run_interval_minutes and s.task_priority = p_task_priority
      and s.queued_at = '-infinity'
  ) as f
  where q.is_mandatory = p_is_mandatory and q.run_interval_minutes = p_run_interval_minutes and q.task_priority = p_task_priority
    and q.due_at < f.next_run_at
  returning q.due_at into v_raised_to;
  return v_raised_to;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.raise_revision_floor (
  p_symbol    text,
  p_former    jsonb,
  p_revisions jsonb
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- The clock: until a transaction ends, others keep revisions as before.
  insert into agg.revision_floor as f (canonical_symbol, floor_utc)
  select p_symbol, clock_timestamp() - agg.revision_age(p_former)
  where agg.revision_age(p_revisions) > agg.revision_age(p_former)
  on conflict (canonical_symbol) do update set floor_utc = greatest(f.floor_utc, excluded.floor_utc);
$function$;

CREATE OR REPLACE FUNCTION agg.rebuild_requests (
  p_changes     agg.changed_span[],
  p_max_windows integer            DEFAULT NULL::integer
)
  RETURNS SETOF agg.build_request
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
begin
  return query
  with run as (
    select
      c.canonical_symbol, t.timeframe, case when t.source_timeframe is not null then s.source_timeframe end as source_timeframe,
      t.duration, w.span,
      s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.calendar,
      ceil(date_part('epoch', upper(w.span) - lower(w.span)) / date_part('epoch', t.duration)) as windows
    from unnest(p_changes) as c
    join agg.timeframe as t on t.timeframe = c.timeframe
    cross join lateral (
      select k.*
      from agg.task as k
      where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe
      -- Or the planner would read all tasks for each change.
      offset 0
    ) as s
    cross join lateral (
      select
        case
          -- The first window begins before that.
          when lower(c.spans) >= s.agg_start_utc + 2 * t.duration then lower(c.spans)
          else agg.window_end(
            agg.bootstrap_cursor(s.agg_start_utc, t.duration, s.window_time_zone, s.window_origin), t.duration, s.window_time_zone, s.window_origin
          )
        end,
        s.followed_to_utc
    ) as k (start_utc, end_utc)
    cross join lateral (
      -- Windows in UTC need no call.
      select range_agg(case
        when s.window_time_zone is null then tstzrange(
          date_bin(s.window_length, lower(d.span), s.window_origin at time zone 'UTC'),
          date_bin(s.window_length, upper(d.span) - interval '1 microsecond', s.window_origin at time zone 'UTC') + s.window_length
        )
        else tstzrange(
          agg.window_start(lower(d.span), t.duration, s.window_time_zone, s.window_origin),
          agg.window_end(upper(d.span) - interval '1 microsecond', t.duration, s.window_time_zone, s.window_origin)
        )
      end)
      from unnest(
        c.spans * case when k.start_utc < k.end_utc then tstzmultirange(tstzrange(k.start_utc, k.end_utc)) else '{}' end
      ) as d (span)
    ) as a (spans)
    cross join lateral unnest(a.spans) as u (span)
    cross join lateral (
      select case
        when s.basket is not null or upper(u.span) - lower(u.span) <= 1000 * t.duration then u.span
        -- Years without a bar would take their share of every batch.
        else (
          select tstzrange(
            agg.window_start(min(x.first_utc), t.duration, s.window_time_zone, s.window_origin),
            agg.window_end(max(x.last_utc), t.duration, s.window_time_zone, s.window_origin)
          )
          from (
            select min(c.ts_utc) as first_utc, max(c.ts_utc) as last_utc
            from agg.source_bar as c
            where c.canonical_symbol = s.canonical_symbol and c.timeframe = s.source_timeframe
              and c.ts_utc >= lower(u.span) and c.ts_utc < upper(u.span) and c.covered_minutes > 0
            union all
            select min(d.ts_utc), max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
              and d.ts_utc >= lower(u.span) and d.ts_utc < upper(u.span) and (d.deleted_at is null or d.covered_minutes > 0)
          ) as x
          having max(x.last_utc) is not null
        )
      end
      -- Or the planner would copy this to each use of span.
      offset 0
    ) as w (span)
    where w.span is not null
  ),
  ranked as (
    select
      r.*, sum(r.windows) over (partition by r.canonical_symbol, r.timeframe order by r.span desc) - r.windows as newer_windows,
      sum(r.windows) over (partition by r.canonical_symbol, r.timeframe) > p_max_windows as is_limited
    from run as r
  ),
  limited as (
    select
      r.*,
      case
        when r.windows <= p_max_windows - r.newer_windows or p_max_windows is null then lower(r.span)
        else agg.window_start(
          upper(r.span) - r.duration * (p_max_windows - r.newer_windows), r.duration, r.window_time_zone, r.window_origin
        )
      end as from_utc
    from ranked as r
    where p_max_windows is null or r.newer_windows < p_max_windows
  )
  select
    array_agg(l.canonical_symbol), l.timeframe, l.source_timeframe, l.duration, l.window_time_zone, l.window_origin, st.duration,
    l.from_utc, upper(l.span), upper(l.span), null::timestamptz, coalesce(l.is_limited, false),
    case when l.source_timeframe is null then (
      select k.derivation_version from agg.synthetic_component as k where k.canonical_symbol = min(l.canonical_symbol) limit 1
    ) end,
    l.good_percent, l.poor_percent, l.session_time_zone, l.session_minutes, l.calendar, true
  from limited as l
  left join agg.timeframe as st on st.timeframe = l.source_timeframe
  group by
    l.from_utc, l.span, l.is_limited, l.timeframe, l.source_timeframe, l.duration, l.window_time_zone, l.window_origin, st.duration,
    l.good_percent, l.poor_percent, l.session_time_zone, l.session_minutes, l.calendar,
    -- Each series has a basket of its own.
    case when l.source_timeframe is null then l.canonical_symbol end;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.recover_postponed_tasks (
  p_now timestamp with time zone
)
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_recovered integer;
begin
  update public.data_agg_state as s
  set next_run_at = p_now, updated_at = now()
  from (
    select l.canonical_symbol, l.timeframe
    from agg.task_queue as q
    cross join lateral (
      select r.canonical_symbol, r.timeframe
      from agg.runnable_task as r
      where r.is_mandatory = q.is_mandatory and r.run_interval_minutes = q.run_interval_minutes and r.task_priority = q.task_priority
        and r.queued_at > p_now + make_interval(mins => q.run_interval_minutes) + interval '1 hour' and r.queued_at < 'infinity'
        and r.next_run_at > r.due_at
      for update skip locked
    ) as l
  ) as postponed
  where s.canonical_symbol = postponed.canonical_symbol and s.timeframe = postponed.timeframe;
  get diagnostics v_recovered = row_count;

  -- A restore of older rows, for example.
  update agg.queue as q
  set due_at = '-infinity'
  from (
    select k.is_mandatory, k.run_interval_minutes, k.task_priority from agg.queue as k where k.due_at > p_now for update skip locked
  ) as f
  where q.is_mandatory = f.is_mandatory and q.run_interval_minutes = f.run_interval_minutes and q.task_priority = f.task_priority;

  if not exists (select from agg.correction as c where c.retry_at > p_now + interval '1 hour') then
    return v_recovered;
  end if;
  update agg.correction as k
  set retry_at = p_now
  from (
    select c.canonical_symbol, c.timeframe, c.correction_id
    from agg.correction as c
    where c.retry_at > p_now + interval '1 hour'
    for update skip locked
  ) as postponed
  where k.canonical_symbol = postponed.canonical_symbol and k.timeframe = postponed.timeframe
    and k.correction_id = postponed.correction_id;
  return v_recovered;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.refresh_alerts (
  p_now            timestamp with time zone,
  p_sync           jsonb                    DEFAULT NULL::jsonb,
  p_is_maintenance boolean                  DEFAULT false
)
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
declare
  v_paused_until constant timestamptz := (select e.paused_until from agg.environment as e);
  v_overdue_after constant interval := (select d.overdue_after from agg.defaults as d);
  -- Kinds that this call leaves alone.
  v_skipped constant text[] :=
    case when v_paused_until > p_now then array['behind', 'failing', 'unread', 'slow'] else '{}' end
    || case when not p_is_maintenance then array['no_data', 'unregistered', 'slow', 'poor_quality', 'undelivered'] else '{}' end
    || case when date_part('minute', p_now) >= 5 then array['poor_quality'] else '{}' end
    || case when p_sync is null then array['unsynced'] else '{}' end
    || case when coalesce(not p_sync ? 'refused', true) then array['metadata'] else '{}' end;
  v_raised integer;
begin
  with opened as materialized (
    select a.kind, a.canonical_symbol, a.timeframe, a.severity = 'critical' as is_critical, a.message
    from agg.alert as a
    where a.resolved_at is null
  ),
  cause as materialized (
    -- What is left alone hides what it would otherwise hide.
    select a.kind, a.canonical_symbol, a.timeframe, a.is_critical, a.message from opened as a where a.kind = any (v_skipped)
    union all
    select
      case when s.is_mandatory then 'hard_failed' else 'disabled' end as kind,
      s.canonical_symbol, s.timeframe, s.is_mandatory as is_critical,
      format('%s hard failures in a row: %s', s.hard_fail_streak, s.last_error) as message
    from public.data_agg_state as s
    cross join agg.defaults as d
    where s.enabled and s.hard_fail_streak >= d.hard_failures
    union all
    select
      'failing', s.canonical_symbol, s.timeframe, s.is_mandatory,
      format('has failed since %s, %s times in a row: %s', s.failing_since_utc, s.fail_streak, s.last_error)
    from public.data_agg_state as s
    cross join agg.defaults as d
    where s.enabled and s.hard_fail_streak < d.hard_failures
      and s.failing_since_utc <= p_now - v_overdue_after
      and (
        coalesce(v_paused_until <= p_now - v_overdue_after, true)
        or exists (
          select from opened as a where a.kind = 'failing' and a.canonical_symbol = s.canonical_symbol and a.timeframe = s.timeframe
        )
      )
    union all
    select 'behind', h.canonical_symbol, h.timeframe, s.is_mandatory, h.explanation
    from public.agg_health(p_now) as h
    join public.data_agg_state as s on s.canonical_symbol = h.canonical_symbol and s.timeframe = h.timeframe
    where h.state in ('overdue', 'never_ran') and h.due_for > v_overdue_after
      -- For a while after a pause.
      or h.due_for > interval '0' and v_paused_until > p_now - v_overdue_after and exists (
        select from opened as a where a.kind = 'behind' and a.canonical_symbol = h.canonical_symbol and a.timeframe = h.timeframe
      )
    union all
    select
      'no_data', n.canonical_symbol, '1m', n.silence > 2 * n.allowed,
      format('the last 1m bar is that of %s; silent for %s of open time, longer than %s', n.last_utc, date_trunc('second', n.silence), n.allowed)
    from agg.silent_series(p_now) as n
    where 'no_data' <> all (v_skipped)
    union all
    select
      'poor_quality', q.canonical_symbol, q.timeframe, false,
      format('%s of the %s windows of the last day that have a minute have no good bar', q.windows - q.good, q.windows)
    from agg.poor_series(p_now) as q
    where 'poor_quality' <> all (v_skipped)
    union all
    select
      'unregistered', '*', '*', false,
      format('bars arrive of %s symbols that the registry does not have: %s', count(*), array_to_string((array_agg(u.canonical_symbol order by u.canonical_symbol))[:20], ', '))
    from agg.unregistered_symbols(p_now) as u
    where 'unregistered' <> all (v_skipped)
    having count(*) > 0
    union all
    select 'undelivered', '*', '*', false, string_agg(format('%s: %s', p.name, p.problem), '; ' order by p.name)
    from agg.target_problems(p_now) as p
    where 'undelivered' <> all (v_skipped)
    having count(*) > 0
    union all
    select
      'slow', '*', '*', false,
      format('the runs of lane %s took 40 s or more for 15 minutes, the longest %s s: more is to do than they can', r.lane, round(extract(epoch from r.longest), 1))
    from (
      select j.lane, max(j.took) as longest
      from agg.job_runs(p_now - interval '15 minutes') as j
      -- The run of this minute may not have ended.
      where 'slow' <> all (v_skipped) and j.started_at <= p_now - interval '1 minute'
      group by j.lane
      having min(j.took) >= interval '40 seconds' and count(*) >= 5
      order by max(j.took) desc
      limit 1
    ) as r
    union all
    select
      'metadata', f.item ->> 'canonical_symbol', '*', false,
      string_agg(format('%s (left out: %s)', f.item ->> 'problem', f.item ->> 'leaves_out'), '; ')
    from jsonb_array_elements(p_sync -> 'refused') as f (item)
    group by f.item ->> 'canonical_symbol'
    union all
    select 'unsynced', '*', '*', false, p_sync ->> 'error'
    where p_sync ? 'error'
    union all
    select
      'unread', '*', '*', true,
      format(
        'no dispatcher has read what changed since %s%s', min(n.changed_at),
        ': the open transaction of backend ' || agg.new_tasks_holder() || ' has added assets'
      )
    from agg.change_note as n
    having min(n.changed_at) < p_now - v_overdue_after
      and (coalesce(v_paused_until < p_now - v_overdue_after, true) or exists (select from opened as a where a.kind = 'unread'))
    union all
    select 'uncorrected', k.canonical_symbol, k.timeframe, false, format('%s tries to build %s again failed: %s', k.failures, k.spans, k.error)
    from agg.correction as k
    cross join agg.defaults as d
    where k.failures >= d.hard_failures and k.error is not null
  ),
  wanted as materialized (
    select distinct on (c.kind, c.canonical_symbol, c.timeframe)
      c.kind, c.canonical_symbol, c.timeframe, case when c.is_critical then 'critical' else 'warning' end as severity, c.message
    from (
      -- Sorted once: a join of causes with each other would compare all with all.
      select
        k.*,
        bool_or(k.kind = any (array['hard_failed', 'failing', 'behind'])) over w as has_failed,
        bool_or(k.kind = 'no_data') over w as is_silent
      from cause as k
      window w as (partition by k.canonical_symbol)
    ) as c
    where case c.kind when 'no_data' then not c.has_failed when 'poor_quality' then not c.has_failed and not c.is_silent else true end
    order by c.kind, c.canonical_symbol, c.timeframe, c.message desc
  ),
  resolved as (
    update agg.alert as a
    set resolved_at = p_now
    where a.resolved_at is null and a.kind <> all (v_skipped)
      -- The audit resolves its own.
      and a.kind <> 'wrong'
      and (a.kind, a.canonical_symbol, a.timeframe) not in (
        select w.kind, w.canonical_symbol, w.timeframe from wanted as w
      )
  ),
  stored as (
    insert into agg.alert as a (kind, canonical_symbol, timeframe, severity, message, raised_at)
    select w.kind, w.canonical_symbol, w.timeframe, w.severity, w.message, p_now
    from wanted as w
    on conflict (kind, canonical_symbol, timeframe) where resolved_at is null do update
    set severity = excluded.severity, message = excluded.message
    where (a.severity, a.message) is distinct from (excluded.severity, excluded.message)
    returning a.raised_at = p_now as is_new
  )
  select count(*) filter (where s.is_new) into v_raised from stored as s;
  return v_raised;
exception when others then
  -- Bars that were built, and what a sync has put right, stay.
  raise warning 'alerts could not be refreshed: % (%)', sqlerrm, sqlstate;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.run_batch (
  p_env           text                     DEFAULT NULL::text,
  p_limit         integer                  DEFAULT 10000,
  p_now           timestamp with time zone DEFAULT now(),
  p_batch_windows integer                  DEFAULT 50000
)
  RETURNS agg.batch_result
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '500ms'
  AS $function$
declare
  v_env constant text := agg.current_env(p_env);
  v_lanes constant integer := (select e.lanes from agg.environment as e);
  v_sums agg.batch_result;
  v_claim record;
  v_is_backfill boolean;
  v_length interval;
  v_timeframe text;
  v_symbols text[];
begin
  if agg.is_paused(p_now) then
    return agg.sum_batches(null, null);
  end if;
  perform agg.require_fresh_snapshots();
  perform set_config('pgbars.lock_waits', '0', true);
  perform set_config('pgbars.failed_builds', '0', true);
  v_sums.notes := agg.take_notes(1000);
  perform agg.recover_abandoned_claims(p_now);

  v_claim := agg.claim_due_tasks(v_env, p_limit, p_now, v_lanes);
  if cardinality(v_claim.symbols) > 0 then
    v_sums := agg.sum_batches(
      v_sums,
      agg.advance_tasks(v_claim.symbols, v_claim.timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_claim.symbols)))
    );
  end if;

  foreach v_is_backfill in array array[false, true] loop
    exit when v_is_backfill and v_sums.tasks > 0;
    v_length := interval '0';
    -- From level to level: what one changes is a correction of the next.
    loop
      select t.timeframe, t.duration into v_timeframe, v_length
      from agg.timeframe as t
      where t.duration > v_length
        and t.timeframe in (select k.timeframe from agg.correction as k where k.is_backfill = v_is_backfill and k.retry_at <= p_now)
      order by t.duration
      limit 1;
      exit when not found;
      v_symbols := agg.claim_corrections(v_env, v_timeframe, p_limit, p_now, v_lanes, v_is_backfill);
      if cardinality(v_symbols) > 0 then
        v_sums := agg.sum_batches(
          v_sums,
          agg.correct_tasks(v_symbols, v_timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_symbols)), v_is_backfill)
        );
        exit when v_is_backfill;
      end if;
    end loop;
  end loop;
  return agg.sum_batches(v_sums, null);
end;
$function$;

CREATE OR REPLACE FUNCTION agg.silent_series (
  p_now timestamp with time zone
)
  RETURNS TABLE (
    canonical_symbol text,
    last_utc         timestamp with time zone,
    silence          interval,
    allowed          interval
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
  with series as materialized (
    select s.*, l.ts_utc as last_utc, coalesce(n.max_silence, a.silence) as allowed
    from agg.watched_series as s
    left join agg.allowed_silence as a on a.canonical_symbol = s.canonical_symbol
    left join lateral (
      select (r.metadata #>> '{agg,max_silence}')::interval as max_silence
      from public.core_asset_registry_all as r
      where r.canonical_symbol = s.canonical_symbol and agg.is_duration(r.metadata #> '{agg,max_silence}')
    ) as n on true
    cross join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc < p_now
      order by b.ts_utc desc
      limit 1
    ) as l
    where l.ts_utc < p_now - coalesce(n.max_silence, a.silence)
  ),
  -- What was open of late, once for all series that share a session and a calendar: fifty times what they are allowed, since a
  -- market may be open for a small part of the time.
  market as materialized (
    select m.*, agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, m.from_utc, p_now) as open
    from (
      select
        s.session_time_zone, s.session_minutes, s.calendar,
        greatest(min(s.last_utc), p_now - least(interval '10 years', greatest(interval '35 days', 50 * max(s.allowed)))) as from_utc
      from series as s
      group by s.session_time_zone, s.session_minutes, s.calendar
    ) as m
  )
  select s.canonical_symbol, s.last_utc, t.silence, s.allowed
  from series as s
  join market as m
    on coalesce(m.session_time_zone, '') = coalesce(s.session_time_zone, '')
    and coalesce(m.session_minutes, '{(,)}') = coalesce(s.session_minutes, '{(,)}')
    and coalesce(m.calendar, '') = coalesce(s.calendar, '')
  cross join lateral (
    select agg.time_within(m.open, s.last_utc + interval '1 minute', p_now)
    offset 0
  ) as t (silence)
  where t.silence > s.allowed;
$function$;

CREATE OR REPLACE FUNCTION agg.stored_windows (
  p_requests agg.build_request[]
)
  RETURNS SETOF agg.window_bar
  LANGUAGE plpgsql
  STABLE
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET max_parallel_workers_per_gather TO '0'
  SET jit TO 'off'
  AS $function$
begin
  return query
  select
    q.ordinality, d.canonical_symbol, d.timeframe, d.ts_utc,
    d.open, d.high, d.low, d.close, d.vol, d.vwap, d.vwap_vol, d.trade_count,
    d.source_timeframe, d.source_candles, d.expected_candles, d.covered_minutes, d.expected_minutes,
    d.quality_score, d.derivation_version, d.is_partial,
    case
      when d.deleted_at is not null then case when d.covered_minutes > 0 then 'remove' end
      when not d.raw ? 'migrated_from' then 'remove'
      -- A bar of another alignment.
      when d.ts_utc <> agg.window_start(d.ts_utc, q.window_length, q.window_time_zone, q.window_origin) then 'remove'
    end,
    d.deleted_at is null
  from unnest(p_requests) with ordinality as q
  cross join lateral unnest(q.symbols) as y (symbol)
  cross join lateral (
    select d.*
    from public.derived_data_bars as d
    where d.canonical_symbol = y.symbol and d.timeframe = q.timeframe and d.ts_utc >= q.from_utc and d.ts_utc < q.to_utc
    offset 0
  ) as d
  where q.is_rebuild and q.source_timeframe is not null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.task_changes (
  p_env               text,
  p_symbols           text[],
  p_problems          agg.asset_problem[],
  p_default_start_utc timestamp with time zone
)
  RETURNS SETOF agg.task_change
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
begin
  return query
  with left_out as materialized (
    select distinct p.canonical_symbol, p.leaves_out from unnest(p_problems) as p where p.leaves_out <> 'key'
  ),
  asked as materialized (
    select t.*, t.duration > interval '1 hour' as is_local
    from agg.active_asset as a
    join agg.wanted_task as t on t.canonical_symbol = a.canonical_symbol
    where a.is_test = (select agg.is_test(p_env))
      and (p_symbols is null or a.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = t.canonical_symbol and (o.leaves_out = 'asset' or t.basket is not null)
      )
  ),
  -- Many assets share a session and a day, and reading one costs more than all else here.
  session as materialized (
    select d.session, agg.session_minutes(d.session) as minutes, agg.weekly_session(d.session) ->> 'time_zone' as time_zone
    from (select distinct k.session from asked as k where k.session is not null) as d
  ),
  day as materialized (
    select d.day_close, nullif(d.day_close ->> 'time_zone', 'UTC') as time_zone, agg.begins_on_hours(d.day_close) as begins_on_hours
    from (select distinct k.day_close from asked as k where k.is_local and k.day_close is not null) as d
  ),
  origin as materialized (
    select d.duration, d.day_close, d.session, agg.window_origin(d.duration, d.day_close, d.session) as window_origin
    from (select distinct k.duration, k.day_close, k.session from asked as k where k.is_local) as d
  ),
  wanted as materialized (
    select
      k.canonical_symbol, k.timeframe, k.run_interval_minutes, k.aggregation_delay_seconds, k.is_mandatory, k.agg_start_utc,
      k.good_percent, k.poor_percent::smallint as poor_percent, n.time_zone as session_time_zone, n.minutes as session_minutes,
      k.basket, k.calendar,
      case when d.begins_on_hours is false then k.fallback_source_timeframe else k.source_timeframe end as source_timeframe,
      d.time_zone as window_time_zone,
      coalesce(o.window_origin, timestamp '2000-01-03 00:00:00') as window_origin,
      greatest(m.floor_utc, u.floor_utc, c.floor_utc) as floor_utc
    from asked as k
    left join session as n on n.session = k.session
    left join day as d on k.is_local and d.day_close = k.day_close
    left join origin as o
      on k.is_local and o.duration = k.duration
      and coalesce(o.day_close, 'null') = coalesce(k.day_close, 'null') and coalesce(o.session, 'null') = coalesce(k.session, 'null')
    -- Of the bars that it makes, and of those that it reads.
    left join agg.floor as m on m.canonical_symbol = k.canonical_symbol and m.timeframe = k.timeframe
    left join agg.floor as u
      on u.canonical_symbol = k.canonical_symbol
      and u.timeframe = case when d.begins_on_hours is false then k.fallback_source_timeframe else k.source_timeframe end
    left join lateral (
      select max(f.floor_utc) as floor_utc
      from jsonb_array_elements_text(k.basket -> 'components') as e (component)
      join agg.floor as f on f.canonical_symbol = e.component and f.timeframe = '1m'
    ) as c on k.basket is not null
  ),
  present as materialized (
    select s.*
    from public.data_agg_state as s
    where (p_symbols is null or s.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = s.canonical_symbol and (o.leaves_out = 'asset' or s.basket is not null)
      )
  ),
  difference as materialized (
    select
      c.action,
      coalesce(w.canonical_symbol, s.canonical_symbol) as canonical_symbol, coalesce(w.timeframe, s.timeframe) as timeframe,
      w.source_timeframe, w.run_interval_minutes, w.aggregation_delay_seconds, w.is_mandatory, b.agg_start_utc,
      w.good_percent, w.poor_percent, w.session_time_zone, w.session_minutes, w.basket, w.calendar,
      w.window_time_zone, w.window_origin,
      r.is_kept and r.has_new_windows as has_new_windows,
      r.is_kept and not r.has_new_windows and r.has_new_rules as has_new_rules,
      r.is_kept and not r.has_new_windows and not r.has_new_rules and r.has_new_hours as has_new_hours,
      r.is_kept and not r.has_new_windows and b.agg_start_utc < s.agg_start_utc as has_earlier_start,
      s.session_time_zone as former_time_zone, s.session_minutes as former_minutes, s.calendar as former_calendar,
      s.agg_start_utc as decided_from_utc,
      greatest(s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes), s.built_to_utc) as decided_to_utc
    from wanted as w
    full join present as s on s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
    cross join lateral (
      select case
        when w.canonical_symbol is not null then greatest(coalesce(w.agg_start_utc, s.agg_start_utc, p_default_start_utc), w.floor_utc)
      end
    ) as b (agg_start_utc)
    cross join lateral (
      select
        w.canonical_symbol is not null and s.canonical_symbol is not null as is_kept,
        (s.window_time_zone, s.window_origin) is distinct from (w.window_time_zone, w.window_origin) as has_new_windows,
        (s.good_percent, s.poor_percent, s.basket) is distinct from (w.good_percent, w.poor_percent, w.basket) as has_new_rules,
        (s.session_time_zone, s.session_minutes, s.calendar)
          is distinct from (w.session_time_zone, w.session_minutes, w.calendar) as has_new_hours
    ) as r
    cross join lateral (
      select case
        when s.canonical_symbol is null then 'insert'
        when w.canonical_symbol is null then case when s.enabled then 'disable' end
        when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f))
          then 'reenable'
        when r.has_new_windows or r.has_new_rules or r.has_new_hours
          or (s.source_timeframe, s.run_interval_minutes, s.is_mandatory, s.agg_start_utc)
            is distinct from (w.source_timeframe, w.run_interval_minutes, w.is_mandatory, b.agg_start_utc)
          then 'update'
      end
    ) as c (action)
    where c.action is not null
  ),
  -- Once for all tasks that change from one session or calendar to another.
  hours as materialized (
    select
      g.former_time_zone, g.former_minutes, g.former_calendar, g.session_time_zone, g.session_minutes, g.calendar,
      -- What is built meanwhile may be built by the former hours.
      agg.changed_hours(f.spans, n.spans) + tstzmultirange(tstzrange(g.to_utc, null)) as changed_spans
    from (
      select
        d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar,
        min(d.decided_from_utc) as from_utc, max(d.decided_to_utc) as to_utc
      from difference as d
      where d.has_new_hours
      group by d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar
    ) as g
    cross join lateral (
      select agg.open_spans(g.former_time_zone, g.former_minutes, g.former_calendar, g.from_utc, g.to_utc)
    ) as f (spans)
    cross join lateral (select agg.open_spans(g.session_time_zone, g.session_minutes, g.calendar, g.from_utc, g.to_utc)) as n (spans)
  )
  select
    d.action, d.canonical_symbol, d.timeframe, d.source_timeframe, d.run_interval_minutes, d.aggregation_delay_seconds, d.is_mandatory,
    d.agg_start_utc, d.good_percent, d.poor_percent, d.session_time_zone, d.session_minutes, d.basket,
    d.calendar, d.window_time_zone, d.window_origin, d.has_new_windows,
    case
      when d.has_new_rules then '{(,)}'
      else nullif(
        coalesce((
          select h.changed_spans
          from hours as h
          where d.has_new_hours
            and (h.former_time_zone, h.former_minutes, h.former_calendar, h.session_time_zone, h.session_minutes, h.calendar)
              is not distinct from
              (d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar)
        ), '{}')
          -- Up to the window in which the former start lies.
          + case when d.has_earlier_start then tstzmultirange(tstzrange(null, d.decided_from_utc)) else '{}' end,
        '{}'
      )
    end::tstzmultirange
  from difference as d;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.wake_dependents (
  p_symbols   text[],
  p_timeframe text
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_missed agg.changed_span[];
begin
  if not exists (select from agg.runnable_task as d where d.queued_at = 'infinity') then
    return;
  end if;
  with sleeping as materialized (
    select d.canonical_symbol, d.timeframe, d.followed_to_utc, greatest(d.due_at, u.last_attempted_at_utc) as due_at
    from unnest(p_symbols) as c (symbol)
    cross join lateral (
      select k.canonical_symbol, k.timeframe, k.decided_to_utc, k.last_attempted_at_utc
      from agg.task as k
      where k.canonical_symbol = c.symbol and k.timeframe = p_timeframe
      -- Or the planner would look at all symbols for each task that sleeps.
      offset 0
    ) as u
    join agg.runnable_task as d
      on d.canonical_symbol = u.canonical_symbol and d.source_timeframe = u.timeframe and d.timeframe <> u.timeframe
    where d.queued_at = 'infinity' and d.due_at - make_interval(secs => d.aggregation_delay_seconds) <= u.decided_to_utc
  ),
  held as materialized (
    select g.*
    from sleeping as g
    join public.data_agg_state as s
      on s.canonical_symbol = g.canonical_symbol and s.timeframe = g.timeframe and s.queued_at = 'infinity'
    for update of s skip locked
  ),
  woken as (
    update public.data_agg_state as s
    set next_run_at = h.due_at, updated_at = now()
    from held as h
    where s.canonical_symbol = h.canonical_symbol and s.timeframe = h.timeframe
  )
  select array_agg((m.canonical_symbol, m.timeframe, tstzmultirange(tstzrange(m.followed_to_utc, null)), now(), 0)::agg.changed_span)
  into v_missed
  from (select g.* from sleeping as g except select h.* from held as h) as m;
  if v_missed is not null then
    perform agg.add_corrections(v_missed);
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.wake_overlooked_tasks()
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET enable_seqscan TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_woken integer;
begin
  update public.data_agg_state as s
  set next_run_at = o.due_at, updated_at = now()
  from (
    select t.canonical_symbol, t.timeframe, t.due_at
    from agg.runnable_task as t
    where t.queued_at = 'infinity'
      and case t.last_stopped_reason
        when 'no_source_data' then agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, 'infinity')
        else not exists (
          select
          from agg.task as u
          where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
            and u.enabled and u.decided_to_utc < t.due_at - make_interval(secs => t.aggregation_delay_seconds)
        )
      end
    for update of t skip locked
  ) as o
  where s.canonical_symbol = o.canonical_symbol and s.timeframe = o.timeframe;
  get diagnostics v_woken = row_count;
  return v_woken;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.wake_tasks (
  p_changes agg.changed_span[]
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
begin
  if not exists (select from agg.runnable_task as t where t.queued_at = 'infinity') then
    return;
  end if;
  update public.data_agg_state as s
  set
    next_run_at = greatest(t.due_at, (
      select u.last_attempted_at_utc
      from public.data_agg_state as u
      where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    )),
    updated_at = now()
  from unnest(p_changes) as c
  cross join lateral (
    select k.*
    from agg.task as k
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe
    -- Or the planner would look at all changes for each task that sleeps.
    offset 0
  ) as t
  where s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe
    and t.queued_at = 'infinity' and c.spans && tstzrange(t.decided_to_utc, null);
end;
$function$;

CREATE OR REPLACE FUNCTION agg.window_origin (
  p_length    interval,
  p_day_close jsonb,
  p_session   jsonb
)
  RETURNS timestamp WITHOUT time zone
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_monday constant timestamp := timestamp '2000-01-03 00:00:00';
  v_zone constant text := coalesce(p_day_close ->> 'time_zone', 'UTC');
  v_starts constant time := coalesce((p_day_close ->> 'time')::time, time '00:00');
  v_day constant timestamp := v_monday + v_starts - case when v_starts >= '12:00' then interval '1 day' else interval '0' end;
  v_session_zone text;
  v_opens integer;
  v_first timestamp;
begin
  if p_length <= interval '1 hour' then
    return v_monday;
  end if;
  if mod(extract(epoch from p_length), 7 * 24 * 60 * 60) = 0 then
    v_session_zone := agg.weekly_session(p_session) ->> 'time_zone';
    select s.opens into v_opens
    from (
      select
        lower(r.span) as opens,
        lower(r.span) - coalesce(lag(upper(r.span)) over (order by r.span), max(upper(r.span)) over () - 10080) as closed_minutes
      from unnest(agg.session_minutes(p_session)) as r (span)
    ) as s
    where s.closed_minutes > 0
    order by s.closed_minutes desc, s.opens
    limit 1;
  end if;
  if v_opens is null then
    return v_day;
  end if;
  select min(
    date_bin(
      '1 day', agg.instant_of(v_monday + w.later + make_interval(mins => v_opens), v_session_zone) at time zone v_zone, v_day
    ) - w.later
  )
  into v_first
  from unnest(array[interval '0', interval '182 days']) as w (later);
  return v_first - case when v_first > v_day then interval '7 days' else interval '0' end;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.windows_between (
  p_from_utc  timestamp with time zone,
  p_to_utc    timestamp with time zone,
  p_length    interval,
  p_time_zone text,
  p_origin    timestamp without time zone
)
  RETURNS TABLE (
    starts_utc timestamp with time zone,
    ends_utc   timestamp with time zone
  )
  LANGUAGE sql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  AS $function$
  select g.starts_utc, g.starts_utc + p_length
  from generate_series(
    date_bin(p_length, p_from_utc, p_origin at time zone 'UTC'), p_to_utc - interval '1 microsecond', p_length
  ) as g (starts_utc)
  where p_time_zone is null
  union all
  select w.starts_utc, w.ends_utc
  from (
    select b.starts_utc, lead(b.starts_utc) over (order by b.starts_utc) as ends_utc
    from generate_series(
      date_bin(p_length, p_from_utc at time zone p_time_zone, p_origin) - p_length,
      (p_to_utc at time zone p_time_zone) + 2 * p_length,
      p_length
    ) as g (wall)
    cross join lateral (select agg.instant_of(g.wall, p_time_zone)) as b (starts_utc)
    where p_time_zone is not null
  ) as w
  -- Of a window that a change of the clock skips nothing is left.
  where w.starts_utc < p_to_utc and w.ends_utc > p_from_utc and w.starts_utc < w.ends_utc;
$function$;

CREATE OR REPLACE FUNCTION public.agg_backfill (
  p_symbols    text[]                   DEFAULT NULL::text[],
  p_timeframes text[]                   DEFAULT NULL::text[],
  p_from       timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_to         timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_now        timestamp with time zone DEFAULT now()
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  SET jit TO 'off'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_timeframe text;
  v_symbols text[];
  v_changes agg.changed_span[] := array[]::agg.changed_span[];
begin
  perform agg.require_tasks(p_symbols, p_timeframes);
  if p_from >= coalesce(p_to, p_now) then
    raise exception '[%, %) is not a range of time', p_from, coalesce(p_to, p_now) using errcode = 'invalid_parameter_value';
  end if;

  -- The tasks follow in this statement: what lies between the starts is history.
  update public.core_asset_registry_all as r
  set metadata = r.metadata || jsonb_build_object('agg', coalesce(r.metadata -> 'agg', '{}') || jsonb_build_object('start_utc', p_from))
  where (p_symbols is null or r.canonical_symbol = any (p_symbols))
    and coalesce(agg.utc_instant(r.metadata -> 'agg' ->> 'start_utc') > p_from, true)
    and exists (
      select
      from public.data_agg_state as s
      where s.canonical_symbol = r.canonical_symbol and s.agg_start_utc > p_from and (p_timeframes is null or s.timeframe = any (p_timeframes))
    );

  perform
  from public.data_agg_state as s
  where (p_symbols is null or s.canonical_symbol = any (p_symbols)) and (p_timeframes is null or s.timeframe = any (p_timeframes))
  order by s.canonical_symbol, s.run_interval_minutes
  for update;
  -- A task follows its source no further than that has got.
  for v_timeframe in
    select t.timeframe from agg.timeframe as t where p_timeframes is null or t.timeframe = any (p_timeframes) order by t.duration
  loop
    v_symbols := array(
      select s.canonical_symbol
      from public.data_agg_state as s
      where s.timeframe = v_timeframe and s.enabled and (p_symbols is null or s.canonical_symbol = any (p_symbols))
    );
    v_changes := v_changes || agg.make_history(v_symbols, v_timeframe, p_from, p_to, p_now);
  end loop;
  perform agg.add_corrections(v_changes, p_is_backfill => true);
  return (
    select jsonb_build_object(
      'success', true,
      'tasks', count(distinct (y.symbol, q.timeframe)),
      'windows', coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length))), 0)::bigint
    )
    from agg.rebuild_requests(array(
      select (c.canonical_symbol, c.timeframe, range_agg(c.spans), now(), 0)::agg.changed_span
      from unnest(v_changes) as c
      group by c.canonical_symbol, c.timeframe
    )) as q
    cross join lateral unnest(q.symbols) as y (symbol)
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_cancel_backfill (
  p_symbols    text[] DEFAULT NULL::text[],
  p_timeframes text[] DEFAULT NULL::text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_left agg.changed_span[];
begin
  perform agg.require_tasks(p_symbols, p_timeframes);
  perform
  from public.data_agg_state as s
  where (p_symbols is null or s.canonical_symbol = any (p_symbols)) and (p_timeframes is null or s.timeframe = any (p_timeframes))
  order by s.canonical_symbol, s.run_interval_minutes
  for update;
  with cancelled as (
    delete from agg.correction as k
    where k.is_backfill
      and (p_symbols is null or k.canonical_symbol = any (p_symbols)) and (p_timeframes is null or k.timeframe = any (p_timeframes))
    returning k.canonical_symbol, k.timeframe, k.spans
  )
  select array_agg((c.canonical_symbol, c.timeframe, c.spans, now(), 0)::agg.changed_span)
  into v_left
  from (
    select k.canonical_symbol, k.timeframe, range_agg(k.spans) as spans from cancelled as k group by k.canonical_symbol, k.timeframe
  ) as c;
  return (
    select jsonb_build_object(
      'success', true,
      'tasks', count(distinct (y.symbol, q.timeframe)),
      'windows', coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length))), 0)::bigint
    )
    from agg.rebuild_requests(v_left) as q
    cross join lateral unnest(q.symbols) as y (symbol)
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_explain (
  p_symbol    text,
  p_timeframe text,
  p_ts        timestamp with time zone,
  p_now       timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    item  text,
    value text
  )
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  SET jit TO 'off'
  AS $function$
declare
  v_length interval;
  v_task record;
  v_floors jsonb;
  v_minute_floor timestamptz;
  v_window record;
  v_bar public.derived_data_bars;
  v_minute public.data_bars;
  -- Null: all.
  v_open tstzmultirange;
  v_full tstzmultirange;
  v_expected timestamptz[];
  v_present timestamptz[];
  v_missing timestamptz[];
  v_is_basket boolean;
  v_is_decided boolean;
  v_late text;
  v_partial text;
  v_slowest record;
begin
  select t.duration into v_length from agg.timeframe as t where t.timeframe = p_timeframe;
  if v_length is null or p_symbol is null or p_ts is null or not isfinite(p_ts) then
    raise exception 'agg_explain needs a symbol, a timeframe and an instant, not %, % and %',
      coalesce(p_symbol, 'null'), coalesce(p_timeframe, 'null'), coalesce(p_ts::text, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  -- Minutes that are ingested have no task: what another one says of the session holds for them.
  select t.* into v_task
  from agg.task as t
  where t.canonical_symbol = p_symbol and (t.timeframe = p_timeframe or p_timeframe = '1m')
  order by t.timeframe = p_timeframe desc, t.run_interval_minutes
  limit 1;
  v_window := agg.window_bounds(
    p_ts, v_length, case when v_task.timeframe = p_timeframe then v_task.window_time_zone end,
    case when v_task.timeframe = p_timeframe then v_task.window_origin else timestamp '2000-01-03 00:00:00' end
  );
  v_full := tstzmultirange(tstzrange(v_window.starts_utc, v_window.ends_utc));
  return query select 'window', format('%s to %s', v_window.starts_utc, v_window.ends_utc);

  if not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = p_symbol) then
    return query values
      ('state', 'not registered'), ('why', format('core_asset_registry_all has no %s: nothing is built of its bars', p_symbol));
    return;
  end if;
  v_is_basket := exists (select from agg.synthetic_component as k where k.canonical_symbol = p_symbol);
  if v_task.session_minutes is not null or v_task.calendar is not null then
    v_open := agg.open_spans(v_task.session_time_zone, v_task.session_minutes, v_task.calendar, v_window.starts_utc, v_window.ends_utc);
  end if;
  v_expected := array(
    select m.ts_utc
    from generate_series(v_window.starts_utc, v_window.ends_utc - interval '1 minute', interval '1 minute') as m (ts_utc)
    where v_open is null or v_open @> m.ts_utc
  );
  select
    coalesce(array_agg(b.ts_utc order by b.ts_utc), '{}'),
    agg.minute_runs(array_agg(b.ts_utc) filter (where b.is_partial))
  into v_present, v_partial
  from public.data_bars as b
  where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc >= v_window.starts_utc and b.ts_utc < v_window.ends_utc
    and (v_open is null or v_open @> b.ts_utc);
  v_floors := (
    select jsonb_object_agg(f.timeframe, f.floor_utc)
    from agg.floor as f
    where f.canonical_symbol = p_symbol and f.floor_utc > v_window.starts_utc
  );
  v_minute_floor := (v_floors ->> '1m')::timestamptz;
  v_missing := array(
    select e.ts_utc
    from unnest(v_expected) as e (ts_utc)
    where e.ts_utc < p_now and e.ts_utc >= coalesce(v_minute_floor, '-infinity') and e.ts_utc <> all (v_present)
    order by 1
  );

  if p_timeframe = '1m' then
    select b.* into v_minute from public.data_bars as b where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc = v_window.starts_utc;
    if v_minute.ts_utc is not null then
      return query values
        ('state', 'bar'),
        ('built', format('stored at %s, as it is since %s, source %s', v_minute.created_at, v_minute.updated_at, v_minute.source));
    else
      return query values
        ('state', case when v_window.ends_utc > p_now then 'not decided' else 'no bar' end),
        ('why', case
          when v_minute_floor is not null then 'it is not kept any more'
          when v_open = '{}' then 'the market is closed in this minute'
          when v_window.ends_utc > p_now then 'the minute has not ended'
          when v_is_basket then 'it is computed only where every component has a bar'
          else 'it has no bar: none has arrived, or it was deleted'
        end);
    end if;
    return query select 'partial', v_partial where v_partial is not null;
  else
    select d.* into v_bar
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = v_window.starts_utc;
    v_is_decided := coalesce(v_window.starts_utc < greatest(v_task.decided_to_utc, v_task.built_to_utc), false);
    return query
    select 'state', case
      when v_bar.ts_utc is not null and v_bar.deleted_at is null then 'bar'
      when v_task.timeframe is null then 'not built'
      when v_is_decided or v_window.starts_utc < v_task.agg_start_utc then 'no bar'
      else 'not decided'
    end;
    return query
    select 'why', w.why
    from (
      select case
        when v_bar.ts_utc is not null and v_bar.deleted_at is null then null
        when v_task.timeframe is null then format('the asset has no %s task: metadata.agg does not ask for it, or the asset has never been active', p_timeframe)
        when v_floors ? p_timeframe then 'it is not kept any more'
        when v_window.starts_utc < v_task.agg_start_utc and v_bar.ts_utc is null
          then format('it lies before %s, the start of aggregation (metadata.agg.start_utc)', v_task.agg_start_utc)
        when v_open = '{}' then 'the market is closed in all of it'
        when not v_is_decided then null
        when cardinality(v_present) = 0 then 'it is a gap: none of its minutes has a bar'
        when cardinality(v_present) * 100 < cardinality(v_expected) * v_task.poor_percent then format(
          'its minutes are too few: %s of %s are %s %%, and %s %% are needed (metadata.agg.quality)',
          cardinality(v_present), cardinality(v_expected), cardinality(v_present) * 100 / cardinality(v_expected), v_task.poor_percent
        )
        else 'its minutes are enough for a bar: it waits to be built again, or select agg_repair() builds it'
      end
    ) as w (why)
    where w.why is not null;
    return query
    select 'built', format('first at %s%s', v_bar.created_at, case when v_bar.raw ? 'migrated_from' then ', by an older deployment' else '' end)
    where v_bar.ts_utc is not null;
    return query
    select 'minutes', format(
      '%s of %s%s',
      case when v_minute_floor is null then cardinality(v_present) else coalesce(v_bar.covered_minutes, 0) end,
      case when v_minute_floor is null then cardinality(v_expected) else coalesce(v_bar.expected_minutes, cardinality(v_expected)) end,
      case when v_bar.deleted_at is null then ', quality ' || v_bar.quality_score || case v_bar.quality_score
        when 2 then ' (excellent: every minute)' when 1 then format(' (good: at least %s %%)', v_task.good_percent)
        else format(' (poor: at least %s %%)', v_task.poor_percent)
      end else '' end
    );
    return query
    select 'missing', agg.minute_runs(v_missing) where cardinality(v_missing) > 0 and v_open is distinct from '{}';
    select string_agg(format('%s (at %s)', to_char(l.ts_utc, 'YYYY-MM-DD HH24:MI'), l.created_at), ', ' order by l.ts_utc)
    into v_late
    from (
      select b.ts_utc, b.created_at
      from public.data_bars as b
      where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc = any (v_present) and b.created_at > v_bar.created_at
      order by b.ts_utc
      limit 10
    ) as l;
    return query select 'late', v_late where v_late is not null;
    return query select 'partial', v_partial where v_partial is not null;
  end if;

  return query
  select 'kept', format('%s bars of %s from %s on', f.timeframe, f.canonical_symbol, f.floor_utc)
  from agg.floor as f
  where f.floor_utc > v_window.starts_utc and (
    f.canonical_symbol = p_symbol and f.timeframe in ('1m', p_timeframe, v_task.source_timeframe)
    or f.timeframe = '1m' and f.canonical_symbol in (select k.component from agg.synthetic_component as k where k.canonical_symbol = p_symbol)
  )
  order by f.canonical_symbol, f.timeframe;

  return query
  select 'market', format('closed from %s to %s', lower(c.span), upper(c.span))
  from unnest(v_full - coalesce(v_open, v_full)) as c (span)
  order by c.span
  limit 20;
  return query
  select 'market', format(
    'calendar %s: %s is %s%s', d.calendar, d.day, replace(d.kind, '_', ' '),
    coalesce(' from ' || d.opens_at, '') || coalesce(' until ' || d.closes_at, '')
  )
  from agg.calendar as c
  join agg.calendar_day as d on d.calendar = c.name
  where c.name = v_task.calendar
    and d.day between (v_window.starts_utc at time zone c.time_zone)::date and ((v_window.ends_utc - interval '1 microsecond') at time zone c.time_zone)::date
  order by d.day;

  return query
  select 'component', format('%s lacks %s of %s minutes: %s', c.component, cardinality(c.minutes), cardinality(v_expected), agg.minute_runs(c.minutes))
  from (
    select k.component_no, k.component, array(
      select e.ts_utc
      from unnest(v_expected) as e (ts_utc)
      where e.ts_utc < p_now and not exists (
        select from public.data_bars as b where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc = e.ts_utc
      ) and not exists (
        select from agg.floor as f where f.canonical_symbol = k.component and f.timeframe = '1m' and f.floor_utc > e.ts_utc
      )
    ) as minutes
    from agg.synthetic_component as k
    where k.canonical_symbol = p_symbol
  ) as c
  where cardinality(c.minutes) > 0
  order by c.component_no;

  return query
  select 'changed', format(
    '%s: %s; before that %s', v.replaced_at,
    case v.reason
      when 'late_minutes' then 'minutes arrived late'
      when 'lost_minutes' then 'minutes were deleted'
      when 'changed_minutes' then 'minutes changed'
      when 'new_rules' then 'session, calendar, thresholds or windows changed'
      when 'by_hand' then 'another writer than the builder changed it'
      else 'the row was deleted'
    end,
    case
      when v.deleted_at is not null then format('no bar, with %s minutes', v.covered_minutes)
      else format('open %s, high %s, low %s, close %s, vol %s, %s minutes', v.open, v.high, v.low, v.close, coalesce(v.vol::text, 'unknown'), v.covered_minutes)
    end
  )
  from public.derived_data_bars_revision as v
  where v.canonical_symbol = p_symbol and v.timeframe = p_timeframe and v.ts_utc = v_window.starts_utc
  order by v.replaced_at;

  return query
  select 'waits', format('a change of its %s bars waits to be built since %s', s.source_timeframe, min(c.changed_at))
  from agg.waiting_changes() as c
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
  where c.canonical_symbol = p_symbol and s.run_interval_minutes <= extract(epoch from v_length) / 60
    and c.spans && tstzrange(v_window.starts_utc, v_window.ends_utc)
    and v_window.starts_utc < (select t.decided_to_utc from agg.task as t where t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe)
  group by s.source_timeframe, s.run_interval_minutes
  order by s.run_interval_minutes;

  if v_task.timeframe = p_timeframe and v_window.starts_utc >= v_task.followed_to_utc
    and v_window.starts_utc >= v_task.agg_start_utc
  then
    return query
    select 'waits', w.text
    from (
      select case
        when v_window.ends_utc + make_interval(secs => v_task.aggregation_delay_seconds) > p_now
          then format('for %s: its end, and the delay of %s seconds', v_window.ends_utc + make_interval(secs => v_task.aggregation_delay_seconds), v_task.aggregation_delay_seconds)
        else format('the task has decided windows up to %s', v_task.decided_to_utc)
      end
      union all
      select format('%s: %s', h.state, h.explanation)
      from agg.task_health(p_now, array[p_symbol]) as h
      where h.timeframe = p_timeframe and h.state <> 'current'
    ) as w (text);
    select k.* into v_slowest from agg.slowest_component(p_symbol, p_now) as k;
    return query
    select 'component', format('%s holds the basket back: %s', v_slowest.component, coalesce('its last bar is at ' || v_slowest.last_utc, 'it has no bar'))
    where v_is_basket and coalesce(v_slowest.last_utc + interval '1 minute' < least(v_window.ends_utc, p_now), true);
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_finish (
  p_symbol         text,
  p_tf             text,
  p_success        boolean,
  p_new_cursor_utc timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_stats          jsonb                    DEFAULT NULL::jsonb,
  p_fail_kind      text                     DEFAULT NULL::text,
  p_error          text                     DEFAULT NULL::text,
  p_now            timestamp with time zone DEFAULT now(),
  p_claimed_at     timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_decided_to_utc timestamptz;
  v_end_utc timestamptz;
  v_frontier_utc timestamptz;
  v_result agg.build_result;
begin
  if p_success is null then
    raise exception 'p_success must be true or false' using errcode = 'invalid_parameter_value';
  end if;
  if not p_success and coalesce(p_fail_kind, '') not in ('transient', 'hard') then
    raise exception 'p_fail_kind must be transient or hard, not %', coalesce(p_fail_kind, 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  v_task := agg.lock_task(p_symbol, p_tf);
  if v_task.running_started_at_utc is null or v_task.running_started_at_utc <> p_claimed_at then
    raise exception 'task % % is not claimed%', p_symbol, p_tf, coalesce(' since ' || p_claimed_at, '')
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Claim it with agg_start() first. A claim older than 15 minutes counts as abandoned and is taken back.';
  end if;

  v_length := make_interval(mins => v_task.run_interval_minutes);
  v_decided_to_utc := agg.window_end(v_task.last_agg_bar_ts_utc, v_length, v_task.window_time_zone, v_task.window_origin);
  if p_success and p_new_cursor_utc is not null then
    v_end_utc := agg.window_end(p_new_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin);
    if agg.window_start(p_new_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin) <> p_new_cursor_utc
      or p_new_cursor_utc < v_task.last_agg_bar_ts_utc
    then
      raise exception 'cursor % of % % is not the start of a window at or after the cursor %',
        p_new_cursor_utc, p_symbol, p_tf, v_task.last_agg_bar_ts_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
    -- A start that was moved ahead leaves the cursor behind it; nothing between them is built.
    select greatest(o.frontier_utc, o.from_utc) into v_frontier_utc
    from agg.plan_builds(array[p_symbol], p_tf, p_now, null, 1) as o;
    if p_new_cursor_utc > v_task.last_agg_bar_ts_utc and v_end_utc > v_frontier_utc then
      raise exception 'cursor % of % % is beyond the frontier %', p_new_cursor_utc, p_symbol, p_tf, v_frontier_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
  end if;

  v_result.symbols := array[p_symbol];
  v_result.timeframe := p_tf;
  v_result.window_length := v_length;
  v_result.window_time_zone := v_task.window_time_zone;
  v_result.window_origin := v_task.window_origin;
  v_result.from_utc := v_decided_to_utc;
  v_result.decided_to_utc := coalesce(v_end_utc, v_decided_to_utc);
  v_result.stopped_reason := left(p_stats ->> 'stopped_reason', 100);
  v_result.bars := agg.read_count(p_stats, 'bars_created');
  v_result.bars_poor := agg.read_count(p_stats, 'bars_quality_poor');
  if not p_success then
    v_result.fail_kind := p_fail_kind;
    v_result.error := coalesce(left(p_error, 2000), 'the worker gave no reason');
  end if;
  perform agg.finish_tasks(array[v_result], p_now);
  -- The claim may have been lost and another's: what was built under it may have missed a change whose note is gone.
  if p_success and p_claimed_at is null and p_new_cursor_utc > v_task.last_agg_bar_ts_utc then
    perform agg.add_corrections(array[(
      p_symbol, p_tf, tstzmultirange(tstzrange(v_decided_to_utc, v_end_utc)), now(), 0
    )::agg.changed_span]);
  end if;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  return jsonb_build_object(
    'success', true,
    'status', v_task.status,
    'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
    'next_run_at', v_task.next_run_at,
    'hard_fail_streak', v_task.hard_fail_streak
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_gaps (
  p_symbol    text,
  p_timeframe text,
  p_from_utc  timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_to_utc    timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS TABLE (
    gap_from_utc timestamp with time zone,
    gap_to_utc   timestamp with time zone,
    windows      bigint
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  with task as (
    select
      s.window_length, s.window_time_zone, s.window_origin, s.source_timeframe,
      s.session_time_zone, s.session_minutes, s.calendar,
      greatest(
        agg.window_end(
          agg.bootstrap_cursor(s.agg_start_utc, s.window_length, s.window_time_zone, s.window_origin),
          s.window_length, s.window_time_zone, s.window_origin
        ),
        p_from_utc
      ) as from_utc,
      least(s.decided_to_utc, p_to_utc) as to_utc
    from agg.task as s
    where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  ),
  -- Null: all of it.
  market as materialized (
    select case
      when t.session_minutes is not null or t.calendar is not null
        then agg.open_spans(t.session_time_zone, t.session_minutes, t.calendar, t.from_utc, t.to_utc)
    end as open
    from task as t
    where t.from_utc < t.to_utc
  ),
  filled as (
    select distinct agg.window_start(b.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as ts_utc
    from task as t
    cross join market as m
    join agg.source_bar as b
      on b.canonical_symbol = p_symbol and b.timeframe = t.source_timeframe
      and b.ts_utc >= t.from_utc and b.ts_utc < t.to_utc and b.covered_minutes > 0
    -- Minutes outside the session are in no bar.
    where m.open is null or t.source_timeframe <> '1m' or m.open @> b.ts_utc
  ),
  edge as (
    select f.ends_utc as gap_from_utc, lead(f.ts_utc, 1, t.to_utc) over (order by f.ts_utc, f.ends_utc) as gap_to_utc
    from (
      select f.ts_utc, agg.window_end(f.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as ends_utc
      from filled as f
      cross join task as t
      union all
      select t.from_utc, t.from_utc from task as t
    ) as f
    cross join task as t
  ),
  -- Windows with an open minute. Those that are closed neither are a gap nor divide one.
  missing as (
    select tstzmultirange(tstzrange(e.gap_from_utc, e.gap_to_utc)) as gap, w.starts_utc, w.ends_utc
    from edge as e
    cross join task as t
    cross join lateral agg.windows_between(e.gap_from_utc, e.gap_to_utc, t.window_length, t.window_time_zone, t.window_origin) as w
    cross join market as m
    where e.gap_from_utc < e.gap_to_utc and (m.open is null or m.open && tstzrange(w.starts_utc, w.ends_utc))
  )
  select min(m.starts_utc), max(m.ends_utc), count(*)
  from missing as m
  group by m.gap
  order by 1;
$function$;

CREATE OR REPLACE FUNCTION public.agg_get_due_tasks (
  p_env_name text                     DEFAULT NULL::text,
  p_limit    integer                  DEFAULT 10,
  p_now      timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    canonical_symbol          text,
    timeframe                 text,
    source_timeframe          text,
    last_agg_bar_ts_utc       timestamp with time zone,
    run_interval_minutes      integer,
    aggregation_delay_seconds integer,
    is_mandatory              boolean,
    task_priority             integer
  )
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_is_test constant boolean := agg.is_test(agg.current_env(p_env_name));
  v_queue record;
  v_left integer := p_limit;
  v_rows integer;
begin
  if agg.is_paused(p_now) then
    return;
  end if;
  perform agg.recover_abandoned_claims(p_now);
  -- Queue by queue: only the last one that is read is sorted for a part of it.
  for v_queue in
    select q.is_mandatory, q.run_interval_minutes, q.task_priority, min(q.from_at) as from_at, max(q.to_at) as to_at
    from agg.due_queues(p_now) as q
    group by q.is_mandatory, q.run_interval_minutes, q.task_priority
    order by q.is_mandatory desc, q.run_interval_minutes, q.task_priority
  loop
    exit when v_left <= 0;
    return query
    select
      s.canonical_symbol, s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc,
      s.run_interval_minutes, s.aggregation_delay_seconds, s.is_mandatory, s.task_priority
    from agg.runnable_task as s
    join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = v_is_test
    where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
      and s.task_priority = v_queue.task_priority and s.queued_at between v_queue.from_at and v_queue.to_at and s.next_run_at <= p_now
    order by s.last_successful_at_utc nulls first, s.canonical_symbol
    limit v_left;
    get diagnostics v_rows = row_count;
    v_left := v_left - v_rows;
  end loop;
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_maintain (
  p_env text                     DEFAULT NULL::text,
  p_now timestamp with time zone DEFAULT now()
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET statement_timeout TO '60s'
  SET lock_timeout TO '5s'
  AS $function$
declare
  v_audit jsonb;
  v_sync jsonb;
  v_removed integer;
  v_raised integer;
begin
  if p_now is null or not isfinite(p_now) then
    raise exception 'p_now must be finite, not %', coalesce(p_now::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  if agg.is_paused(p_now) then
    v_raised := agg.refresh_alerts(p_now, null, true);
    return jsonb_build_object('paused', true, 'alerts_raised', v_raised, 'messages_ready', agg.wake_delivery(p_now, true));
  end if;
  -- First: it takes time, and what follows takes locks.
  begin
    v_audit := agg.audit_history(p_env, p_now);
  exception when others then
    raise warning 'the audit failed: % (%)', sqlerrm, sqlstate;
  end;
  -- Before floors are raised: no build that began before that reads what is removed.
  begin
    v_removed := agg.remove_old_bars(100000);
  exception when others then
    raise warning 'bars that are not kept could not be removed: % (%)', sqlerrm, sqlstate;
  end;
  begin
    perform agg.raise_floors(p_now);
    v_sync := public.sync_agg_state_from_registry(p_env);
  exception when others then
    -- Alerts and pruning must go on without it.
    raise warning 'the registry sync failed: % (%)', sqlerrm, sqlstate;
    v_sync := jsonb_build_object('success', false, 'error', case sqlstate
      when '55P03' then 'an open transaction has changed the registry, or tasks, and the sync waits for it'
      else sqlerrm
    end);
  end;
  begin
    perform agg.measure_silence(p_now);
  exception when others then
    raise warning 'the silence of series could not be measured: % (%)', sqlerrm, sqlstate;
  end;
  v_raised := agg.refresh_alerts(p_now, v_sync, true);
  return jsonb_build_object(
    'slices_audited', v_audit -> 'slices_audited',
    'windows_wrong', v_audit -> 'windows_wrong',
    'sync', v_sync,
    'alerts_raised', v_raised,
    'messages_ready', agg.wake_delivery(p_now, not v_sync ? 'error'),
    'rows_pruned', agg.prune_logs(p_now),
    'revisions_pruned', agg.prune_revisions(p_now),
    'tasks_recovered', agg.recover_postponed_tasks(p_now),
    'bars_removed', v_removed,
    'tasks_woken', case when date_part('minute', p_now) < 5 then agg.wake_overlooked_tasks() end
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_repair (
  p_symbol    text                     DEFAULT NULL::text,
  p_timeframe text                     DEFAULT NULL::text,
  p_from      timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_to        timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_windows bigint;
  v_changes agg.changed_span[];
begin
  select coalesce(sum(v.windows), 0), array_agg((v.canonical_symbol, v.timeframe, v.spans, now(), 0)::agg.changed_span)
  into v_windows, v_changes
  from (
    select d.canonical_symbol, d.timeframe, count(*) as windows, range_agg(tstzrange(d.ts_utc, d.ts_utc + t.duration)) as spans
    from public.agg_verify(p_symbol, p_timeframe, p_from, p_to) as d
    join agg.timeframe as t on t.timeframe = d.timeframe
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ) as v;
  if v_changes is not null then
    perform agg.add_corrections(v_changes);
  end if;
  return jsonb_build_object('success', true, 'tasks', coalesce(cardinality(v_changes), 0), 'windows', v_windows);
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_run_due (
  p_env           text                     DEFAULT NULL::text,
  p_limit         integer                  DEFAULT 10000,
  p_now           timestamp with time zone DEFAULT now(),
  p_time_budget   interval                 DEFAULT '00:00:40'::interval,
  p_batch_windows integer                  DEFAULT 50000,
  p_lane          integer                  DEFAULT 1
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET statement_timeout TO '120s'
  AS $function$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_env constant text := agg.current_env(p_env);
  v_stopped_reason text;
  v_batch agg.batch_result;
  v_batches integer := 0;
  v_sums agg.batch_result := agg.sum_batches(null, null);
begin
  if p_now is null or not isfinite(p_now) or p_time_budget is null
    or coalesce(p_limit, 0) < 1 or coalesce(p_batch_windows, 0) < 1
  then
    raise exception 'p_now and p_time_budget must not be null, p_now must be finite, p_limit and p_batch_windows at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  if p_lane is null or p_lane not between 1 and 4 then
    raise exception 'p_lane must be from 1 to 4, not %', coalesce(p_lane::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  -- Held to the end of the transaction, so that no dead or pooled session can keep it.
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.agg_run_due', p_lane - 1)) then
    v_stopped_reason := 'busy';
  end if;

  while v_stopped_reason is null loop
    v_batch := agg.run_batch(v_env, p_limit, p_now, p_batch_windows);
    v_batches := v_batches + (v_batch.tasks > 0)::integer;
    v_sums := agg.sum_batches(v_sums, v_batch);
    if v_batch.tasks = 0 and v_batch.notes = 0 then
      v_stopped_reason := case when agg.is_paused(p_now) then 'paused' else 'idle' end;
    elsif clock_timestamp() >= v_started_at + p_time_budget then
      v_stopped_reason := case when p_time_budget <= interval '0' then 'one_batch' else 'time_budget' end;
    end if;
  end loop;

  if v_sums.failed > 0 then
    perform agg.refresh_alerts(p_now);
  end if;
  insert into agg.run_log (
    started_at, finished_at, env, lane, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, windows_backfilled,
    stopped_reason
  )
  values (
    v_started_at, clock_timestamp(), v_env, p_lane, v_batches, v_sums.tasks, v_sums.windows,
    v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.windows_backfilled,
    v_stopped_reason
  );
  return jsonb_build_object(
    'tasks', v_sums.tasks,
    'windows', v_sums.windows,
    'bars_created', v_sums.bars_created,
    'bars_quality_poor', v_sums.bars_quality_poor,
    'bars_corrected', v_sums.bars_corrected,
    'failed', v_sums.failed,
    'batches', v_batches,
    'stopped_reason', v_stopped_reason
  );
end;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_run_due"(text, integer, timestamp WITH time zone, interval, integer, integer) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_verify (
  p_symbol    text                     DEFAULT NULL::text,
  p_timeframe text                     DEFAULT NULL::text,
  p_from      timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_to        timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS TABLE (
    canonical_symbol text,
    timeframe        text,
    ts_utc           timestamp with time zone,
    problem          text,
    stored           jsonb,
    expected         jsonb,
    is_pending       boolean
  )
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
begin
  if p_timeframe is not null and not exists (select from agg.timeframe as t where t.timeframe = p_timeframe) then
    raise exception '% is not a timeframe', p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = format('Timeframes are %s.', agg.timeframe_list());
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

  return query
  select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem, v.stored, v.expected, v.is_pending
  from agg.verify_spans(array(
    select (s.canonical_symbol, s.timeframe, tstzmultirange(tstzrange(p_from, p_to)), now(), 0)::agg.changed_span
    from public.data_agg_state as s
    where (p_symbol is null or s.canonical_symbol = p_symbol) and (p_timeframe is null or s.timeframe = p_timeframe)
  )) as v
  join agg.timeframe as t on t.timeframe = v.timeframe
  order by v.canonical_symbol, t.duration, v.ts_utc;
end;
$function$;

CREATE OR REPLACE FUNCTION public.aggregate_window (
  p_symbol             text,
  p_timeframe          text,
  p_from_utc           timestamp with time zone,
  p_to_utc             timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_derivation_version integer                  DEFAULT NULL::integer,
  p_now                timestamp with time zone DEFAULT now()
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_window record;
  v_request agg.build_request;
  v_quality smallint;
  v_source_count integer;
  v_reason text;
begin
  select t.duration into v_length from agg.timeframe as t where t.timeframe = p_timeframe and t.source_timeframe is not null;
  if not found then
    raise exception '% is not a timeframe that is built from minutes', coalesce(p_timeframe, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  if p_from_utc is null or not isfinite(p_from_utc) then
    raise exception '% %: % is not the start of a window', p_symbol, p_timeframe, coalesce(p_from_utc::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Give the instant at which a window starts.';
  end if;
  select s.* into v_task from public.data_agg_state as s where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe;
  v_window := agg.window_bounds(
    p_from_utc, v_length, v_task.window_time_zone, coalesce(v_task.window_origin, timestamp '2000-01-03 00:00:00')
  );
  if p_symbol is null or v_window.starts_utc <> p_from_utc or v_window.ends_utc <> p_to_utc then
    raise exception '% %: [%, %) is not one % window', p_symbol, p_timeframe, p_from_utc, coalesce(p_to_utc, v_window.ends_utc), p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = case
          when v_task.window_time_zone is null
            then format('Give the start of a window, aligned to %s in UTC, and the instant %s later.', v_length, v_length)
          else format('The window is [%s, %s).', v_window.starts_utc, v_window.ends_utc)
        end;
  end if;

  perform agg.lock_series(p_symbol, p_timeframe);
  select o.* into v_request
  from agg.plan_builds(
    array[p_symbol], p_timeframe, p_now, null, p_derivation_version, false,
    agg.window_start(
      p_from_utc - interval '1 microsecond', v_length, v_task.window_time_zone, coalesce(v_task.window_origin, timestamp '2000-01-03 00:00:00')
    )
  ) as o;

  if v_request.from_utc > p_from_utc then
    v_reason := 'before_agg_start_utc';
  elsif v_request.frontier_utc < v_window.ends_utc then
    v_reason := 'frontier';
  else
    v_request.to_utc := v_window.ends_utc;
    perform agg.build_bars(array[v_request]);
    perform agg.extend_built_to(p_symbol, p_timeframe, v_window.ends_utc);
    select d.quality_score, d.source_candles into v_quality, v_source_count
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = p_from_utc and d.deleted_at is null;
    if v_quality is null then
      v_reason := 'insufficient_source_bars';
    end if;
  end if;

  if v_source_count is null then
    select count(*) into v_source_count
    from agg.source_bar as b
    where b.canonical_symbol = p_symbol and b.timeframe = v_request.source_timeframe
      and b.ts_utc >= p_from_utc and b.ts_utc < v_window.ends_utc and b.covered_minutes > 0;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'success', true,
    'stored', v_quality is not null,
    'source_count', v_source_count,
    'quality_score', v_quality,
    'reason', v_reason
  ));
end;
$function$;

CREATE OR REPLACE FUNCTION public.get_bars (
  p_symbols   text[],
  p_timeframe text,
  p_from      timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_to        timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_limit     integer                  DEFAULT 1000,
  p_after     jsonb                    DEFAULT NULL::jsonb,
  p_fill      boolean                  DEFAULT false,
  p_forming   boolean                  DEFAULT false,
  p_as_of     timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS TABLE (
    canonical_symbol text,
    timeframe        text,
    ts_utc           timestamp with time zone,
    open             double precision,
    high             double precision,
    low              double precision,
    close            double precision,
    vol              double precision,
    vwap             double precision,
    trade_count      bigint,
    quality_score    smallint,
    covered_minutes  integer,
    expected_minutes integer,
    is_partial       boolean,
    is_filled        boolean,
    is_forming       boolean,
    updated_at       timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_is_minute constant boolean := p_timeframe = '1m';
  v_to constant timestamptz := coalesce(p_to, 'infinity');
  v_after_symbol text;
  v_after_utc timestamptz;
  v_forgotten record;
  v_recent_utc timestamptz;
begin
  if p_symbols is null or array_position(p_symbols, null) is not null then
    raise exception 'p_symbols must be an array of symbols, not %', coalesce(p_symbols::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Give canonical symbols, such as array[''EURUSD'', ''DXY''].';
  end if;
  if p_timeframe is null or p_timeframe !~ '^[1-9][0-9]{0,3}[mhdw]$' then
    raise exception 'p_timeframe must be a timeframe such as 1m, 5m or 1d, not %', coalesce(p_timeframe, 'null')
      using errcode = 'invalid_parameter_value', hint = 'A number of minutes (m), hours (h), days (d) or weeks (w).';
  end if;
  if p_from >= v_to then
    raise exception '[%, %) is not a range of time', p_from, v_to
      using errcode = 'invalid_parameter_value', hint = 'p_to is the end: windows that start there or later are left out.';
  end if;
  if p_limit < 1 then
    raise exception 'p_limit must be a number of bars above 0, not %', p_limit
      using errcode = 'invalid_parameter_value', hint = 'null means all.';
  end if;
  if p_after is not null then
    begin
      if p_after ->> 'ts_utc' ~* '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$' then
        v_after_utc := (p_after ->> 'ts_utc')::timestamptz;
      end if;
    exception when data_exception then
      -- Refused below.
    end;
    v_after_symbol := p_after ->> 'canonical_symbol';
    if v_after_utc is null or v_after_symbol is null then
      raise exception 'p_after must be an object with canonical_symbol and ts_utc (an instant with its zone), not %', left(p_after::text, 200)
        using errcode = 'invalid_parameter_value', hint = 'Give the last row of the page before.';
    end if;
  end if;
  if p_as_of is not null then
    if v_is_minute or p_forming then
      raise exception 'p_as_of cannot be had with %: data_bars keeps no revisions', case when v_is_minute then '1m' else 'p_forming' end
        using errcode = 'invalid_parameter_value', hint = 'Longer bars keep what they were before they changed.';
    end if;
    select r.canonical_symbol, b.begin_utc into v_forgotten
    from agg.readable_series as r
    cross join lateral (select greatest(now() - agg.revision_age(r.revisions), r.revision_floor_utc)) as b (begin_utc)
    where r.canonical_symbol = any (p_symbols) and r.timeframe = p_timeframe and p_as_of < b.begin_utc
    order by 1
    limit 1;
    if found then
      raise exception '% keeps no revisions from before %', v_forgotten.canonical_symbol, v_forgotten.begin_utc
        using errcode = 'invalid_parameter_value',
        hint = 'Give a later p_as_of. metadata.agg.revisions of the asset says for how long revisions are kept.';
    end if;
  end if;

  if (p_fill or p_forming and not v_is_minute) is true then
    return query
    select
      y.symbol, p_timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.quality_score,
      b.covered_minutes, b.expected_minutes, b.is_partial, b.is_filled, b.is_forming, b.updated_at
    from (
      select distinct y.symbol from unnest(p_symbols) as y (symbol) where v_after_symbol is null or y.symbol >= v_after_symbol order by 1
    ) as y
    cross join lateral agg.filled_bars(
      y.symbol, p_timeframe,
      case when y.symbol = v_after_symbol and p_from is not null then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end,
      v_to, p_limit, p_from is null, p_fill, p_forming, p_as_of
    ) as b
    where v_after_symbol is null or (y.symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by y.symbol, b.ts_utc
    limit case when p_from is not null then p_limit end;
    return;
  end if;

  if p_as_of is not null then
    return query
    select b.*
    from (
      select
        u.symbol,
        greatest(
          case when u.symbol = v_after_symbol then v_after_utc + interval '1 microsecond' end,
          p_from,
          -- The first of the latest.
          (
            select min(l.ts_utc)
            from (
              (
                select d.ts_utc
                from public.derived_data_bars as d
                where p_from is null and d.canonical_symbol = u.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
                  and d.deleted_at is null and d.updated_at <= p_as_of
                order by d.ts_utc desc
                limit p_limit
              )
              union all
              (
                select d.ts_utc
                from public.derived_data_bars_revision as d
                where p_from is null and d.canonical_symbol = u.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
                  and d.deleted_at is null and d.written_at <= p_as_of and d.replaced_at > p_as_of
                order by d.ts_utc desc
                limit p_limit
              )
              order by ts_utc desc
              limit p_limit
            ) as l
          )
        ) as from_utc
      from (select distinct u.symbol from unnest(p_symbols) as u (symbol)) as u
      where v_after_symbol is null or u.symbol >= v_after_symbol
      order by 1
    ) as y
    cross join lateral (
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= y.from_utc and d.ts_utc < v_to
          and d.deleted_at is null and d.updated_at <= p_as_of
        order by d.ts_utc
        limit p_limit
      )
      union all
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.written_at
        from public.derived_data_bars_revision as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= y.from_utc and d.ts_utc < v_to
          and d.deleted_at is null and d.written_at <= p_as_of and d.replaced_at > p_as_of
        order by d.ts_utc
        limit p_limit
      )
      order by ts_utc
      limit p_limit
    ) as b
    order by y.symbol, b.ts_utc
    limit case when p_from is not null then p_limit end;
  elsif p_from is null and v_is_minute then
    -- Of many symbols, most have their last bar where the first symbol has, or a window before: they are found in one scan of the
    -- key, in half the time of a look for each.
    if p_limit = 1 and cardinality(p_symbols) > 1 then
      select d.ts_utc - p_timeframe::interval into v_recent_utc
      from public.data_bars as d
      where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe and d.ts_utc < v_to
      order by d.ts_utc desc
      limit 1;
    end if;
    return query
    with recent as materialized (
      select distinct on (d.canonical_symbol)
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        null::smallint as quality_score, 1 as covered_minutes, 1 as expected_minutes, d.is_partial, false, false, d.updated_at
      from public.data_bars as d
      where v_recent_utc is not null and d.canonical_symbol = any (p_symbols) and d.timeframe = p_timeframe
        and d.ts_utc >= v_recent_utc and d.ts_utc < v_to
      order by d.canonical_symbol, d.ts_utc desc
    )
    select b.*
    from (
      select r.* from recent as r
      union all
      select b.*
      from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where u.symbol not in (select r.canonical_symbol from recent as r)) as y
      cross join lateral (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          null::smallint as quality_score, 1 as covered_minutes, 1 as expected_minutes, d.is_partial, false, false, d.updated_at
        from public.data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
        order by d.ts_utc desc
        limit p_limit
      ) as b
    ) as b
    where v_after_symbol is null or (b.canonical_symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by b.canonical_symbol, b.ts_utc;
  elsif p_from is null then
    if p_limit = 1 and cardinality(p_symbols) > 1 then
      select d.ts_utc - p_timeframe::interval into v_recent_utc
      from public.derived_data_bars as d
      where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
      order by d.ts_utc desc
      limit 1;
    end if;
    return query
    with recent as materialized (
      select distinct on (d.canonical_symbol)
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
      from public.derived_data_bars as d
      where v_recent_utc is not null and d.canonical_symbol = any (p_symbols) and d.timeframe = p_timeframe
        and d.ts_utc >= v_recent_utc and d.ts_utc < v_to and d.deleted_at is null
      order by d.canonical_symbol, d.ts_utc desc
    )
    select b.*
    from (
      select r.* from recent as r
      union all
      select b.*
      from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where u.symbol not in (select r.canonical_symbol from recent as r)) as y
      cross join lateral (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
        order by d.ts_utc desc
        limit p_limit
      ) as b
    ) as b
    where v_after_symbol is null or (b.canonical_symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by b.canonical_symbol, b.ts_utc;
  elsif v_is_minute then
    return query
    select b.*
    from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where v_after_symbol is null or u.symbol >= v_after_symbol order by 1) as y
    cross join lateral (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        null::smallint, 1, 1, d.is_partial, false, false, d.updated_at
      from public.data_bars as d
      where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
        and d.ts_utc >= case when y.symbol = v_after_symbol then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end
      order by d.ts_utc
      limit p_limit
    ) as b
    order by y.symbol, b.ts_utc
    limit p_limit;
  elsif cardinality(p_symbols) = 1 and p_after is null then
    -- Most calls ask for one symbol, whose bars need neither a join nor a sort.
    return query
    select
      d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe
      and d.ts_utc >= p_from and d.ts_utc < v_to and d.deleted_at is null
    order by d.ts_utc
    limit p_limit;
  else
    return query
    select b.*
    from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where v_after_symbol is null or u.symbol >= v_after_symbol order by 1) as y
    cross join lateral (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
      from public.derived_data_bars as d
      where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
        and d.ts_utc >= case when y.symbol = v_after_symbol then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end
      order by d.ts_utc
      limit p_limit
    ) as b
    order by y.symbol, b.ts_utc
    limit p_limit;
  end if;
end;
$function$;

CREATE OR REPLACE FUNCTION public.import_calendar (
  p_name      text,
  p_days      jsonb,
  p_time_zone text                   DEFAULT NULL::text,
  p_day_start time without time zone DEFAULT NULL::time WITHOUT time zone
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_former agg.calendar;
  v_time_zone text;
  v_day_start time;
  v_problem text;
  v_zones text[];
  v_minutes int4multirange[];
  v_from_utc timestamptz[];
  v_to_utc timestamptz[];
  v_open tstzmultirange[];
  v_corrections agg.changed_span[];
  v_added integer;
  v_removed integer;
  v_tasks integer := 0;
begin
  if not coalesce(p_name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$', false) then
    raise exception 'p_name must be a letter, then up to 63 letters, digits, _ . or -, not %', coalesce(quote_literal(left(p_name, 100)), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  -- What tasks are compared with is then what they get.
  perform agg.lock_registry();
  select c.* into v_former from agg.calendar as c where c.name = p_name;
  v_time_zone := coalesce(p_time_zone, v_former.time_zone);
  v_day_start := coalesce(p_day_start, v_former.day_start, '00:00');
  if not coalesce(agg.is_time_zone(v_time_zone), false) then
    raise exception 'p_time_zone must name the time zone of the calendar, such as America/New_York, not %',
      coalesce(quote_literal(left(v_time_zone, 100)), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if v_day_start = '24:00' or extract(second from v_day_start) <> 0 then
    raise exception 'p_day_start must be a whole minute from 00:00 to 23:59, not %', v_day_start using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(p_days) is distinct from 'array' then
    raise exception 'p_days must be a list such as [{"day": "2026-12-25", "kind": "closed"}], not %', coalesce(left(p_days::text, 100), 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  select format('entry %s, %s: %s', e.n, left(e.entry::text, 200), r.problem) into v_problem
  from jsonb_array_elements(p_days) with ordinality as e (entry, n)
  cross join lateral agg.calendar_entry_problem(e.entry, v_day_start) as r (problem)
  where r.problem is not null
  order by e.n
  limit 1;
  if v_problem is null then
    with entry as (
      select e.*
      from rows from (
        jsonb_to_recordset(p_days) as (day date, kind text, opens_at time, closes_at time)
      ) with ordinality as e (day, kind, opens_at, closes_at, n)
    )
    select format('entries %s and %s, of %s: %s and %s cannot be on one day', least(a.n, b.n), greatest(a.n, b.n), a.day, a.kind, b.kind)
    into v_problem
    from entry as a
    join entry as b on b.day = a.day and b.n <> a.n
    where a.kind = 'closed' and b.kind <> 'special_opening'
      or a.kind = b.kind and (a.kind <> 'special_opening' or a.opens_at = b.opens_at)
      or (a.kind, b.kind) = ('early_close', 'late_opening')
        and agg.time_into_day(a.closes_at, v_day_start) <= agg.time_into_day(b.opens_at, v_day_start)
    order by least(a.n, b.n), greatest(a.n, b.n)
    limit 1;
  end if;
  if v_problem is not null then
    raise exception 'p_days: %', v_problem using errcode = 'invalid_parameter_value';
  end if;

  -- Which minutes are open for the tasks that use the calendar, before and after.
  select
    array_agg(g.session_time_zone), array_agg(g.session_minutes), array_agg(g.from_utc), array_agg(g.to_utc),
    array_agg(agg.open_spans(g.session_time_zone, g.session_minutes, p_name, g.from_utc, g.to_utc))
  into v_zones, v_minutes, v_from_utc, v_to_utc, v_open
  from (
    select
      s.session_time_zone, s.session_minutes, min(s.agg_start_utc) as from_utc,
      max(greatest(s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes), s.built_to_utc)) as to_utc
    from public.data_agg_state as s
    where s.calendar = p_name
    group by s.session_time_zone, s.session_minutes
  ) as g;

  insert into agg.calendar as c (name, time_zone, day_start)
  values (p_name, v_time_zone, v_day_start)
  on conflict (name) do update set time_zone = excluded.time_zone, day_start = excluded.day_start
  where (c.time_zone, c.day_start) <> (excluded.time_zone, excluded.day_start);
  delete from agg.calendar_day as d
  using (
    select f.day, f.kind, f.opens_at, f.closes_at from agg.calendar_day as f where f.calendar = p_name
    except
    select n.day, n.kind, n.opens_at, n.closes_at
    from jsonb_to_recordset(p_days) as n (day date, kind text, opens_at time, closes_at time)
  ) as o
  where d.calendar = p_name and d.day = o.day and d.kind = o.kind and d.opens_at is not distinct from o.opens_at;
  get diagnostics v_removed = row_count;
  insert into agg.calendar_day (calendar, day, kind, opens_at, closes_at)
  select p_name, n.day, n.kind, n.opens_at, n.closes_at
  from jsonb_to_recordset(p_days) as n (day date, kind text, opens_at time, closes_at time)
  on conflict (calendar, day, kind, opens_at) do nothing;
  get diagnostics v_added = row_count;

  if v_added > 0 or v_removed > 0 or (v_former.time_zone, v_former.day_start) is distinct from (v_time_zone, v_day_start) then
    with hours as materialized (
      select b.time_zone, b.minutes, b.to_utc, agg.changed_hours(b.former_spans, o.spans) as changed
      from unnest(v_zones, v_minutes, v_from_utc, v_to_utc, v_open) as b (time_zone, minutes, from_utc, to_utc, former_spans)
      cross join lateral agg.open_spans(b.time_zone, b.minutes, p_name, b.from_utc, b.to_utc) as o (spans)
    )
    select
      array_agg(
        -- What is built meanwhile may be built by the former days.
        (s.canonical_symbol, s.timeframe, h.changed + tstzmultirange(tstzrange(h.to_utc, null)), now(), 0)::agg.changed_span
        order by s.canonical_symbol, s.run_interval_minutes
      ),
      count(*) filter (where not isempty(h.changed))
    into v_corrections, v_tasks
    from hours as h
    join public.data_agg_state as s
      on s.calendar = p_name and (s.session_time_zone, s.session_minutes) is not distinct from (h.time_zone, h.minutes);
    if v_corrections is not null then
      perform agg.reopen_windows(v_corrections);
      perform agg.add_corrections(v_corrections);
    end if;
  end if;

  return jsonb_build_object(
    'success', true,
    'calendar', p_name,
    'time_zone', v_time_zone,
    'day_start', to_char(v_day_start, 'HH24:MI'),
    'days', jsonb_array_length(p_days),
    'added', v_added,
    'removed', v_removed,
    'unchanged', jsonb_array_length(p_days) - v_added,
    'tasks', v_tasks
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.sync_agg_state_from_registry (
  p_env               text                     DEFAULT NULL::text,
  p_default_start_utc timestamp with time zone DEFAULT '2025-07-01 00:00:00+00'::timestamp WITH time zone,
  p_symbols           text[]                   DEFAULT NULL::text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_custom_plan'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_env text;
  v_problems agg.asset_problem[];
  v_changes agg.task_change[];
begin
  if p_default_start_utc is null then
    raise exception 'p_default_start_utc must not be null' using errcode = 'invalid_parameter_value';
  end if;

  -- One sync at a time: what it compares with is then what it writes to.
  perform agg.lock_registry();
  v_env := agg.current_env(p_env);

  v_problems := array(
    select p
    from agg.asset_problems(array(
      select a.canonical_symbol
      from agg.active_asset as a
      where a.is_test = (select agg.is_test(v_env)) and (p_symbols is null or a.canonical_symbol = any (p_symbols))
    )) as p
    order by p.canonical_symbol
  );
  if v_problems <> '{}' then
    raise warning 'metadata are not understood: %', (
      select left(string_agg(format('%s (%s; left out: %s)', p.canonical_symbol, p.problem, p.leaves_out), '; '), 2000)
      from unnest(v_problems) as p
    ) using hint = 'Correct metadata in core_asset_registry_all.';
  end if;

  v_changes := array(select c from agg.task_changes(v_env, p_symbols, v_problems, p_default_start_utc) as c);
  if v_changes <> '{}' then
    perform agg.apply_task_changes(v_changes);
  end if;
  update agg.environment as e
  set has_foreign_tasks = f.is_foreign
  from (select agg.is_test(v_env) <> agg.is_test(agg.current_env(null))) as f (is_foreign)
  where e.has_foreign_tasks <> f.is_foreign and (f.is_foreign or p_symbols is null);
  insert into agg.queue (is_mandatory, run_interval_minutes, task_priority)
  select q.is_mandatory, q.run_interval_minutes, q.task_priority
  from agg.task_queue as q
  on conflict do nothing;

  return (
    select jsonb_build_object(
      'success', true,
      'env', v_env,
      'inserted', count(*) filter (where c.action = 'insert'),
      'updated', count(*) filter (where c.action = 'update'),
      'reenabled', count(*) filter (where c.action = 'reenable'),
      'disabled', count(*) filter (where c.action = 'disable'),
      'inserted_or_updated', count(*) filter (where c.action <> 'disable'),
      'symbols', coalesce(jsonb_agg(distinct c.canonical_symbol), '[]'),
      'refused', to_jsonb(v_problems),
      'default_start_utc', p_default_start_utc
    )
    from unnest(v_changes) as c
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.undo_move (
  p_keep_minutes boolean DEFAULT true
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '30s'
  SET statement_timeout TO '0'
  SET client_min_messages TO 'warning'
  AS $function$
declare
  v_until constant timestamptz := clock_timestamp() + interval '30 seconds';
  v_problem text;
  v_moved_xid xid;
  v_minutes jsonb := jsonb_build_object('minutes_added', 0, 'minutes_updated', 0, 'minutes_left_out', 0);
  v_jobs text[];
  v_commands text[];
begin
  perform agg.require_fresh_snapshots();
  -- To wait for a table while holding another could end in a deadlock with a writer or a dispatcher: this waits for the first one
  -- only, and begins again where it does not get the others at once.
  loop
    begin
      lock table public.data_bars in access exclusive mode;
      lock table
        public.derived_data_bars, public.derived_data_bars_revision, public.data_agg_state, public.core_asset_registry_all
        in access exclusive mode nowait;
      exit;
    exception when lock_not_available then
      if clock_timestamp() >= v_until then
        raise;
      end if;
    end;
    perform pg_sleep(0.01);
  end loop;
  v_problem := agg.undo_problem();
  if v_problem is not null then
    raise exception 'the move cannot be undone: %', v_problem
      using errcode = 'object_not_in_prerequisite_state', hint = 'select * from move_status() says what may be done.';
  end if;
  v_moved_xid := (select m.moved_xid from agg.move as m);
  v_jobs := agg.give_back_jobs();

  -- Names become free: the new tables wait in agg, which is dropped below.
  alter table public.core_asset_registry_all set schema agg;
  alter table public.data_bars set schema agg;
  alter table public.derived_data_bars set schema agg;
  alter table public.derived_data_bars_revision set schema agg;
  alter table public.data_agg_state set schema agg;
  v_commands := array(
    select 'drop function ' || string_agg(f.function_id::regprocedure::text, ', ') from agg.public_function as f
    union all
    select c from agg.give_back_commands() as c
  );
  for i in 1 .. cardinality(v_commands) loop
    execute v_commands[i];
  end loop;
  if p_keep_minutes then
    v_minutes := agg.give_back_minutes(v_moved_xid);
  end if;

  drop schema agg cascade;
  drop schema pgbars_before cascade;
  if to_regclass('supabase_migrations.schema_migrations') is not null then
    -- Releases, and what a clone has on the way to the next one.
    execute format('delete from supabase_migrations.schema_migrations as m where m.name ~ %L', '^pgbars_([0-9]+_[0-9]+_[0-9]+$|next_)');
  end if;
  if to_regclass('pgbars_releases.release') is not null then
    execute format('delete from %s', to_regclass('pgbars_releases.release'));
  end if;
  notify pgrst, 'reload schema';
  return v_minutes || jsonb_build_object('success', true, 'jobs', to_jsonb(v_jobs));
end;
$function$;

CREATE OR REPLACE FUNCTION public.upsert_bars (
  p_bars  jsonb,
  p_clamp boolean DEFAULT false
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  SET statement_timeout TO '60s'
  AS $function$
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
$function$;

ALTER TABLE "public"."data_agg_state"
  ADD CONSTRAINT "data_agg_state_cursor_aligned" CHECK (((run_interval_minutes <= 0) OR (window_time_zone IS
    NOT NULL) OR
    (date_bin(((run_interval_minutes)::double precision * '00:01:00'::interval), last_agg_bar_ts_utc, (window_origin AT TIME ZONE '00:00:00'::interval)) = last_agg_bar_ts_utc)));

CREATE OR REPLACE VIEW "agg"."readable_series" AS  SELECT s.canonical_symbol,
    s.timeframe,
    s.run_interval_minutes,
    s.window_time_zone,
    s.window_origin,
    s.session_time_zone,
    s.session_minutes,
    s.calendar,
    s.last_agg_bar_ts_utc AS cursor_utc,
    ( SELECT (r.metadata #> '{agg,revisions}'::text[])
           FROM public.core_asset_registry_all r
          WHERE (r.canonical_symbol = s.canonical_symbol)) AS revisions,
    ( SELECT f.floor_utc
           FROM agg.revision_floor f
          WHERE (f.canonical_symbol = s.canonical_symbol)) AS revision_floor_utc
   FROM public.data_agg_state s
  WHERE (EXISTS ( SELECT
           FROM agg.source_bar b
          WHERE ((b.canonical_symbol = s.canonical_symbol) AND (b.timeframe = ANY (ARRAY['1m'::text, s.timeframe])))));

CREATE OR REPLACE VIEW "agg"."task" WITH (security_invoker=true) AS  SELECT make_interval(mins => s.run_interval_minutes) AS window_length,
        CASE
            WHEN (s.window_time_zone IS NULL) THEN (s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes))
            ELSE agg.window_end(s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin)
        END AS decided_to_utc,
    GREATEST(
        CASE
            WHEN (s.window_time_zone IS NULL) THEN (s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes))
            ELSE agg.window_end(s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin)
        END, s.built_to_utc) AS followed_to_utc,
        CASE
            WHEN (s.window_time_zone IS NULL) THEN (s.last_agg_bar_ts_utc + make_interval(mins => (2 * s.run_interval_minutes), secs => (s.aggregation_delay_seconds)::double precision))
            ELSE agg.due_at(s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds, s.window_time_zone, s.window_origin)
        END AS due_at,
    s.canonical_symbol,
    s.timeframe,
    s.source_timeframe,
    s.run_interval_minutes,
    s.aggregation_delay_seconds,
    s.last_agg_bar_ts_utc,
    s.built_to_utc,
    s.agg_start_utc,
    s.status,
    s.next_run_at,
    s.running_started_at_utc,
    s.enabled,
    s.is_mandatory,
    s.task_priority,
    s.good_percent,
    s.poor_percent,
    s.session_time_zone,
    s.session_minutes,
    s.basket,
    s.fail_streak,
    s.hard_fail_streak,
    s.total_runs,
    s.total_bars_created,
    s.total_bars_quality_poor,
    s.last_attempted_at_utc,
    s.last_successful_at_utc,
    s.last_stopped_reason,
    s.last_error,
    s.created_at,
    s.updated_at,
    s.failing_since_utc,
    s.window_time_zone,
    s.window_origin,
    s.calendar,
    s.due_together_at,
    s.queued_at
   FROM public.data_agg_state s;

CREATE OR REPLACE VIEW "agg"."runnable_task" WITH (security_invoker=true) AS  SELECT t.window_length,
    t.decided_to_utc,
    t.followed_to_utc,
    t.due_at,
    t.canonical_symbol,
    t.timeframe,
    t.source_timeframe,
    t.run_interval_minutes,
    t.aggregation_delay_seconds,
    t.last_agg_bar_ts_utc,
    t.built_to_utc,
    t.agg_start_utc,
    t.status,
    t.next_run_at,
    t.running_started_at_utc,
    t.enabled,
    t.is_mandatory,
    t.task_priority,
    t.good_percent,
    t.poor_percent,
    t.session_time_zone,
    t.session_minutes,
    t.basket,
    t.fail_streak,
    t.hard_fail_streak,
    t.total_runs,
    t.total_bars_created,
    t.total_bars_quality_poor,
    t.last_attempted_at_utc,
    t.last_successful_at_utc,
    t.last_stopped_reason,
    t.last_error,
    t.created_at,
    t.updated_at,
    t.failing_since_utc,
    t.window_time_zone,
    t.window_origin,
    t.calendar,
    t.due_together_at,
    t.queued_at
   FROM agg.task t
  WHERE (t.enabled AND (t.status = ANY (ARRAY['idle'::text, 'hard_failed'::text])));

CREATE OR REPLACE VIEW "agg"."task_queue" WITH (security_invoker=true) AS  WITH RECURSIVE queue AS (
        ( SELECT s.is_mandatory,
            s.run_interval_minutes,
            s.task_priority
           FROM agg.runnable_task s
          ORDER BY s.is_mandatory, s.run_interval_minutes, s.task_priority
         LIMIT 1)
        UNION ALL
         SELECT n.is_mandatory,
            n.run_interval_minutes,
            n.task_priority
           FROM (queue q_1
             CROSS JOIN LATERAL ( SELECT s.is_mandatory,
                    s.run_interval_minutes,
                    s.task_priority
                   FROM agg.runnable_task s
                  WHERE (ROW(s.is_mandatory, s.run_interval_minutes, s.task_priority) > ROW(q_1.is_mandatory, q_1.run_interval_minutes, q_1.task_priority))
                  ORDER BY s.is_mandatory, s.run_interval_minutes, s.task_priority
                 LIMIT 1) n)
        )
 SELECT q.is_mandatory,
    q.run_interval_minutes,
    q.task_priority
   FROM queue q;

CREATE OR REPLACE VIEW "agg"."wanted_task" WITH (security_invoker=true) AS  SELECT r.canonical_symbol,
    t.timeframe,
    t.duration,
    COALESCE(t.source_timeframe, t.timeframe) AS source_timeframe,
        CASE
            WHEN (t.duration <= '01:00:00'::interval) THEN NULL::text
            WHEN (t.source_timeframe = ANY (ARRAY['1m'::text, '5m'::text])) THEN t.source_timeframe
            ELSE '5m'::text
        END AS fallback_source_timeframe,
    ((EXTRACT(epoch FROM t.duration) / (60)::numeric))::integer AS run_interval_minutes,
        CASE
            WHEN (t.source_timeframe IS NULL) THEN 0
            ELSE f.delay_seconds
        END AS aggregation_delay_seconds,
    ((t.source_timeframe IS NULL) OR t.is_mandatory OR COALESCE((a.mandatory @> to_jsonb(t.timeframe)), false)) AS is_mandatory,
        CASE
            WHEN ((a.start_utc >= f.least_utc) AND (a.start_utc < f.end_utc)) THEN a.start_utc
            ELSE NULL::timestamp with time zone
        END AS agg_start_utc,
    COALESCE(a.good_percent, f.good_percent) AS good_percent,
        CASE
            WHEN (a.sparse = 'true'::jsonb) THEN 0
            ELSE (COALESCE(a.poor_percent, f.poor_percent))::integer
        END AS poor_percent,
    a.session,
    a.calendar,
    a.day_close,
        CASE
            WHEN (t.source_timeframe IS NULL) THEN ( SELECT (to_jsonb(b.*) - 'canonical_symbol'::text)
               FROM agg.basket b
              WHERE (b.canonical_symbol = r.canonical_symbol))
            ELSE NULL::jsonb
        END AS basket
   FROM (((public.core_asset_registry_all r
     CROSS JOIN LATERAL ( SELECT ((r.metadata -> 'agg'::text) -> 'mandatory'::text) AS mandatory,
            ((r.metadata -> 'agg'::text) -> 'optional'::text) AS optional,
            ((r.metadata -> 'agg'::text) -> 'session'::text) AS session,
            ((r.metadata -> 'agg'::text) ->> 'calendar'::text) AS calendar,
            ((r.metadata -> 'agg'::text) -> 'day_close'::text) AS day_close,
            ((r.metadata -> 'agg'::text) -> 'sparse'::text) AS sparse,
            agg.utc_instant(((r.metadata -> 'agg'::text) ->> 'start_utc'::text)) AS start_utc,
            ("substring"((((r.metadata -> 'agg'::text) -> 'quality'::text) ->> 'good'::text), '^[0-9]{1,3}$'::text))::smallint AS good_percent,
            ("substring"((((r.metadata -> 'agg'::text) -> 'quality'::text) ->> 'poor'::text), '^[0-9]{1,3}$'::text))::smallint AS poor_percent
         OFFSET 0) a)
     CROSS JOIN agg.defaults f)
     JOIN agg.timeframe t ON ((t.is_mandatory OR ((t.source_timeframe IS NULL) AND ((r.metadata -> 'is_synthetic'::text) = 'true'::jsonb)) OR ((t.source_timeframe IS NOT NULL) AND ((a.mandatory @> to_jsonb(t.timeframe)) OR (a.optional @> to_jsonb(t.timeframe)))))))
  WHERE (((r.metadata -> 'agg'::text) -> 'enabled'::text) IS DISTINCT FROM 'false'::jsonb);

CREATE INDEX data_agg_state_queue_idx ON public.data_agg_state USING btree (is_mandatory, run_interval_minutes, task_priority, queued_at)
  WHERE (enabled AND (status = ANY (ARRAY['idle'::text, 'hard_failed'::text])));

CREATE INDEX data_agg_state_sleeping_idx ON public.data_agg_state USING btree (canonical_symbol, source_timeframe)
  WHERE ((queued_at = 'infinity'::timestamp WITH time zone) AND enabled AND (status = ANY (ARRAY['idle'::text, 'hard_failed'::text])));

CREATE TRIGGER follow_changed_revisions
  AFTER UPDATE ON public.core_asset_registry_all
  FOR EACH ROW
  WHEN
    (((old.canonical_symbol IS DISTINCT FROM new.canonical_symbol) OR ((old.metadata #> '{agg,revisions}'::text[]) IS DISTINCT FROM (new.metadata #> '{agg,revisions}'::text[]))))
  EXECUTE FUNCTION agg.follow_revisions();

CREATE TRIGGER follow_former_revisions
  AFTER DELETE ON public.core_asset_registry_all
  FOR EACH ROW
  WHEN (((old.metadata #> '{agg,revisions}'::text[]) IS NOT NULL))
  EXECUTE FUNCTION agg.follow_revisions();

CREATE TRIGGER follow_new_revisions
  AFTER INSERT ON public.core_asset_registry_all
  FOR EACH ROW
  WHEN (((new.metadata #> '{agg,revisions}'::text[]) IS NOT NULL))
  EXECUTE FUNCTION agg.follow_revisions();

CREATE TRIGGER follow_truncated_revisions
  BEFORE TRUNCATE ON public.core_asset_registry_all
  FOR EACH STATEMENT
  EXECUTE FUNCTION agg.follow_revisions();

CREATE POLICY "service_role_reads" ON "agg"."queue"
  FOR SELECT
  TO "service_role"
  USING (true);

CREATE POLICY "service_role_reads" ON "agg"."revision_floor"
  FOR SELECT
  TO "service_role"
  USING (true);

COMMENT ON COLUMN "agg"."environment"."has_foreign_tasks" IS 'Tasks of another environment may be enabled: by a sync for it since the last sync of all assets for this one.';

COMMENT ON COLUMN "agg"."queue"."due_at" IS 'None of them is due before. agg.raise_due_at raises it; it may be lowered at any time, to -infinity too.';

COMMENT ON COLUMN "public"."data_agg_state"."due_together_at" IS 'The next_run_at that the last run has set for a task that is up to date, and so due together with others (see agg.queue). Null: it is due alone.';

COMMENT ON COLUMN "public"."data_agg_state"."queued_at" IS 'Where the task stands in its queue: at next_run_at; -infinity: with those that are due together. Whatever else sets next_run_at makes the task due alone.';

COMMENT ON FUNCTION "agg"."build_windows"(agg.build_request[]) IS 'Stores what agg.make_windows makes: writes only what differs from what is stored (agg.compare_windows), keeps windows with too few minutes for a bar, and soft-deletes bars of decided windows that no longer qualify. Returns a result for the symbols of each request with a source_timeframe.
Requests of one task must not overlap, and the caller has locked its row: two builders of one window would meet in a unique_violation.';

COMMENT ON FUNCTION "agg"."claim_corrections"(text, text, integer, timestamp with time zone, integer, boolean) IS 'Locks up to p_limit tasks of a timeframe that have corrections waiting, p_is_backfill those of history, to the end of the transaction, and returns their symbols.
Order: those first that wait longest since they were last worked on. A task whose source task has corrections of the same time waiting is passed over until these are made.
p_lanes: how many dispatchers share the work. Each takes at most its share of what waits.
Locks: never waits; passes over rows that others have locked, and tasks that a worker has claimed. Build in a later statement, so that its snapshot is younger than the locks.';

COMMENT ON FUNCTION "agg"."claim_due_tasks"(text, integer, timestamp with time zone, integer) IS 'Locks up to p_limit due tasks of one timeframe to the end of the transaction, and returns their symbols; no symbols where nothing is due.
Order: mandatory first, then shorter timeframe, priority, due for longest. A timeframe of which a task has been due for more than five minutes goes before shorter ones, so that no backlog holds up another. Reads an index in this order: what is due and not taken costs nothing. Where none is left of those that are due together, it notes when the next are (agg.raise_due_at).
p_lanes: how many dispatchers share the work. Each takes at most its share of what is due.
Passes over a task while its source task is due and was not taken: another session has it, and will let this one follow.
Locks: never waits; passes over rows that others have locked. Build in a later statement, so that its snapshot is younger than the locks.';

COMMENT ON FUNCTION "agg"."compare_windows"(agg.build_request[]) IS 'How what agg.make_windows makes differs from what is stored.
Returns each window that has minutes, with the bar that they make, and each stored row whose window has no minutes any more. Reads only.
A bar of an older deployment (raw.migrated_from) differs once its window has minutes enough for a bar, and never for want of them.';

COMMENT ON FUNCTION "agg"."due_queues"(timestamp with time zone) IS 'The parts of queues that have tasks due at p_now: of each queue the tasks that are due together, and those that are due alone. due_at: since when. Their tasks are those with queued_at from from_at to to_at, and next_run_at up to until_at: of those that are due together first the ones that have been due for longest. A few probes of an index a part, however many tasks it holds.';

COMMENT ON FUNCTION "agg"."finish_tasks"(agg.build_result[], timestamp with time zone) IS 'The one rule for what follows work on tasks: cursor, streaks, status, and when each is due again.
A task is due again when its next window completes; at once after max_windows; after a failure, see agg.retry_delay. A task that waits for data or for its source task sleeps until these come (agg.sleep_tasks); where it cannot, it is due after an eighth of the time that it has waited (1 to 5 minutes). A wait ends at a whole minute. What advances wakes the tasks that build from it. A task that is up to date is due together with the others of its queue (agg.queue), any other alone.
Three hard failures in a row disable an optional task. A mandatory one keeps retrying as hard_failed. Warns of both.
The decided_to_utc of a result is not behind what its tasks have decided.
Locks: the caller holds the tasks. Shares the rows of agg.queue to the end of the transaction, without waiting. Counts end at 10^15, so that no value from outside makes a sum overflow.';

COMMENT ON FUNCTION "agg"."follow_revisions"() IS 'Raises agg.revision_floor where metadata.agg.revisions of an asset changes, comes or goes.';

COMMENT ON FUNCTION "agg"."has_foreign_tasks"(text) IS 'Whether tasks may be enabled whose assets are not active in p_env: then a claim has to ask the registry. Otherwise a task is enabled as its asset is active.';

COMMENT ON FUNCTION "agg"."insert_windows"(agg.build_request[]) IS 'Stores what agg.make_windows makes of windows for the first time. Returns, for each symbol with minutes: its windows, how many of them are bars, how many of these poor, and the start of the last one. No symbol may be in two requests.
Raises unique_violation where one of them is stored.';

COMMENT ON FUNCTION "agg"."is_paused"(timestamp with time zone) IS 'Whether this database pauses at p_now: agg_pause has said so, and neither the end has come nor agg_resume.';

COMMENT ON FUNCTION "agg"."is_test"(text) IS 'Says whether an environment goes by test_active: DEV and TEST do, in any case.';

COMMENT ON FUNCTION "agg"."make_windows"(agg.build_request[]) IS 'The one rule that turns source bars into bars, for requests of any number of tasks and windows, in one statement.
Returns each window that has minutes, with the bar that they make, as one to insert. derivation_version is that of the request. Reads only.';

COMMENT ON FUNCTION "agg"."plan_builds"(text[], text, timestamp with time zone, integer, integer, boolean, timestamp with time zone) IS 'What tasks of one timeframe may decide at p_now: one request for all symbols that want the same windows with the same settings. They begin with the window after the cursor (p_cursor_utc, or the stored one), never before agg_start_utc, and end at the nearest of time frontier, source frontier and p_max_windows windows (of more than a million the first million). Windows in which the market is closed need no time to pass: the time frontier lies before the next window that is open. A synthetic series goes up to the last minute for which all components have bars.
A bar stamped after p_now proves nothing about the windows before it. Null p_derivation_version: that of the registry for a synthetic series, otherwise that of the stored bar, or 1. A symbol without a task is planned with the defaults: 24x7, 300 s, no start. Reads only.';

COMMENT ON FUNCTION "agg"."raise_due_at"(boolean, integer, integer) IS 'Raises due_at of a queue to when the first of its tasks that are due together is due. Returns it; null where it stays: a task is due, or another session is at work on the queue.
Locks: never waits; the row of the queue, so that no task joins meanwhile (agg.finish_tasks).';

COMMENT ON FUNCTION "agg"."raise_revision_floor"(text, jsonb, jsonb) IS 'Raises agg.revision_floor of a symbol whose revisions are kept for longer by p_revisions than by p_former, both metadata.agg.revisions; null for a symbol that the registry does not have.';

COMMENT ON FUNCTION "agg"."rebuild_requests"(agg.changed_span[], integer) IS 'Requests to build again the decided windows that the changes touch: one for each run of windows, at most p_max_windows a task, the newest of them (is_limited: there are more). Symbols with the same run and settings share a request.';

COMMENT ON FUNCTION "agg"."recover_postponed_tasks"(timestamp with time zone) IS 'Makes due at p_now what a clock that was ahead has put off for longer than any task or correction waits. Returns how many tasks.
A task waits at most for its next window and an hour of backoff, a correction at most an hour; a task that sleeps (infinity) waits for data. Where there is nothing to do it costs one probe a queue.
Has the next run read every queue (agg.queue), so that it finds what was written past the functions.
Locks: passes over rows that others have locked.';

COMMENT ON FUNCTION "agg"."refresh_alerts"(timestamp with time zone, jsonb, boolean) IS 'Raises alerts whose cause is there, updates message and severity of those that are open, and resolves those whose cause is gone. Returns how many are new.
Kinds: hard_failed and disabled (three hard failures in a row), failing (a task, for 15 minutes), behind (due for 15 minutes, and no dispatcher has run it), uncorrected (a correction failed three times in a row), metadata (not understood, with what is left out) and unsynced (from p_sync, what a sync returned; null leaves these alone), unread (no dispatcher has read change notes for 15 minutes).
With p_is_maintenance also no_data (see agg.silent_series), unregistered (bars of the last day, of symbols that neither the registry nor a basket has), slow (the runs of a lane took their whole time for 15 minutes), and in the first five minutes of an hour poor_quality (less than 95 % of the windows of a day that have a minute have a good bar), and undelivered (messages do not arrive at a target, see agg.target_problems). Other calls leave these alone.
One alert for one trouble: hard_failed comes before failing, that before behind, that before no_data, that before poor_quality.
In a pause (agg_pause) behind, failing, unread and slow stay as they are; after it new ones count from its end. Leaves those alone that agg.audit_slices raises: wrong. An error is a warning; it returns null then.';

COMMENT ON FUNCTION "agg"."run_batch"(text, integer, timestamp with time zone, integer) IS 'One batch in the transaction of the caller: reads change notes, advances due tasks of one timeframe together, and makes corrections level by level. History (agg.correction.is_backfill) it builds only where it found nothing of these, one timeframe a batch: what falls due next waits for no more than that.
At most p_batch_windows windows for the due tasks and for the corrections of a level, shared evenly between tasks, so that no symbol holds up another. Where agg.environment has several lanes, it takes its share of what is due. tasks and notes are 0 when there was nothing to do, as in a pause (agg_pause).
Locks: waits for no task; waits 500 ms for a locked bar, then 10 ms for each further one. Raises lock_not_available after 500 waits, as with a locked table. Any number of batches may run side by side.';

COMMENT ON FUNCTION "agg"."stored_windows"(agg.build_request[]) IS 'The stored rows of the windows that requests build again, as agg.window_bar: change says what becomes of a row whose window has no minutes. A bar without change is one of an older deployment (raw.migrated_from), which stays.
Where nothing has been built yet (is_rebuild of a request false) it looks for no row. Reads only.';

COMMENT ON FUNCTION "public"."agg_explain"(text, text, timestamp with time zone, timestamp with time zone) IS 'Says in rows why a bar is as it is, or why there is no bar.
p_ts: any instant in the window. p_now: the clock.
item is one of: window; state (bar, no bar, not decided, not built, not registered); why; built (when first); minutes (covered of expected, and what that makes); missing, late, partial (which minutes); kept (from when on bars that it is, or is made of, are kept, where it lies before: metadata.agg.keep); market (what session and calendar close); component (minutes that a component of the basket lacks, or the component that holds the basket back); changed (each revision: when, why, and what the bar was before); waits (a change that waits to be built, or what a window waits for that is not decided). An item may have several rows, or no row.
Reads only. Raises invalid_parameter_value for an unknown timeframe, for nulls and for an infinite p_ts.';

COMMENT ON FUNCTION "public"."agg_maintain"(text, timestamp with time zone) IS 'Runs the maintenance job: an audit of history, registry sync, alerts and their delivery, pruning, removal of bars that metadata.agg.keep does not keep, tasks that a wrong clock has put off, and in the first five minutes of an hour a look at tasks that sleep.
p_env: see agg_run_due. p_now is the clock.
A sync that raises an error, or that waits five seconds for an open change of the registry, is reported in the result, as a warning and as an alert; the rest goes on. Repeating it changes nothing. In a pause (agg_pause) it only refreshes and delivers alerts, and returns paused, alerts_raised and messages_ready. A task that sleeps although it has source bars (a load with the triggers off left no note) is woken.
The audit verifies decided bars as agg_verify does, newest first, then round and round, for a share of the time since the last call (schedule_jobs sets it). It has wrong bars built again by the next run, and raises an alert. An error in it, or in refreshing alerts, is a warning; the rest goes on. Raises invalid_parameter_value for a p_now that is null or infinite.
Bars that are not kept: it removes up to 100,000 that lie behind a floor of agg.floor, then raises floors; what it raises is removed from the next time on.
Returns slices_audited and windows_wrong (null where the audit failed), sync, alerts_raised (null where alerts could not be refreshed), messages_ready (what deliver-alerts was asked to send), rows_pruned, revisions_pruned (at most 40000 a run), bars_removed (null where an error stopped it, which is a warning), tasks_recovered and tasks_woken (null where it did not look).';

COMMENT ON FUNCTION "public"."agg_run_due"(text, integer, timestamp with time zone, interval, integer, integer) IS 'Runs the dispatcher: builds what is due and makes corrections, in the transaction of the caller.
p_env: the assets of this environment; null: that of the database. p_limit: tasks a batch. p_now: the clock. p_batch_windows: windows a batch.
p_lane: which of the dispatchers that schedule_jobs has set up this is, 1 to 4. One run at a time in each lane; runs in several share the work.
p_time_budget: no batch begins after this time by the wall clock; interval ''0'' runs one batch.
Returns tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, batches and stopped_reason: idle (nothing is left to do), one_batch, time_budget, paused (see agg_pause), or busy (another dispatcher is at work in this lane; nothing was done).
Writes one row of agg.run_log. The job of agg.job_list calls it batch by batch and commits each.
Locks: transactions that add assets wait for one that has read change notes, so commit soon. Raises invalid_parameter_value for arguments out of range, lock_not_available where a table is locked.';

COMMENT ON FUNCTION "public"."finish_move"(boolean, timestamp with time zone) IS 'Ends the move of an older deployment: drops what was set aside.
That is the schema pgbars_before, the jobs of pg_cron that were made inactive, and what served older callers (calc_dxy_range_derived, and a trigger that follows their cursors).
p_despite_checks: finish although checks of agg_check fail at p_now.
Returns success, dropped (tables and functions) and jobs (names). There is no way back.
Raises object_not_in_prerequisite_state where no older deployment is set aside, where something still uses it, or where a check fails; move_status says so beforehand. Lock: waits 30 seconds for the old tables.';

COMMENT ON FUNCTION "public"."sync_agg_state_from_registry"(text, timestamp with time zone, text[]) IS 'Makes tasks follow the registry: every active asset gets its mandatory and optional timeframes, a synthetic one its 1m as well.
p_env is the environment whose flag says which assets are active; null is the environment of the database (see schedule_jobs). p_default_start_utc is the start of new tasks of assets without metadata.agg.start_utc. p_symbols are the assets that follow; null is all.
A new task begins with a bootstrapped cursor and waits 300 seconds after the end of a window (aggregation_delay_seconds); a 1m task does not wait, since a late component is a correction. Cursors, delays and priorities of tasks that are there stay.
What differs is updated. Another session, other thresholds and another basket become corrections of all that is decided, an earlier start of what lies before the former one. Tasks that are not wanted are switched off, and switched on again when they are. An optional task that three hard failures disabled stays so until its asset is switched off and on.
Metadata that are not understood are listed under refused, each with what is left out: key (the key is ignored), series (the 1m bars of the basket are not computed) or asset (its tasks stay as they are). All of them are named in a warning.
Returns success, env, inserted, updated, reenabled, disabled (tasks), inserted_or_updated, symbols (assets whose tasks it changed), refused and default_start_utc.
Syncs and changes of the registry wait for each other. A sync locks only the task rows it changes. One that makes new tasks waits for a dispatcher that has read change notes. Repeating it changes nothing. Raises invalid_parameter_value where p_default_start_utc is null.';

COMMENT ON FUNCTION "public"."undo_move"(boolean) IS 'Takes a move back: the older deployment returns to public, and pgbars is removed.
The old tables and functions return with their views, foreign keys, publications and jobs.
p_keep_minutes: minutes written since the move go to the old tables by key. Ingested ones go to data_bars. Those of a computed series go to where its minutes were, and what is there stays as it was. Everything else that changed since the move is lost: longer bars, tasks, the registry, deleted minutes. With false no minute goes there, for old tables that refuse them.
Returns success, minutes_added and minutes_updated (rows of the old tables), minutes_left_out (of computed series that the old tables did not have), and jobs (names).
Removes the record of the migrations of pgbars too. A migration that is still in a project moves the deployment again when it is pushed.
Raises object_not_in_prerequisite_state where no older deployment is set aside, or where objects made since use the new tables; move_status says so beforehand. Lock: waits 30 seconds for the tables.';

COMMENT ON FUNCTION "public"."upsert_bars"(jsonb, boolean) IS 'Stores 1m bars, refuses bad ones, and says what became of each.
p_bars: a JSON array of objects with canonical_symbol, ts_utc (an instant with its zone), open, high, low, close, and optionally vol, vwap, trade_count (null where unknown), is_partial, source, raw.
p_clamp: widens high and low to cover open and close where they miss by at most 1e-9 of the price.
A bar that is stored already is replaced as a whole, and not written where it is the same. Repeating a call changes nothing.
Result: inserted, updated and unchanged count bars; superseded counts bars that a later one with the same key replaced in the same call. refused lists index (from 0), canonical_symbol, ts_utc, code (SQLSTATE), constraint and problem of each refused bar; constraint is data_bars_not_computed for a bar of a computed series, data_bars_kept for one older than metadata.agg.keep says, null where it breaks no constraint by name. unregistered lists the symbols of stored bars that the registry does not know: no task builds from them.
Refused are malformed bars, bars that break a check of data_bars, bars of a computed series, bars older than metadata.agg.keep says, and what a check, foreign key or trigger of your own refuses. A constraint that is deferred raises at the end of the transaction instead.
Raises invalid_parameter_value for what is not an array, and what no bar is the reason of, such as a deadlock or a timeout; then nothing is stored. jsonb itself refuses what is not JSON, a NUL, half a surrogate pair and a number beyond numeric.
Locks the bars it writes, in the order of their keys, to the end of the transaction. Runs with the rights of its owner: no policy on data_bars binds the caller.';

COMMENT ON TABLE "agg"."queue" IS 'When the tasks of a queue that are due together are due: those that are up to date (data_agg_state.queued_at is -infinity), with the same is_mandatory, interval and task_priority. A run reads them only then. A queue without a row is always read.';

COMMENT ON TABLE "agg"."revision_floor" IS 'From when on revisions of the bars of a symbol are whole, where metadata.agg.revisions once kept them for a shorter time, or not at all. What the setting of today lets go comes on top. Raised and never lowered, also while the registry does not have the symbol.';

COMMENT ON TABLE "agg"."timeframe" IS 'The one list of timeframes: how long each is, what its bars are built from (null for 1m, which is ingested or synthetic) and whether every active asset has it. Windows of up to an hour are aligned in UTC, longer ones on the clock of the asset (metadata.agg.day_close); where these do not hold whole windows of source_timeframe, they are built from 5m. A further timeframe is a further row. Order timeframes by duration, never by name. agg.check_timeframe says which rows can work.';

COMMENT ON TYPE "agg"."build_request" IS 'Windows to build for a set of symbols that want the same ones with the same settings: those that start in [from_utc, to_utc).
It carries the whole configuration of the tasks, so that building joins bars on canonical_symbol alone. Null source_timeframe: synthetic series. Null derivation_version: that of the stored bar, otherwise 1. window_time_zone, window_origin: see agg.window_bounds.
Empty windows after the last source bar are decided only if there is another before clock_utc (null: always). frontier_utc is what could be decided; is_limited: to_utc is nearer, since the batch takes no more windows.
is_rebuild: the range begins behind the cursor, or behind what was built ahead of it: rows may be stored, and what changes is passed on.';

COMMENT ON TYPE "agg"."task_change" IS 'How a task differs from what the registry wants: insert, update, reenable (with what is wanted) or disable (with no more than its key). has_new_windows: it has to start over, since its windows begin elsewhere. changed_spans: where what it has decided must be built again, since rules are new or its start is earlier; null where neither is so.';

COMMENT ON TYPE "agg"."window_bar" IS 'A window of the request_no-th request, what its minutes make of it (quality_score null: they are too few for a bar), and how the row differs from the stored one: insert, update, remove (the window has no minutes any more; then it is the stored row, with covered_minutes 0), null for not at all. was_bar: the stored row was a bar.';

COMMENT ON VIEW "agg"."readable_series" IS 'Where the windows of a series begin, when its market is open, how far it is decided, how long its revisions are kept, and from when on they are whole: for get_bars. It reads with the rights of its owner, and holds only the series of which its reader may read a bar: agg.source_bar asks with the rights of the reader.';

COMMENT ON VIEW "agg"."runnable_task" IS 'Tasks that may be claimed once their next_run_at has come: mandatory ones even after hard failures.';

COMMENT ON VIEW "agg"."task" IS 'Tasks, with what follows from their cursors: the length of their windows, the end of what is decided, the end of what was built (changes of the source are followed up to there), and when the next window may be decided.';

COMMENT ON VIEW "agg"."task_queue" IS 'The queues of runnable tasks: those with the same is_mandatory, interval and task_priority. One probe of data_agg_state_queue_idx a queue, however many tasks it holds.';

COMMENT ON VIEW "agg"."wanted_task" IS 'The tasks that the metadata of each asset ask for, active or not, as far as metadata are understood; none where metadata.agg.enabled is false. agg_start_utc is null where metadata do not say it. fallback_source_timeframe is the source where days do not hold whole hours (see agg.begins_on_hours).';

REVOKE ALL ON FUNCTION "agg"."compare_windows"(agg.build_request[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."due_queues"(timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."follow_revisions"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."has_foreign_tasks"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."insert_windows"(agg.build_request[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."is_paused"(timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."is_test"(text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."make_windows"(agg.build_request[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."raise_due_at"(boolean, integer, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."raise_revision_floor"(text, jsonb, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."run_batch"(text, integer, timestamp WITH time zone, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."stored_windows"(agg.build_request[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "public"."agg_run_due"(text, integer, timestamp WITH time zone, interval, integer, integer) TO "service_role";

GRANT SELECT ON TABLE "agg"."queue" TO "service_role";

GRANT SELECT ON TABLE "agg"."revision_floor" TO "service_role";

GRANT SELECT ON TABLE "agg"."readable_series" TO "service_role";

GRANT SELECT ON TABLE "agg"."runnable_task" TO "service_role";

GRANT SELECT ON TABLE "agg"."task" TO "service_role";

GRANT SELECT ON TABLE "agg"."task_queue" TO "service_role";

GRANT SELECT ON TABLE "agg"."wanted_task" TO "service_role";
