comment on function agg.finish_problem is
  'Why finish_move cannot run now; null where it can.';

create function agg.finish_problem()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problem text;
begin
  if not exists (select from agg.move) then
    return 'no older deployment is set aside';
  end if;
  select 'still used: ' || string_agg(u, ', ') || '. Drop these, or let them read the new tables'
  into v_problem
  from agg.used_from_outside('pgbars_before') as u;
  return v_problem;
end;
$$;
