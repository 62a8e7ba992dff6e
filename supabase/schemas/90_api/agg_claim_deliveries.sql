comment on function public.agg_claim_deliveries is
'Gives the function deliver-alerts the messages to send now, and puts each off for three minutes, so that no other call sends it meanwhile.
p_limit: messages a target, 1 to 1000. p_now is the clock. Of each target the oldest come first.
url and secret are what Vault holds; null where it holds nothing: the function then looks into its environment. body is the text to send and to sign. message_id is the same at each try. A row of kind heartbeat has neither message_id nor body: it is claimed once for each healthy maintenance run.
What was claimed and never finished is claimed again: delivery is at least once. Raises invalid_parameter_value for a limit out of range.';

create function public.agg_claim_deliveries(p_limit integer default 50, p_now timestamptz default now())
returns table (target text, kind text, url text, secret text, message_id uuid, body text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env constant text := agg.current_env(null);
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception 'p_limit must be from 1 to 1000, not %', coalesce(p_limit::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  perform agg.add_deliveries(p_now);
  return query
  with beat as (
    update agg.alert_target as t
    set heartbeat_due_at = null
    where t.kind = 'heartbeat' and t.heartbeat_due_at is not null and t.stopped_at is null
    returning t.name, t.kind
  ),
  ready as materialized (
    select r.message_id
    from (
      select d.message_id, row_number() over (partition by d.target order by d.created_at, d.alert_id, d.event) as position
      from agg.ready_deliveries(p_now) as d
    ) as r
    where r.position <= p_limit
  ),
  locked as materialized (
    select d.message_id
    from agg.delivery as d
    where d.message_id in (select r.message_id from ready as r)
      -- Another call may have claimed it since.
      and d.delivered_at is null and d.next_try_at <= p_now
    for update skip locked
  ),
  claimed as (
    update agg.delivery as d
    set tries = d.tries + 1, next_try_at = p_now + interval '3 minutes'
    from locked as l
    where d.message_id = l.message_id
    returning d.*
  )
  select m.name, m.kind, agg.target_secret(m.name, 'url'), agg.target_secret(m.name, 'secret'), m.message_id, m.body
  from (
    select b.name, b.kind, null::uuid as message_id, null as body, null::timestamptz as created_at, null::bigint as alert_id, null as event
    from beat as b
    union all
    select
      t.name, t.kind, c.message_id,
      agg.delivery_body(
        t.kind, c.event,
        to_jsonb(a) || jsonb_build_object(
          'env', v_env, 'message', left(a.message, 4000), 'resolved_at', case c.event when 'resolved' then a.resolved_at end
        ),
        case c.event when 'resolved' then a.resolved_at else a.raised_at end
      ),
      c.created_at, c.alert_id, c.event
    from claimed as c
    join agg.alert_target as t on t.name = c.target
    join agg.alert as a on a.alert_id = c.alert_id
  ) as m
  order by m.name, m.created_at, m.alert_id, m.event;
end;
$$;
