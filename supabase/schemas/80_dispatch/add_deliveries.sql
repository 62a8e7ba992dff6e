comment on function agg.add_deliveries is
'Adds a message for each target and alert that it should know of, and one more when the alert is resolved. Repeating it adds nothing.
An alert that was raised and resolved before this call is told as well, if the target was there. One that becomes critical goes to targets that want critical ones. An alert undelivered does not go to the targets that it speaks of.';

create function agg.add_deliveries(p_now timestamptz)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
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
$$;
