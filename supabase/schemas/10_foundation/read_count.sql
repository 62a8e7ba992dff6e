comment on function agg.read_count is
'The count that a JSON object holds under a key: a whole number from 0 to 10^9 in any spelling; null where there is none. Raises invalid_parameter_value for anything else.';

create function agg.read_count(p_stats jsonb, p_key text)
returns integer
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_value constant jsonb := nullif(p_stats -> p_key, 'null');
begin
  if v_value is null then
    return null;
  end if;
  if not agg.is_number_between(v_value, 0, 1000000000) or v_value::numeric <> trunc(v_value::numeric) then
    raise exception '% must be a whole number from 0 to 1000000000, not %', p_key, left(v_value::text, 100)
      using errcode = 'invalid_parameter_value';
  end if;
  return v_value::numeric::integer;
end;
$$;
