comment on function agg.bootstrap_cursor is
'Returns the cursor of a task that has decided nothing: one interval before its first whole window at or after p_start_utc.';

create function agg.bootstrap_cursor(p_start_utc timestamptz, p_window_length interval)
returns timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select date_bin(
    p_window_length, p_start_utc - interval '1 microsecond', timestamptz '2000-01-01 00:00:00+00'
  );
$$;
