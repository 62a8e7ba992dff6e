-- An older deployment: what has names of pgbars in public moves to the schema pgbars_before as it is, and 99_move.sql copies its
-- rows. Does nothing on a database without such tables and functions.
do $$
declare
  v_tables constant text[] := array[
    'data_bars', 'derived_data_bars', 'derived_data_bars_revision', 'data_agg_state', 'core_asset_registry_all'
  ];
  v_functions constant text[] := array[
    '_upsert_derived_bar', 'agg_add_alert_target', 'agg_add_change_note', 'agg_alert_targets', 'agg_alerts', 'agg_asset', 'agg_backfill', 'agg_bar_versions', 'agg_bootstrap_cursor', 'agg_cancel_backfill', 'agg_changes',
    'agg_check', 'agg_claim_deliveries', 'agg_explain', 'agg_finish', 'agg_finish_deliveries', 'agg_fleet', 'agg_gaps', 'agg_get_due_tasks', 'agg_health', 'agg_maintain', 'agg_metrics', 'agg_pause',
    'agg_pending', 'agg_remove_alert_target', 'agg_repair', 'agg_resume', 'agg_run_due', 'agg_runs', 'agg_size', 'agg_start', 'agg_verify', 'aggregate_1m_to_5m_window', 'aggregate_5m_to_1h_window',
    'aggregate_window', 'calc_dxy_range_1m', 'calc_dxy_range_derived', 'catchup_aggregation_range', 'derive_synthetic_range',
    'disable_broadcast', 'enable_broadcast', 'finish_move', 'get_bars', 'grant_operations_access', 'grant_read_access', 'import_calendar', 'install_webhooks', 'move_status', 'remove_webhooks',
    'revoke_operations_access', 'revoke_read_access', 'schedule_jobs', 'sync_agg_state_from_registry', 'undo_move', 'upsert_bars'
  ];
  v_relations oid[];
  v_routines oid[];
  v_search_path constant text := current_setting('search_path');
  v_lockable text[];
  v_until timestamptz;
  v_row record;
begin
  if to_regnamespace('agg') is not null then
    raise exception 'the schema agg exists already'
      using errcode = 'duplicate_schema', hint = 'It is that of pgbars, which is installed then, or one of your own: rename that.';
  end if;
  if to_regnamespace('pgbars_before') is not null then
    raise exception 'the schema pgbars_before exists already'
      using errcode = 'duplicate_schema', hint = 'It holds what an earlier move has set aside. Rename it, or drop it if nothing in it is needed.';
  end if;

  v_relations := array(
    select c.oid
    from pg_catalog.pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relname = any (v_tables) and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by array_position(v_tables, c.relname::text)
  );
  -- Partitions go along.
  v_relations := v_relations || array(
    select t.relid::oid
    from unnest(v_relations) as r (oid)
    cross join lateral pg_partition_tree(r.oid) as t
    join pg_catalog.pg_class as c on c.oid = t.relid and c.relnamespace = 'public'::regnamespace
    where t.level > 0
    order by 1
  );
  v_routines := array(
    select p.oid
    from pg_catalog.pg_proc as p
    where p.pronamespace = 'public'::regnamespace and p.proname = any (v_functions)
      and not exists (
        select from pg_catalog.pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
      )
  );
  -- A table that was renamed keeps the names of its indexes.
  for v_row in
    select i.indexrelid::regclass as index, i.indrelid::regclass as table
    from pg_catalog.pg_index as i
    join pg_catalog.pg_class as c on c.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and i.indrelid <> all (v_relations)
      and c.relname = any (array[
        'core_asset_registry_all_pkey', 'core_asset_registry_all_synthetic_idx', 'data_bars_pkey', 'derived_data_bars_pkey',
        'derived_data_bars_revision_pkey', 'derived_data_bars_revision_replaced_idx',
        'data_agg_state_pkey', 'data_agg_state_queue_idx', 'data_agg_state_sleeping_idx', 'data_agg_state_running_idx',
        'data_agg_state_basket_idx'
      ])
    order by 1
  loop
    raise exception 'the name of the index % is needed, and taken by the table %', v_row.index, v_row.table
      using errcode = 'duplicate_table', hint = format('alter index %s rename to another name.', v_row.index);
  end loop;
  if v_relations = '{}' and v_routines = '{}' then
    return;
  end if;
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'an older deployment is moved in a read committed transaction, not in a %', current_setting('transaction_isolation')
      using errcode = 'active_sql_transaction', hint = 'A snapshot older than the locks on the tables would miss rows.';
  end if;

  raise notice 'an older deployment is moved: its tables stay, and their rows are copied, which needs up to % more on disk', (
    select pg_size_pretty(coalesce(sum(pg_total_relation_size(r.oid)), 0)) from unnest(v_relations) as r (oid)
  );
  -- No row may be written to the tables after they are read. To wait for a table while holding another could end in a deadlock
  -- with a writer: this waits for the first one only, and begins again where it does not get the others at once.
  if current_setting('lock_timeout') = '0' then
    perform set_config('lock_timeout', '30s', true);
  end if;
  v_until := clock_timestamp() + current_setting('lock_timeout')::interval;
  v_lockable := array(
    select c.oid::regclass::text
    from unnest(v_relations) with ordinality as r (oid, position)
    join pg_catalog.pg_class as c on c.oid = r.oid
    where c.relkind in ('r', 'p', 'v')
    order by r.position
  );
  while v_lockable <> '{}' loop
    begin
      execute format('lock table %s in access exclusive mode', v_lockable[1]);
      if cardinality(v_lockable) > 1 then
        execute format('lock table %s in access exclusive mode nowait', array_to_string(v_lockable[2:], ', '));
      end if;
      exit;
    exception when lock_not_available then
      if clock_timestamp() >= v_until then
        raise;
      end if;
    end;
    perform pg_sleep(0.01);
  end loop;
  perform set_config('statement_timeout', '0', true);

  create schema pgbars_before;
  revoke all on schema pgbars_before from public;
  -- Until there are the tables of agg. definition makes the object anew, with the names that it has now.
  create temporary table before_object (
    object_no integer generated always as identity, kind text, parent text, name text, definition text,
    is_taken_over boolean default false, explanation text
  );

  -- Definitions are written with schemas.
  perform set_config('search_path', 'pg_catalog', true);
  insert into before_object (kind, name, explanation)
  select
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end,
    format('public.%I', c.relname), format('is pgbars_before.%I', c.relname)
  from unnest(v_relations) with ordinality as r (oid, position)
  join pg_catalog.pg_class as c on c.oid = r.oid
  order by r.position;
  insert into before_object (kind, name, explanation)
  select 'function', p.oid::regprocedure::text, format('is in pgbars_before; %s', case
    when p.proname in ('_upsert_derived_bar') then 'bars are stored by upsert_bars'
    else format('calls of %s reach that of pgbars', p.proname)
  end)
  from pg_catalog.pg_proc as p
  where p.oid = any (v_routines)
  order by 2;
  -- What reads or feeds the tables from outside.
  insert into before_object (kind, parent, name, definition)
  select
    'reading view', null, v.oid::regclass::text,
    format(
      'create or replace view %s%s as %s', v.oid::regclass, ' with (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid)
    )
  from pg_catalog.pg_class as v
  where v.relkind = 'v' and v.oid <> all (v_relations)
    and exists (
      select
      from pg_catalog.pg_rewrite as w
      join pg_catalog.pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
      where w.ev_class = v.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = any (v_relations)
    )
  order by v.oid;
  insert into before_object (kind, parent, name, definition)
  select
    'foreign key', k.conrelid::regclass::text, quote_ident(k.conname),
    format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
  from pg_catalog.pg_constraint as k
  where k.contype = 'f' and k.confrelid = any (v_relations) and k.conrelid <> all (v_relations) and k.conparentid = 0
  order by k.oid;
  insert into before_object (kind, parent, name, definition)
  select
    'publication', c.oid::regclass::text, quote_ident(b.pubname),
    format(
      'alter publication %I add table %s%s%s', b.pubname, c.oid::regclass,
      (
        select ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')'
        from pg_catalog.pg_attribute as a
        where a.attrelid = c.oid and a.attnum = any (p.prattrs)
      ),
      ' where (' || pg_get_expr(p.prqual, p.prrelid) || ')'
    )
  from pg_catalog.pg_publication_rel as p
  join pg_catalog.pg_publication as b on b.oid = p.prpubid
  join pg_catalog.pg_class as c on c.oid = p.prrelid
  where c.oid = any (v_relations)
  order by b.pubname, c.relname;
  insert into before_object (kind, parent, name, explanation)
  select 'trigger', t.tgrelid::regclass::text, quote_ident(t.tgname), 'stays on the table that was set aside, which no session writes any more'
  from pg_catalog.pg_trigger as t
  where t.tgrelid = any (v_relations) and not t.tgisinternal and t.tgparentid = 0
  order by t.tgrelid::regclass::text, t.tgname;
  perform set_config('search_path', v_search_path, true);

  for v_row in
    select format('alter %s %s set schema pgbars_before', case c.relkind
      when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table'
    end, c.oid::regclass) as command
    from pg_catalog.pg_class as c
    where c.oid = any (v_relations)
    union all
    select format('alter routine %s set schema pgbars_before', r.oid::regprocedure) from unnest(v_routines) as r (oid)
  loop
    execute v_row.command;
  end loop;
end;
$$;
