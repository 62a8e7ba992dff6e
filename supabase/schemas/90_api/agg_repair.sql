comment on function public.agg_repair is
'Makes a correction of every window that agg_verify lists, for the dispatcher to build again, level by level.
Arguments and errors: see agg_verify. Returns success, and how many windows of how many tasks. May be repeated.';

create function public.agg_repair(
  p_symbol text default null, p_timeframe text default null, p_from timestamptz default null, p_to timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_windows bigint;
  v_changes agg.changed_span[];
begin
  select coalesce(sum(v.windows), 0), array_agg((v.canonical_symbol, v.timeframe, v.spans, now(), 0)::agg.changed_span)
  into v_windows, v_changes
  from (
    select d.canonical_symbol, d.timeframe, count(*) as windows, range_agg(tstzrange(d.ts_utc, d.ts_utc + t.duration)) as spans
    from public.agg_verify(p_symbol, p_timeframe, p_from, p_to) as d
    join agg.timeframe as t on t.timeframe = d.timeframe
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ) as v;
  if v_changes is not null then
    perform agg.add_corrections(v_changes);
  end if;
  return jsonb_build_object('success', true, 'tasks', coalesce(cardinality(v_changes), 0), 'windows', v_windows);
end;
$$;
