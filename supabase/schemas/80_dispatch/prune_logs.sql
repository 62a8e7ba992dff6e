comment on function agg.prune_logs is
'Deletes run log rows older than 14 days, alerts resolved 90 days ago with their messages, corrections of tasks that are gone, and the jobs'' own rows of cron.job_run_details older than 3 days. Returns how many rows of logs.';

create function agg.prune_logs(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pruned integer;
  v_cron_rows integer;
begin
  with pruned as (
    delete from agg.run_log as r
    where r.finished_at < p_now - interval '14 days'
    returning r.*
  ),
  summed as (
    insert into agg.run_total as t (runs, seconds, windows, bars_created, bars_quality_poor, bars_corrected, failed)
    select
      count(*) filter (where p.stopped_reason <> 'busy'), sum(extract(epoch from p.finished_at - p.started_at)), sum(p.windows),
      sum(p.bars_created), sum(p.bars_quality_poor), sum(p.bars_corrected), sum(p.failed)
    from pruned as p
    having count(*) > 0
    on conflict (is_only) do update
    set
      runs = t.runs + excluded.runs,
      seconds = t.seconds + excluded.seconds,
      windows = t.windows + excluded.windows,
      bars_created = t.bars_created + excluded.bars_created,
      bars_quality_poor = t.bars_quality_poor + excluded.bars_quality_poor,
      bars_corrected = t.bars_corrected + excluded.bars_corrected,
      failed = t.failed + excluded.failed
  )
  select count(*) into v_pruned from pruned as p;
  delete from agg.alert as a where a.resolved_at < p_now - interval '90 days';
  delete from agg.delivery as d where not exists (select from agg.alert as a where a.alert_id = d.alert_id);
  delete from agg.correction as k
  where not exists (
    select from public.data_agg_state as s where s.canonical_symbol = k.canonical_symbol and s.timeframe = k.timeframe
  );
  if to_regclass('cron.job_run_details') is not null then
    execute format(
      -- Runs are numbered in order, which dates those that a restart or a refused connection left without a time. A
      -- removed job leaves its runs behind: they are known by their command.
      $sql$
        delete from cron.job_run_details as d
        where (d.command like '%%public.agg_run_due(%%' or d.command like '%%public.agg_maintain(%%')
          and coalesce(d.end_time, d.start_time, (
            select coalesce(l.end_time, l.start_time)
            from cron.job_run_details as l
            where l.runid > d.runid and coalesce(l.end_time, l.start_time) is not null
            order by l.runid
            limit 1
          )) < %L::timestamptz - interval '3 days'
      $sql$,
      p_now
    );
    get diagnostics v_cron_rows = row_count;
  end if;
  return v_pruned + coalesce(v_cron_rows, 0);
end;
$$;
