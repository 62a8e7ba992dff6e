comment on function agg.job_list is
  'Every job of pgbars: name, cron schedule in UTC, and the SQL to run in the environment of the database. p_now, where given, is put in for now(). The one definition, for pg_cron and for runners without it. A dispatch job for each lane of agg.environment, which commits after each batch and stops after 40 seconds; where bars are broadcast (enable_broadcast), it sends what the batch changed once that has committed.';

create function agg.job_list(p_now timestamptz default null)
returns table (job_name text, schedule text, command text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    j.job_name, j.schedule,
    format(j.command, case when p_now is null then 'now()' else format('%L::timestamptz', p_now) end, j.lane, j.step)
  from (
    select
      'pgbars:dispatch' || case when l.lane > 1 then '-' || l.lane else '' end,
      '* * * * *',
      'do $run$ declare v_until constant timestamptz := clock_timestamp() + interval ''40 seconds''; '
        'begin %3$sloop exit when public.agg_run_due(p_now => %1$s, p_time_budget => interval ''0'', p_lane => %2$s) '
        '->> ''stopped_reason'' <> ''one_batch''; commit; %3$sexit when clock_timestamp() > v_until; end loop; end $run$',
      l.lane,
      case when exists (select from agg.broadcast) then 'perform agg.send_broadcasts(); commit; ' else '' end
    from agg.environment as e
    cross join lateral generate_series(1, e.lanes) as l (lane)
    union all
    select 'pgbars:maintain', '*/5 * * * *', 'select public.agg_maintain(p_now => %1$s)', null, null
  ) as j (job_name, schedule, command, lane, step);
$$;
