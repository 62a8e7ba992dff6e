begin;
select plan(9);

create function pg_temp.privileges(p_kinds text, p_schema regnamespace) returns table (name text, privileges text)
language sql as $$
  select c.oid::regclass::text, string_agg(k.privilege, ', ' order by k.privilege)
  from pg_catalog.pg_class as c
  join unnest(array['delete', 'insert', 'references', 'select', 'trigger', 'truncate', 'update', 'usage']) as k (privilege)
    on case
      when c.relkind = 'S' then k.privilege in ('select', 'update', 'usage') and has_sequence_privilege('service_role', c.oid, k.privilege)
      when k.privilege = 'usage' then false
      when k.privilege in ('select', 'insert', 'update', 'references') then has_any_column_privilege('service_role', c.oid, k.privilege)
      else has_table_privilege('service_role', c.oid, k.privilege)
    end
  where c.relnamespace = p_schema and p_kinds ~ c.relkind::text
    and not exists (select from pg_catalog.pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  group by c.oid
$$;

select is_empty(
  $$ select * from pg_temp.privileges('rpfvm', 'agg') as p where p.privileges <> 'select' $$,
  'service_role may read tables and views of agg and do nothing else to any'
);
select is_empty($$ select * from pg_temp.privileges('S', 'agg') $$, 'service_role may not touch a sequence of agg');
select results_eq(
  $$ select * from pg_temp.privileges('rpfvm', 'public') as p order by 1 $$,
  $$
    values
      ('core_asset_registry_all', 'delete, insert, select, update'),
      ('data_agg_state', 'delete, insert, select, update'),
      ('data_bars', 'delete, insert, select, update'),
      ('derived_data_bars', 'delete, insert, select, update'),
      ('derived_data_bars_revision', 'select')
  $$,
  'service_role reads and writes the tables of the contract, reads revisions, and may neither truncate them nor put triggers on them'
);
select is_empty($$ select * from pg_temp.privileges('S', 'public') $$, 'service_role has no sequence of public');
select results_eq(
  $$
    select p.proname::text collate "default"
    from pg_catalog.pg_proc as p
    where p.pronamespace = 'public'::regnamespace and not has_function_privilege('service_role', p.oid, 'execute')
    order by 1
  $$,
  $$
    values ('disable_broadcast'), ('enable_broadcast'), ('finish_move'), ('grant_operations_access'), ('grant_read_access'), ('install_webhooks'), ('remove_webhooks'), ('revoke_operations_access'), ('revoke_read_access'), ('schedule_jobs'),
      ('undo_move')
  $$,
  'service_role may call every function of public but the owner''s'
);
select is(
  array[
    has_schema_privilege('service_role', 'public', 'create'), has_schema_privilege('service_role', 'agg', 'create'),
    has_schema_privilege('anon', 'agg', 'usage'), has_schema_privilege('authenticated', 'agg', 'usage')
  ],
  array[false, false, false, false], 'service_role creates nothing in public and agg, and only service_role enters agg'
);

-- Returns the SQLSTATE of a statement that service_role runs.
create function pg_temp.try_as_service_role(p_sql text) returns text
language plpgsql as $$
begin
  set local role service_role;
  begin
    execute p_sql;
  exception when others then
    reset role;
    return sqlstate;
  end;
  reset role;
  return 'done';
end;
$$;
select is_empty(
  $$
    select format(w.statement, c.oid::regclass)
    from pg_catalog.pg_class as c
    cross join unnest(array['insert into %s default values', 'delete from %s', 'truncate %s', 'lock table %s in exclusive mode']) as w (statement)
    where c.relnamespace = 'agg'::regnamespace and c.relkind in ('r', 'p')
      and pg_temp.try_as_service_role(format(w.statement, c.oid::regclass)) <> '42501'
  $$,
  'service_role is refused every write to every table of agg'
);
select is_empty(
  $$
    select s.statement
    from unnest(array[
      'create table public.mine ()', 'create table agg.mine ()', 'create function agg.mine() returns int language sql as ''select 1''',
      'truncate public.data_bars', 'alter table public.data_bars disable trigger note_insert',
      'create trigger mine after insert on public.data_bars execute function agg.add_change_notes()',
      'select setval(''agg.change_note_note_id_seq'', 1)', 'drop function public.agg_run_due',
      'select public.schedule_jobs()', 'select public.grant_read_access(''anon'')', 'select public.grant_operations_access(''anon'')', 'select public.revoke_read_access(''anon'')',
      'select public.install_webhooks()', 'select public.enable_broadcast(array[''5m''])', 'select public.disable_broadcast()', 'select public.remove_webhooks()', 'select public.undo_move()', 'select public.finish_move()'
    ]) as s (statement)
    where pg_temp.try_as_service_role(s.statement) <> '42501'
  $$,
  'service_role is refused the building of anything, and what is the owner''s to call'
);

grant insert (kind) on table agg.alert to service_role;
create sequence public.bad_sequence;
grant usage on sequence public.bad_sequence to service_role;
select results_eq(
  $$
    select * from pg_temp.privileges('rpfm', 'agg') as p where p.privileges <> 'select'
    union all
    select * from pg_temp.privileges('S', 'public')
  $$,
  $$ values ('agg.alert', 'insert, select'), ('bad_sequence', 'usage') $$,
  'a grant on a column, and one on a sequence, trip the rules'
);

select * from finish();
rollback;
