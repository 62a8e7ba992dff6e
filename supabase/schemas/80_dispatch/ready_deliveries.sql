comment on function agg.ready_deliveries is
'The messages that may be sent at p_now. One that tells that an alert is resolved waits for the one that told of the alert. After three days a message is given up.';

create function agg.ready_deliveries(p_now timestamptz)
returns setof agg.delivery
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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
$$;
