comment on function public.agg_alert_targets is
'Lists the targets of alerts at p_now: how many messages wait, when the last one arrived, and why the last one did not.
state: ok, failing (the last message, or heartbeat, did not arrive; it is tried again) or stopped (the target said that it is gone). Shows no URL and no secret. Reads only.';

create function public.agg_alert_targets(p_now timestamptz default now())
returns table (
  name text,
  kind text,
  min_severity text,
  state text,
  waiting bigint,
  next_try_at timestamptz,
  succeeded_at timestamptz,
  error text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;
