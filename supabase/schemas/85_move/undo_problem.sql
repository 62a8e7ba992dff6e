comment on function agg.undo_problem is
  'Why undo_move cannot run now; null where it can.';

create function agg.undo_problem()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_users text;
begin
  if not exists (select from agg.move) then
    return 'no older deployment is set aside';
  end if;
  select string_agg(u, ', ')
  into v_users
  from agg.used_from_outside('agg', array[
    'public.core_asset_registry_all', 'public.data_bars', 'public.derived_data_bars', 'public.derived_data_bars_revision',
    'public.data_agg_state'
  ]::regclass[]) as u
  where not exists (
      select
      from agg.moved_object as o
      where o.is_taken_over and u = case o.kind
        when 'reading view' then format('view %s', o.name)
        when 'foreign key' then format('constraint %s on table %s', o.name, o.parent)
      end
    )
    and not exists (select from agg.public_function as f where u = pg_describe_object('pg_proc'::regclass, f.function_id, 0));
  return 'made since the move, and used with its tables: ' || v_users || '. Drop these first';
end;
$$;
