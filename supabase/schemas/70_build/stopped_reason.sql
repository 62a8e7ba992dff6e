comment on function agg.stopped_reason is
'Why the building of a request stopped: cursor_at_frontier (no window could be decided yet), max_windows, frontier (of time or source), no_source_data (waits at the data frontier).';

create function agg.stopped_reason(
  p_from_utc timestamptz, p_window_length interval, p_frontier_utc timestamptz, p_is_limited boolean, p_decided_to_utc timestamptz
)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_from_utc + p_window_length > p_frontier_utc then 'cursor_at_frontier'
    when p_is_limited then 'max_windows'
    when p_decided_to_utc >= p_frontier_utc then 'frontier'
    else 'no_source_data'
  end;
end;
$$;
