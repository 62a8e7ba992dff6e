comment on function public.agg_runs is
'Lists the last p_limit calls of the dispatcher, newest first, as agg.run_log has them: a row a batch where the job calls it.
p_limit is from 1 to 10000. took is what the call took, times are the wall clock. stopped_reason: see agg_run_due. Kept for 14 days. Reads only. Raises invalid_parameter_value for a limit out of range.';

create function public.agg_runs(p_limit integer default 100)
returns table (
  run_id bigint,
  started_at timestamptz,
  finished_at timestamptz,
  took interval,
  env text,
  lane smallint,
  batches integer,
  tasks integer,
  windows bigint,
  bars_created bigint,
  bars_quality_poor bigint,
  bars_corrected bigint,
  failed integer,
  stopped_reason text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    raise exception 'p_limit must be from 1 to 10000, not %', coalesce(p_limit::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  return query
  select
    l.run_id, l.started_at, l.finished_at, l.finished_at - l.started_at, l.env, l.lane, l.batches, l.tasks, l.windows,
    l.bars_created, l.bars_quality_poor, l.bars_corrected, l.failed, l.stopped_reason
  from agg.run_log as l
  order by l.run_id desc
  limit p_limit;
end;
$$;
