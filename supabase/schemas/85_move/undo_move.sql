comment on function public.undo_move is
'Takes a move back: the older deployment returns to public, and pgbars is removed.
The old tables and functions return with their views, foreign keys, publications and jobs.
p_keep_minutes: minutes written since the move go to the old tables by key. Ingested ones go to data_bars. Those of a computed series go to where its minutes were, and what is there stays as it was. Everything else that changed since the move is lost: longer bars, tasks, the registry, deleted minutes. With false no minute goes there, for old tables that refuse them.
Returns success, minutes_added and minutes_updated (rows of the old tables), minutes_left_out (of computed series that the old tables did not have), and jobs (names).
Removes the record of the migrations of pgbars too. A migration that is still in a project moves the deployment again when it is pushed.
Raises object_not_in_prerequisite_state where no older deployment is set aside, or where objects made since use the new tables; move_status says so beforehand. Lock: waits 30 seconds for the tables.';

create function public.undo_move(p_keep_minutes boolean default true)
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
  v_until constant timestamptz := clock_timestamp() + interval '30 seconds';
  v_problem text;
  v_moved_xid xid;
  v_minutes jsonb := jsonb_build_object('minutes_added', 0, 'minutes_updated', 0, 'minutes_left_out', 0);
  v_jobs text[];
  v_commands text[];
begin
  perform agg.require_fresh_snapshots();
  -- To wait for a table while holding another could end in a deadlock with a writer or a dispatcher: this waits for the first one
  -- only, and begins again where it does not get the others at once.
  loop
    begin
      lock table public.data_bars in access exclusive mode;
      lock table
        public.derived_data_bars, public.derived_data_bars_revision, public.data_agg_state, public.core_asset_registry_all
        in access exclusive mode nowait;
      exit;
    exception when lock_not_available then
      if clock_timestamp() >= v_until then
        raise;
      end if;
    end;
    perform pg_sleep(0.01);
  end loop;
  v_problem := agg.undo_problem();
  if v_problem is not null then
    raise exception 'the move cannot be undone: %', v_problem
      using errcode = 'object_not_in_prerequisite_state', hint = 'select * from move_status() says what may be done.';
  end if;
  v_moved_xid := (select m.moved_xid from agg.move as m);
  v_jobs := agg.give_back_jobs();

  -- Names become free: the new tables wait in agg, which is dropped below.
  alter table public.core_asset_registry_all set schema agg;
  alter table public.data_bars set schema agg;
  alter table public.derived_data_bars set schema agg;
  alter table public.derived_data_bars_revision set schema agg;
  alter table public.data_agg_state set schema agg;
  v_commands := array(
    select 'drop function ' || string_agg(f.function_id::regprocedure::text, ', ') from agg.public_function as f
    union all
    select c from agg.give_back_commands() as c
  );
  for i in 1 .. cardinality(v_commands) loop
    execute v_commands[i];
  end loop;
  if p_keep_minutes then
    v_minutes := agg.give_back_minutes(v_moved_xid);
  end if;

  drop schema agg cascade;
  drop schema pgbars_before cascade;
  if to_regclass('supabase_migrations.schema_migrations') is not null then
    -- Releases, and what a clone has on the way to the next one.
    execute format('delete from supabase_migrations.schema_migrations as m where m.name ~ %L', '^pgbars_([0-9]+_[0-9]+_[0-9]+$|next_)');
  end if;
  if to_regclass('pgbars_releases.release') is not null then
    execute format('delete from %s', to_regclass('pgbars_releases.release'));
  end if;
  notify pgrst, 'reload schema';
  return v_minutes || jsonb_build_object('success', true, 'jobs', to_jsonb(v_jobs));
end;
$$;
