comment on function agg.calendar_entry_problem is
  'What is wrong with an entry that import_calendar is given for a calendar whose trading days begin at p_day_start; null where it is good.';

create function agg.calendar_entry_problem(p_entry jsonb, p_day_start time)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_day constant text := p_entry ->> 'day';
  v_kind constant text := p_entry ->> 'kind';
  v_opens constant text := p_entry ->> 'opens_at';
  v_closes constant text := p_entry ->> 'closes_at';
  v_unknown text;
begin
  if jsonb_typeof(p_entry) <> 'object' then
    return 'an entry is an object such as {"day": "2026-12-25", "kind": "closed"}';
  end if;
  select string_agg(k.key, ', ' order by k.key) into v_unknown
  from jsonb_object_keys(p_entry) as k (key)
  where k.key not in ('day', 'kind', 'opens_at', 'closes_at');
  return case
    when v_unknown is not null then format('%s is not known; known are day, kind, opens_at, closes_at', v_unknown)
    when agg.utc_instant(v_day || 'T00:00Z') is null or v_day not between '1900' and '2200'
      then 'day must be a date such as "2026-12-25", from 1900 to 2199'
    when not coalesce(v_kind in ('closed', 'early_close', 'late_opening', 'special_opening'), false)
      then 'kind must be closed, early_close, late_opening or special_opening'
    when v_kind in ('late_opening', 'special_opening') and not coalesce(v_opens ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$', false)
      then format('%s needs opens_at, a local time such as "10:30"', v_kind)
    when v_kind in ('early_close', 'special_opening') and not coalesce(v_closes ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$', false)
      then format('%s needs closes_at, a local time such as "13:00"', v_kind)
    when v_kind in ('closed', 'early_close') and v_opens is not null then format('opens_at does not go with %s', v_kind)
    when v_kind in ('closed', 'late_opening') and v_closes is not null then format('closes_at does not go with %s', v_kind)
    when v_kind = 'late_opening' and v_opens::time = p_day_start then format('the trading day begins at %s, so that nothing opens late', v_opens)
    when v_kind = 'early_close' and agg.time_into_day(v_closes::time, p_day_start) in (interval '0', interval '24 hours')
      then format('the trading day ends at %s, so that nothing closes early', v_closes)
    when v_kind = 'special_opening' and agg.time_into_day(v_closes::time, p_day_start) > interval '0'
      and agg.time_into_day(v_closes::time, p_day_start) <= agg.time_into_day(v_opens::time, p_day_start)
      then format('within the trading day, which begins at %s, closes_at must come after opens_at', to_char(p_day_start, 'HH24:MI'))
  end;
end;
$$;
