comment on function agg.session_problem is 'Why metadata.agg.session cannot be read; null where it can.';

create function agg.session_problem(p_session jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.session_minutes(p_session);
  return null;
exception when invalid_parameter_value then
  return sqlerrm;
end;
$$;
