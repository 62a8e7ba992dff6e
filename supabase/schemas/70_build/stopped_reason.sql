comment on function agg.stopped_reason is
'Why the building of a request stopped: cursor_at_frontier (no window could be decided yet), max_windows, frontier (of time or source), no_source_data (waits at the data frontier).
p_from_utc is the end of what was decided before, p_decided_to_utc after.';

create function agg.stopped_reason(
  p_from_utc timestamptz, p_frontier_utc timestamptz, p_is_limited boolean, p_decided_to_utc timestamptz
)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_from_utc >= p_frontier_utc then 'cursor_at_frontier'
    when p_decided_to_utc >= p_frontier_utc then 'frontier'
    when p_is_limited then 'max_windows'
    else 'no_source_data'
  end;
end;
$$;
