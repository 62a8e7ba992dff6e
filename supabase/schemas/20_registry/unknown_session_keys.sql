comment on function agg.unknown_session_keys is 'Keys of metadata.agg.session that this version does not know, as a list; null where there are none.';

create function agg.unknown_session_keys(p_session jsonb)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('agg.session.%s', k.name), ', ' order by k.name)
  from jsonb_object_keys(case jsonb_typeof(p_session) when 'object' then p_session else '{}' end) as k (name)
  where k.name not in ('time_zone', 'weekly');
$$;
