comment on function agg.stopped_reason is
  'Why work stopped: cursor_at_frontier (nothing to decide yet), max_windows, frontier (time or source), no_source_data (waits at the data frontier).';

create function agg.stopped_reason(p_result agg.build_result)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_result.from_utc + p_result.window_length > p_result.frontier_utc then 'cursor_at_frontier'
    when p_result.is_limited then 'max_windows'
    when p_result.decided_to_utc >= p_result.frontier_utc then 'frontier'
    else 'no_source_data'
  end;
$$;
