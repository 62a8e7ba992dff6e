comment on function agg.refresh_alerts is
'Raises alerts whose cause is there, updates message and severity of those that are open, and resolves those whose cause is gone. Returns how many are new.
Kinds: hard_failed and disabled (three hard failures in a row), failing (a task, for 15 minutes), behind (due for 15 minutes, and no dispatcher has run it), uncorrected (a correction failed three times in a row), metadata (not understood, with what is left out) and unsynced (from p_sync, what a sync returned; null leaves these alone), unread (no dispatcher has read change notes for 15 minutes).
With p_is_maintenance also no_data (see agg.silent_series), unregistered (bars of the last day, of symbols that neither the registry nor a basket has), slow (the runs of a lane took their whole time for 15 minutes), and in the first five minutes of an hour poor_quality (less than 95 % of the windows of a day that have a minute have a good bar), and undelivered (messages do not arrive at a target, see agg.target_problems). Other calls leave these alone.
One alert for one trouble: hard_failed comes before failing, that before behind, that before no_data, that before poor_quality.
In a pause (agg_pause) behind, failing, unread and slow stay as they are; after it new ones count from its end. Leaves those alone that agg.audit_slices raises: wrong. An error is a warning; it returns null then.';

create function agg.refresh_alerts(p_now timestamptz, p_sync jsonb default null, p_is_maintenance boolean default false)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
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
$$;
