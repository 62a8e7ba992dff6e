comment on function agg.is_duration is 'Whether a JSON value is a length of time such as "30 minutes": whole minutes, hours, days or weeks.';

create function agg.is_duration(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_typeof(p_value) = 'string' and p_value #>> '{}' ~ '^[1-9][0-9]{0,3} (minute|hour|day|week)s?$';
$$;
