comment on function public.grant_read_access is
  'Lets a role read bars, over the Data API and directly.
p_role is authenticated, anon or a role of your own. It gets select on data_bars, on the bars of derived_data_bars that are not deleted and on their revisions, may call get_bars, agg_changes and agg_bar_versions, and nothing else.
Returns success, role, tables and functions. For the owner of the tables. Repeating it changes nothing.
Raises undefined_object for an unknown role, invalid_parameter_value for one that reads all bars anyway, lock_not_available where a reader holds a table for more than five seconds.';

create function public.grant_read_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A new policy waits for all readers of the table, and writers wait for it.
set lock_timeout = '5s'
as $$
declare
  v_table record;
begin
  for v_table in select t.* from agg.readable_table(p_role) as t loop
    if not has_schema_privilege(p_role, 'public', 'usage') then
      execute format('grant usage on schema public to %I', p_role);
    end if;
    if not has_table_privilege(p_role, format('public.%I', v_table.table_name), 'select') then
      execute format('grant select on table public.%I to %I', v_table.table_name, p_role);
    end if;
    if not v_table.is_open then
      execute format(
        'create policy %I on public.%I for select to %I using (%s)', v_table.policy_name, v_table.table_name, p_role,
        case v_table.table_name when 'derived_data_bars' then 'deleted_at is null' else 'true' end
      );
    end if;
  end loop;
  -- What the two functions ask besides the tables.
  execute format('grant usage on schema agg to %I', p_role);
  execute format('grant select on table agg.readable_series to %I', p_role);
  execute format(
    'grant execute on function public.get_bars, public.agg_changes, public.agg_bar_versions, agg.filled_bars, agg.open_windows, agg.revision_age to %I', p_role
  );
  return jsonb_build_object(
    'success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars', 'derived_data_bars_revision'),
    'functions', jsonb_build_array('get_bars', 'agg_changes', 'agg_bar_versions')
  );
end;
$$;
