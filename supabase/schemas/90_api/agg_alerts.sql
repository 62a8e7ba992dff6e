comment on function public.agg_alerts is
'Lists the alerts that are open, critical ones first; with p_open_only false also those that were resolved in the last 90 days.
timeframe * concerns all of an asset, canonical_symbol * all of the database. severity: critical (bars are missing, or are about to be) or warning. docs/operations.md says for each kind what to do.
Newest first within a severity, and open before resolved. Reads only.';

create function public.agg_alerts(p_open_only boolean default true)
returns table (
  alert_id bigint,
  kind text,
  canonical_symbol text,
  timeframe text,
  severity text,
  message text,
  raised_at timestamptz,
  resolved_at timestamptz
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.alert_id, a.kind, a.canonical_symbol, a.timeframe, a.severity, a.message, a.raised_at, a.resolved_at
  from agg.alert as a
  where a.resolved_at is null or not p_open_only
  order by a.resolved_at is not null, a.severity, a.raised_at desc, a.alert_id desc;
$$;
