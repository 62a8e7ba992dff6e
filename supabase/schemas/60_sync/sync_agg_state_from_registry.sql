comment on function public.sync_agg_state_from_registry is
  'Makes tasks follow the registry, in p_env (null: the environment of the database, see schedule_jobs): every active asset gets its mandatory and optional timeframes, a synthetic one its 1m as well. Creates with a bootstrapped cursor, updates what differs (an earlier start, another session, other thresholds or another basket become corrections of all that is decided), re-enables, and switches off the tasks of inactive assets; keeps cursors, delays and priorities. An optional task that three hard failures disabled stays so until its asset is switched off and on. Assets with bad metadata are left as they are and listed under refused. Syncs and changes of the registry wait for each other; a sync locks only the task rows it changes, and one that makes new tasks waits for a dispatcher that has read change notes. Repeating it changes nothing. p_default_start_utc serves new tasks of assets without metadata.agg.start_utc. p_symbols: the assets that follow, null for all. Returns the environment, tasks counted by what became of them, the symbols of those, and the refused assets with their problems.';

create function public.sync_agg_state_from_registry(
  p_env text default null,
  p_default_start_utc timestamptz default '2025-07-01 00:00:00+00',
  p_symbols text[] default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
-- A plan for some symbols and one for all have little in common.
set plan_cache_mode = force_custom_plan
set statement_timeout = '60s'
as $$
declare
  v_env text;
  v_active text[];
  v_refused agg.asset_problem[];
  v_refused_symbols text[];
  v_inserted integer;
  v_updated integer;
  v_reenabled integer;
  v_disabled integer;
  v_symbols text[];
  v_new_rules agg.changed_span[];
begin
  if p_default_start_utc is null then
    raise exception 'p_default_start_utc must not be null' using errcode = 'invalid_parameter_value';
  end if;

  -- One sync at a time: what it compares with is then what it writes to.
  perform agg.lock_registry();
  v_env := agg.current_env(p_env);

  v_active := array(
    select a.canonical_symbol
    from agg.active_asset as a
    where a.is_test = (select agg.is_test(v_env)) and (p_symbols is null or a.canonical_symbol = any (p_symbols))
  );
  v_refused := array(select p from agg.asset_problems(v_active) as p order by p.canonical_symbol);
  v_refused_symbols := array(select distinct f.canonical_symbol from unnest(v_refused) as f);
  if v_refused <> '{}' then
    raise warning 'left out of the sync for their metadata: %', (
      select left(string_agg(format('%s (%s)', f.canonical_symbol, f.problem), '; '), 2000) from unnest(v_refused) as f
    ) using hint = 'Mend metadata in core_asset_registry_all; their tasks stay as they are.';
  end if;
  v_active := array(select a.symbol from unnest(v_active) as a (symbol) except select f.symbol from unnest(v_refused_symbols) as f (symbol));

  -- Whoever reads notes before this transaction ends does not see the tasks that it makes.
  if exists (
    select
    from agg.wanted_timeframe as t
    where t.canonical_symbol = any (v_active) and not exists (
      select from public.data_agg_state as s where s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe
    )
  ) then
    perform pg_advisory_xact_lock(agg.new_tasks_key());
  end if;

  with valid as materialized (
    select r.canonical_symbol, r.metadata, r.metadata -> 'agg' -> 'session' as session
    from unnest(v_active) as a (symbol)
    join public.core_asset_registry_all as r on r.canonical_symbol = a.symbol
  ),
  -- Many assets share a session, and reading one costs more than all else here.
  session as materialized (
    select s.session, agg.session_minutes(s.session) as minutes, s.session ->> 'time_zone' as time_zone
    from (select distinct v.session from valid as v) as s
  ),
  asset as materialized (
    select
      v.canonical_symbol,
      v.metadata,
      agg.utc_instant(v.metadata -> 'agg' ->> 'start_utc') as start_utc,
      coalesce((v.metadata -> 'agg' -> 'quality' ->> 'good')::smallint, 80::smallint) as good_percent,
      coalesce((v.metadata -> 'agg' -> 'quality' ->> 'poor')::smallint, 60::smallint) as poor_percent,
      n.minutes as session_minutes,
      n.time_zone as session_time_zone
    from valid as v
    left join session as n on n.session = v.session
  ),
  wanted as materialized (
    select
      a.canonical_symbol, t.timeframe, t.duration, w.*,
      case
        when s.canonical_symbol is null then 'insert'
        when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < 3) then 'reenable'
        when (
          s.source_timeframe, s.run_interval_minutes, s.is_mandatory, s.agg_start_utc,
          s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.basket
        ) is distinct from (
          w.source_timeframe, w.run_interval_minutes, w.is_mandatory, w.agg_start_utc,
          w.good_percent, w.poor_percent, w.session_time_zone, w.session_minutes, w.basket
        ) then 'update'
      end as action,
      s.canonical_symbol is not null and (
        w.agg_start_utc < s.agg_start_utc
        or (s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.basket)
          is distinct from (w.good_percent, w.poor_percent, w.session_time_zone, w.session_minutes, w.basket)
      ) as has_new_rules
    from asset as a
    join agg.wanted_timeframe as t on t.canonical_symbol = a.canonical_symbol
    left join public.data_agg_state as s on s.canonical_symbol = a.canonical_symbol and s.timeframe = t.timeframe
    cross join lateral (
      select
        t.source_timeframe, (extract(epoch from t.duration) / 60)::integer as run_interval_minutes, t.is_mandatory,
        coalesce(a.start_utc, s.agg_start_utc, p_default_start_utc) as agg_start_utc,
        a.good_percent, a.poor_percent, a.session_time_zone, a.session_minutes,
        case when t.is_synthetic then jsonb_build_object(
          'components', a.metadata -> 'components',
          'component_weights', a.metadata -> 'component_weights',
          'formula_base', a.metadata -> 'formula_base',
          'derivation_version', a.metadata -> 'derivation_version'
        ) end as basket
    ) as w
  ),
  stored as (
    insert into public.data_agg_state as s (
      canonical_symbol, timeframe, source_timeframe, run_interval_minutes, is_mandatory,
      agg_start_utc, last_agg_bar_ts_utc, next_run_at,
      good_percent, poor_percent, session_time_zone, session_minutes, basket
    )
    select
      w.canonical_symbol, w.timeframe, w.source_timeframe, w.run_interval_minutes, w.is_mandatory,
      w.agg_start_utc, c.cursor_utc, agg.due_at(c.cursor_utc, w.duration, 300),
      w.good_percent, w.poor_percent, w.session_time_zone, w.session_minutes, w.basket
    from wanted as w
    cross join lateral (select agg.bootstrap_cursor(w.agg_start_utc, w.duration)) as c (cursor_utc)
    where w.action is not null
    order by w.canonical_symbol, w.duration
    on conflict (canonical_symbol, timeframe) do update set
      source_timeframe = excluded.source_timeframe,
      run_interval_minutes = excluded.run_interval_minutes,
      is_mandatory = excluded.is_mandatory,
      agg_start_utc = excluded.agg_start_utc,
      -- A task that has decided nothing begins at an earlier start like a new one.
      last_agg_bar_ts_utc = case
        when excluded.agg_start_utc < s.agg_start_utc and s.last_agg_bar_ts_utc <= agg.bootstrap_cursor(
          s.agg_start_utc, make_interval(mins => s.run_interval_minutes)
        ) then excluded.last_agg_bar_ts_utc
        else s.last_agg_bar_ts_utc
      end,
      good_percent = excluded.good_percent,
      poor_percent = excluded.poor_percent,
      session_time_zone = excluded.session_time_zone,
      session_minutes = excluded.session_minutes,
      basket = excluded.basket,
      enabled = true,
      status = case when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < 3) then 'idle' else s.status end,
      running_started_at_utc = case when s.enabled then s.running_started_at_utc end,
      fail_streak = case when s.enabled then s.fail_streak else 0 end,
      hard_fail_streak = case when s.enabled then s.hard_fail_streak else 0 end,
      next_run_at = case
        when s.enabled and s.status <> 'disabled' then
          case when excluded.agg_start_utc < s.agg_start_utc then least(s.next_run_at, excluded.next_run_at) else s.next_run_at end
        else agg.due_at(s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds)
      end,
      updated_at = now()
  ),
  switched_off as (
    update public.data_agg_state as s
    set enabled = false, status = 'disabled', updated_at = now()
    where s.enabled
      and (p_symbols is null or s.canonical_symbol = any (p_symbols))
      and not exists (select from wanted as w where w.canonical_symbol = s.canonical_symbol and w.timeframe = s.timeframe)
      and s.canonical_symbol <> all (v_refused_symbols)
    returning s.canonical_symbol
  )
  select
    count(*) filter (where w.action = 'insert'),
    count(*) filter (where w.action = 'update'),
    count(*) filter (where w.action = 'reenable'),
    (select count(*) from switched_off),
    array(
      select w.canonical_symbol from wanted as w where w.action is not null union select o.canonical_symbol from switched_off as o order by 1
    ),
    array_agg(agg.new_changed_span(w.canonical_symbol, w.timeframe, '{(,)}')) filter (where w.has_new_rules)
  into v_inserted, v_updated, v_reenabled, v_disabled, v_symbols, v_new_rules
  from wanted as w;
  if v_new_rules is not null then
    perform agg.add_corrections(v_new_rules);
  end if;

  return jsonb_build_object(
    'success', true,
    'env', v_env,
    'inserted', v_inserted,
    'updated', v_updated,
    'reenabled', v_reenabled,
    'disabled', v_disabled,
    'inserted_or_updated', v_inserted + v_updated + v_reenabled,
    'symbols', to_jsonb(v_symbols),
    'refused', to_jsonb(v_refused),
    'default_start_utc', p_default_start_utc
  );
end;
$$;
