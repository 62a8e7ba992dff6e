comment on function public.disable_broadcast is
'Ends what enable_broadcast began: no bar goes out, and no statement leaves a note.
Returns success and removed, the topics that have ended. For the owner of the database. It may be repeated. Raises lock_not_available where a session holds derived_data_bars for more than five seconds.';

create function public.disable_broadcast()
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  v_removed constant jsonb := (select jsonb_agg('bars:' || c.timeframe order by c.timeframe) from agg.broadcast as c);
  v_name text;
begin
  for v_name in
    select t.tgname
    from pg_catalog.pg_trigger as t
    where t.tgrelid = 'public.derived_data_bars'::regclass and t.tgfoid = 'agg.add_broadcast_notes()'::regprocedure
  loop
    execute format('drop trigger %I on public.derived_data_bars', v_name);
  end loop;
  delete from agg.broadcast;
  delete from agg.broadcast_note;
  if to_regclass('realtime.messages') is not null then
    execute 'drop policy if exists pgbars_read_bars on realtime.messages';
  end if;
  perform public.schedule_jobs();
  return jsonb_build_object('success', true, 'removed', coalesce(v_removed, '[]'));
end;
$$;
