comment on function agg.next_open is
'The first instant in [p_from, p_until) at which session and calendar are open; p_until where they are closed. Without session and calendar it is p_from.';

create function agg.next_open(
  p_time_zone text, p_session_minutes int4multirange, p_calendar text, p_from timestamptz, p_until timestamptz
)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_session_minutes is null and p_calendar is null then
    return p_from;
  end if;
  -- A day is asked first: most of the time something is open soon.
  return coalesce(
    lower(agg.open_spans(p_time_zone, p_session_minutes, p_calendar, p_from, least(p_until, p_from + interval '24 hours'))),
    lower(agg.open_spans(p_time_zone, p_session_minutes, p_calendar, p_from, p_until)),
    p_until
  );
end;
$$;
