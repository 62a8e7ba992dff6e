comment on function public.move_status is
'Says what the move of an older deployment took over, what stayed and why, and what may be done at p_now.
What stayed is in the schema pgbars_before. Rows count those of a table at the time of the move. outcome: taken over, stayed, set aside, reads pgbars_before, or for undo_move and finish_move: may run, refused.
No rows where no older deployment was moved, or after finish_move. Reads only.';

create function public.move_status(p_now timestamptz default now())
returns table (subject text, outcome text, rows bigint, explanation text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_readers constant text[] := array(select u from agg.used_from_outside('pgbars_before') as u);
  v_refusal text;
begin
  if not exists (select from agg.move) then
    return;
  end if;
  return query
  select r.table_name, case when r.is_taken_over then 'taken over' else 'stayed' end, r.rows, r.explanation
  from agg.moved_row as r
  order by r.moved_row_id;
  return query
  select
    concat_ws(' ', o.kind, o.name, 'of ' || case o.kind when 'job' then null else o.parent end),
    case
      when o.kind in ('table', 'view', 'materialized view', 'foreign table', 'function') then 'set aside'
      when o.is_taken_over then 'taken over'
      else 'stayed'
    end,
    null::bigint, o.explanation
  from agg.moved_object as o
  order by o.moved_object_id;
  return query
  select r.name, 'reads pgbars_before', null::bigint, 'sees what was there at the move, and keeps finish_move from dropping it'
  from unnest(v_readers) as r (name);

  v_refusal := agg.undo_problem();
  return query
  select
    'undo_move()', case when v_refusal is null then 'may run' else 'refused' end, null::bigint,
    coalesce(v_refusal, (
      select format('until finish_move(); minutes written since the move (%s) go to the old tables, what else changed since is lost', m.moved_at)
      from agg.move as m
    ));
  v_refusal := agg.finish_problem(p_now, false);
  return query
  select
    'finish_move()', case when v_refusal is null then 'may run' else 'refused' end, null::bigint,
    coalesce(v_refusal, 'drops the schema pgbars_before, after which undo_move() may not run');
end;
$$;
