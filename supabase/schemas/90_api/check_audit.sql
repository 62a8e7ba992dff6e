comment on function agg.check_audit is
  'The check audit of agg_check: how far the audit of agg_maintain is, and since when every bar has been verified.';

create function agg.check_audit(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    'audit', '*', case when e.audit_percent > 0 and s.oldest_at < p_now - interval '30 days' then 'WARN' else 'PASS' end,
    concat_ws(
      '; ',
      case when e.audit_percent = 0 then 'off' end,
      case when s.assets = 0 then 'nothing to verify' else format('the bar verified longest ago was verified %s ago', s.age) end,
      case when s.unfinished > 0 then format('%s of %s assets have had no complete round', s.unfinished, s.assets) end
    ),
    case
      when e.audit_percent > 0 and s.oldest_at < p_now - interval '30 days'
        then 'agg_maintain must run every five minutes; select schedule_jobs(p_audit_percent => 10); gives it more time'
    end
  from agg.environment as e
  cross join lateral (
    select
      count(*) as assets,
      count(*) filter (where a.verified_since is null) as unfinished,
      min(coalesce(a.verified_since, a.added_at)) as oldest_at,
      justify_hours(date_trunc('minute', p_now - min(coalesce(a.verified_since, a.added_at)))) as age
    from agg.audit as a
  ) as s
  union all
  select 'audit', a.canonical_symbol, 'WARN', left(a.error, 500), format('select * from agg_verify(%L);', a.canonical_symbol)
  from agg.audit as a
  where a.error is not null;
$$;
