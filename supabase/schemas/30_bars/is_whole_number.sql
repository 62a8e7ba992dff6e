comment on function agg.is_whole_number is
  'Whether a JSON value, or the text in it, is a whole number of at most 18 digits, however it is spelled: 12, 12.0, 1.2e1, "12".';

create function agg.is_whole_number(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_value) in ('number', 'string')
      and p_value #>> '{}' ~ '^\s*[+-]?([0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?\s*$'
    then abs((p_value #>> '{}')::numeric) < 1e18 and (p_value #>> '{}')::numeric % 1 = 0
    else false
  end;
$$;
