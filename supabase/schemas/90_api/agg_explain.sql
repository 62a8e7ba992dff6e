comment on function public.agg_explain is
'Says in rows why a bar is as it is, or why there is no bar.
p_ts: any instant in the window. p_now: the clock.
item is one of: window; state (bar, no bar, not decided, not built, not registered); why; built (when first); minutes (covered of expected, and what that makes); missing, late, partial (which minutes); kept (from when on bars that it is, or is made of, are kept, where it lies before: metadata.agg.keep); market (what session and calendar close); component (minutes that a component of the basket lacks, or the component that holds the basket back); changed (each revision: when, why, and what the bar was before); waits (a change that waits to be built, or what a window waits for that is not decided). An item may have several rows, or no row.
Reads only. Raises invalid_parameter_value for an unknown timeframe, for nulls and for an infinite p_ts.';

create function public.agg_explain(p_symbol text, p_timeframe text, p_ts timestamptz, p_now timestamptz default now())
returns table (item text, value text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set jit = off
as $$
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
$$;
