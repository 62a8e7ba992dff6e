comment on function agg.prune_logs is
'Deletes run log rows older than 14 days, alerts resolved 90 days ago, corrections of tasks that are gone, and the jobs'' own rows of cron.job_run_details older than 3 days. Returns how many rows of logs.';

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
  delete from agg.run_log as r where r.finished_at < p_now - interval '14 days';
  get diagnostics v_pruned = row_count;
  delete from agg.alert as a where a.resolved_at < p_now - interval '90 days';
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
