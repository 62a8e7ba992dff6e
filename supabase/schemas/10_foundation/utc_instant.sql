comment on function agg.utc_instant is
  'The instant that an ISO 8601 text with a zone names (see agg.instant_pattern), null where it names none.';

create function agg.utc_instant(p_text text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_text ~ agg.instant_pattern() then
    -- Postgres reads texts of limited length.
    return regexp_replace(p_text, '(\.[0-9]{6})0+', '\1')::timestamptz;
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return null;
end;
$$;
