comment on function agg.take_notes is
'Turns up to p_limit committed notes into corrections, deletes them, and returns how many.
Returns 0 while a transaction is open that has made tasks: no other session sees these tasks yet.
Locks: never waits; passes over notes that another dispatcher has taken.';

create function agg.take_notes(p_limit integer)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_note_ids bigint[];
begin
  v_note_ids := array(
    select n.note_id from agg.change_note as n order by n.note_id limit p_limit for update skip locked
  );
  if cardinality(v_note_ids) > 0 then
    -- A task that an open transaction has made is not visible, and may already be built.
    if not pg_try_advisory_xact_lock_shared(agg.new_tasks_key()) then
      return 0;
    end if;
    perform agg.add_corrections(array(select c from agg.changes_from_notes(v_note_ids) as c));
    delete from agg.change_note as n where n.note_id = any (v_note_ids);
  end if;
  return cardinality(v_note_ids);
end;
$$;
