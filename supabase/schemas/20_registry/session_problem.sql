comment on function agg.session_problem is 'What is wrong with metadata.agg.session, null where nothing is.';

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
