comment on function agg.job_runs is
  'The runs of dispatch jobs that ended after p_since, by lane: when each began, and how long it took. The job writes a row a batch: what follows a batch at once belongs to the same run.';

create function agg.job_runs(p_since timestamptz)
returns table (lane smallint, started_at timestamptz, took interval)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with batch as (
    select
      l.run_id, l.lane, l.started_at, l.finished_at,
      lag(l.stopped_reason) over w is distinct from 'one_batch' or l.started_at > lag(l.finished_at) over w + interval '1 second' as begins_run
    from agg.run_log as l
    where l.finished_at > p_since and l.stopped_reason <> 'busy'
    window w as (partition by l.lane order by l.run_id)
  )
  select b.lane, min(b.started_at), max(b.finished_at) - min(b.started_at)
  from (
    select l.*, count(*) filter (where l.begins_run) over (partition by l.lane order by l.run_id) as run_no from batch as l
  ) as b
  group by b.lane, b.run_no;
$$;
