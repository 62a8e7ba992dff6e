comment on function agg.new_cursor is
  'Start of the last window decided; null where none was and the cursor stays.';

create function agg.new_cursor(p_result agg.build_result)
returns timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when p_result.decided_to_utc > p_result.from_utc then p_result.decided_to_utc - p_result.window_length end;
$$;
