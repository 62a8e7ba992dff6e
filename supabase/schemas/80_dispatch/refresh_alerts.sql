comment on function agg.refresh_alerts is
'Raises alerts whose cause is there, and resolves those whose cause is gone. Returns how many are new.
Kinds: hard_failed and disabled (three hard failures in a row), failing (a mandatory task, for 15 minutes), behind (due for 15 minutes, and no dispatcher has run it), uncorrected (a correction failed three times in a row), metadata (not understood, with what is left out) and unsynced (from p_sync, what a sync returned; null leaves these alone), unread (no dispatcher has read change notes for 15 minutes). In a pause (agg_pause) behind, failing and unread stay as they are; after it they count from its end.';

create function agg.refresh_alerts(p_now timestamptz, p_sync jsonb default null)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_raised integer;
  v_paused_until constant timestamptz := (select e.paused_until from agg.environment as e);
begin
  with wanted as materialized (
    select
      case when s.is_mandatory then 'hard_failed' else 'disabled' end as kind,
      s.canonical_symbol, s.timeframe,
      format('%s hard failures in a row: %s', s.hard_fail_streak, s.last_error) as message
    from public.data_agg_state as s
    cross join agg.defaults as d
    where s.enabled and s.hard_fail_streak >= d.hard_failures
    union all
    select
      'failing', s.canonical_symbol, s.timeframe,
      format('has failed since %s, %s times in a row: %s', s.failing_since_utc, s.fail_streak, s.last_error)
    from public.data_agg_state as s
    cross join agg.defaults as d
    where s.enabled and s.is_mandatory and s.hard_fail_streak < d.hard_failures
      and s.failing_since_utc <= p_now - d.overdue_after and coalesce(v_paused_until <= p_now - d.overdue_after, true)
    union all
    select 'behind', h.canonical_symbol, h.timeframe, h.explanation
    from public.agg_health(p_now) as h
    cross join agg.defaults as d
    where h.state in ('overdue', 'never_ran') and h.due_for > d.overdue_after
    union all
    select
      'metadata', f.item ->> 'canonical_symbol', '*',
      string_agg(format('%s (left out: %s)', f.item ->> 'problem', f.item ->> 'leaves_out'), '; ')
    from jsonb_array_elements(p_sync -> 'refused') as f (item)
    group by f.item ->> 'canonical_symbol'
    union all
    select 'unsynced', '*', '*', p_sync ->> 'error'
    where p_sync ? 'error'
    union all
    select
      'unread', '*', '*',
      format(
        'no dispatcher has read what changed since %s%s', min(n.changed_at),
        ': the open transaction of backend ' || agg.new_tasks_holder() || ' has added assets'
      )
    from agg.change_note as n
    having min(n.changed_at) < p_now - (select d.overdue_after from agg.defaults as d)
      and coalesce(v_paused_until < p_now - (select d.overdue_after from agg.defaults as d), true)
    union all
    select 'uncorrected', k.canonical_symbol, k.timeframe, format('%s tries to build %s again failed: %s', k.failures, k.spans, k.error)
    from agg.correction as k
    cross join agg.defaults as d
    where k.failures >= d.hard_failures and k.error is not null
  ),
  resolved as (
    update agg.alert as a
    set resolved_at = p_now
    where a.resolved_at is null
      -- In a pause their causes cannot go.
      and (a.kind not in ('behind', 'failing', 'unread') or coalesce(v_paused_until <= p_now, true))
      and (a.kind <> 'unsynced' or p_sync is not null)
      and (a.kind <> 'metadata' or p_sync ? 'refused')
      and (a.kind, a.canonical_symbol, a.timeframe) not in (
        select w.kind, w.canonical_symbol, w.timeframe from wanted as w
      )
  )
  insert into agg.alert (kind, canonical_symbol, timeframe, message, raised_at)
  select w.kind, w.canonical_symbol, w.timeframe, w.message, p_now
  from wanted as w
  on conflict (kind, canonical_symbol, timeframe) where resolved_at is null do nothing;
  get diagnostics v_raised = row_count;
  return v_raised;
end;
$$;
