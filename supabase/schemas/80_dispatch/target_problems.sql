comment on function agg.target_problems is
'The targets whose messages do not arrive at p_now, and why: stopped; a message of the last three days has waited for 15 minutes; a heartbeat has failed for 15 minutes.';

create function agg.target_problems(p_now timestamptz)
returns table (name text, kind text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select t.name, t.kind, p.problem
  from agg.alert_target as t
  cross join agg.defaults as d
  cross join lateral (
    select count(*) as messages, min(m.created_at) as oldest_at, (array_agg(m.error order by m.created_at) filter (where m.error is not null))[1] as error
    from agg.delivery as m
    where m.target = t.name and m.delivered_at is null
      and m.created_at > p_now - d.message_life and m.created_at < p_now - d.overdue_after
  ) as w
  cross join lateral (
    select case
      when t.stopped_at is not null then format('stopped at %s: %s', t.stopped_at, t.error)
      when w.messages > 0 then format(
        '%s messages wait, the oldest since %s: %s', w.messages, w.oldest_at,
        coalesce(t.error, w.error, 'the function deliver-alerts has not sent them')
      )
      when t.kind = 'heartbeat' and t.failing_since < p_now - d.overdue_after
        then format('no heartbeat arrived since %s: %s', t.failing_since, t.error)
    end as problem
  ) as p
  where p.problem is not null;
$$;
