comment on function agg.finish_problem is
  'Why finish_move cannot run at p_now; null where it can. p_despite_checks: checks of agg_check that fail are no reason.';

create function agg.finish_problem(p_now timestamptz, p_despite_checks boolean)
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
  if v_problem is null and not p_despite_checks then
    select 'a check fails: ' || string_agg(distinct c."check", ', ') || '. See agg_check()'
    into v_problem
    from public.agg_check(p_now) as c
    where c.status = 'FAIL' and c."check" <> 'verdict';
  end if;
  return v_problem;
end;
$$;
