comment on function agg.weekly_session is
  'The weekly session that metadata.agg.session names or is; null for 24x7, and where nothing is said.';

create function agg.weekly_session(p_session jsonb)
returns jsonb
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_session = '"24x7"' then null
    else coalesce((select p.session from agg.session_preset as p where to_jsonb(p.name) = p_session), p_session)
  end;
$$;
