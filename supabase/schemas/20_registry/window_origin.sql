comment on function agg.window_origin is
  'A local time at which a window of p_length begins, in the zone of metadata.agg.day_close (UTC where nothing is said): that of data_agg_state.
Up to an hour it is a Monday 00:00 UTC. Longer windows begin where days do, weeks with the day in which the first session of the week opens: that after the longest time in which the weekly session is closed. Without one a week begins with Monday, which begins on Sunday where days begin at 12:00 or later.
Where the clocks of the session and of the day change on different dates, the earlier of the days that January and July give.';

create function agg.window_origin(p_length interval, p_day_close jsonb, p_session jsonb)
returns timestamp
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_monday constant timestamp := timestamp '2000-01-03 00:00:00';
  v_zone constant text := coalesce(p_day_close ->> 'time_zone', 'UTC');
  v_starts constant time := coalesce((p_day_close ->> 'time')::time, time '00:00');
  v_day constant timestamp := v_monday + v_starts - case when v_starts >= '12:00' then interval '1 day' else interval '0' end;
  v_session_zone text;
  v_opens integer;
  v_first timestamp;
begin
  if p_length <= interval '1 hour' then
    return v_monday;
  end if;
  if mod(extract(epoch from p_length), 7 * 24 * 60 * 60) = 0 then
    v_session_zone := agg.weekly_session(p_session) ->> 'time_zone';
    select s.opens into v_opens
    from (
      select
        lower(r.span) as opens,
        lower(r.span) - coalesce(lag(upper(r.span)) over (order by r.span), max(upper(r.span)) over () - 10080) as closed_minutes
      from unnest(agg.session_minutes(p_session)) as r (span)
    ) as s
    where s.closed_minutes > 0
    order by s.closed_minutes desc, s.opens
    limit 1;
  end if;
  if v_opens is null then
    return v_day;
  end if;
  select min(
    date_bin(
      '1 day', agg.instant_of(v_monday + w.later + make_interval(mins => v_opens), v_session_zone) at time zone v_zone, v_day
    ) - w.later
  )
  into v_first
  from unnest(array[interval '0', interval '182 days']) as w (later);
  return v_first - case when v_first > v_day then interval '7 days' else interval '0' end;
end;
$$;
