comment on function agg.is_number_between is 'Whether a JSON value is a number from p_least to p_most; false for null and everything else.';

create function agg.is_number_between(p_value jsonb, p_least numeric, p_most numeric)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case jsonb_typeof(p_value) when 'number' then p_value::numeric between p_least and p_most else false end;
$$;
