comment on function public.agg_finish_deliveries is
'Takes down what became of messages that agg_claim_deliveries gave out.
p_results: an array of objects with target, message_id (null for a heartbeat), status (that of HTTP; null where no answer came), retry_after (in seconds; null where the target did not say) and error (null for a message that was not tried: it may be sent at once). p_now is the clock.
A status from 200 to 299 means delivered. After 403, 404 and 410 the target is stopped until agg_add_alert_target names it again; a heartbeat is not. 429, a redirect, a 5xx, or no answer puts the whole target off, for retry_after, but at most a day, or for a minute, doubled each time, at most an hour. Any other status puts this message off in the same way.
Returns delivered, failed and stopped (names of targets). Repeating it changes no message that is delivered. Raises invalid_parameter_value for what is not an array.';

create function public.agg_finish_deliveries(p_results jsonb, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_delivered integer;
  v_failed integer;
  v_stopped text[];
begin
  if jsonb_typeof(p_results) is distinct from 'array' then
    raise exception 'p_results must be an array, not %', coalesce(jsonb_typeof(p_results), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  with result as materialized (
    select
      r.target, r.message_id, r.retry_after, left(r.error, 500) as error,
      case
        when r.status between 200 and 299 then 'delivered'
        when r.error is null then 'untried'
        when r.status in (403, 404, 410) and t.kind <> 'heartbeat' then 'gone'
        when r.status between 400 and 499 and r.status not in (403, 404, 408, 410, 429) then 'refused'
        else 'away'
      end as outcome
    from jsonb_to_recordset(p_results) as r (target text, message_id uuid, status integer, retry_after numeric, error text)
    join agg.alert_target as t on t.name = r.target
  ),
  message as (
    update agg.delivery as d
    set
      delivered_at = case r.outcome when 'delivered' then p_now end,
      error = case r.outcome when 'delivered' then null when 'untried' then d.error else r.error end,
      tries = d.tries - (r.outcome = 'untried')::integer,
      -- What holds for the whole target stands there.
      next_try_at = case r.outcome when 'refused' then p_now + agg.retry_delay(d.tries, 'hard') else p_now end
    from result as r
    where d.message_id = r.message_id and d.target = r.target and d.delivered_at is null
    returning r.outcome
  ),
  target as (
    update agg.alert_target as t
    set
      succeeded_at = case when o.succeeded then p_now else t.succeeded_at end,
      failures = case when o.away then t.failures + 1 when o.succeeded then 0 else t.failures end,
      failing_since = case when o.error is null then null else coalesce(case when not o.succeeded then t.failing_since end, p_now) end,
      error = o.error,
      stopped_at = case when o.gone then p_now end,
      next_try_at = case
        when o.away and o.retry_after is not null
          then p_now + make_interval(secs => least(greatest(o.retry_after, 1), 86400)::double precision)
        when o.away then p_now + agg.retry_delay(t.failures + 1, 'hard')
        else t.next_try_at
      end
    from (
      select
        r.target, bool_or(r.outcome = 'delivered') as succeeded, bool_or(r.outcome = 'gone') as gone, bool_or(r.outcome = 'away') as away,
        max(r.retry_after) as retry_after, max(r.error) filter (where r.outcome <> 'delivered') as error
      from result as r
      where r.outcome <> 'untried'
      group by r.target
    ) as o
    where t.name = o.target
    returning t.name, t.stopped_at
  )
  select
    count(*) filter (where m.outcome = 'delivered'), count(*) filter (where m.outcome in ('gone', 'refused', 'away')),
    array(select t.name from target as t where t.stopped_at is not null order by t.name)
  into v_delivered, v_failed, v_stopped
  from message as m;
  return jsonb_build_object('delivered', v_delivered, 'failed', v_failed, 'stopped', to_jsonb(v_stopped));
end;
$$;
