comment on function agg.audit_history is
'Verifies slices of decided history for a share of the time since the last call (agg.environment.audit_percent; of at most five minutes) by the wall clock, and has wrong bars built again: see agg.audit_slices.
Takes the asset first that was least recently audited: the newest slice of each, then older ones. An asset begins a round at most once an hour.
What raises an error costs itself only: the asset waits for its next turn, with a warning. Returns slices_audited and windows_wrong; both are 0 while another session audits.
Locks: no task and no bar.';

create function agg.audit_history(p_env text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_step_at timestamptz;
  v_until timestamptz;
  v_budget interval;
  v_symbols text[];
  v_assets integer := 1;
  v_slices integer := 0;
  v_wrong integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.audit', 0)) then
    return jsonb_build_object('slices_audited', 0, 'windows_wrong', 0);
  end if;
  -- A clock that was ahead would keep assets waiting.
  update agg.audit as a
  set
    audited_at = least(a.audited_at, p_now), added_at = least(a.added_at, p_now),
    round_started_at = least(a.round_started_at, p_now), verified_since = least(a.verified_since, p_now)
  where greatest(a.audited_at, a.added_at, a.round_started_at, a.verified_since) > p_now;
  select e.audit_percent * least(coalesce(p_now - max(a.audited_at) filter (where a.audited_at > '-infinity'), interval '5 minutes'), interval '5 minutes') / 100
  into v_budget
  from agg.environment as e
  left join agg.audit as a on true
  group by e.audit_percent;
  v_until := v_started_at + v_budget;

  with wanted as materialized (
    select s.canonical_symbol
    from agg.active_asset as s
    where s.is_test = agg.is_test(agg.current_env(p_env))
      and exists (select from agg.runnable_task as t where t.canonical_symbol = s.canonical_symbol)
  ),
  gone as (
    delete from agg.audit as a
    where a.canonical_symbol not in (select w.canonical_symbol from wanted as w)
  ),
  resolved as (
    update agg.alert as r
    set resolved_at = p_now
    where r.kind = 'wrong' and r.resolved_at is null and r.canonical_symbol not in (select w.canonical_symbol from wanted as w)
  )
  insert into agg.audit (canonical_symbol, added_at)
  select w.canonical_symbol, p_now from wanted as w
  on conflict do nothing;

  while clock_timestamp() < v_until loop
    v_symbols := array(
      select a.canonical_symbol
      from agg.audit as a
      where a.next_utc is not null or a.round_started_at is null or a.round_started_at <= p_now - interval '1 hour'
      order by a.audited_at, a.next_utc desc nulls first, a.canonical_symbol
      limit v_assets
    );
    exit when cardinality(v_symbols) = 0;
    v_step_at := clock_timestamp();
    begin
      v_wrong := v_wrong + agg.audit_slices(v_symbols, p_now);
      v_slices := v_slices + cardinality(v_symbols);
      -- As many at once as fit, since many cost less each.
      if clock_timestamp() - v_step_at < (v_until - clock_timestamp()) / 4 then
        v_assets := least(2 * v_assets, 500);
      elsif clock_timestamp() - v_step_at > v_until - clock_timestamp() then
        v_assets := greatest(v_assets / 4, 1);
      end if;
    exception when others then
      if v_assets = 1 then
        raise warning 'the bars of % could not be audited: % (%)', v_symbols[1], sqlerrm, sqlstate;
        update agg.audit as a
        set audited_at = p_now, round_started_at = p_now, next_utc = null, error = format('%s (%s)', sqlerrm, sqlstate)
        where a.canonical_symbol = v_symbols[1];
      end if;
      v_assets := 1;
    end;
  end loop;
  return jsonb_build_object('slices_audited', v_slices, 'windows_wrong', v_wrong);
end;
$$;
