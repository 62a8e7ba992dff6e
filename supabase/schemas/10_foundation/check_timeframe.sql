comment on function agg.check_timeframe is
  'Refuses a timeframe that cannot work, and a change of one that is in use, with the reason: invalid_parameter_value, object_in_use. A further timeframe is a further row.';

create function agg.check_timeframe()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source_length interval;
  v_is_source_mandatory boolean;
  -- In the largest unit that divides it.
  v_minutes constant bigint := extract(epoch from new.duration)::bigint / 60;
  v_name constant text := case
    when mod(v_minutes, 10080) = 0 then v_minutes / 10080 || 'w'
    when mod(v_minutes, 1440) = 0 then v_minutes / 1440 || 'd'
    when mod(v_minutes, 60) = 0 then v_minutes / 60 || 'h'
    else v_minutes || 'm'
  end;
  v_problem text;
  v_user text;
begin
  if tg_op = 'TRUNCATE' then
    raise exception 'agg.timeframe cannot be truncated: tasks and bars refer to it' using errcode = 'object_in_use';
  end if;

  if tg_op <> 'INSERT' and (
    tg_op = 'DELETE'
    or (new.timeframe, new.duration, new.source_timeframe) is distinct from (old.timeframe, old.duration, old.source_timeframe)
  ) then
    v_user := case
      when exists (
        select from public.data_agg_state as s where old.timeframe in (s.timeframe, s.source_timeframe)
      ) then 'tasks'
      when exists (select from public.derived_data_bars as d where d.timeframe = old.timeframe)
        or (old.timeframe = '1m' and exists (select from public.data_bars as d)) then 'bars'
      when exists (select from agg.timeframe as t where t.source_timeframe = old.timeframe) then 'other timeframes'
    end;
    if v_user is not null then
      raise exception 'timeframe % cannot be %: % refer to it',
        old.timeframe, case tg_op when 'DELETE' then 'deleted' else 'changed' end, v_user
        using errcode = 'object_in_use', hint = 'Only is_mandatory can change while a timeframe is in use.';
    end if;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;

  select t.duration, t.is_mandatory into v_source_length, v_is_source_mandatory
  from agg.timeframe as t
  where t.timeframe = new.source_timeframe;
  v_problem := case
    when extract(year from new.duration) <> 0 or extract(month from new.duration) <> 0 then 'a month has no fixed length'
    when new.duration <= interval '0' or mod(extract(epoch from new.duration), 60) <> 0
      then 'its length must be one or more whole minutes'
    when new.duration <= interval '1 hour' and mod(60 * 60, extract(epoch from new.duration)) <> 0 then 'its length must divide an hour'
    when new.duration < interval '2 hours' and new.duration > interval '1 hour'
      then 'windows on a local clock must be longer than a change of the clock'
    when new.duration <= interval '24 hours' and mod(24 * 60 * 60, extract(epoch from new.duration)) <> 0
      then 'its length must divide a day'
    when new.duration > interval '24 hours' and mod(extract(epoch from new.duration), 7 * 24 * 60 * 60) <> 0
      then 'beyond a day its length must be whole weeks'
    when new.timeframe = '1m' and new.is_mandatory then 'minutes are ingested, and no task builds them for every asset'
    when not new.is_mandatory and new.timeframe <> '1m' and exists (select from agg.timeframe as t where t.source_timeframe = new.timeframe)
      then 'others are built from it, so that every asset must have it'
    when (new.source_timeframe is null) <> (new.timeframe = '1m')
      then '1m is built from no other timeframe, and every other timeframe from one'
    when new.source_timeframe is not null and v_source_length is null
      then format('its source %s is not a timeframe', new.source_timeframe)
    when v_source_length > interval '1 hour' then format('its source %s is longer than an hour', new.source_timeframe)
    when new.source_timeframe <> '1m' and not v_is_source_mandatory
      then format('its source %s is not there for every asset', new.source_timeframe)
    when v_source_length >= new.duration or mod(extract(epoch from new.duration), extract(epoch from v_source_length)) <> 0
      then format('its length must be a multiple of its source %s', new.source_timeframe)
    when v_name !~ '^[1-9][0-9]{0,3}[mhdw]$' then 'its length must be at most 9999 weeks'
    when new.timeframe <> v_name then format('its name must be %s, which says its length', v_name)
  end;
  if v_problem is not null then
    raise exception 'timeframe % of % cannot work: %', new.timeframe, new.duration, v_problem
      using errcode = 'invalid_parameter_value';
  end if;
  -- Hours, never days: the length of a day of timestamptz depends on the time zone of the session.
  new.duration := make_interval(secs => extract(epoch from new.duration)::double precision);
  return new;
end;
$$;

create trigger check_row before insert or update or delete on agg.timeframe
  for each row execute function agg.check_timeframe();

create trigger check_truncate before truncate on agg.timeframe
  for each statement execute function agg.check_timeframe();
