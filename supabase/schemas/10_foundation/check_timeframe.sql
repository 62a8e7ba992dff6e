comment on function agg.check_timeframe is
  'Refuses a timeframe that cannot work, and a change of one that is in use, with the reason: invalid_parameter_value, object_in_use. A further timeframe is a further row; a new name must first be added here and to the checks of derived_data_bars and data_agg_state.';

create function agg.check_timeframe()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- As in the checks of the tables of bars, which cannot look up another table.
  v_lengths constant jsonb := jsonb '{"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}';
  v_source_length interval;
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

  select t.duration into v_source_length from agg.timeframe as t where t.timeframe = new.source_timeframe;
  v_problem := case
    when extract(year from new.duration) <> 0 or extract(month from new.duration) <> 0 then 'a month has no fixed length'
    when new.duration <= interval '0' or mod(extract(epoch from new.duration), 60) <> 0
      then 'its length must be one or more whole minutes'
    when mod(1440 * 60, extract(epoch from new.duration)) <> 0 then 'its length must divide a day'
    when (new.source_timeframe is null) <> (new.timeframe = '1m')
      then '1m is built from no other timeframe, and every other timeframe from one'
    when new.source_timeframe is not null and v_source_length is null
      then format('its source %s is not a timeframe', new.source_timeframe)
    when v_source_length >= new.duration or mod(extract(epoch from new.duration), extract(epoch from v_source_length)) <> 0
      then format('its length must be a multiple of its source %s', new.source_timeframe)
    when v_lengths -> new.timeframe is null then format(
      'the tables of bars know no timeframes but %s',
      (select string_agg(k.name, ', ' order by k.minutes::integer) from jsonb_each_text(v_lengths) as k (name, minutes))
    )
    when new.duration <> make_interval(mins => (v_lengths -> new.timeframe)::integer)
      then format('the tables of bars take it for %s minutes', v_lengths -> new.timeframe)
  end;
  if v_problem is not null then
    raise exception 'timeframe % of % cannot work: %', new.timeframe, new.duration, v_problem
      using errcode = 'invalid_parameter_value';
  end if;
  return new;
end;
$$;

create trigger check_row before insert or update or delete on agg.timeframe
  for each row execute function agg.check_timeframe();

create trigger check_truncate before truncate on agg.timeframe
  for each statement execute function agg.check_timeframe();
