comment on function agg.is_time_zone is
  'Whether a text names a time zone as the IANA database does, such as America/New_York, or is UTC. Abbreviations and POSIX rules are refused: they do not follow the changes of the clock.';

create function agg.is_time_zone(p_name text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_name ~ '^(UTC|[A-Za-z_]+(/[A-Za-z_-]+)+|Etc/GMT[+-]?[0-9]{1,2})$' then
    perform timestamptz '2000-01-01 00:00:00+00' at time zone p_name;
    return true;
  end if;
  return false;
exception when invalid_parameter_value then
  return false;
end;
$$;
