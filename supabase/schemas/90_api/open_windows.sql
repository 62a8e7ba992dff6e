comment on function agg.open_windows is
  'The windows that start in [p_from, p_to) and have a minute in which session and calendar are open, in order, with what is open of them (null: all); with p_limit the first, or with p_is_newest the last, that many. It reads calendars with the rights of its owner, and nothing else: readers of bars may call it.';

create function agg.open_windows(
  p_length interval,
  p_time_zone text,
  p_origin timestamp,
  p_session_time_zone text,
  p_session_minutes int4multirange,
  p_calendar text,
  p_from timestamptz,
  p_to timestamptz,
  p_limit integer default null,
  p_is_newest boolean default false
)
returns table (starts_utc timestamptz, ends_utc timestamptz, open tstzmultirange)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_has_session constant boolean := p_session_minutes is not null or p_calendar is not null;
  v_from timestamptz;
  v_to timestamptz;
  v_part tstzrange;
  v_step interval := p_length * (1 + least(coalesce(p_limit, 1000), 100000))::double precision;
  v_left integer := p_limit;
  v_found integer;
begin
  select greatest(p_from, d.least_utc), least(p_to, d.end_utc) into v_from, v_to from agg.defaults as d;
  -- Part by part, each twice as long as the one before: a market may be closed for most of the time.
  while v_from < v_to and (v_left > 0 or p_limit is null) loop
    v_part := case
      when p_is_newest then tstzrange(greatest(v_from, v_to - v_step), v_to)
      else tstzrange(v_from, least(v_to, v_from + v_step))
    end;
    return query
    select w.starts_utc, w.ends_utc, case when v_has_session then o.spans * tstzmultirange(tstzrange(w.starts_utc, w.ends_utc)) end
    from (
      select case when v_has_session then
        agg.open_spans(
          p_session_time_zone, p_session_minutes, p_calendar, lower(v_part), agg.window_end(upper(v_part), p_length, p_time_zone, p_origin)
        )
      end
      offset 0
    ) as o (spans)
    cross join agg.windows_between(lower(v_part), upper(v_part), p_length, p_time_zone, p_origin) as w
    where w.starts_utc >= lower(v_part) and w.starts_utc < upper(v_part)
      and (not v_has_session or o.spans && tstzrange(w.starts_utc, w.ends_utc))
    order by case when p_is_newest then w.starts_utc end desc, w.starts_utc
    limit v_left;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    if p_is_newest then
      v_to := lower(v_part);
    else
      v_from := upper(v_part);
    end if;
    v_step := v_step * 2;
  end loop;
end;
$$;
