comment on function agg.broadcast_problems is 'What keeps bars from being broadcast, and what helps. No row where all is there.';

create function agg.broadcast_problems()
returns table (what text, remedy text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p.what, 'Realtime is a service of a Supabase project, which makes the schema realtime: it cannot be added to another Postgres. Poll instead.'
  from (
    values
      ('the function realtime.send is missing', to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null),
      ('the function realtime.topic is missing', to_regprocedure('realtime.topic()') is null),
      ('the table realtime.messages is missing', to_regclass('realtime.messages') is null)
  ) as p (what, is_missing)
  where p.is_missing
  order by 1;
$$;
