comment on function public.revoke_read_access is
  'Takes from a role what grant_read_access gave it: its policies, select on their tables, and the call of get_bars, agg_changes and agg_bar_versions.
Returns success, role, tables and functions. Changes nothing where there are no such policies. For the owner of the tables. It may be repeated. Raises what grant_read_access raises.';

create function public.revoke_read_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  v_table record;
  v_was_open boolean := false;
begin
  for v_table in select t.* from agg.readable_table(p_role) as t where t.is_open loop
    execute format('drop policy %I on public.%I', v_table.policy_name, v_table.table_name);
    execute format('revoke select on table public.%I from %I', v_table.table_name, p_role);
    v_was_open := true;
  end loop;
  if v_was_open then
    execute format(
      'revoke execute on function public.get_bars, public.agg_changes, public.agg_bar_versions, agg.filled_bars, agg.open_windows, agg.revision_age from %I', p_role
    );
    execute format('revoke select on table agg.readable_series from %I', p_role);
    execute format('revoke usage on schema agg from %I', p_role);
  end if;
  return jsonb_build_object(
    'success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars', 'derived_data_bars_revision'),
    'functions', jsonb_build_array('get_bars', 'agg_changes', 'agg_bar_versions')
  );
end;
$$;
