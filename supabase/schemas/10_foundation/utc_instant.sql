comment on function agg.utc_instant is 'The instant that an ISO 8601 text with a zone names, null where it names none.';

create function agg.utc_instant(p_text text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_text ~ agg.instant_pattern() then
    return p_text::timestamptz;
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return null;
end;
$$;
