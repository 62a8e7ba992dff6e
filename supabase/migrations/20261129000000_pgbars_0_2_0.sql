-- Generated from supabase/schemas by `deno task migration`.

SET local check_function_bodies = off;

DROP VIEW "agg"."public_function";

DROP VIEW "agg"."wanted_task";

DROP VIEW "agg"."defaults";

ALTER TABLE "agg"."alert"
  DROP CONSTRAINT "alert_kind_check";

DROP FUNCTION "agg"."webhook_problems"(text, text);

CREATE TABLE "agg"."alert_target" (
  "name"             text                     NOT NULL,
  "kind"             text                     NOT NULL,
  "min_severity"     text                     NOT NULL DEFAULT 'warning'::text,
  "added_at"         timestamp with time zone NOT NULL,
  "next_try_at"      timestamp with time zone NOT NULL,
  "failures"         integer                  NOT NULL DEFAULT 0,
  "failing_since"    timestamp with time zone,
  "succeeded_at"     timestamp with time zone,
  "error"            text,
  "stopped_at"       timestamp with time zone,
  "heartbeat_due_at" timestamp with time zone,
  CONSTRAINT "alert_target_kind_check" CHECK ((kind = ANY (ARRAY['slack'::text, 'webhook'::text, 'heartbeat'::text]))),
  CONSTRAINT "alert_target_min_severity_check" CHECK ((min_severity = ANY (ARRAY['critical'::text, 'warning'::text]))),
  CONSTRAINT "alert_target_name_check" CHECK ((name ~ '^[a-z][a-z0-9_]{0,30}$'::text)),
  CONSTRAINT "alert_target_pkey" PRIMARY KEY (name)
);

ALTER TABLE "agg"."alert_target"
  ENABLE ROW LEVEL SECURITY;

CREATE TABLE "agg"."broadcast_note" (
  "note_id"    bigint                     GENERATED ALWAYS AS IDENTITY NOT NULL,
  "timeframe"  text                       NOT NULL,
  "symbols"    text[]                     NOT NULL,
  "starts_utc" timestamp with time zone[] NOT NULL,
  CONSTRAINT "broadcast_note_bars_check" CHECK ((cardinality(symbols) = cardinality(starts_utc))),
  CONSTRAINT "broadcast_note_pkey" PRIMARY KEY (note_id)
);

ALTER TABLE "agg"."broadcast_note"
  ENABLE ROW LEVEL SECURITY;

CREATE TABLE "agg"."broadcast" (
  "timeframe" text   NOT NULL,
  "revision"  bigint NOT NULL DEFAULT 0,
  CONSTRAINT "broadcast_pkey" PRIMARY KEY (timeframe)
);

ALTER TABLE "agg"."broadcast"
  ENABLE ROW LEVEL SECURITY;

CREATE TABLE "agg"."delivery" (
  "message_id"   uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "target"       text                     NOT NULL,
  "alert_id"     bigint                   NOT NULL,
  "event"        text                     NOT NULL,
  "created_at"   timestamp with time zone NOT NULL,
  "tries"        integer                  NOT NULL DEFAULT 0,
  "next_try_at"  timestamp with time zone NOT NULL,
  "delivered_at" timestamp with time zone,
  "error"        text,
  CONSTRAINT "delivery_event_check" CHECK ((event = ANY (ARRAY['opened'::text, 'resolved'::text]))),
  CONSTRAINT "delivery_pkey" PRIMARY KEY (message_id),
  CONSTRAINT "delivery_target_key" UNIQUE (target, alert_id, EVENT)
);

ALTER TABLE "agg"."delivery"
  ENABLE ROW LEVEL SECURITY;

CREATE TABLE "agg"."run_total" (
  "is_only"           boolean          NOT NULL DEFAULT true,
  "runs"              bigint           NOT NULL,
  "seconds"           double precision NOT NULL,
  "windows"           bigint           NOT NULL,
  "bars_created"      bigint           NOT NULL,
  "bars_quality_poor" bigint           NOT NULL,
  "bars_corrected"    bigint           NOT NULL,
  "failed"            bigint           NOT NULL,
  CONSTRAINT "run_total_is_only_check" CHECK (is_only),
  CONSTRAINT "run_total_pkey" PRIMARY KEY (is_only)
);

ALTER TABLE "agg"."run_total"
  ENABLE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION agg.add_broadcast_notes()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
begin
  if tg_op = 'INSERT' then
    insert into agg.broadcast_note (timeframe, symbols, starts_utc)
    select b.timeframe, array_agg(b.canonical_symbol), array_agg(b.ts_utc)
    from new_rows as b
    where b.deleted_at is null and b.timeframe in (select c.timeframe from agg.broadcast as c)
    group by b.timeframe;
  elsif tg_op = 'UPDATE' then
    insert into agg.broadcast_note (timeframe, symbols, starts_utc)
    select b.timeframe, array_agg(b.canonical_symbol), array_agg(b.ts_utc)
    from (
      select n.canonical_symbol, n.timeframe, n.ts_utc from new_rows as n where n.deleted_at is null
      union
      select o.canonical_symbol, o.timeframe, o.ts_utc from old_rows as o where o.deleted_at is null
    ) as b
    where b.timeframe in (select c.timeframe from agg.broadcast as c)
    group by b.timeframe;
  elsif coalesce(current_setting('pgbars.is_building', true), '') <> 'removing' then
    insert into agg.broadcast_note (timeframe, symbols, starts_utc)
    select b.timeframe, array_agg(b.canonical_symbol), array_agg(b.ts_utc)
    from old_rows as b
    where b.deleted_at is null and b.timeframe in (select c.timeframe from agg.broadcast as c)
    group by b.timeframe;
  end if;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.add_deliveries (
  p_now timestamp with time zone
)
  RETURNS void
  LANGUAGE sql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
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

CREATE OR REPLACE FUNCTION agg.broadcast_problems()
  RETURNS TABLE (
    what   text,
    remedy text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select p.what, 'Realtime is a service of a Supabase project, which makes the schema realtime: it cannot be added to another Postgres. Poll instead.'
  from (
    values
      ('the function realtime.send is missing', to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null),
      ('the function realtime.topic is missing', to_regprocedure('realtime.topic()') is null),
      ('the table realtime.messages is missing', to_regclass('realtime.messages') is null)
  ) as p (what, is_missing)
  where p.is_missing
  order by 1;
$function$;

CREATE OR REPLACE FUNCTION agg.delivery_body (
  p_kind  text,
  p_event text,
  p_alert jsonb,
  p_at    timestamp with time zone
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  AS $function$
  select case p_kind
    when 'webhook' then jsonb_build_object('type', 'alert.' || p_event, 'timestamp', p_at, 'data', p_alert)
    when 'slack' then jsonb_build_object(
      'text', left(replace(replace(replace(h.headline, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), 1000),
      'blocks', jsonb_build_array(
        jsonb_build_object('type', 'header', 'text', jsonb_build_object('type', 'plain_text', 'text', left(h.headline, 75))),
        jsonb_build_object(
          'type', 'section',
          'text', jsonb_build_object('type', 'plain_text', 'text', coalesce(nullif(btrim(left(p_alert ->> 'message', 1500)), ''), '-'))
        ),
        jsonb_build_object(
          'type', 'context',
          'elements', jsonb_build_array(jsonb_build_object('type', 'plain_text', 'text', concat_ws(
            ', ', left(p_alert ->> 'env', 50), 'raised ' || (p_alert ->> 'raised_at'), 'resolved ' || (p_alert ->> 'resolved_at')
          )))
        )
      )
    )
  end::text
  from (
    select concat_ws(
      ' ', case p_event when 'resolved' then 'Resolved:' else initcap(p_alert ->> 'severity') || ':' end,
      p_alert ->> 'kind', nullif(p_alert ->> 'canonical_symbol', '*'), nullif(p_alert ->> 'timeframe', '*')
    ) as headline
  ) as h;
$function$;

CREATE OR REPLACE FUNCTION agg.job_list (
  p_now timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS TABLE (
    job_name text,
    schedule text,
    command  text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select
    j.job_name, j.schedule,
    format(j.command, case when p_now is null then 'now()' else format('%L::timestamptz', p_now) end, j.lane, j.step)
  from (
    select
      'pgbars:dispatch' || case when l.lane > 1 then '-' || l.lane else '' end,
      '* * * * *',
      'do $run$ declare v_until constant timestamptz := clock_timestamp() + interval ''40 seconds''; '
        'begin %3$sloop exit when public.agg_run_due(p_now => %1$s, p_time_budget => interval ''0'', p_lane => %2$s) '
        '->> ''stopped_reason'' <> ''one_batch''; commit; %3$sexit when clock_timestamp() > v_until; end loop; end $run$',
      l.lane,
      case when exists (select from agg.broadcast) then 'perform agg.send_broadcasts(); commit; ' else '' end
    from agg.environment as e
    cross join lateral generate_series(1, e.lanes) as l (lane)
    union all
    select 'pgbars:maintain', '*/5 * * * *', 'select public.agg_maintain(p_now => %1$s)', null, null
  ) as j (job_name, schedule, command, lane, step);
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
      select agg.revision_age(r.metadata #> '{agg,revisions}') from public.core_asset_registry_all as r where r.canonical_symbol = o.canonical_symbol
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
      select agg.revision_age(r.metadata #> '{agg,revisions}') from public.core_asset_registry_all as r where r.canonical_symbol = o.canonical_symbol
    ) is distinct from interval '0'
  on conflict (canonical_symbol, timeframe, ts_utc, replaced_at) do nothing;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.metric_lines (
  p_name    text,
  p_type    text,
  p_help    text,
  p_samples jsonb
)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select format(E'# HELP %s %s\n# TYPE %s %s\n', p_name, p_help, p_name, p_type) || string_agg(
    format(E'%s%s %s\n', p_name, '{' || l.labels || '}', s.sample ->> 'value'), '' order by l.labels collate "C"
  )
  from jsonb_array_elements(p_samples) as s (sample)
  cross join lateral (
    select string_agg(
      format('%s="%s"', e.key, replace(replace(replace(e.value, '\', '\\'), '"', '\"'), E'\n', '\n')), ',' order by e.key collate "C"
    ) as labels
    from jsonb_each_text(s.sample -> 'labels') as e
  ) as l
  where s.sample ->> 'value' is not null;
$function$;

CREATE OR REPLACE FUNCTION agg.operations_functions()
  RETURNS text[]
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select array['agg_alerts', 'agg_asset', 'agg_check', 'agg_explain', 'agg_fleet', 'agg_health', 'agg_pending', 'agg_runs', 'agg_size'];
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
  SET jit TO 'off'
  AS $function$
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
    left join agg.task as u on u.canonical_symbol = c.symbol and u.timeframe = w.source_timeframe and u.enabled
    left join lateral (
      select max(k.derivation_version) as derivation_version, case when count(*) = count(l.ts_utc) then min(l.ts_utc) end as last_utc
      from agg.synthetic_component as k
      left join lateral (
        select b.ts_utc
        from public.data_bars as b
        where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
        order by b.ts_utc desc
        limit 1
      ) as l on true
      where p_timeframe = '1m' and k.canonical_symbol = c.symbol
    ) as b on true
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
        n.from_utc < greatest(agg.window_end(k.last_agg_bar_ts_utc, t.duration, k.window_time_zone, o.origin), k.built_to_utc), false
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
        agg.window_start(w.from_utc + w.duration * p_max_windows::double precision, w.duration, w.window_time_zone, w.origin)
      ) end as limit_utc
    offset 0
  ) as e;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.post_webhook (
  p_url_secret text,
  p_key_secret text,
  p_body       jsonb,
  p_timeout_ms integer
)
  RETURNS void
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  execute format('select net.http_post(url => %L, body => $1, headers => $2, timeout_milliseconds => $3)', agg.read_secret(p_url_secret)) using
    p_body, jsonb_build_object('content-type', 'application/json', 'apikey', agg.read_secret(p_key_secret)), p_timeout_ms;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.prune_logs (
  p_now timestamp with time zone
)
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_pruned integer;
  v_cron_rows integer;
begin
  with pruned as (
    delete from agg.run_log as r
    where r.finished_at < p_now - interval '14 days'
    returning r.*
  ),
  summed as (
    insert into agg.run_total as t (runs, seconds, windows, bars_created, bars_quality_poor, bars_corrected, failed)
    select
      count(*) filter (where p.stopped_reason <> 'busy'), sum(extract(epoch from p.finished_at - p.started_at)), sum(p.windows),
      sum(p.bars_created), sum(p.bars_quality_poor), sum(p.bars_corrected), sum(p.failed)
    from pruned as p
    having count(*) > 0
    on conflict (is_only) do update
    set
      runs = t.runs + excluded.runs,
      seconds = t.seconds + excluded.seconds,
      windows = t.windows + excluded.windows,
      bars_created = t.bars_created + excluded.bars_created,
      bars_quality_poor = t.bars_quality_poor + excluded.bars_quality_poor,
      bars_corrected = t.bars_corrected + excluded.bars_corrected,
      failed = t.failed + excluded.failed
  )
  select count(*) into v_pruned from pruned as p;
  delete from agg.alert as a where a.resolved_at < p_now - interval '90 days';
  delete from agg.delivery as d where not exists (select from agg.alert as a where a.alert_id = d.alert_id);
  delete from agg.correction as k
  where not exists (
    select from public.data_agg_state as s where s.canonical_symbol = k.canonical_symbol and s.timeframe = k.timeframe
  );
  if to_regclass('cron.job_run_details') is not null then
    execute format(
      -- Runs are numbered in order, which dates those that a restart or a refused connection left without a time. A
      -- removed job leaves its runs behind: they are known by their command.
      $sql$
        delete from cron.job_run_details as d
        where (d.command like '%%public.agg_run_due(%%' or d.command like '%%public.agg_maintain(%%')
          and coalesce(d.end_time, d.start_time, (
            select coalesce(l.end_time, l.start_time)
            from cron.job_run_details as l
            where l.runid > d.runid and coalesce(l.end_time, l.start_time) is not null
            order by l.runid
            limit 1
          )) < %L::timestamptz - interval '3 days'
      $sql$,
      p_now
    );
    get diagnostics v_cron_rows = row_count;
  end if;
  return v_pruned + coalesce(v_cron_rows, 0);
end;
$function$;

CREATE OR REPLACE FUNCTION agg.ready_deliveries (
  p_now timestamp with time zone
)
  RETURNS SETOF agg.delivery
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select d.*
  from agg.delivery as d
  join agg.alert_target as t on t.name = d.target and t.stopped_at is null and t.next_try_at <= p_now
  cross join agg.defaults as f
  where d.delivered_at is null and d.next_try_at <= p_now and d.created_at > p_now - f.message_life
    and not (d.event = 'resolved' and exists (
      select
      from agg.delivery as o
      where o.target = d.target and o.alert_id = d.alert_id and o.event = 'opened'
        and o.delivered_at is null and o.created_at > p_now - f.message_life
    ));
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
  with cause as materialized (
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
      and s.failing_since_utc <= p_now - v_overdue_after and coalesce(v_paused_until <= p_now - v_overdue_after, true)
    union all
    select 'behind', h.canonical_symbol, h.timeframe, s.is_mandatory, h.explanation
    from public.agg_health(p_now) as h
    join public.data_agg_state as s on s.canonical_symbol = h.canonical_symbol and s.timeframe = h.timeframe
    where h.state in ('overdue', 'never_ran') and h.due_for > v_overdue_after
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
    having min(n.changed_at) < p_now - v_overdue_after and coalesce(v_paused_until < p_now - v_overdue_after, true)
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
end;
$function$;

CREATE OR REPLACE FUNCTION agg.send_broadcasts (
  p_max_bars integer DEFAULT 20000
)
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  SET enable_seqscan TO 'off'
  SET enable_hashjoin TO 'off'
  SET enable_mergejoin TO 'off'
  SET jit TO 'off'
  AS $function$
declare
  v_message record;
  v_revision bigint;
  v_sent integer := 0;
begin
  if not exists (select from agg.broadcast_note) then
    return 0;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('pgbars.send_broadcasts', 0));
  for v_message in
    -- One snapshot for notes and bars: what has a note in it is in it.
    with taken as (
      delete from agg.broadcast_note as n returning n.timeframe, n.symbols, n.starts_utc
    ),
    changed as materialized (
      select distinct t.timeframe, u.symbol, u.ts_utc
      from taken as t
      join agg.broadcast as c on c.timeframe = t.timeframe
      cross join unnest(t.symbols, t.starts_utc) as u (symbol, ts_utc)
    ),
    size as (
      select c.timeframe, count(*) <= p_max_bars as is_small from changed as c group by c.timeframe
    ),
    item as (
      select
        c.timeframe, 'bars' as key, c.symbol, c.ts_utc,
        case
          when d.ts_utc is null then jsonb_build_array(c.symbol, to_char(c.ts_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
          else jsonb_build_array(
            c.symbol, to_char(c.ts_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
            d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, d.updated_at
          )
        end as value
      from changed as c
      join size as s on s.timeframe = c.timeframe and s.is_small
      left join public.derived_data_bars as d
        on d.canonical_symbol = c.symbol and d.timeframe = c.timeframe and d.ts_utc = c.ts_utc and d.deleted_at is null
      union all
      select
        c.timeframe, 'reload', c.symbol, null,
        jsonb_build_array(
          c.symbol, to_char(min(c.ts_utc), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), to_char(max(c.ts_utc), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        )
      from changed as c
      join size as s on s.timeframe = c.timeframe and not s.is_small
      group by c.timeframe, c.symbol
    ),
    part as (
      select
        i.timeframe, i.key, i.symbol, i.ts_utc, i.value,
        sum(octet_length(i.value::text) + 2) over (partition by i.timeframe order by i.symbol, i.ts_utc) / 200000 as part
      from item as i
    )
    select p.timeframe, p.key, jsonb_agg(p.value order by p.symbol, p.ts_utc) as value
    from part as p
    group by p.timeframe, p.key, p.part
    order by p.timeframe, p.part
  loop
    update agg.broadcast as c set revision = c.revision + 1 where c.timeframe = v_message.timeframe returning c.revision into v_revision;
    begin
      execute format('select realtime.send($1, %L, %L, true)', 'bars', 'bars:' || v_message.timeframe) using
        jsonb_build_object('timeframe', v_message.timeframe, 'revision', v_revision, v_message.key, v_message.value)
          || case when v_message.key = 'bars' then '{
            "columns": ["canonical_symbol", "ts_utc", "open", "high", "low", "close", "vol", "vwap", "trade_count", "quality_score",
              "covered_minutes", "expected_minutes", "is_partial", "updated_at"]
          }'::jsonb else '{}' end;
      v_sent := v_sent + 1;
    exception when others then
      raise warning 'bars of % could not be broadcast: % (%)', v_message.timeframe, sqlerrm, sqlstate;
    end;
  end loop;
  return v_sent;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.send_webhook()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_record jsonb;
  v_old_record jsonb;
  v_problems text;
begin
  if tg_op = 'INSERT' then
    select to_jsonb(n) into v_record from new_rows as n order by n.canonical_symbol limit 1;
  elsif tg_op = 'DELETE' then
    select to_jsonb(o) into v_old_record from old_rows as o order by o.canonical_symbol limit 1;
  else
    with changed as materialized (
      select to_jsonb(n) as record, to_jsonb(o) as old_record
      from new_rows as n
      full join old_rows as o on o.canonical_symbol = n.canonical_symbol
      where to_jsonb(n) - 'updated_at' is distinct from to_jsonb(o) - 'updated_at'
    )
    select
      c.record,
      -- A renamed asset has its old row under another symbol.
      coalesce(c.old_record, (
        select d.old_record from changed as d where d.record is null order by d.old_record ->> 'canonical_symbol' limit 1
      ))
    into v_record, v_old_record
    from changed as c
    where c.record is not null
    order by c.record ->> 'canonical_symbol'
    limit 1;
  end if;
  if v_record is null and v_old_record is null then
    return null;
  end if;

  begin
    select string_agg(format('%s: %s', p.what, p.remedy), ' ') into v_problems
    from agg.webhook_problems(tg_argv[0], tg_argv[1]) as p;
    if v_problems is not null then
      raise warning 'a change of % was not sent: %', tg_table_name, v_problems;
      return null;
    end if;
    perform agg.post_webhook(
      tg_argv[0], tg_argv[1],
      jsonb_build_object(
        'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema, 'record', v_record, 'old_record', v_old_record
      ),
      10000
    );
  exception when others then
    raise warning 'a change of % was not sent: % (%)', tg_table_name, sqlerrm, sqlstate;
  end;
  return null;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.set_updated_at()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.updated_at := case when old.updated_at > now() then old.updated_at + interval '1 microsecond' else now() end;
  return new;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.target_problems (
  p_now timestamp with time zone
)
  RETURNS TABLE (
    name    text,
    kind    text,
    problem text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select t.name, t.kind, p.problem
  from agg.alert_target as t
  cross join agg.defaults as d
  cross join lateral (
    select count(*) as messages, min(m.created_at) as oldest_at, (array_agg(m.error order by m.created_at) filter (where m.error is not null))[1] as error
    from agg.delivery as m
    where m.target = t.name and m.delivered_at is null
      and m.created_at > p_now - d.message_life and m.created_at < p_now - d.overdue_after
  ) as w
  cross join lateral (
    select case
      when t.stopped_at is not null then format('stopped at %s: %s', t.stopped_at, t.error)
      when w.messages > 0 then format(
        '%s messages wait, the oldest since %s: %s', w.messages, w.oldest_at,
        coalesce(t.error, w.error, 'the function deliver-alerts has not sent them')
      )
      when t.kind = 'heartbeat' and t.failing_since < p_now - d.overdue_after
        then format('no heartbeat arrived since %s: %s', t.failing_since, t.error)
    end as problem
  ) as p
  where p.problem is not null;
$function$;

CREATE OR REPLACE FUNCTION agg.target_secret (
  p_target text,
  p_what   text
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select case when to_regclass('vault.decrypted_secrets') is not null then agg.read_secret(format('pgbars_alert_%s_%s', p_target, p_what)) end;
$function$;

CREATE OR REPLACE FUNCTION agg.task_health (
  p_now     timestamp with time zone,
  p_symbols text[]                   DEFAULT NULL::text[]
)
  RETURNS TABLE (
    canonical_symbol     text,
    timeframe            text,
    run_interval_minutes integer,
    is_mandatory         boolean,
    status               text,
    cursor_utc           timestamp with time zone,
    decided_to_utc       timestamp with time zone,
    lag                  interval,
    due_for              interval,
    next_run_at          timestamp with time zone,
    state                text,
    explanation          text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
  -- What was open of late, and when it opens next: once for all tasks that share a session and a calendar. No market is closed
  -- for five weeks; of a task that is further behind, every minute counts as open.
  with market as materialized (
    select
      m.*, b.since_utc,
      agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, b.since_utc, p_now + interval '1 microsecond') as open,
      lower(agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, p_now, p_now + interval '240 hours')) as opens_utc
    from (
      select distinct s.session_time_zone, s.session_minutes, s.calendar
      from public.data_agg_state as s
      where s.session_minutes is not null or s.calendar is not null
    ) as m
    cross join (select p_now - interval '840 hours') as b (since_utc)
  ),
  task as (
    select
      t.*, o.is_closed, o.opens_utc, p.paused_until, p.paused_by, p.paused_reason,
      greatest(interval '0', p_now - d.next_due_at) as lag,
      case
        -- A task that sleeps waits for what wakes it, not for a dispatcher.
        when o.is_closed or t.next_run_at = 'infinity' or p.paused_until > p_now then interval '0'
        else greatest(interval '0', p_now - greatest(
          -- A clock that was ahead may have put a task off for longer than any task waits.
          case when t.next_run_at > greatest(d.next_due_at, p_now + t.window_length + interval '1 hour') then d.next_due_at else t.next_run_at end,
          d.next_due_at,
          -- A task switched on just now has been due for no longer than that.
          t.updated_at,
          case when p.paused_until <= p_now then p.paused_until end
        ))
      end as due_for
    from agg.task as t
    left join agg.environment as p on true
    -- Equal keys where both are null, which a hash can look up.
    left join market as m
      on coalesce(m.session_time_zone, '') = coalesce(t.session_time_zone, '')
      and coalesce(m.session_minutes, '{(,)}') = coalesce(t.session_minutes, '{(,)}')
      and coalesce(m.calendar, '') = coalesce(t.calendar, '')
    cross join lateral (
      select
        f.first_utc,
        -- What is decided may reach up to the next opening.
        coalesce(
          case
            when t.decided_to_utc > p_now then not m.open @> p_now
            when t.decided_to_utc >= m.since_utc then f.first_utc is null
          end, false
        ) as is_closed,
        m.opens_utc
      from (
        select case
          when t.decided_to_utc between m.since_utc and p_now
            then lower(m.open * tstzmultirange(tstzrange(t.decided_to_utc, null)))
        end as first_utc
        -- Once a task.
        offset 0
      ) as f
    ) as o
    cross join lateral (
      select case
        when o.is_closed then p_now
        when o.first_utc is null or o.first_utc = t.decided_to_utc then t.due_at
        else agg.window_end(o.first_utc, t.window_length, t.window_time_zone, t.window_origin)
          + make_interval(secs => t.aggregation_delay_seconds)
      end as next_due_at
      offset 0
    ) as d
    where p_symbols is null or t.canonical_symbol = any (p_symbols)
  ),
  judged as (
    select
      t.*,
      case
        when not t.enabled then 'switched_off'
        when t.status in ('disabled', 'hard_failed', 'running') then t.status
        when t.fail_streak > 0 then 'failing'
        when t.is_closed then 'market_closed'
        when t.paused_until > p_now and t.lag > interval '0' then 'paused'
        when t.due_for > interval '5 minutes' then case when t.last_attempted_at_utc is null then 'never_ran' else 'overdue' end
        when t.lag = interval '0' then 'current'
        when t.last_attempted_at_utc is null then 'due'
        when t.next_run_at = 'infinity' then case t.last_stopped_reason when 'no_source_data' then 'waiting_for_data' else 'waiting_for_source' end
        when t.last_stopped_reason = 'max_windows' then 'catching_up'
        when t.last_stopped_reason = 'no_source_data' and not agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, p_now)
          then 'waiting_for_data'
        when exists (
          select from agg.task as u
          where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
            and u.enabled and u.decided_to_utc < t.decided_to_utc + t.window_length
        ) then 'waiting_for_source'
        else 'due'
      end as state
    from task as t
  )
  select
    j.canonical_symbol, j.timeframe, j.run_interval_minutes, j.is_mandatory, j.status, j.last_agg_bar_ts_utc, j.decided_to_utc, j.lag,
    j.due_for, j.next_run_at, j.state,
    case j.state
      when 'paused' then format('paused until %s by %s: %s', j.paused_until, j.paused_by, j.paused_reason)
      when 'switched_off' then 'the asset is not active in the registry, or metadata.agg does not ask for this timeframe'
      when 'disabled' then format('disabled after %s hard failures in a row: %s', j.hard_fail_streak, j.last_error)
      when 'hard_failed' then format('%s hard failures in a row, next try at %s: %s', j.hard_fail_streak, j.next_run_at, j.last_error)
      when 'failing' then format('%s failures in a row, next try at %s: %s', j.fail_streak, j.next_run_at, j.last_error)
      when 'running' then format('claimed by a worker since %s', j.running_started_at_utc)
      when 'market_closed' then 'session and calendar are closed ' || coalesce('until ' || j.opens_utc, 'for the next ten days')
      when 'never_ran' then 'no dispatcher has run it yet: is agg_run_due scheduled?'
      when 'overdue' then format('due for %s, but no dispatcher has run it: is agg_run_due scheduled?', j.due_for)
      when 'catching_up' then format('%s windows behind, more at every run', floor(extract(epoch from j.lag) / extract(epoch from j.window_length)))
      when 'waiting_for_data' then case
        when j.next_run_at = 'infinity' then format('no source bar after %s when it last ran, at %s: sleeps until one arrives', j.decided_to_utc, j.last_attempted_at_utc)
        else format('no source bar after %s: waits for data', j.decided_to_utc)
      end
      when 'due' then 'the next window is complete, the next run takes it'
      when 'waiting_for_source' then format('the %s task %s', j.source_timeframe, case
        when j.next_run_at = 'infinity' then format('had not decided the next window when this one last ran, at %s, and wakes it', j.last_attempted_at_utc)
        else 'has not decided the next window yet'
      end)
      else 'every complete window is decided'
    end || case
      when j.state in ('waiting_for_data', 'waiting_for_source') and exists (
        select from public.data_agg_state as u where u.canonical_symbol = j.canonical_symbol and u.basket is not null
      ) then coalesce((
        select format('; %s holds the basket back: %s', k.component, coalesce('its last bar is at ' || k.last_utc, 'it has no bar'))
        from agg.slowest_component(j.canonical_symbol, p_now) as k
        where coalesce(k.last_utc + interval '1 minute' < j.decided_to_utc + j.window_length, true)
      ), '')
      else ''
    end
  from judged as j
  union all
  select
    s.name, '1m', 1, false, null, null, null, null, null, null, 'unregistered',
    'bars arrive, but core_asset_registry_all does not have the symbol: nothing is built of them'
  from (
    select y.canonical_symbol as name from agg.bar_symbol as y where p_symbols is null
    union all
    select u.symbol from unnest(p_symbols) as u (symbol) where exists (select from public.data_bars as b where b.canonical_symbol = u.symbol)
  ) as s
  where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.name);
$function$;

CREATE OR REPLACE FUNCTION agg.unregistered_symbols (
  p_now timestamp with time zone
)
  RETURNS TABLE (
    canonical_symbol text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select s.canonical_symbol
  from agg.bar_symbol as s
  where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.canonical_symbol)
    and exists (
      select from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc > p_now - interval '1 day' and b.ts_utc <= p_now
    )
    and s.canonical_symbol not in (select k.component from agg.synthetic_component as k);
$function$;

CREATE OR REPLACE FUNCTION agg.version()
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select '0.2.0';
$function$;

CREATE OR REPLACE FUNCTION agg.wake_delivery (
  p_now       timestamp with time zone,
  p_is_synced boolean
)
  RETURNS integer
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_ready integer;
begin
  if not exists (select from agg.alert_target as t) then
    return 0;
  end if;
  perform agg.add_deliveries(p_now);
  update agg.alert_target as t
  set heartbeat_due_at = p_now
  where t.kind = 'heartbeat' and p_is_synced
    and not exists (select from agg.target_problems(p_now) as p where p.kind <> 'heartbeat')
    and (
      agg.is_paused(p_now)
      or exists (select from agg.run_log as l where l.finished_at > p_now - interval '5 minutes' and l.stopped_reason <> 'busy')
    );
  v_ready := (select count(*) from agg.ready_deliveries(p_now) as d)
    + (select count(*) from agg.alert_target as t where t.heartbeat_due_at is not null);
  if v_ready > 0
    and not exists (select from agg.webhook_problems('pgbars_deliver_alerts_url', 'pgbars_deliver_alerts_key', 'deliver-alerts'))
  then
    perform agg.post_webhook('pgbars_deliver_alerts_url', 'pgbars_deliver_alerts_key', '{}', 60000);
  end if;
  return v_ready;
exception when others then
  raise warning 'the function deliver-alerts was not called: % (%)', sqlerrm, sqlstate;
  return v_ready;
end;
$function$;

CREATE OR REPLACE FUNCTION agg.webhook_problems (
  p_url_secret text,
  p_key_secret text,
  p_function   text DEFAULT 'registry-sync'::text
)
  RETURNS TABLE (
    what   text,
    remedy text
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_has_vault constant boolean := to_regclass('vault.decrypted_secrets') is not null;
  v_name text;
  v_kind text;
  v_pattern text;
  v_example text;
  v_value text;
begin
  if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
    return query values ('the extension pg_net is missing', 'create extension pg_net;');
  end if;
  if not v_has_vault then
    return query values ('the extension supabase_vault is missing', 'create extension supabase_vault cascade;');
  end if;

  for v_name, v_kind, v_pattern, v_example in
    values
      (p_url_secret, 'an http(s) URL', '^https?://[^[:space:]/?#]+([/?#][^[:space:]]*)?$', 'https://YOUR_PROJECT.supabase.co/functions/v1/' || p_function),
      (p_key_secret, 'an API key', '^[!-~]+$', 'sb_secret_...')
  loop
    v_value := case when v_has_vault then agg.read_secret(v_name) end;
    if v_value is null then
      return query values (
        format('the secret %s is missing', v_name), format('select vault.create_secret(%L, %L);', v_example, v_name)
      );
    elsif v_value !~ v_pattern then
      return query values (
        format('the secret %s is not %s', v_name, v_kind),
        format('select vault.update_secret((select s.id from vault.secrets as s where s.name = %L), %L);', v_name, v_example)
      );
    end if;
  end loop;
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_add_alert_target (
  p_name         text,
  p_kind         text,
  p_min_severity text                     DEFAULT 'warning'::text,
  p_now          timestamp with time zone DEFAULT now()
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_has_vault constant boolean := to_regclass('vault.decrypted_secrets') is not null;
begin
  if coalesce(p_name, '') !~ '^[a-z][a-z0-9_]{0,30}$' then
    raise exception 'p_name must have 1 to 31 lower-case letters, digits and underscores, and begin with a letter'
      using errcode = 'invalid_parameter_value';
  end if;
  if p_kind is null or p_kind not in ('slack', 'webhook', 'heartbeat') then
    raise exception 'p_kind must be slack, webhook or heartbeat, not %', coalesce(p_kind, 'null') using errcode = 'invalid_parameter_value';
  end if;
  if p_min_severity is null or p_min_severity not in ('critical', 'warning') then
    raise exception 'p_min_severity must be critical or warning, not %', coalesce(p_min_severity, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if exists (select from agg.alert_target as t where t.name = p_name and t.kind <> p_kind) then
    raise exception 'the target % is of another kind', p_name
      using errcode = 'invalid_parameter_value', hint = format('select agg_remove_alert_target(%L); first.', p_name);
  end if;
  insert into agg.alert_target as t (name, kind, min_severity, added_at, next_try_at)
  values (p_name, p_kind, p_min_severity, p_now, p_now)
  on conflict (name) do update
  set
    min_severity = excluded.min_severity, next_try_at = p_now,
    failures = 0, failing_since = null, error = null, stopped_at = null;
  return jsonb_build_object('success', true, 'missing', (
    select coalesce(jsonb_agg(jsonb_build_object('what', m.what, 'remedy', m.remedy)), '[]')
    from (
      select p.what, p.remedy
      from agg.webhook_problems('pgbars_deliver_alerts_url', 'pgbars_deliver_alerts_key', 'deliver-alerts') as p
      union all
      select
        format('the secret pgbars_alert_%s_%s is missing', p_name, s.what),
        case
          when v_has_vault then format('select vault.create_secret(%L, %L);', s.example, format('pgbars_alert_%s_%s', p_name, s.what))
          else format('supabase secrets set PGBARS_ALERT_%s_%s=%s', upper(p_name), upper(s.what), s.example)
        end
      from (values ('url', 'https://...'), ('secret', 'whsec_...')) as s (what, example)
      where (s.what = 'url' or p_kind = 'webhook') and agg.target_secret(p_name, s.what) is null
    ) as m
  ));
end;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_add_alert_target"(text, text, text, timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_alert_targets (
  p_now timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    name         text,
    kind         text,
    min_severity text,
    state        text,
    waiting      bigint,
    next_try_at  timestamp with time zone,
    succeeded_at timestamp with time zone,
    error        text
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select
    t.name, t.kind, t.min_severity,
    case when t.stopped_at is not null then 'stopped' when t.failing_since is not null then 'failing' else 'ok' end,
    (
      select count(*)
      from agg.delivery as d
      where d.target = t.name and d.delivered_at is null and d.created_at > p_now - f.message_life
    ),
    greatest(t.next_try_at, p_now), t.succeeded_at, t.error
  from agg.alert_target as t
  cross join agg.defaults as f
  order by t.name;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_alert_targets"(timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_asset (
  p_symbol text,
  p_now    timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    timeframe      text,
    is_mandatory   boolean,
    state          text,
    words          text,
    attention      integer,
    lag            interval,
    due_for        interval,
    decided_to_utc timestamp with time zone,
    next_run_at    timestamp with time zone,
    explanation    text
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  SET jit TO 'off'
  AS $function$
  with task as materialized (
    select h.* from agg.task_health(p_now, array[p_symbol]) as h where h.state <> 'switched_off'
  ),
  alert as (
    select a.timeframe, max(case a.severity when 'critical' then 3 else 2 end) as attention, string_agg(a.message, '; ' order by a.severity, a.kind) as message
    from agg.alert as a
    where a.canonical_symbol = p_symbol and a.resolved_at is null
    group by a.timeframe
  ),
  minute as (
    select max(b.ts_utc) as last_utc from public.data_bars as b where b.canonical_symbol = p_symbol and b.timeframe = '1m'
  )
  select
    r.timeframe, r.is_mandatory, r.state, r.words, greatest(r.attention, a.attention), r.lag, r.due_for, r.decided_to_utc, r.next_run_at,
    r.explanation || coalesce('; ' || a.message, '')
  from (
    select
      t.run_interval_minutes, t.timeframe, t.is_mandatory, t.state, s.words,
      case when t.is_mandatory then s.mandatory_attention else s.attention end as attention,
      t.lag, t.due_for, t.decided_to_utc, t.next_run_at, t.explanation
    from task as t
    join agg.task_state as s on s.state = t.state
    union all
    select
      1, '1m', false, null, 'arrives', 0, null, null, m.last_utc + interval '1 minute', null,
      format('bars arrive from outside; the last one is of %s', m.last_utc)
    from minute as m
    where m.last_utc is not null and not exists (select from task as t where t.timeframe = '1m')
  ) as r
  left join alert as a on a.timeframe = r.timeframe
  order by r.run_interval_minutes;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_asset"(text, timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_bar_versions (
  p_symbol    text,
  p_timeframe text,
  p_from      timestamp with time zone,
  p_to        timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_limit     integer                  DEFAULT 1000
)
  RETURNS TABLE (
    ts_utc           timestamp with time zone,
    written_at       timestamp with time zone,
    replaced_at      timestamp with time zone,
    reason           text,
    is_bar           boolean,
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
    is_partial       boolean
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
  select
    v.ts_utc, v.written_at, v.replaced_at, v.reason, v.deleted_at is null, v.open, v.high, v.low, v.close, v.vol, v.vwap, v.trade_count,
    v.quality_score, v.covered_minutes, v.expected_minutes, v.is_partial
  from (
    select
      r.ts_utc, r.written_at, r.replaced_at, r.reason, r.deleted_at, r.open, r.high, r.low, r.close, r.vol, r.vwap, r.trade_count,
      r.quality_score, r.covered_minutes, r.expected_minutes, r.is_partial
    from public.derived_data_bars_revision as r
    where r.canonical_symbol = p_symbol and r.timeframe = p_timeframe and r.ts_utc >= p_from and r.ts_utc < coalesce(p_to, 'infinity')
    union all
    select
      d.ts_utc, d.updated_at, null, null, d.deleted_at, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial
    from (
      select distinct r.ts_utc
      from public.derived_data_bars_revision as r
      where r.canonical_symbol = p_symbol and r.timeframe = p_timeframe and r.ts_utc >= p_from and r.ts_utc < coalesce(p_to, 'infinity')
    ) as w
    join public.derived_data_bars as d on d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = w.ts_utc
  ) as v
  order by v.ts_utc desc, v.written_at
  limit p_limit;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_bar_versions"(text, text, timestamp WITH time zone, timestamp WITH time zone, integer) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_changes (
  p_from      timestamp with time zone,
  p_to        timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  p_symbols   text[]                   DEFAULT NULL::text[],
  p_timeframe text                     DEFAULT NULL::text,
  p_limit     integer                  DEFAULT 1000,
  p_after     jsonb                    DEFAULT NULL::jsonb
)
  RETURNS TABLE (
    changed_at       timestamp with time zone,
    canonical_symbol text,
    timeframe        text,
    ts_utc           timestamp with time zone,
    reason           text,
    seen_from        timestamp with time zone,
    before           jsonb,
    after            jsonb
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
  v_zone constant text := '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$';
  v_after public.derived_data_bars_revision;
begin
  if p_from is null or p_from >= p_to then
    raise exception '[%, %) is not a range of time', coalesce(p_from::text, 'null'), coalesce(p_to::text, 'infinity')
      using errcode = 'invalid_parameter_value', hint = 'p_from is where it begins; p_to its end, or null for until now.';
  end if;
  if p_limit < 1 then
    raise exception 'p_limit must be a number of changes above 0, not %', p_limit
      using errcode = 'invalid_parameter_value', hint = 'null means all.';
  end if;
  if p_after is not null then
    begin
      if p_after ->> 'changed_at' ~* v_zone and p_after ->> 'ts_utc' ~* v_zone then
        v_after.replaced_at := (p_after ->> 'changed_at')::timestamptz;
        v_after.ts_utc := (p_after ->> 'ts_utc')::timestamptz;
      end if;
    exception when data_exception then
      -- Refused below.
    end;
    v_after.canonical_symbol := p_after ->> 'canonical_symbol';
    v_after.timeframe := p_after ->> 'timeframe';
    if v_after.ts_utc is null or v_after.canonical_symbol is null or v_after.timeframe is null then
      raise exception 'p_after must be an object with changed_at, canonical_symbol, timeframe and ts_utc (instants with their zone), not %', left(p_after::text, 200)
        using errcode = 'invalid_parameter_value', hint = 'Give the last row of the page before.';
    end if;
  end if;

  return query
  select
    v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc, v.reason, v.written_at, x.before, x.after
  from public.derived_data_bars_revision as v
  -- What came next, as another revision or as it is stored.
  left join lateral (
    select n.*
    from (
      (
        select
          n.replaced_at, n.written_at, n.deleted_at, n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count,
          n.quality_score, n.covered_minutes, n.expected_minutes, n.is_partial
        from public.derived_data_bars_revision as n
        where n.canonical_symbol = v.canonical_symbol and n.timeframe = v.timeframe and n.ts_utc = v.ts_utc and n.replaced_at > v.replaced_at
        order by n.replaced_at
        limit 1
      )
      union all
      select
        'infinity', d.updated_at, d.deleted_at, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial
      from public.derived_data_bars as d
      where d.canonical_symbol = v.canonical_symbol and d.timeframe = v.timeframe and d.ts_utc = v.ts_utc
    ) as n
    order by n.replaced_at
    limit 1
  ) as n on true
  cross join lateral (
    select
      (
        select to_jsonb(b)
        from (
          select
            v.open, v.high, v.low, v.close, v.vol, v.vwap, v.trade_count, v.quality_score, v.covered_minutes, v.expected_minutes, v.is_partial
        ) as b
        where v.deleted_at is null
      ),
      (
        select to_jsonb(b)
        from (
          select
            n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count, n.quality_score, n.covered_minutes, n.expected_minutes, n.is_partial
        ) as b
        -- It came at once, and not after the row had been gone.
        where n.written_at = v.replaced_at and n.deleted_at is null
      )
  ) as x (before, after)
  where v.replaced_at >= greatest(p_from, v_after.replaced_at) and v.replaced_at < coalesce(p_to, 'infinity')
    and (p_symbols is null or v.canonical_symbol = any (p_symbols)) and (p_timeframe is null or v.timeframe = p_timeframe)
    and (
      p_after is null
      or (v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc)
        > (v_after.replaced_at, v_after.canonical_symbol, v_after.timeframe, v_after.ts_utc)
    )
    and x.before is distinct from x.after
  order by v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc
  limit p_limit;
end;
$function$;

CREATE OR REPLACE FUNCTION public.agg_claim_deliveries (
  p_limit integer                  DEFAULT 50,
  p_now   timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    target     text,
    kind       text,
    url        text,
    secret     text,
    message_id uuid,
    body       text
  )
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_env constant text := agg.current_env(null);
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception 'p_limit must be from 1 to 1000, not %', coalesce(p_limit::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  perform agg.add_deliveries(p_now);
  return query
  with beat as (
    update agg.alert_target as t
    set heartbeat_due_at = null
    where t.kind = 'heartbeat' and t.heartbeat_due_at is not null and t.stopped_at is null
    returning t.name, t.kind
  ),
  ready as materialized (
    select r.message_id
    from (
      select d.message_id, row_number() over (partition by d.target order by d.created_at, d.alert_id, d.event) as position
      from agg.ready_deliveries(p_now) as d
    ) as r
    where r.position <= p_limit
  ),
  locked as materialized (
    select d.message_id
    from agg.delivery as d
    where d.message_id in (select r.message_id from ready as r)
      -- Another call may have claimed it since.
      and d.delivered_at is null and d.next_try_at <= p_now
    for update skip locked
  ),
  claimed as (
    update agg.delivery as d
    set tries = d.tries + 1, next_try_at = p_now + interval '3 minutes'
    from locked as l
    where d.message_id = l.message_id
    returning d.*
  )
  select m.name, m.kind, agg.target_secret(m.name, 'url'), agg.target_secret(m.name, 'secret'), m.message_id, m.body
  from (
    select b.name, b.kind, null::uuid as message_id, null as body, null::timestamptz as created_at, null::bigint as alert_id, null as event
    from beat as b
    union all
    select
      t.name, t.kind, c.message_id,
      agg.delivery_body(
        t.kind, c.event,
        to_jsonb(a) || jsonb_build_object(
          'env', v_env, 'message', left(a.message, 4000), 'resolved_at', case c.event when 'resolved' then a.resolved_at end
        ),
        case c.event when 'resolved' then a.resolved_at else a.raised_at end
      ),
      c.created_at, c.alert_id, c.event
    from claimed as c
    join agg.alert_target as t on t.name = c.target
    join agg.alert as a on a.alert_id = c.alert_id
  ) as m
  order by m.name, m.created_at, m.alert_id, m.event;
end;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_claim_deliveries"(integer, timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

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
  if v_length is null or p_symbol is null or p_ts is null then
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
          else 'no bar of this minute has arrived'
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

CREATE OR REPLACE FUNCTION public.agg_finish_deliveries (
  p_results jsonb,
  p_now     timestamp with time zone DEFAULT now()
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_delivered integer;
  v_failed integer;
  v_stopped text[];
begin
  if jsonb_typeof(p_results) is distinct from 'array' then
    raise exception 'p_results must be an array, not %', coalesce(jsonb_typeof(p_results), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  with result as materialized (
    select
      r.target, r.message_id, r.retry_after, left(r.error, 500) as error,
      case
        when r.status between 200 and 299 then 'delivered'
        when r.error is null then 'untried'
        when r.status in (403, 404, 410) and t.kind <> 'heartbeat' then 'gone'
        when r.status between 400 and 499 and r.status not in (403, 404, 408, 410, 429) then 'refused'
        else 'away'
      end as outcome
    from jsonb_to_recordset(p_results) as r (target text, message_id uuid, status integer, retry_after numeric, error text)
    join agg.alert_target as t on t.name = r.target
  ),
  message as (
    update agg.delivery as d
    set
      delivered_at = case r.outcome when 'delivered' then p_now end,
      error = case r.outcome when 'delivered' then null when 'untried' then d.error else r.error end,
      tries = d.tries - (r.outcome = 'untried')::integer,
      -- What holds for the whole target stands there.
      next_try_at = case r.outcome when 'refused' then p_now + agg.retry_delay(d.tries, 'hard') else p_now end
    from result as r
    where d.message_id = r.message_id and d.target = r.target and d.delivered_at is null
    returning r.outcome
  ),
  target as (
    update agg.alert_target as t
    set
      succeeded_at = case when o.succeeded then p_now else t.succeeded_at end,
      failures = case when o.away then t.failures + 1 when o.succeeded then 0 else t.failures end,
      failing_since = case when o.error is null then null else coalesce(case when not o.succeeded then t.failing_since end, p_now) end,
      error = o.error,
      stopped_at = case when o.gone then p_now end,
      next_try_at = case
        when o.away and o.retry_after is not null
          then p_now + make_interval(secs => least(greatest(o.retry_after, 1), 86400)::double precision)
        when o.away then p_now + agg.retry_delay(t.failures + 1, 'hard')
        else t.next_try_at
      end
    from (
      select
        r.target, bool_or(r.outcome = 'delivered') as succeeded, bool_or(r.outcome = 'gone') as gone, bool_or(r.outcome = 'away') as away,
        max(r.retry_after) as retry_after, max(r.error) filter (where r.outcome <> 'delivered') as error
      from result as r
      where r.outcome <> 'untried'
      group by r.target
    ) as o
    where t.name = o.target
    returning t.name, t.stopped_at
  )
  select
    count(*) filter (where m.outcome = 'delivered'), count(*) filter (where m.outcome in ('gone', 'refused', 'away')),
    array(select t.name from target as t where t.stopped_at is not null order by t.name)
  into v_delivered, v_failed, v_stopped
  from message as m;
  return jsonb_build_object('delivered', v_delivered, 'failed', v_failed, 'stopped', to_jsonb(v_stopped));
end;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_finish_deliveries"(jsonb, timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_fleet (
  p_now timestamp with time zone DEFAULT now()
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET "TimeZone" TO 'UTC'
  SET jit TO 'off'
  AS $function$
  with alert as materialized (
    select
      a.canonical_symbol, a.timeframe, case a.severity when 'critical' then 3 else 2 end as attention, a.kind, a.message,
      extract(epoch from p_now - a.raised_at)::bigint as age
    from agg.alert as a
    where a.resolved_at is null
  ),
  task as materialized (
    select
      h.canonical_symbol, h.timeframe, h.run_interval_minutes, h.state, s.words,
      greatest(case when h.is_mandatory then s.mandatory_attention else s.attention end, a.attention) as attention,
      extract(epoch from h.lag)::bigint as lag, h.explanation
    from agg.task_health(p_now) as h
    join agg.task_state as s on s.state = h.state
    left join (
      select a.canonical_symbol, a.timeframe, max(a.attention) as attention from alert as a group by a.canonical_symbol, a.timeframe
    ) as a on a.canonical_symbol = h.canonical_symbol and a.timeframe = h.timeframe
    where h.state <> 'switched_off'
  ),
  timeframe as materialized (
    select t.timeframe, row_number() over (order by min(t.run_interval_minutes), t.timeframe) as place
    from task as t
    group by t.timeframe
  ),
  asset as (
    select
      t.canonical_symbol, max(t.attention) as attention,
      jsonb_object_agg(t.timeframe, jsonb_build_array(t.state, t.lag, t.attention)) as cells
    from task as t
    group by t.canonical_symbol
  ),
  look as materialized (
    select l.*, row_number() over (order by l.attention desc, l.lag desc nulls last, l.canonical_symbol, l.run_interval_minutes) as place
    from (
      select t.canonical_symbol, t.timeframe, t.run_interval_minutes, t.attention, t.state, t.words, t.lag, t.explanation
      from task as t
      join agg.task_state as s on s.state = t.state
      where s.attention > 1
      union all
      -- What a task says by itself is not said again.
      select
        a.canonical_symbol, a.timeframe, 0, a.attention, a.kind, replace(a.kind, '_', ' '), a.age, a.message
      from alert as a
      where not exists (
        select
        from task as t
        join agg.task_state as s on s.state = t.state
        where t.canonical_symbol = a.canonical_symbol and t.timeframe = a.timeframe and s.attention > 1
      )
    ) as l
  )
  select jsonb_build_object(
    'now', p_now,
    'paused', (
      select jsonb_build_object('until', e.paused_until, 'reason', e.paused_reason) from agg.environment as e where e.paused_until > p_now
    ),
    'timeframes', (select coalesce(jsonb_agg(f.timeframe order by f.place), '[]') from timeframe as f),
    'states', (select jsonb_object_agg(s.state, s.words) from agg.task_state as s),
    'tasks', (
      select jsonb_agg(n.tasks order by n.attention)
      from (
        select g.attention, count(t.canonical_symbol) as tasks
        from generate_series(0, 3) as g (attention)
        left join task as t on t.attention = g.attention
        group by g.attention
      ) as n
    ),
    'assets', (
      select coalesce(jsonb_agg(
        jsonb_build_array(o.canonical_symbol, o.attention, (
          select jsonb_agg(o.cells -> f.timeframe order by f.place) from timeframe as f
        )) order by o.attention desc, o.canonical_symbol
      ), '[]')
      from (
        select s.canonical_symbol, greatest(s.attention, a.attention) as attention, s.cells
        from asset as s
        left join (select a.canonical_symbol, max(a.attention) as attention from alert as a group by a.canonical_symbol) as a
          on a.canonical_symbol = s.canonical_symbol
      ) as o
    ),
    'looks', (select count(*) from look),
    'look', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'symbol', l.canonical_symbol, 'timeframe', l.timeframe, 'attention', l.attention, 'state', l.state, 'words', l.words,
        'lag', l.lag, 'explanation', l.explanation
      ) order by l.place), '[]')
      from look as l
      where l.place <= 200
    )
  );
$function$;

REVOKE ALL ON FUNCTION "public"."agg_fleet"(timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_health (
  p_now timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    canonical_symbol text,
    timeframe        text,
    status           text,
    cursor_utc       timestamp with time zone,
    lag              interval,
    due_for          interval,
    next_run_at      timestamp with time zone,
    state            text,
    explanation      text
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select h.canonical_symbol, h.timeframe, h.status, h.cursor_utc, h.lag, h.due_for, h.next_run_at, h.state, h.explanation
  from agg.task_health(p_now) as h
  order by h.canonical_symbol, h.run_interval_minutes;
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

CREATE OR REPLACE FUNCTION public.agg_metrics (
  p_now timestamp with time zone DEFAULT now()
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET statement_timeout TO '60s'
  AS $function$
  with health as materialized (
    select h.canonical_symbol, h.timeframe, h.state, extract(epoch from h.lag) as lag, extract(epoch from h.due_for) as due_for
    from public.agg_health(p_now) as h
  ),
  kept as materialized (
    select
      count(*) filter (where l.stopped_reason <> 'busy') as runs, sum(extract(epoch from l.finished_at - l.started_at)) as seconds,
      sum(l.windows) as windows, sum(l.bars_created) as bars_created, sum(l.bars_quality_poor) as bars_quality_poor,
      sum(l.bars_corrected) as bars_corrected, sum(l.failed) as failed
    from agg.run_log as l
  ),
  total as materialized (
    select
      coalesce(sum(u.runs), 0) as runs, round(coalesce(sum(u.seconds)::numeric, 0), 3) as seconds, coalesce(sum(u.windows), 0) as windows,
      coalesce(sum(u.bars_created), 0) as bars_created, coalesce(sum(u.bars_quality_poor), 0) as bars_quality_poor,
      coalesce(sum(u.bars_corrected), 0) as bars_corrected, coalesce(sum(u.failed), 0) as failed
    from (
      select k.* from kept as k
      union all
      select t.runs, t.seconds::numeric, t.windows, t.bars_created, t.bars_quality_poor, t.bars_corrected, t.failed from agg.run_total as t
    ) as u
  ),
  run as materialized (
    select j.lane, max(j.started_at) as started_at, max(j.took) as longest, (array_agg(j.took order by j.started_at desc))[1] as took
    from agg.job_runs(p_now - interval '1 hour') as j
    group by j.lane
  ),
  metric as (
    select
      'pgbars_info' as name, 'gauge' as type, 'Version and environment of this database; the value is 1.' as help,
      jsonb_build_array(jsonb_build_object('value', 1, 'labels', jsonb_build_object('version', agg.version(), 'env', agg.current_env(null)))) as samples
    union all
    select 'pgbars_paused', 'gauge', 'Whether agg_pause has stopped the work.', jsonb_build_array(jsonb_build_object('value', agg.is_paused(p_now)::integer))
    union all
    select 'pgbars_tasks', 'gauge', 'Tasks by timeframe and state, as agg_health has them.', jsonb_agg(jsonb_build_object(
      'value', c.tasks, 'labels', jsonb_build_object('timeframe', c.timeframe, 'state', c.state)
    ))
    from (select h.timeframe, h.state, count(*) as tasks from health as h group by h.timeframe, h.state) as c
    union all
    select 'pgbars_lag_seconds', 'gauge', 'For how long the next window of the task that is furthest behind could have been decided.', jsonb_agg(jsonb_build_object(
      'value', c.lag, 'labels', jsonb_build_object('timeframe', c.timeframe)
    ))
    from (
      select h.timeframe, round(max(h.lag) filter (where h.state not in ('switched_off', 'market_closed')), 3) as lag
      from health as h
      group by h.timeframe
    ) as c
    union all
    select 'pgbars_due_seconds', 'gauge', 'For how long a task has waited for a dispatcher, at most.', jsonb_agg(jsonb_build_object(
      'value', c.due_for, 'labels', jsonb_build_object('timeframe', c.timeframe)
    ))
    from (
      select h.timeframe, round(max(h.due_for) filter (where h.state not in ('switched_off', 'disabled')), 3) as due_for
      from health as h
      group by h.timeframe
    ) as c
    union all
    select 'pgbars_slowest_lag_seconds', 'gauge', 'The lag of the ten tasks that are furthest behind.', jsonb_agg(jsonb_build_object(
      'value', round(c.lag, 3), 'labels', jsonb_build_object('timeframe', c.timeframe, 'symbol', c.canonical_symbol)
    ))
    from (
      select h.canonical_symbol, h.timeframe, h.lag
      from health as h
      where h.lag > 0 and h.state not in ('switched_off', 'market_closed')
      order by h.lag desc, h.canonical_symbol, h.timeframe
      limit 10
    ) as c
    union all
    select v.name, 'counter', v.help, jsonb_build_array(jsonb_build_object('value', v.value))
    from total as t
    cross join lateral (
      values
        ('pgbars_runs_total', 'Calls of the dispatcher that did not find another one at work.', t.runs),
        ('pgbars_run_seconds_total', 'What these calls took.', t.seconds),
        ('pgbars_windows_total', 'Windows that were decided or built again.', t.windows),
        ('pgbars_bars_total', 'Bars that windows gave.', t.bars_created),
        ('pgbars_poor_bars_total', 'Bars of poor quality among them.', t.bars_quality_poor),
        ('pgbars_corrected_bars_total', 'Bars that changed because their source had.', t.bars_corrected),
        ('pgbars_failures_total', 'Tasks and corrections that failed.', t.failed)
    ) as v (name, help, value)
    union all
    select v.name, 'gauge', v.help, jsonb_agg(jsonb_build_object('value', v.value, 'labels', jsonb_build_object('lane', r.lane)))
    from run as r
    cross join lateral (
      values
        ('pgbars_last_run_seconds', 'What the last run of the dispatch job took.', round(extract(epoch from r.took), 3)),
        ('pgbars_longest_run_seconds', 'What the longest run of the last hour took.', round(extract(epoch from r.longest), 3)),
        ('pgbars_last_run_timestamp_seconds', 'When the last run of the dispatch job began.', round(extract(epoch from r.started_at), 3))
    ) as v (name, help, value)
    group by v.name, v.help
    union all
    select v.name, 'gauge', v.help, jsonb_agg(jsonb_build_object('value', v.value, 'labels', jsonb_build_object('kind', c.kind)))
    from (
      select
        k.kind, count(n.changed_at) as corrections,
        greatest(round(extract(epoch from p_now - min(n.changed_at) filter (where isfinite(n.changed_at))), 3), 0) as oldest
      from (values ('correction', false), ('backfill', true)) as k (kind, is_backfill)
      left join agg.correction as n on n.is_backfill = k.is_backfill
      group by k.kind
      union all
      select 'unread', count(*), greatest(round(extract(epoch from p_now - min(n.changed_at)), 3), 0) from agg.change_note as n
    ) as c
    cross join lateral (
      values
        ('pgbars_pending_corrections', 'What waits to be built again (correction, backfill), and changes that no dispatcher has read (unread).', c.corrections::numeric),
        ('pgbars_pending_oldest_seconds', 'For how long the oldest of these has waited.', coalesce(c.oldest, 0))
    ) as v (name, help, value)
    group by v.name, v.help
    union all
    select 'pgbars_alerts', 'gauge', 'Open alerts by severity.', jsonb_agg(jsonb_build_object('value', c.alerts, 'labels', jsonb_build_object('severity', c.severity)))
    from (
      select s.severity, count(a.alert_id) as alerts
      from (values ('critical'), ('warning')) as s (severity)
      left join agg.alert as a on a.severity = s.severity and a.resolved_at is null
      group by s.severity
    ) as c
    union all
    select 'pgbars_alerts_by_kind', 'gauge', 'Open alerts by kind and severity; no sample where none is open.', jsonb_agg(jsonb_build_object(
      'value', c.alerts, 'labels', jsonb_build_object('kind', c.kind, 'severity', c.severity)
    ))
    from (select a.kind, a.severity, count(*) as alerts from agg.alert as a where a.resolved_at is null group by a.kind, a.severity) as c
    union all
    select 'pgbars_messages_waiting', 'gauge', 'Messages of alerts that wait to be delivered, by target.', jsonb_agg(jsonb_build_object(
      'value', t.waiting, 'labels', jsonb_build_object('target', t.name)
    ))
    from public.agg_alert_targets(p_now) as t
    union all
    select 'pgbars_oldest_audit_seconds', 'gauge', 'How long ago the bar was verified that was verified longest ago.', jsonb_build_array(jsonb_build_object(
      'value', greatest(round(extract(epoch from p_now - min(coalesce(a.verified_since, a.added_at))), 3), 0)
    ))
    from agg.audit as a
    union all
    select 'pgbars_table_bytes', 'gauge', 'Size of a table with its indexes.', jsonb_agg(jsonb_build_object('value', b.bytes, 'labels', jsonb_build_object('table', b.name)))
    from (
      select r.name, sum(pg_total_relation_size(p.oid)) as bytes
      from (
        values ('data_bars', 'public.data_bars'::regclass), ('derived_data_bars', 'public.derived_data_bars'),
          ('derived_data_bars_revision', 'public.derived_data_bars_revision')
      ) as r (name, oid)
      -- A table of bars may have been partitioned.
      cross join lateral (select r.oid union select t.relid from pg_partition_tree(r.oid) as t) as p (oid)
      group by r.name
    ) as b
    union all
    select 'pgbars_database_bytes', 'gauge', 'Size of the database.', jsonb_build_array(jsonb_build_object('value', pg_database_size(current_database())))
  )
  select string_agg(agg.metric_lines(m.name, m.type, m.help, m.samples), '' order by m.name collate "C") from metric as m;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_metrics"(timestamp WITH time zone) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_remove_alert_target (
  p_name text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  delete from agg.alert_target as t where t.name = p_name;
  return jsonb_build_object('removed', found);
end;
$function$;

REVOKE ALL ON FUNCTION "public"."agg_remove_alert_target"(text) FROM PUBLIC, "anon", "authenticated";

CREATE OR REPLACE FUNCTION public.agg_size (
  p_bytes bigint                   DEFAULT NULL::bigint,
  p_now   timestamp with time zone DEFAULT now()
)
  RETURNS TABLE (
    table_name  text,
    timeframe   text,
    rows        bigint,
    is_estimate boolean,
    heap_bytes  bigint,
    index_bytes bigint,
    bytes       bigint,
    rows_a_day  bigint,
    bytes_a_day bigint,
    days_left   integer
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET statement_timeout TO '60s'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.disable_broadcast()
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '5s'
  AS $function$
declare
  v_removed constant jsonb := (select jsonb_agg('bars:' || c.timeframe order by c.timeframe) from agg.broadcast as c);
  v_name text;
begin
  for v_name in
    select t.tgname
    from pg_catalog.pg_trigger as t
    where t.tgrelid = 'public.derived_data_bars'::regclass and t.tgfoid = 'agg.add_broadcast_notes()'::regprocedure
  loop
    execute format('drop trigger %I on public.derived_data_bars', v_name);
  end loop;
  delete from agg.broadcast;
  delete from agg.broadcast_note;
  if to_regclass('realtime.messages') is not null then
    execute 'drop policy if exists pgbars_read_bars on realtime.messages';
  end if;
  perform public.schedule_jobs();
  return jsonb_build_object('success', true, 'removed', coalesce(v_removed, '[]'));
end;
$function$;

REVOKE ALL ON FUNCTION "public"."disable_broadcast"() FROM PUBLIC, "anon", "authenticated", "service_role";

CREATE OR REPLACE FUNCTION public.enable_broadcast (
  p_timeframes text[]
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '5s'
  AS $function$
declare
  v_missing jsonb;
  v_event text;
  v_unknown text;
begin
  select string_agg(coalesce(u.timeframe, 'null'), ', ') into v_unknown
  from unnest(p_timeframes) as u (timeframe)
  where not exists (select from agg.timeframe as t where t.timeframe = u.timeframe and t.timeframe <> '1m');
  if v_unknown is not null or coalesce(cardinality(p_timeframes), 0) = 0 then
    raise exception 'p_timeframes must be timeframes longer than 1m, not %', coalesce(v_unknown, coalesce(p_timeframes::text, 'null'))
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  select jsonb_agg(jsonb_build_object('what', p.what, 'remedy', p.remedy)) into v_missing from agg.broadcast_problems() as p;
  if v_missing is not null then
    raise notice 'nothing was set up: %', (select string_agg(m.item ->> 'what', '; ') from jsonb_array_elements(v_missing) as m (item))
      using hint = (select string_agg(m.item ->> 'remedy', ' ') from jsonb_array_elements(v_missing) as m (item));
    return jsonb_build_object(
      'success', false, 'topics', '[]'::jsonb, 'missing', v_missing, 'message', 'nothing was set up: do what missing says, and call again'
    );
  end if;

  delete from agg.broadcast as c where c.timeframe <> all (p_timeframes);
  insert into agg.broadcast (timeframe) select distinct u.timeframe from unnest(p_timeframes) as u (timeframe) on conflict do nothing;
  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create or replace trigger %I after %s on public.derived_data_bars referencing %s for each statement execute function agg.add_broadcast_notes()',
      'broadcast_' || v_event,
      v_event,
      case v_event
        when 'insert' then 'new table as new_rows'
        when 'update' then 'new table as new_rows old table as old_rows'
        else 'old table as old_rows'
      end
    );
  end loop;
  if not exists (
    select
    from pg_catalog.pg_policies as p
    where p.schemaname = 'realtime' and p.tablename = 'messages' and p.policyname = 'pgbars_read_bars'
  ) then
    -- Asked when a reader joins a topic. The policy of agg.read_policy_name says that its role reads all bars.
    execute $sql$
      create policy pgbars_read_bars on realtime.messages for select using (
        extension = 'broadcast' and (select realtime.topic()) like 'bars:%'
        and exists (
          select
          from pg_catalog.pg_policies as p
          where p.schemaname = 'public' and p.tablename = 'derived_data_bars'
            and p.policyname = 'pgbars_read_' || case when octet_length(current_user) <= 51 then current_user else md5(current_user) end
        )
      )
    $sql$;
  end if;
  perform public.schedule_jobs();
  return jsonb_build_object(
    'success', true,
    'topics', (select jsonb_agg('bars:' || c.timeframe order by t.duration) from agg.broadcast as c join agg.timeframe as t using (timeframe)),
    'missing', '[]'::jsonb, 'message', 'bars that are new or corrected are sent after each batch of the dispatch jobs'
  );
end;
$function$;

REVOKE ALL ON FUNCTION "public"."enable_broadcast"(text[]) FROM PUBLIC, "anon", "authenticated", "service_role";

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
  v_forgotten text;
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
    select r.canonical_symbol into v_forgotten
    from agg.readable_series as r
    where r.canonical_symbol = any (p_symbols) and r.timeframe = p_timeframe and p_as_of < now() - agg.revision_age(r.revisions)
    order by 1
    limit 1;
    if v_forgotten is not null then
      raise exception '% keeps no revisions from before %', v_forgotten, (
        select now() - agg.revision_age(r.revisions)
        from agg.readable_series as r
        where r.canonical_symbol = v_forgotten and r.timeframe = p_timeframe
      ) using errcode = 'invalid_parameter_value',
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
    -- Of many symbols, most have their last bar in the ten windows before that of the first symbol. A look into the key goes
    -- through the entries of a page, of which this bound leaves few: a third of the time.
    if p_limit = 1 and cardinality(p_symbols) > 1 then
      select d.ts_utc - 10 * p_timeframe::interval into v_recent_utc
      from public.data_bars as d
      where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe and d.ts_utc < v_to
      order by d.ts_utc desc
      limit 1;
    end if;
    v_recent_utc := coalesce(v_recent_utc, v_to);
    return query
    with symbol as (
      select distinct u.symbol from unnest(p_symbols) as u (symbol)
    ),
    recent as materialized (
      select d.*
      from symbol as y
      cross join lateral (
        select d.*
        from public.data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= v_recent_utc and d.ts_utc < v_to
        order by d.ts_utc desc
        limit 1
      ) as d
    )
    select
      d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      null::smallint, 1, 1, d.is_partial, false, false, d.updated_at
    from (
      select r.* from recent as r
      union all
      select d.*
      from symbol as y
      cross join lateral (
        select d.*
        from public.data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_recent_utc
        order by d.ts_utc desc
        limit p_limit
      ) as d
      where y.symbol not in (select r.canonical_symbol from recent as r)
    ) as d
    where v_after_symbol is null or (d.canonical_symbol, d.ts_utc) > (v_after_symbol, v_after_utc)
    order by d.canonical_symbol, d.ts_utc;
  elsif p_from is null then
    if p_limit = 1 and cardinality(p_symbols) > 1 then
      select d.ts_utc - 10 * p_timeframe::interval into v_recent_utc
      from public.derived_data_bars as d
      where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
      order by d.ts_utc desc
      limit 1;
    end if;
    v_recent_utc := coalesce(v_recent_utc, v_to);
    return query
    with symbol as (
      select distinct u.symbol from unnest(p_symbols) as u (symbol)
    ),
    recent as materialized (
      select d.*
      from symbol as y
      cross join lateral (
        select d.*
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= v_recent_utc and d.ts_utc < v_to and d.deleted_at is null
        order by d.ts_utc desc
        limit 1
      ) as d
    )
    select
      d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
    from (
      select r.* from recent as r
      union all
      select d.*
      from symbol as y
      cross join lateral (
        select d.*
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_recent_utc and d.deleted_at is null
        order by d.ts_utc desc
        limit p_limit
      ) as d
      where y.symbol not in (select r.canonical_symbol from recent as r)
    ) as d
    where v_after_symbol is null or (d.canonical_symbol, d.ts_utc) > (v_after_symbol, v_after_utc)
    order by d.canonical_symbol, d.ts_utc;
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

CREATE OR REPLACE FUNCTION public.grant_read_access (
  p_role text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '5s'
  AS $function$
declare
  v_table record;
begin
  for v_table in select t.* from agg.readable_table(p_role) as t loop
    if not has_schema_privilege(p_role, 'public', 'usage') then
      execute format('grant usage on schema public to %I', p_role);
    end if;
    if not has_table_privilege(p_role, format('public.%I', v_table.table_name), 'select') then
      execute format('grant select on table public.%I to %I', v_table.table_name, p_role);
    end if;
    if not v_table.is_open then
      execute format(
        'create policy %I on public.%I for select to %I using (%s)', v_table.policy_name, v_table.table_name, p_role,
        case v_table.table_name when 'derived_data_bars' then 'deleted_at is null' else 'true' end
      );
    end if;
  end loop;
  -- What the two functions ask besides the tables.
  execute format('grant usage on schema agg to %I', p_role);
  execute format('grant select on table agg.readable_series to %I', p_role);
  execute format(
    'grant execute on function public.get_bars, public.agg_changes, public.agg_bar_versions, agg.filled_bars, agg.open_windows, agg.revision_age to %I', p_role
  );
  return jsonb_build_object(
    'success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars', 'derived_data_bars_revision'),
    'functions', jsonb_build_array('get_bars', 'agg_changes', 'agg_bar_versions')
  );
end;
$function$;

CREATE OR REPLACE FUNCTION public.revoke_read_access (
  p_role text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET lock_timeout TO '5s'
  AS $function$
declare
  v_table record;
  v_was_open boolean := false;
begin
  for v_table in select t.* from agg.readable_table(p_role) as t where t.is_open loop
    execute format('drop policy %I on public.%I', v_table.policy_name, v_table.table_name);
    execute format('revoke select on table public.%I from %I', v_table.table_name, p_role);
    v_was_open := true;
  end loop;
  if v_was_open then
    execute format(
      'revoke execute on function public.get_bars, public.agg_changes, public.agg_bar_versions, agg.filled_bars, agg.open_windows, agg.revision_age from %I', p_role
    );
    execute format('revoke select on table agg.readable_series from %I', p_role);
    execute format('revoke usage on schema agg from %I', p_role);
  end if;
  return jsonb_build_object(
    'success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars', 'derived_data_bars_revision'),
    'functions', jsonb_build_array('get_bars', 'agg_changes', 'agg_bar_versions')
  );
end;
$function$;

ALTER TABLE "agg"."alert"
  ADD CONSTRAINT "alert_kind_check"
    CHECK
    ((kind = ANY (ARRAY['hard_failed'::text, 'disabled'::text, 'failing'::text, 'behind'::text, 'no_data'::text, 'poor_quality'::text, 'slow'::text, 'metadata'::text,
    'uncorrected'::text, 'undelivered'::text, 'unread'::text, 'unregistered'::text, 'unsynced'::text, 'wrong'::text])));

ALTER TABLE "agg"."delivery"
  ADD CONSTRAINT "delivery_target_fkey" FOREIGN KEY (target) REFERENCES agg.alert_target(name) ON DELETE CASCADE;

CREATE VIEW "agg"."bar_symbol" WITH (security_invoker=true) AS  WITH RECURSIVE symbol AS (
        ( SELECT b.canonical_symbol
           FROM public.data_bars b
          ORDER BY b.canonical_symbol
         LIMIT 1)
        UNION ALL
         SELECT n.canonical_symbol
           FROM (symbol s_1
             CROSS JOIN LATERAL ( SELECT b.canonical_symbol
                   FROM public.data_bars b
                  WHERE (b.canonical_symbol > s_1.canonical_symbol)
                  ORDER BY b.canonical_symbol
                 LIMIT 1) n)
        )
 SELECT s.canonical_symbol
   FROM symbol s;

CREATE VIEW "agg"."defaults" WITH (security_invoker=true) AS  SELECT '2025-07-01 00:00:00+00'::timestamp with time zone AS start_utc,
    300 AS delay_seconds,
    (80)::smallint AS good_percent,
    (60)::smallint AS poor_percent,
    3 AS hard_failures,
    '00:15:00'::interval AS overdue_after,
    '1900-01-01 00:00:00+00'::timestamp with time zone AS least_utc,
    '2200-01-01 00:00:00+00'::timestamp with time zone AS end_utc,
    '3 days'::interval AS message_life;

CREATE VIEW "agg"."public_function" WITH (security_invoker=true) AS  SELECT p.oid AS function_id,
    (p.proname)::text AS name
   FROM pg_proc p
  WHERE ((p.pronamespace = ('public'::regnamespace)::oid) AND (p.proname = ANY (ARRAY['agg_add_alert_target'::text, 'agg_add_change_note'::text, 'agg_alert_targets'::text, 'agg_alerts'::text, 'agg_asset'::text, 'agg_backfill'::text, 'agg_bar_versions'::text, 'agg_bootstrap_cursor'::text, 'agg_cancel_backfill'::text, 'agg_changes'::text, 'agg_check'::text, 'agg_claim_deliveries'::text, 'agg_explain'::text, 'agg_finish'::text, 'agg_finish_deliveries'::text, 'agg_fleet'::text, 'agg_gaps'::text, 'agg_get_due_tasks'::text, 'agg_health'::text, 'agg_maintain'::text, 'agg_metrics'::text, 'agg_pause'::text, 'agg_pending'::text, 'agg_remove_alert_target'::text, 'agg_repair'::text, 'agg_resume'::text, 'agg_run_due'::text, 'agg_runs'::text, 'agg_size'::text, 'agg_start'::text, 'agg_verify'::text, 'aggregate_1m_to_5m_window'::text, 'aggregate_5m_to_1h_window'::text, 'aggregate_window'::text, 'calc_dxy_range_1m'::text, 'calc_dxy_range_derived'::text, 'catchup_aggregation_range'::text, 'derive_synthetic_range'::text, 'disable_broadcast'::text, 'enable_broadcast'::text, 'finish_move'::text, 'get_bars'::text, 'grant_operations_access'::text, 'grant_read_access'::text, 'import_calendar'::text, 'install_webhooks'::text, 'move_status'::text, 'remove_webhooks'::text, 'revoke_operations_access'::text, 'revoke_read_access'::text, 'schedule_jobs'::text, 'sync_agg_state_from_registry'::text, 'undo_move'::text, 'upsert_bars'::text])) AND (NOT (EXISTS ( SELECT
           FROM pg_depend d
          WHERE ((d.classid = ('pg_proc'::regclass)::oid) AND (d.objid = p.oid) AND (d.deptype = 'e'::"char"))))));

CREATE VIEW "agg"."task_state" WITH (security_invoker=true) AS  SELECT s.state,
    s.words,
    s.attention,
    s.mandatory_attention
   FROM ( VALUES ('current'::text,'up to date'::text,0,0), ('market_closed'::text,'market closed'::text,0,0), ('running'::text,'running'::text,0,0), ('due'::text,'due'::text,0,0), ('waiting_for_source'::text,'waits for its source'::text,1,1), ('waiting_for_data'::text,'waits for data'::text,1,1), ('catching_up'::text,'catching up'::text,1,1), ('paused'::text,'paused'::text,1,1), ('never_ran'::text,'never ran'::text,2,3), ('overdue'::text,'overdue'::text,2,3), ('failing'::text,'failing'::text,2,3), ('hard_failed'::text,'failed hard'::text,3,3), ('disabled'::text,'disabled'::text,2,3), ('unregistered'::text,'not registered'::text,2,2), ('switched_off'::text,'switched off'::text,0,0)) s(state, words, attention, mandatory_attention);

CREATE VIEW "agg"."wanted_task" WITH (security_invoker=true) AS  SELECT r.canonical_symbol,
    t.timeframe,
    t.duration,
    COALESCE(t.source_timeframe, t.timeframe) AS source_timeframe,
        CASE
            WHEN (t.duration > '01:00:00'::interval) THEN ( SELECT s.source_timeframe
               FROM agg.timeframe s
              WHERE (s.timeframe = t.source_timeframe))
            ELSE NULL::text
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

CREATE INDEX delivery_waiting_idx ON agg.delivery USING btree (target, created_at)
  WHERE (delivered_at IS NULL);

CREATE POLICY "service_role_reads" ON "agg"."alert_target"
  FOR SELECT
  TO "service_role"
  USING (true);

CREATE POLICY "service_role_reads" ON "agg"."broadcast"
  FOR SELECT
  TO "service_role"
  USING (true);

CREATE POLICY "service_role_reads" ON "agg"."broadcast_note"
  FOR SELECT
  TO "service_role"
  USING (true);

CREATE POLICY "service_role_reads" ON "agg"."delivery"
  FOR SELECT
  TO "service_role"
  USING (true);

CREATE POLICY "service_role_reads" ON "agg"."run_total"
  FOR SELECT
  TO "service_role"
  USING (true);

COMMENT ON COLUMN "agg"."alert_target"."error" IS 'Why the last message did not arrive. Shows neither URL nor secret.';

COMMENT ON COLUMN "agg"."alert_target"."failing_since" IS 'Since when messages do not arrive. Null: the last one did.';

COMMENT ON COLUMN "agg"."alert_target"."failures" IS 'How often in a row the target could not be reached.';

COMMENT ON COLUMN "agg"."alert_target"."heartbeat_due_at" IS 'The maintenance run that the next heartbeat tells of. Null: there was none since the last heartbeat.';

COMMENT ON COLUMN "agg"."alert_target"."min_severity" IS 'warning: all alerts. critical: those that are critical, or become so.';

COMMENT ON COLUMN "agg"."alert_target"."next_try_at" IS 'No message goes out before: the target could not be reached, or asked to wait.';

COMMENT ON COLUMN "agg"."alert_target"."stopped_at" IS 'The target said that it is gone: nothing is sent until agg_add_alert_target names it again.';

COMMENT ON COLUMN "agg"."broadcast"."revision" IS 'The number of the last message. A reader that misses one has missed bars.';

COMMENT ON COLUMN "agg"."delivery"."delivered_at" IS 'When the target took it. Null: it waits, or was given up three days after created_at.';

COMMENT ON COLUMN "agg"."delivery"."message_id" IS 'The same at each try, so that a receiver knows a message that it has already.';

COMMENT ON COLUMN "agg"."delivery"."next_try_at" IS 'It is not sent before. A claim puts it off, so that no other call sends it meanwhile.';

COMMENT ON FUNCTION "agg"."add_broadcast_notes"() IS 'Leaves notes of the bars that a statement made, changed or took away, of the timeframes in agg.broadcast. enable_broadcast makes its triggers. Rows that are no bar, and were none, leave none; nor does the removal of bars that are not kept.';

COMMENT ON FUNCTION "agg"."add_deliveries"(timestamp with time zone) IS 'Adds a message for each target and alert that it should know of, and one more when the alert is resolved. Repeating it adds nothing.
An alert that was raised and resolved before this call is told as well, if the target was there. One that becomes critical goes to targets that want critical ones. An alert undelivered does not go to the targets that it speaks of.';

COMMENT ON FUNCTION "agg"."broadcast_problems"() IS 'What keeps bars from being broadcast, and what helps. No row where all is there.';

COMMENT ON FUNCTION "agg"."delivery_body"(text, text, jsonb, timestamp with time zone) IS 'The body of a message: for slack with blocks, for webhook as Standard Webhooks has it.
Slack takes 150 characters of a header and 3000 of a section, and answers 400 to more. Half of that is used, since some characters count as two. Texts of blocks are plain, so that no text mentions a channel; the text for notifications is escaped.';

COMMENT ON FUNCTION "agg"."job_list"(timestamp with time zone) IS 'Every job of pgbars: name, cron schedule in UTC, and the SQL to run in the environment of the database. p_now, where given, is put in for now(). The one definition, for pg_cron and for runners without it. A dispatch job for each lane of agg.environment, which commits after each batch and stops after 40 seconds; where bars are broadcast (enable_broadcast), it sends what the batch changed once that has committed.';

COMMENT ON FUNCTION "agg"."metric_lines"(text, text, text, jsonb) IS 'One metric in Prometheus text: its help, its type and its samples, in the order of their labels. p_samples: an array of objects with value and, where the metric has labels, labels (an object). Without samples there is no line. A value that is null has no sample.
Labels escape backslash, quote and line feed.';

COMMENT ON FUNCTION "agg"."operations_functions"() IS 'The functions that say how the database does: what grant_operations_access lets a role call.';

COMMENT ON FUNCTION "agg"."post_webhook"(text, text, jsonb, integer) IS 'Has pg_net send p_body after the commit, to the URL and with the key that Vault holds in these secrets. Call it where agg.webhook_problems finds nothing. p_timeout_ms: how long the answer may take.';

COMMENT ON FUNCTION "agg"."prune_logs"(timestamp with time zone) IS 'Deletes run log rows older than 14 days, alerts resolved 90 days ago with their messages, corrections of tasks that are gone, and the jobs'' own rows of cron.job_run_details older than 3 days. Returns how many rows of logs.';

COMMENT ON FUNCTION "agg"."ready_deliveries"(timestamp with time zone) IS 'The messages that may be sent at p_now. One that tells that an alert is resolved waits for the one that told of the alert. After three days a message is given up.';

COMMENT ON FUNCTION "agg"."refresh_alerts"(timestamp with time zone, jsonb, boolean) IS 'Raises alerts whose cause is there, updates message and severity of those that are open, and resolves those whose cause is gone. Returns how many are new.
Kinds: hard_failed and disabled (three hard failures in a row), failing (a task, for 15 minutes), behind (due for 15 minutes, and no dispatcher has run it), uncorrected (a correction failed three times in a row), metadata (not understood, with what is left out) and unsynced (from p_sync, what a sync returned; null leaves these alone), unread (no dispatcher has read change notes for 15 minutes).
With p_is_maintenance also no_data (see agg.silent_series), unregistered (bars of the last day, of symbols that neither the registry nor a basket has), slow (the runs of a lane took their whole time for 15 minutes), and in the first five minutes of an hour poor_quality (less than 95 % of the windows of a day that have a minute have a good bar), and undelivered (messages do not arrive at a target, see agg.target_problems). Other calls leave these alone.
One alert for one trouble: hard_failed comes before failing, that before behind, that before no_data, that before poor_quality.
In a pause (agg_pause) behind, failing, unread and slow stay as they are; after it they count from its end. Leaves those alone that agg.audit_slices raises: wrong.';

COMMENT ON FUNCTION "agg"."send_broadcasts"(integer) IS 'Sends the bars of agg.broadcast_note by Realtime, as they are stored now, and takes the notes. Returns how many messages it sent. The dispatch jobs call it after each batch, when that has committed.
Topic bars:TIMEFRAME, private; event bars. A message holds timeframe, revision (one more than that of the message before), columns, and bars: arrays in the order of columns, of which one that ends after ts_utc is a bar that is gone. A message has at most 200 KB of bars.
Of a timeframe of which more than p_max_bars changed, it sends no bars but reload: symbols with the first and the last start of what changed, to be read again.
Realtime reports no failure of a message: a reader that misses a revision reads again. Without realtime.send it warns, and the notes go.
Locks: waits for another call, so that revisions go out in their order.';

COMMENT ON FUNCTION "agg"."set_updated_at"() IS 'Sets updated_at of a row that an update changes, where the writer has left it alone. Where another transaction that began later has written the row, it is a microsecond after what that one set: each version of a row has a time of its own.';

COMMENT ON FUNCTION "agg"."target_problems"(timestamp with time zone) IS 'The targets whose messages do not arrive at p_now, and why: stopped; a message of the last three days has waited for 15 minutes; a heartbeat has failed for 15 minutes.';

COMMENT ON FUNCTION "agg"."target_secret"(text, text) IS 'What Vault holds for a target: p_what is url or secret. Null where it holds nothing, or is not installed.';

COMMENT ON FUNCTION "agg"."task_health"(timestamp with time zone, text[]) IS 'How the tasks of p_symbols (null: all) stand at p_now, as agg_health says it, in no order.';

COMMENT ON FUNCTION "agg"."wake_delivery"(timestamp with time zone, boolean) IS 'Asks the Edge Function deliver-alerts, through pg_net, to send what may be sent. Returns how many messages and heartbeats that are.
A heartbeat is due where p_is_synced (the registry sync worked), the dispatcher has run in the last five minutes or agg_pause has stopped it, and every message arrives: so that an outside monitor speaks where this database cannot.
URL and key are in Vault: pgbars_deliver_alerts_url and pgbars_deliver_alerts_key. Where these or the extensions are missing, a runner of your own must call the function. What pg_net answers is not looked at: the function itself says what was delivered. Errors become warnings.';

COMMENT ON FUNCTION "agg"."webhook_problems"(text, text, text) IS 'What keeps a webhook with URL and key in these secrets from being sent, and the SQL that helps. No row where all is there. p_function is the Edge Function that the URL is of. Never shows the value of a secret.';

COMMENT ON FUNCTION "public"."agg_add_alert_target"(text, text, text, timestamp with time zone) IS 'Adds a target of alerts, or changes its severity, and starts one that was stopped.
p_name: 1 to 31 lower-case letters, digits and underscores. p_kind: slack (an incoming webhook, or what takes the same bodies), webhook (Standard Webhooks, signed) or heartbeat (a URL that is called after each healthy maintenance run). p_min_severity: warning (all alerts) or critical. p_now is the clock.
Its URL, and the signing secret of a webhook (whsec_...), are not arguments: they are secrets, in Vault under pgbars_alert_NAME_url and pgbars_alert_NAME_secret. Without Vault they are the variables PGBARS_ALERT_NAME_URL and PGBARS_ALERT_NAME_SECRET, in upper case, of the function deliver-alerts.
A new target gets the alerts that are open, and all later ones. Returns success and missing: what keeps messages from being sent, and what helps. The target is added all the same. Raises invalid_parameter_value for a name, kind or severity that it does not know, and for a target of another kind.';

COMMENT ON FUNCTION "public"."agg_alert_targets"(timestamp with time zone) IS 'Lists the targets of alerts at p_now: how many messages wait, when the last one arrived, and why the last one did not.
state: ok, failing (the last message, or heartbeat, did not arrive; it is tried again) or stopped (the target said that it is gone). Shows no URL and no secret. Reads only.';

COMMENT ON FUNCTION "public"."agg_asset"(text, timestamp with time zone) IS 'Says how the tasks of one asset stand at p_now, in words: a row a timeframe, by length.
state, lag, due_for and explanation are those of agg_health, words and attention those of agg_fleet. decided_to_utc: the end of what is decided. Bars of 1m that arrive from outside have no task: their row has state null, and decided_to_utc is the end of the last one.
No row for an unknown symbol. Reads only.';

COMMENT ON FUNCTION "public"."agg_bar_versions"(text, text, timestamp with time zone, timestamp with time zone, integer) IS 'Lists what the bars of one series have been that changed after they were built: for each such window in [p_from, p_to) every version, the newest window first, and the versions of a window by time.
A version was stored from written_at up to replaced_at; null: it is what is stored now. reason says why the next version replaced it, as in agg_changes. is_bar: false where there was no bar. 1m has no versions.
p_limit: at most so many rows; null for all. A page may end within a window.
Runs with the rights of the caller, as agg_changes does, and reads only.';

COMMENT ON FUNCTION "public"."agg_claim_deliveries"(integer, timestamp with time zone) IS 'Gives the function deliver-alerts the messages to send now, and puts each off for three minutes, so that no other call sends it meanwhile.
p_limit: messages a target, 1 to 1000. p_now is the clock. Of each target the oldest come first.
url and secret are what Vault holds; null where it holds nothing: the function then looks into its environment. body is the text to send and to sign. message_id is the same at each try. A row of kind heartbeat has neither message_id nor body: it is claimed once for each healthy maintenance run.
What was claimed and never finished is claimed again: delivery is at least once. Raises invalid_parameter_value for a limit out of range.';

COMMENT ON FUNCTION "public"."agg_finish_deliveries"(jsonb, timestamp with time zone) IS 'Takes down what became of messages that agg_claim_deliveries gave out.
p_results: an array of objects with target, message_id (null for a heartbeat), status (that of HTTP; null where no answer came), retry_after (in seconds; null where the target did not say) and error (null for a message that was not tried: it may be sent at once). p_now is the clock.
A status from 200 to 299 means delivered. After 403, 404 and 410 the target is stopped until agg_add_alert_target names it again; a heartbeat is not. 429, a redirect, a 5xx, or no answer puts the whole target off, for retry_after, but at most a day, or for a minute, doubled each time, at most an hour. Any other status puts this message off in the same way.
Returns delivered, failed and stopped (names of targets). Repeating it changes no message that is delivered. Raises invalid_parameter_value for what is not an array.';

COMMENT ON FUNCTION "public"."agg_fleet"(timestamp with time zone) IS 'Says in one value how every task stands at p_now, small enough for a dashboard of 2,000 assets that asks every few seconds.
now: p_now. paused: null, or until and reason of agg_pause. timeframes: those that have a task, by length. states: the words of each state of agg_health.
attention is 0 (not any), 1 (it waits or catches up), 2 (a warning) or 3 (critical): of the state, and of the alerts that are open. tasks: how many tasks have attention 0, 1, 2 and 3.
assets: for each an array of its symbol, its attention, and one cell a timeframe, in the order of timeframes: null without a task, otherwise an array of state, lag in seconds and attention. By attention, most first, then by symbol. Tasks that are switched off are left out.
look: what has attention 2 or 3, most first, at most 200 objects with symbol, timeframe, attention, state (or the kind of the alert), words, lag in seconds and explanation. looks: how many there are.
Reads only.';

COMMENT ON FUNCTION "public"."agg_maintain"(text, timestamp with time zone) IS 'Runs the maintenance job: an audit of history, registry sync, alerts and their delivery, pruning, removal of bars that metadata.agg.keep does not keep, tasks that a wrong clock has put off, and in the first five minutes of an hour a look at tasks that sleep.
p_env: see agg_run_due. p_now is the clock.
A sync that raises an error, or that waits five seconds for an open change of the registry, is reported in the result, as a warning and as an alert; the rest goes on. Repeating it changes nothing. In a pause (agg_pause) it only refreshes and delivers alerts, and returns paused, alerts_raised and messages_ready. A task that sleeps although it has source bars (a load with the triggers off left no note) is woken.
The audit verifies decided bars as agg_verify does, newest first, then round and round, for a share of the time since the last call (schedule_jobs sets it). It has wrong bars built again by the next run, and raises an alert. An error in it is a warning; the rest goes on.
Bars that are not kept: it removes up to 100,000 that lie behind a floor of agg.floor, then raises floors; what it raises is removed from the next time on.
Returns slices_audited and windows_wrong (null where the audit failed), sync, alerts_raised, messages_ready (what deliver-alerts was asked to send), rows_pruned, revisions_pruned (at most 40000 a run), bars_removed (null where an error stopped it, which is a warning), tasks_recovered and tasks_woken (null where it did not look).';

COMMENT ON FUNCTION "public"."agg_metrics"(timestamp with time zone) IS 'Returns how the database does at p_now as text for Prometheus, version 0.0.4.
Labels are bounded: by timeframe, state, lane, table and kind. Symbols stand in the ten samples of pgbars_slowest_lag_seconds alone.
Counters (those that end in _total) count what the dispatchers have done since the installation, also beyond what agg.run_log keeps. Reads only.';

COMMENT ON FUNCTION "public"."agg_remove_alert_target"(text) IS 'Removes a target of alerts, with the messages that wait for it. Its secrets in Vault stay.
Returns removed, false where there was no such target. Repeating it changes nothing.';

COMMENT ON FUNCTION "public"."disable_broadcast"() IS 'Ends what enable_broadcast began: no bar goes out, and no statement leaves a note.
Returns success and removed, the topics that have ended. For the owner of the database. It may be repeated. Raises lock_not_available where a session holds derived_data_bars for more than five seconds.';

COMMENT ON FUNCTION "public"."enable_broadcast"(text[]) IS 'Sends bars of these timeframes by Realtime broadcast when they are new or corrected.
p_timeframes: longer than 1m. Repeating it with others replaces those before. disable_broadcast ends it.
Topic bars:TIMEFRAME, private, for the roles that grant_read_access was run for (a policy on realtime.messages): these read the bars of all symbols. See agg.send_broadcasts for the messages. They are sent after the transaction that builds, by the dispatch jobs, which it schedules anew. A message may be lost without an error: poll as well, as subscribeBars of the client does.
Returns success, topics, missing and message. Where Realtime is missing it changes nothing, and missing lists what is missing and what helps.
For the owner of the database. Raises invalid_parameter_value for a timeframe that is not one of agg.timeframe, lock_not_available where a session holds derived_data_bars for more than five seconds.';

COMMENT ON FUNCTION "public"."grant_operations_access"(text) IS 'Lets a role see how the database does, over the Data API and directly: it may call agg_alerts, agg_asset, agg_check, agg_explain, agg_fleet, agg_health, agg_pending, agg_runs and agg_size, and nothing else.
p_role is authenticated, anon or a role of your own. These functions name symbols, tasks and errors, and change nothing. They show no bar, but for agg_explain, which says what a bar that was corrected had been.
Returns success, role and functions. For the owner of the functions. Repeating it changes nothing, but for what an upgrade has added. Raises undefined_object for an unknown role.';

COMMENT ON FUNCTION "public"."grant_read_access"(text) IS 'Lets a role read bars, over the Data API and directly.
p_role is authenticated, anon or a role of your own. It gets select on data_bars, on the bars of derived_data_bars that are not deleted and on their revisions, may call get_bars, agg_changes and agg_bar_versions, and nothing else.
Returns success, role, tables and functions. For the owner of the tables. Repeating it changes nothing.
Raises undefined_object for an unknown role, invalid_parameter_value for one that reads all bars anyway, lock_not_available where a reader holds a table for more than five seconds.';

COMMENT ON FUNCTION "public"."revoke_read_access"(text) IS 'Takes from a role what grant_read_access gave it: its policies, select on their tables, and the call of get_bars, agg_changes and agg_bar_versions.
Returns success, role, tables and functions. Changes nothing where there are no such policies. For the owner of the tables. It may be repeated. Raises what grant_read_access raises.';

COMMENT ON TABLE "agg"."alert_target" IS 'Where alerts go, and the heartbeat: a row a target. Its URL and its signing secret are in Vault, or in the environment of the function deliver-alerts, under names that follow from its own.';

COMMENT ON TABLE "agg"."broadcast" IS 'The timeframes whose bars go out by Realtime broadcast: set by enable_broadcast.';

COMMENT ON TABLE "agg"."broadcast_note" IS 'Bars that statements changed and that no message has had yet: the n-th symbol and the n-th start. Written in the transaction of the change, so that no bar is missed, however late that commits. Empty where nothing is broadcast.';

COMMENT ON TABLE "agg"."delivery" IS 'What was sent, or is to be sent: a row an alert, target and event. Deleted with its alert.';

COMMENT ON TABLE "agg"."run_total" IS 'What the rows of agg.run_log summed up to that agg.prune_logs has deleted, so that the counters of agg_metrics never fall. One row, or none yet. seconds is what the runs took.';

COMMENT ON VIEW "agg"."bar_symbol" IS 'Every symbol that data_bars has a bar of, from symbol to symbol: one probe of the key for each, however many bars it has.';

COMMENT ON VIEW "agg"."defaults" IS 'The numbers that functions share, in one row. Defaults of columns and bounds in checks repeat some of them, and a test compares. The planner folds the view into constants.';

COMMENT ON VIEW "agg"."public_function" IS 'The functions of pgbars in public, by their names: for what takes them away.';

COMMENT ON VIEW "agg"."task_state" IS 'The states of agg_health in words, and how much attention each needs: 0 not any, 1 it waits or catches up, 2 look at it today, 3 bars are missing or about to be. A mandatory task needs mandatory_attention.';

COMMENT ON VIEW "agg"."wanted_task" IS 'The tasks that the metadata of each asset ask for, active or not, as far as metadata are understood; none where metadata.agg.enabled is false. agg_start_utc is null where metadata do not say it. fallback_source_timeframe is the source where days do not hold whole hours (see agg.begins_on_hours).';

REVOKE ALL ON FUNCTION "agg"."add_broadcast_notes"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."add_deliveries"(timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."broadcast_problems"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."delivery_body"(text, text, jsonb, timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."metric_lines"(text, text, text, jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."post_webhook"(text, text, jsonb, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."ready_deliveries"(timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."send_broadcasts"(integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."target_problems"(timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."target_secret"(text, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."task_health"(timestamp WITH time zone, text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."wake_delivery"(timestamp WITH time zone, boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION "agg"."webhook_problems"(text, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "public"."agg_add_alert_target"(text, text, text, timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_alert_targets"(timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_asset"(text, timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_bar_versions"(text, text, timestamp WITH time zone, timestamp WITH time zone, integer) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_claim_deliveries"(integer, timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_finish_deliveries"(jsonb, timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_fleet"(timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_metrics"(timestamp WITH time zone) TO "service_role";

GRANT EXECUTE ON FUNCTION "public"."agg_remove_alert_target"(text) TO "service_role";

GRANT SELECT ON TABLE "agg"."alert_target" TO "service_role";

GRANT SELECT ON TABLE "agg"."broadcast" TO "service_role";

GRANT SELECT ON TABLE "agg"."broadcast_note" TO "service_role";

GRANT SELECT ON TABLE "agg"."delivery" TO "service_role";

GRANT SELECT ON TABLE "agg"."run_total" TO "service_role";

GRANT SELECT ON TABLE "agg"."bar_symbol" TO "service_role";

GRANT SELECT ON TABLE "agg"."defaults" TO "service_role";

GRANT SELECT ON TABLE "agg"."public_function" TO "service_role";

GRANT SELECT ON TABLE "agg"."task_state" TO "service_role";

GRANT SELECT ON TABLE "agg"."wanted_task" TO "service_role";
