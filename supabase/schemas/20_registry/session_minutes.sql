comment on function agg.session_minutes is
  'Open minutes of the local week from metadata.agg.session: null for 24x7, otherwise ranges from Monday 00:00 on. Ignores keys that it does not know. Raises invalid_parameter_value, and names the key.';

-- The week is given as in {"time_zone": "America/New_York", "weekly": [{"open": "Sun 17:00", "close": "Fri 17:00"}]}.
create function agg.session_minutes(p_session jsonb)
returns int4multirange
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_days constant text[] := array['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  v_week constant integer := 7 * 24 * 60;
  v_clock constant text := '^(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):[0-5][0-9]$';
  v_session constant jsonb := agg.weekly_session(p_session);
  v_bad jsonb;
begin
  if v_session is null then
    return null;
  end if;
  if jsonb_typeof(v_session) <> 'object' then
    raise exception 'agg.session must be "24x7", % or an object with time_zone and weekly, not %',
      (select string_agg(to_jsonb(p.name)::text, ', ' order by p.name) from agg.session_preset as p), v_session
      using errcode = 'invalid_parameter_value';
  end if;
  if not coalesce(agg.is_time_zone(v_session ->> 'time_zone'), false) then
    raise exception 'agg.session.time_zone must name a time zone such as America/New_York, not %',
      coalesce(v_session -> 'time_zone', 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(v_session -> 'weekly') is distinct from 'array' or v_session -> 'weekly' = '[]' then
    raise exception 'agg.session.weekly must be a list such as [{"open": "Sun 17:00", "close": "Fri 17:00"}], not %',
      coalesce(v_session -> 'weekly', 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  select i.item into v_bad
  from jsonb_array_elements(v_session -> 'weekly') as i (item)
  where jsonb_typeof(i.item) <> 'object' or i.item - 'open' - 'close' <> '{}'
    or coalesce(lower(i.item ->> 'open') !~ v_clock, true) or coalesce(lower(i.item ->> 'close') !~ v_clock, true)
    or lower(i.item ->> 'open') = lower(i.item ->> 'close')
  limit 1;
  if v_bad is not null then
    raise exception 'agg.session.weekly: each entry needs two different times such as {"open": "Mon 09:30", "close": "Mon 16:00"}, not %', v_bad
      using errcode = 'invalid_parameter_value';
  end if;

  return (
    select range_agg(r.span)
    from (
      select
        (array_position(v_days, left(lower(i.item ->> 'open'), 3)) - 1) * 1440
          + (extract(epoch from right(i.item ->> 'open', 5)::time) / 60)::integer as opens,
        (array_position(v_days, left(lower(i.item ->> 'close'), 3)) - 1) * 1440
          + (extract(epoch from right(i.item ->> 'close', 5)::time) / 60)::integer as closes
      from jsonb_array_elements(v_session -> 'weekly') as i (item)
    ) as s
    cross join lateral (
      select int4range(s.opens, s.closes) where s.opens < s.closes
      union all
      select unnest(array[int4range(s.opens, v_week), int4range(0, s.closes)]) where s.opens > s.closes
    ) as r (span)
  );
end;
$$;
