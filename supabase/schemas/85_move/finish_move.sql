comment on function public.finish_move is
'Ends the move of an older deployment: drops what was set aside.
That is the schema pgbars_before, the jobs of pg_cron that were made inactive, and what served older callers (calc_dxy_range_derived, and a trigger that follows their cursors).
p_despite_checks: finish although checks of agg_check fail at p_now.
Returns success, dropped (tables and functions) and jobs (names). There is no way back.
Raises object_not_in_prerequisite_state where no older deployment is set aside, where something still uses it, or where a check fails; move_status says so beforehand. Lock: waits 30 seconds for the old tables.';

create function public.finish_move(p_despite_checks boolean default false, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '30s'
set statement_timeout = 0
-- What cascade drops is no news.
set client_min_messages = warning
as $$
declare
  v_problem constant text := agg.finish_problem(p_now, coalesce(p_despite_checks, false));
  v_dropped text[];
  v_jobs text[];
begin
  if v_problem is not null then
    raise exception 'the move cannot be finished: %', v_problem
      using errcode = 'object_not_in_prerequisite_state', hint = 'select * from move_status() lists what stayed and what still uses it.';
  end if;
  v_dropped := array(
    select o.name
    from agg.moved_object as o
    where o.kind in ('table', 'view', 'materialized view', 'foreign table', 'function')
    order by o.moved_object_id
  );
  v_jobs := agg.drop_old_jobs();
  drop schema pgbars_before cascade;
  drop function if exists public.calc_dxy_range_derived;
  drop function if exists agg.follow_old_worker cascade;
  delete from agg.move;
  delete from agg.moved_row;
  delete from agg.moved_object;
  notify pgrst, 'reload schema';
  return jsonb_build_object('success', true, 'dropped', to_jsonb(v_dropped), 'jobs', to_jsonb(v_jobs));
end;
$$;
