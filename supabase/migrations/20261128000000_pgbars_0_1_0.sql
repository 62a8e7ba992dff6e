-- Generated from supabase/schemas by `deno task migration`.

set check_function_bodies = off;

-- 00_before.sql
-- An older deployment: what has names of pgbars in public moves to the schema pgbars_before as it is, and 99_move.sql copies its
-- rows. Does nothing on a database without such tables and functions.
do $$
declare
  v_tables constant text[] := array[
    'data_bars', 'derived_data_bars', 'derived_data_bars_revision', 'data_agg_state', 'core_asset_registry_all'
  ];
  v_functions constant text[] := array[
    '_upsert_derived_bar', 'agg_add_change_note', 'agg_alerts', 'agg_backfill', 'agg_bootstrap_cursor', 'agg_cancel_backfill', 'agg_changes',
    'agg_check', 'agg_explain', 'agg_finish', 'agg_gaps', 'agg_get_due_tasks', 'agg_health', 'agg_maintain', 'agg_pause',
    'agg_pending', 'agg_repair', 'agg_resume', 'agg_run_due', 'agg_runs', 'agg_size', 'agg_start', 'agg_verify', 'aggregate_1m_to_5m_window', 'aggregate_5m_to_1h_window',
    'aggregate_window', 'calc_dxy_range_1m', 'calc_dxy_range_derived', 'catchup_aggregation_range', 'derive_synthetic_range',
    'finish_move', 'get_bars', 'grant_operations_access', 'grant_read_access', 'import_calendar', 'install_webhooks', 'move_status', 'remove_webhooks',
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

-- 10_foundation/agg.schema.sql
create schema agg;

comment on schema agg is
  'The engine room of pgbars: window rule, planning, dispatcher, run log, alerts. Not exposed over the Data API.';

-- 10_foundation/roles.schema.sql
-- Supabase brings these roles; a plain Postgres or an embedded one does not.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = v_role) then
      execute pg_catalog.format(
        'create role %I nologin noinherit%s', v_role, case v_role when 'service_role' then ' bypassrls' else '' end
      );
    end if;
  end loop;
end;
$$;

grant usage on schema public to anon, authenticated, service_role;

-- 20_registry/asset_problem.type.sql
create type agg.asset_problem as (
  canonical_symbol text,
  problem text,
  leaves_out text
);

comment on type agg.asset_problem is
  'Something in the metadata of an asset that this version does not understand, and what is left out for it: key (the key is ignored), series (its 1m bars are not computed), asset (its tasks stay as they are).';

-- 30_bars/input_bar.type.sql
create type agg.input_bar as (
  index integer,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  is_partial boolean,
  source text,
  raw jsonb
);

comment on type agg.input_bar is 'A 1m bar as a caller gives it, at the place index from 0.';

-- 30_bars/rejected_bar.type.sql
create type agg.rejected_bar as (
  index integer,
  code text,
  constraint_name text,
  problem text
);

comment on type agg.rejected_bar is
  'Why the bar at the place index is refused: SQLSTATE, the constraint that it breaks (null for another reason), and the problem in words.';

-- 50_changes/changed_span.type.sql
create type agg.changed_span as (
  canonical_symbol text,
  timeframe text,
  spans tstzmultirange,
  changed_at timestamptz,
  failures integer
);

comment on type agg.changed_span is 'Source bars of a task changed in these spans.';

-- 60_sync/task_change.type.sql
create type agg.task_change as (
  action text,
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  run_interval_minutes integer,
  aggregation_delay_seconds integer,
  is_mandatory boolean,
  agg_start_utc timestamptz,
  good_percent smallint,
  poor_percent smallint,
  session_time_zone text,
  session_minutes int4multirange,
  basket jsonb,
  calendar text,
  window_time_zone text,
  window_origin timestamp,
  has_new_windows boolean,
  changed_spans tstzmultirange
);

comment on type agg.task_change is
  'How a task differs from what the registry wants: insert, update, reenable (with what is wanted) or disable (with no more than its key). has_new_windows: it has to start over, since its windows begin elsewhere. changed_spans: where what it has decided must be built again, since rules are new; null where none are.';

-- 70_build/build_request.type.sql
create type agg.build_request as (
  symbols text[],
  timeframe text,
  source_timeframe text,
  window_length interval,
  window_time_zone text,
  window_origin timestamp,
  source_length interval,
  from_utc timestamptz,
  to_utc timestamptz,
  frontier_utc timestamptz,
  clock_utc timestamptz,
  is_limited boolean,
  derivation_version integer,
  good_percent smallint,
  poor_percent smallint,
  session_time_zone text,
  session_minutes int4multirange,
  calendar text,
  is_rebuild boolean
);

comment on type agg.build_request is
'Windows to build for a set of symbols that want the same ones with the same settings: those that start in [from_utc, to_utc).
It carries the whole configuration of the tasks, so that building joins bars on canonical_symbol alone. Null source_timeframe: synthetic series. Null derivation_version: that of the stored bar, otherwise 1. window_time_zone, window_origin: see agg.window_bounds.
Empty windows after the last source bar are decided only if there is another before clock_utc (null: always). frontier_utc is what could be decided; is_limited: to_utc is nearer, since the batch takes no more windows.
is_rebuild: the range begins behind the cursor, or behind what was built ahead of it, and what changes is passed on.';

-- 70_build/build_result.type.sql
create type agg.build_result as (
  symbols text[],
  timeframe text,
  window_length interval,
  window_time_zone text,
  window_origin timestamp,
  from_utc timestamptz,
  to_utc timestamptz,
  windows integer,
  bars integer,
  bars_poor integer,
  inserted integer,
  updated integer,
  removed integer,
  written integer,
  decided_to_utc timestamptz,
  stopped_reason text,
  is_rebuild boolean,
  failed tstzmultirange,
  fail_kind text,
  error text
);

comment on type agg.build_result is
'What came of a build_request for those of its symbols for which the same came of it. Counts are a symbol''s.
windows had source bars; bars of them qualify, bars_poor of these with quality 0; inserted and updated bars were written (the rest stood there already); removed bars qualify no longer; written counts all rows, also of windows with too few minutes for a bar.
decided_to_utc is the end of the last window decided. stopped_reason: see agg.stopped_reason.
failed: the windows that could not be built, and error, the first reason. With a fail_kind (transient, hard) nothing was built at all.';

-- 70_build/synthetic_minute.type.sql
create type agg.synthetic_minute as (
  request_no bigint,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  raw jsonb,
  is_complete boolean,
  change text
);

comment on type agg.synthetic_minute is
  'A minute of a synthetic series in which a component has a bar, and whether it is complete. change says how its bar differs from the stored one: insert, update, remove (then it is the stored bar), null for no difference.';

-- 70_build/window_bar.type.sql
create type agg.window_bar as (
  request_no bigint,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  ends_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  vwap_vol double precision,
  trade_count bigint,
  source_timeframe text,
  source_candles integer,
  expected_candles integer,
  covered_minutes integer,
  expected_minutes integer,
  quality_score smallint,
  derivation_version integer,
  is_partial boolean,
  change text,
  was_bar boolean
);

comment on type agg.window_bar is
  'A window of the request_no-th request, what its minutes make of it (quality_score null: they are too few for a bar), and how the row differs from the stored one: insert, update, remove (the window has no minutes any more; then it is the stored row, with covered_minutes 0), null for not at all. was_bar: the stored row was a bar.';

-- 80_dispatch/batch_result.type.sql
create type agg.batch_result as (
  tasks integer,
  windows bigint,
  bars_created bigint,
  bars_quality_poor bigint,
  bars_corrected bigint,
  failed integer,
  notes bigint,
  windows_backfilled bigint
);

comment on type agg.batch_result is
  'Sums over one batch: tasks worked on, what they built ahead of their cursors, bars that corrections wrote or removed, tasks and corrections that failed, notes read, windows of history built or found as they were.';

-- 90_api/difference.type.sql
create type agg.difference as (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  change text,
  stored jsonb,
  expected jsonb
);

comment on type agg.difference is
  'A stored bar (null: none) that is not what its source makes: change as in agg.window_bar, or failed.';

-- 10_foundation/environment.table.sql
create table agg.environment (
  is_only boolean not null default true,
  env text not null default 'prod',
  lanes smallint not null default 1,
  paused_until timestamptz,
  paused_by text,
  paused_reason text,
  audit_percent smallint not null default 5,
  constraint environment_pkey primary key (is_only),
  constraint environment_is_only_check check (is_only),
  constraint environment_lanes_check check (lanes between 1 and 4),
  constraint environment_pause_check check (num_nulls(paused_until, paused_by, paused_reason) in (0, 3)),
  -- Ten percent of five minutes is half of what agg_maintain may take.
  constraint environment_audit_percent_check check (audit_percent between 0 and 10)
);

insert into agg.environment default values;

alter table agg.environment enable row level security;

create policy service_role_reads on agg.environment for select to service_role using (true);

comment on table agg.environment is
  'The environment that this database works for, how many dispatchers do so, and whether they pause: one row, set by schedule_jobs and agg_pause. Changes of the registry take effect in it. Of this database alone: no publication may hold the table.';
comment on column agg.environment.lanes is 'How many dispatch jobs share the work.';
comment on column agg.environment.paused_until is 'The end of the pause, or of the last one; infinity: until agg_resume. Null: there was none.';
comment on column agg.environment.audit_percent is 'The share of one processor, in percent, that agg_maintain spends on verifying history. 0: none.';

-- 10_foundation/timeframe.table.sql
create table agg.timeframe (
  timeframe text not null,
  duration interval not null,
  source_timeframe text,
  is_mandatory boolean not null,
  constraint timeframe_pkey primary key (timeframe),
  constraint timeframe_duration_key unique (duration),
  constraint timeframe_source_fkey foreign key (source_timeframe) references agg.timeframe (timeframe),
  constraint timeframe_duration_positive check (duration > interval '0')
);

create index timeframe_source_idx on agg.timeframe (source_timeframe);

alter table agg.timeframe enable row level security;

create policy service_role_reads on agg.timeframe for select to service_role using (true);

-- Hours, never days: the length of a day of timestamptz depends on the time zone of the session.
insert into agg.timeframe (timeframe, duration, source_timeframe, is_mandatory) values
  ('1m', interval '1 minute', null, false),
  ('5m', interval '5 minutes', '1m', true),
  ('15m', interval '15 minutes', '5m', false),
  ('30m', interval '30 minutes', '5m', false),
  ('1h', interval '1 hour', '5m', true),
  ('4h', interval '4 hours', '1h', false),
  ('1d', interval '24 hours', '1h', false),
  ('1w', interval '168 hours', '1h', false);

comment on table agg.timeframe is
  'The one list of timeframes: how long each is, what its bars are built from (null for 1m, which is ingested or synthetic) and whether every active asset has it. Windows of up to an hour are aligned in UTC, longer ones on the clock of the asset (metadata.agg.day_close); where these do not hold whole windows of source_timeframe, they are built from the source of that. A further timeframe is a further row. Order timeframes by duration, never by name. agg.check_timeframe says which rows can work.';

-- 20_registry/calendar.table.sql
create table agg.calendar (
  name text not null,
  time_zone text not null,
  day_start time not null default '00:00',
  constraint calendar_pkey primary key (name),
  constraint calendar_name_check check (name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$'),
  constraint calendar_day_start_check check (day_start < '24:00' and date_trunc('minute', day_start::interval) = day_start::interval)
);

alter table agg.calendar enable row level security;

create policy service_role_reads on agg.calendar for select to service_role using (true);

comment on table agg.calendar is
  'Calendars: dated exceptions to weekly sessions, that metadata.agg.calendar names. XNYS and FX come with an installation; import_calendar makes others.';
comment on column agg.calendar.time_zone is 'The zone of all local times of the calendar.';
comment on column agg.calendar.day_start is
  'The local time at which a trading day begins: from 12:00 on on the date before it, otherwise on its date. So a trading day of FX ends at 17:00 of its date.';

-- 20_registry/calendar_day.table.sql
create table agg.calendar_day (
  calendar_day_id bigint generated always as identity,
  calendar text not null,
  day date not null,
  kind text not null,
  opens_at time,
  closes_at time,
  constraint calendar_day_pkey primary key (calendar_day_id),
  constraint calendar_day_key unique nulls not distinct (calendar, day, kind, opens_at),
  constraint calendar_day_calendar_fkey foreign key (calendar) references agg.calendar (name) on delete cascade,
  constraint calendar_day_kind_check check (kind in ('closed', 'early_close', 'late_opening', 'special_opening')),
  constraint calendar_day_times_check check (
    (opens_at is not null) = (kind in ('late_opening', 'special_opening'))
    and (closes_at is not null) = (kind in ('early_close', 'special_opening'))
  )
);

alter table agg.calendar_day enable row level security;

create policy service_role_reads on agg.calendar_day for select to service_role using (true);

comment on table agg.calendar_day is
  'What differs from the weekly session on a trading day of a calendar. First it is closed or cut, then special openings are added.';
comment on column agg.calendar_day.day is 'The date on which the trading day ends, or on which it lies.';
comment on column agg.calendar_day.kind is
  'closed: the whole trading day. early_close: closed from closes_at on. late_opening: closed before opens_at. special_opening: open from opens_at to closes_at, whatever the session says.';
comment on column agg.calendar_day.opens_at is 'Local time within the trading day.';
comment on column agg.calendar_day.closes_at is 'Local time within the trading day; that at which the day begins stands for its end.';

-- 20_registry/core_asset_registry_all.table.sql
create table public.core_asset_registry_all (
  canonical_symbol text not null,
  asset_class text,
  description text,
  active boolean not null default false,
  test_active boolean not null default false,
  is_active boolean generated always as (active) stored,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint core_asset_registry_all_pkey primary key (canonical_symbol),
  constraint core_asset_registry_all_symbol_check check (
    length(canonical_symbol) between 1 and 200 and canonical_symbol = btrim(canonical_symbol) and canonical_symbol !~ '[[:cntrl:]]'
  ),
  constraint core_asset_registry_all_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

-- Every insert of bars asks which series are computed.
create index core_asset_registry_all_synthetic_idx on public.core_asset_registry_all (canonical_symbol)
where metadata -> 'is_synthetic' = 'true';

alter table public.core_asset_registry_all enable row level security;

create policy service_role_writes on public.core_asset_registry_all for all to service_role using (true) with check (true);

comment on table public.core_asset_registry_all is
  'Every asset. sync_agg_state_from_registry turns active assets into tasks; metadata.agg configures them, metadata.components makes an asset synthetic.';
comment on column public.core_asset_registry_all.active is 'Aggregated in every environment but DEV and TEST.';
comment on column public.core_asset_registry_all.test_active is 'Aggregated in the environments DEV and TEST.';
comment on column public.core_asset_registry_all.is_active is 'The same as active, under the name that one of the documents uses.';
comment on column public.core_asset_registry_all.metadata is
  'metadata.agg: enabled, start_utc, mandatory, optional, session, calendar, day_close, quality, sparse, keep, revisions, max_silence. Synthetic series: is_synthetic, components, component_weights, formula_base, derivation_version; derivation_method calc_dxy_range_1m implies the last four.';
comment on constraint core_asset_registry_all_symbol_check on public.core_asset_registry_all is
  'canonical_symbol must have 1 to 200 characters, no control characters and no spaces around it.';
comment on constraint core_asset_registry_all_metadata_is_object on public.core_asset_registry_all is 'metadata must be a JSON object.';

-- 30_bars/data_bars.table.sql
-- In an order that leaves no room between columns: what has no fixed length first, then by alignment. 141 bytes a bar with its
-- line pointer, where the order of the key, prices and the rest takes 149. raw is better {} than null: the first null of a row
-- costs it eight bytes.
create table public.data_bars (
  canonical_symbol text not null,
  timeframe text not null default '1m',
  source text not null default 'ingest',
  raw jsonb not null default '{}',
  is_partial boolean not null default false,
  ts_utc timestamptz not null,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  ingested_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint data_bars_pkey primary key (canonical_symbol, timeframe, ts_utc),
  constraint data_bars_timeframe_check check (timeframe = '1m'),
  constraint data_bars_source_check check (source in ('massive_api', 'ingest', 'synthetic')),
  constraint data_bars_ts_aligned check (
    isfinite(ts_utc) and date_bin(interval '1 minute', ts_utc, timestamptz '2000-01-01 00:00:00+00') = ts_utc
  ),
  -- Room for a span around every bar that a note, a window or a frontier may need.
  constraint data_bars_ts_in_range check (ts_utc >= '1900-01-01 00:00:00+00' and ts_utc < '2200-01-01 00:00:00+00'),
  -- Postgres evaluates checks in the order of their names: a bar with NaN breaks this one before any other of its prices.
  -- The bounds are far beyond every market, and near enough for arithmetic: vwap * vol neither overflows nor underflows,
  -- and the trades of ten years of minutes fit a bigint. Literals are typed: casts would cost every statement microseconds.
  constraint data_bars_finite_prices check (
    abs(open) < '1e50'::double precision and abs(high) < '1e50'::double precision
    and abs(low) < '1e50'::double precision and abs(close) < '1e50'::double precision
  ),
  constraint data_bars_high_covers check (high >= open and high >= close),
  constraint data_bars_low_covers check (low <= open and low <= close and low <= high),
  constraint data_bars_vol_in_range check (
    vol = '0'::double precision or (vol >= '1e-50'::double precision and vol <= '1e50'::double precision)
  ),
  constraint data_bars_vwap_in_range check (
    vwap = '0'::double precision or (abs(vwap) >= '1e-50'::double precision and abs(vwap) <= '1e50'::double precision)
  ),
  constraint data_bars_trade_count_in_range check (trade_count >= 0 and trade_count <= 1000000000000)
);

alter table public.data_bars enable row level security;

create policy service_role_writes on public.data_bars for all to service_role using (true) with check (true);

comment on table public.data_bars is
  'Every 1m bar, ingested or synthetic, stamped with the start of its minute in UTC. vol, vwap and trade_count are null where unknown. upsert_bars answers with the comments of the checks.';
comment on constraint data_bars_timeframe_check on public.data_bars is 'timeframe must be 1m.';
comment on constraint data_bars_source_check on public.data_bars is 'source must be massive_api, ingest or synthetic.';
comment on constraint data_bars_ts_aligned on public.data_bars is 'ts_utc must be a whole minute.';
comment on constraint data_bars_ts_in_range on public.data_bars is 'ts_utc must lie in the years 1900 to 2199.';
comment on constraint data_bars_finite_prices on public.data_bars is 'open, high, low and close must be finite, between -1e50 and 1e50.';
comment on constraint data_bars_high_covers on public.data_bars is 'high must not be below open or close.';
comment on constraint data_bars_low_covers on public.data_bars is 'low must not be above open, close or high.';
comment on constraint data_bars_vol_in_range on public.data_bars is 'vol must be 0, or from 1e-50 to 1e50.';
comment on constraint data_bars_vwap_in_range on public.data_bars is 'vwap must be 0, or from 1e-50 to 1e50 above or below it.';
comment on constraint data_bars_trade_count_in_range on public.data_bars is 'trade_count must be from 0 to 1000000000000.';

-- 30_bars/derived_data_bars.table.sql
-- In an order that leaves no room between columns, as in data_bars: 181 bytes a bar, not 200.
create table public.derived_data_bars (
  canonical_symbol text not null,
  timeframe text not null,
  source_timeframe text not null,
  source text not null default 'aggregated',
  raw jsonb not null default '{}',
  is_partial boolean not null default false,
  quality_score smallint,
  source_candles integer not null,
  expected_candles integer not null,
  covered_minutes integer not null,
  expected_minutes integer not null,
  derivation_version integer not null default 1,
  ts_utc timestamptz not null,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  vwap_vol double precision,
  trade_count bigint,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint derived_data_bars_pkey primary key (canonical_symbol, timeframe, ts_utc),
  constraint derived_data_bars_timeframe_check check (
    -- Most bars, before the pattern, which costs more.
    timeframe = '5m' or (timeframe ~ '^[1-9][0-9]{0,3}[mhdw]$' and timeframe <> '1m')
  ),
  constraint derived_data_bars_ts_aligned check (
    isfinite(ts_utc) and date_bin(
      case timeframe
        when '5m' then interval '5 minutes'
        when '1h' then interval '1 hour'
        when '15m' then interval '15 minutes'
        when '30m' then interval '30 minutes'
        else interval '1 minute'
      end,
      ts_utc, timestamptz '2000-01-03 00:00:00+00'
    ) = ts_utc
  ),
  constraint derived_data_bars_finite_prices check (
    abs(open) < 'infinity' and abs(high) < 'infinity' and abs(low) < 'infinity' and abs(close) < 'infinity'
  ),
  constraint derived_data_bars_high_covers check (high >= open and high >= close),
  constraint derived_data_bars_low_covers check (low <= open and low <= close and low <= high),
  -- Sums of minutes: data_bars bounds what they are made of.
  constraint derived_data_bars_vwap_finite check (vwap < 'infinity' and vwap > '-infinity'),
  constraint derived_data_bars_vol_not_negative check (vol >= 0 and vol < 'infinity'),
  constraint derived_data_bars_trade_count_not_negative check (trade_count >= 0),
  constraint derived_data_bars_vwap_vol_finite check (vwap_vol >= 0 and vwap_vol < 'infinity'),
  constraint derived_data_bars_quality_check check (
    quality_score in (0, 1, 2) and (quality_score is not null or deleted_at is not null)
  ),
  constraint derived_data_bars_counts_check check (
    source_candles >= 0 and expected_candles >= 0 and covered_minutes >= 0 and expected_minutes >= 0
    and (deleted_at is not null or covered_minutes > 0)
  )
);

alter table public.derived_data_bars enable row level security;

create policy service_role_writes on public.derived_data_bars for all to service_role using (true) with check (true);

comment on table public.derived_data_bars is
  'Every bar longer than 1m, written by the window rule alone, stamped with the start of its window in UTC. A row with deleted_at is no bar: its window has too few minutes (covered_minutes says how many; longer bars are built from them), or has lost them all.';
comment on column public.derived_data_bars.source_candles is 'Bars of source_timeframe that went into this bar.';
comment on column public.derived_data_bars.covered_minutes is 'Minutes of the window that have a 1m bar. 0: the window has lost its minutes, and the other columns are what they were.';
comment on column public.derived_data_bars.vwap_vol is 'The volume of the minutes that have both a vwap and a volume above 0: the weight of vwap. Null where no minute has both.';
comment on column public.derived_data_bars.expected_minutes is 'Minutes of the window in which the trading session of the asset is open.';
comment on column public.derived_data_bars.is_partial is 'A 1m bar that went into this bar was partial: its minute had not ended when it was taken.';
comment on column public.derived_data_bars.quality_score is
  '2 excellent: every expected minute is covered; 1 good: at least 80 %; 0 poor: at least 60 % (thresholds: metadata.agg.quality); null: fewer, no bar.';
comment on constraint derived_data_bars_timeframe_check on public.derived_data_bars is 'timeframe must be a number of m, h, d or w, and longer than 1m.';
comment on constraint derived_data_bars_ts_aligned on public.derived_data_bars is 'ts_utc must be the start of a window of its timeframe. Above 1h the asset says where windows start: then it must be a whole minute.';
comment on constraint derived_data_bars_finite_prices on public.derived_data_bars is 'open, high, low and close must be finite.';
comment on constraint derived_data_bars_high_covers on public.derived_data_bars is 'high must not be below open or close.';
comment on constraint derived_data_bars_low_covers on public.derived_data_bars is 'low must not be above open, close or high.';
comment on constraint derived_data_bars_vwap_finite on public.derived_data_bars is 'vwap must be finite.';
comment on constraint derived_data_bars_vol_not_negative on public.derived_data_bars is 'vol must be finite and not negative.';
comment on constraint derived_data_bars_trade_count_not_negative on public.derived_data_bars is 'trade_count must not be negative.';
comment on constraint derived_data_bars_quality_check on public.derived_data_bars is 'quality_score must be 0, 1 or 2, and null only where deleted_at is set.';
comment on constraint derived_data_bars_vwap_vol_finite on public.derived_data_bars is 'vwap_vol must be finite and not negative.';
comment on constraint derived_data_bars_counts_check on public.derived_data_bars is 'counts must not be negative, and a bar must have minutes.';

-- 30_bars/derived_data_bars_revision.table.sql
create table public.derived_data_bars_revision (
  canonical_symbol text not null,
  timeframe text not null,
  ts_utc timestamptz not null,
  replaced_at timestamptz not null,
  written_at timestamptz not null,
  deleted_at timestamptz,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  covered_minutes integer not null,
  expected_minutes integer not null,
  quality_score smallint,
  is_partial boolean not null,
  reason text not null,
  constraint derived_data_bars_revision_pkey primary key (canonical_symbol, timeframe, ts_utc, replaced_at),
  constraint derived_data_bars_revision_span_check check (written_at < replaced_at),
  constraint derived_data_bars_revision_reason_check check (
    reason in ('late_minutes', 'lost_minutes', 'changed_minutes', 'new_rules', 'by_hand', 'deleted')
  )
);

-- For agg_changes and for pruning. Written in order, and a transaction writes one value.
create index derived_data_bars_revision_replaced_idx on public.derived_data_bars_revision (replaced_at);

alter table public.derived_data_bars_revision enable row level security;

create policy service_role_reads on public.derived_data_bars_revision for select to service_role using (true);

comment on table public.derived_data_bars_revision is
  'What rows of derived_data_bars were before they changed, written by a trigger. A bar was stored so from written_at up to replaced_at. Both are the time at which the transaction that wrote began: a reader saw the change when that committed. A first build writes no revision. Kept for 400 days, or as metadata.agg.revisions says.';
comment on column public.derived_data_bars_revision.written_at is 'updated_at of the bar.';
comment on column public.derived_data_bars_revision.replaced_at is 'updated_at of what came after it; where the row was deleted, when.';
comment on column public.derived_data_bars_revision.deleted_at is 'Not null: there was no bar.';
comment on column public.derived_data_bars_revision.reason is
  'late_minutes: the bar after it covers more minutes; lost_minutes: fewer; changed_minutes: as many, with other values; new_rules: the registry says something else of the same minutes; by_hand: another writer than the builder changed the row; deleted: the row was deleted.';
comment on constraint derived_data_bars_revision_span_check on public.derived_data_bars_revision is 'written_at must be before replaced_at.';

-- 30_bars/floor.table.sql
create table agg.floor (
  canonical_symbol text not null,
  timeframe text not null,
  floor_utc timestamptz not null,
  constraint floor_pkey primary key (canonical_symbol, timeframe)
);

-- Every insert of bars asks for the latest floor, and for no other where its first bar lies behind none.
create index floor_latest_idx on agg.floor (timeframe, floor_utc);

alter table agg.floor enable row level security;

create policy service_role_reads on agg.floor for select to service_role using (true);

comment on table agg.floor is
  'Bars of a symbol and a timeframe that are not kept: those before floor_utc (metadata.agg.keep). Raised and never lowered by agg_maintain, which then removes what lies behind. Tasks that make or read these bars start at it, so that nothing behind it is built again; minutes behind it are refused.';

-- 40_tasks/data_agg_state.table.sql
create table public.data_agg_state (
  canonical_symbol text not null,
  timeframe text not null,
  source_timeframe text not null,
  run_interval_minutes integer not null,
  aggregation_delay_seconds integer not null default 300,
  last_agg_bar_ts_utc timestamptz not null,
  built_to_utc timestamptz,
  agg_start_utc timestamptz not null default '2025-07-01 00:00:00+00',
  status text not null default 'idle',
  next_run_at timestamptz not null default now(),
  running_started_at_utc timestamptz,
  enabled boolean not null default true,
  is_mandatory boolean not null default false,
  task_priority integer not null default 100,
  good_percent smallint not null default 80,
  poor_percent smallint not null default 60,
  session_time_zone text,
  session_minutes int4multirange,
  basket jsonb,
  fail_streak integer not null default 0,
  hard_fail_streak integer not null default 0,
  total_runs bigint not null default 0,
  total_bars_created bigint not null default 0,
  total_bars_quality_poor bigint not null default 0,
  last_attempted_at_utc timestamptz,
  last_successful_at_utc timestamptz,
  last_stopped_reason text,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  failing_since_utc timestamptz,
  window_time_zone text,
  window_origin timestamp not null default '2000-01-03 00:00:00',
  calendar text,
  constraint data_agg_state_pkey primary key (canonical_symbol, timeframe),
  -- A pattern and no foreign key: the index that a key wants would be written with every move of a cursor. The pattern costs
  -- more than a list of what most tasks have.
  constraint data_agg_state_timeframe_check check (timeframe in ('1m', '5m', '1h') or timeframe ~ '^[1-9][0-9]{0,3}[mhdw]$'),
  constraint data_agg_state_source_timeframe_check check (
    source_timeframe in ('1m', '5m', '1h') or source_timeframe ~ '^[1-9][0-9]{0,3}[mhdw]$'
  ),
  constraint data_agg_state_status_check check (status in ('idle', 'running', 'disabled', 'hard_failed')),
  constraint data_agg_state_running_has_start check (status <> 'running' or running_started_at_utc is not null),
  constraint data_agg_state_interval_positive check (run_interval_minutes > 0),
  constraint data_agg_state_delay_not_negative check (aggregation_delay_seconds >= 0),
  constraint data_agg_state_cursor_aligned check (
    -- What a local clock shows is no matter for a check: it changes with the list of time zones.
    run_interval_minutes <= 0 or window_time_zone is not null
    or date_bin(make_interval(mins => run_interval_minutes), last_agg_bar_ts_utc, window_origin at time zone 'UTC') = last_agg_bar_ts_utc
  ),
  constraint data_agg_state_percents_check check (poor_percent between 0 and good_percent and good_percent <= 100),
  constraint data_agg_state_session_check check ((session_time_zone is null) = (session_minutes is null)),
  -- No count from outside may make a sum of the dispatcher overflow.
  constraint data_agg_state_counts_check check (
    total_runs between 0 and 1000000000000000 and total_bars_created between 0 and 1000000000000000
    and total_bars_quality_poor between 0 and 1000000000000000 and fail_streak <= 1000001
  ),
  constraint data_agg_state_streaks_check check (hard_fail_streak between 0 and fail_streak)
);

-- The order of claims. A run that finds nothing due reads this and the next index, and no task. The one index beside the key
-- that is written when a cursor moves.
create index data_agg_state_queue_idx on public.data_agg_state (is_mandatory, run_interval_minutes, task_priority, next_run_at)
  where enabled and status in ('idle', 'hard_failed');

-- Tasks that sleep, and what they wait for.
create index data_agg_state_sleeping_idx on public.data_agg_state (canonical_symbol, source_timeframe)
  where next_run_at = 'infinity' and enabled and status in ('idle', 'hard_failed');

create index data_agg_state_running_idx on public.data_agg_state (running_started_at_utc) where status = 'running';

-- Every change of a bar asks which baskets it is in; few of many tasks have one.
create index data_agg_state_basket_idx on public.data_agg_state (canonical_symbol) where basket is not null;

alter table public.data_agg_state enable row level security;

create policy service_role_writes on public.data_agg_state for all to service_role using (true) with check (true);

comment on table public.data_agg_state is
  'One row a task: build timeframe bars of canonical_symbol from its source_timeframe. Follows the registry through sync_agg_state_from_registry.';
comment on column public.data_agg_state.last_agg_bar_ts_utc is
  'The cursor: the start of the last window that was decided. The next window starts at cursor + interval.';
comment on column public.data_agg_state.built_to_utc is
  'The end of the windows that were built ahead of the cursor: by a worker that has not stored its cursor, by hand, or before a reset. Corrections reach up to it. Null: none were.';
comment on column public.data_agg_state.next_run_at is
  'When a dispatcher takes the task. infinity: it sleeps, until a change note or its source task wakes it.';
comment on column public.data_agg_state.agg_start_utc is 'Nothing is built before this instant: the start that the registry says, or a later floor of agg.floor.';
comment on column public.data_agg_state.aggregation_delay_seconds is 'A window is decided once its end is this many seconds old.';
comment on column public.data_agg_state.enabled is
  'Whether the registry wants the task. An enabled task with status disabled is an optional one that failed three times in a row.';
comment on column public.data_agg_state.task_priority is 'Lower runs first, after mandatory and timeframe.';
comment on column public.data_agg_state.good_percent is 'Least coverage, in percent, of a good bar (quality 1).';
comment on column public.data_agg_state.poor_percent is 'Least coverage, in percent, of any bar (quality 0). 0: any minute makes a bar, since minutes without a trade have none (metadata.agg.sparse), and no bar is poor.';
comment on column public.data_agg_state.session_minutes is
  'Open minutes of the local week (0 is Monday 00:00 in session_time_zone); null is 24x7.';
comment on column public.data_agg_state.window_time_zone is
  'The zone on whose wall clock windows begin at window_origin plus or minus whole intervals; null is UTC.';
comment on column public.data_agg_state.window_origin is 'A local time at which a window begins.';
comment on column public.data_agg_state.calendar is 'The calendar of dated exceptions to the session; null: none.';
comment on column public.data_agg_state.basket is
  'What the registry said of a synthetic series at the last sync, to compare with; null for other tasks.';
comment on column public.data_agg_state.fail_streak is 'Failures in a row, of any kind: sets the backoff. A success clears it.';
comment on column public.data_agg_state.failing_since_utc is 'When the failures in a row began, on the dispatcher''s clock; null after a success.';
comment on column public.data_agg_state.hard_fail_streak is 'Hard failures since the last success.';

-- 50_changes/change_note.table.sql
create table agg.change_note (
  note_id bigint generated always as identity,
  changed_at timestamptz not null default now(),
  symbols text[],
  from_utc timestamptz[] not null,
  to_utc timestamptz[],
  is_built boolean not null default false,
  is_folded boolean not null default false,
  constraint change_note_pkey primary key (note_id),
  constraint change_note_spans_check check (
    cardinality(from_utc) = case when symbols is null then 1 else cardinality(symbols) end
    and cardinality(from_utc) = coalesce(cardinality(to_utc), cardinality(from_utc))
  )
-- Compressing a note of a hundred rows would cost more than half of what the note costs.
) with (toast_tuple_target = 8160);

alter table agg.change_note enable row level security;

create policy service_role_reads on agg.change_note for select to service_role using (true);

comment on table agg.change_note is
  'What statements changed in data_bars, until a dispatcher reads it: the n-th symbol changed in [n-th from_utc, n-th to_utc). Written in the transaction of the change: a row a statement, or one for every 1,000 runs of minutes.';
comment on column agg.change_note.symbols is 'Null: every symbol.';
comment on column agg.change_note.to_utc is 'Null: each span is the one minute that starts at its from_utc.';
comment on column agg.change_note.is_built is
  'The builder of a synthetic series wrote these minutes itself: the task of the series need not look at them again.';
comment on column agg.change_note.is_folded is 'Made of other notes, which no dispatcher had read for ten minutes.';

-- 50_changes/correction.table.sql
create table agg.correction (
  canonical_symbol text not null,
  timeframe text not null,
  correction_id bigint generated always as identity,
  spans tstzmultirange not null,
  changed_at timestamptz not null,
  failures integer not null default 0,
  retry_at timestamptz not null default '-infinity',
  error text,
  is_backfill boolean not null default false,
  constraint correction_pkey primary key (canonical_symbol, timeframe, correction_id),
  constraint correction_spans_not_empty check (not isempty(spans))
);

alter table agg.correction enable row level security;

create policy service_role_reads on agg.correction for select to service_role using (true);

comment on table agg.correction is
  'Spans in which a task has to build decided windows again. To add a row needs no lock; to remove one needs the row lock of the task.';
comment on column agg.correction.failures is 'Failures in a row; error is the last one.';
comment on column agg.correction.is_backfill is 'History: built when no task is due and no other correction waits.';
comment on column agg.correction.retry_at is 'Not tried before this instant, on the dispatcher''s clock.';

-- 80_dispatch/alert.table.sql
create table agg.alert (
  alert_id bigint generated always as identity,
  kind text not null,
  canonical_symbol text not null,
  timeframe text not null,
  severity text not null default 'warning',
  message text not null,
  raised_at timestamptz not null,
  resolved_at timestamptz,
  constraint alert_pkey primary key (alert_id),
  constraint alert_kind_check check (kind in (
    'hard_failed', 'disabled', 'failing', 'behind', 'no_data', 'poor_quality', 'slow',
    'metadata', 'uncorrected', 'unread', 'unregistered', 'unsynced', 'wrong'
  )),
  constraint alert_severity_check check (severity in ('critical', 'warning'))
);

create unique index alert_open_idx on agg.alert (kind, canonical_symbol, timeframe) where resolved_at is null;

alter table agg.alert enable row level security;

create policy service_role_reads on agg.alert for select to service_role using (true);

comment on table agg.alert is
  'What needs attention: raised once, updated while its cause is there, resolved when its cause is gone, deleted by agg_maintain 90 days later. timeframe * concerns all of an asset, symbol * all of the database.';
comment on column agg.alert.severity is 'critical: bars are missing, or are about to be. warning: it can wait for the morning.';

-- 80_dispatch/allowed_silence.table.sql
create table agg.allowed_silence (
  canonical_symbol text not null,
  silence interval not null,
  measured_at timestamptz not null,
  constraint allowed_silence_pkey primary key (canonical_symbol)
);

alter table agg.allowed_silence enable row level security;

create policy service_role_reads on agg.allowed_silence for select to service_role using (true);

comment on table agg.allowed_silence is
  'For how much open time a series of 1m bars may be silent before the alert no_data: its own longest gap of four weeks, measured once a day.';

-- 80_dispatch/audit.table.sql
create table agg.audit (
  canonical_symbol text not null,
  added_at timestamptz not null,
  audited_at timestamptz not null default '-infinity',
  next_utc timestamptz,
  round_started_at timestamptz,
  verified_since timestamptz,
  wrong_timeframes text[] not null default '{}',
  error text,
  constraint audit_pkey primary key (canonical_symbol)
);

alter table agg.audit enable row level security;

create policy service_role_reads on agg.audit for select to service_role using (true);

comment on table agg.audit is
  'How far agg_maintain has verified the history of each asset that has tasks to run: newest bars first, then round and round. Times are those of the clock that agg_maintain was given.';
comment on column agg.audit.next_utc is 'The round under way has verified the bars from here on. Null: no round is under way.';
comment on column agg.audit.round_started_at is 'When the round under way began, or the last one.';
comment on column agg.audit.verified_since is 'When the last complete round began: every bar has been verified since. Null: no round is complete.';
comment on column agg.audit.audited_at is 'When its last slice was verified. The next is one of the asset that has waited longest.';
comment on column agg.audit.wrong_timeframes is 'Timeframes in which the round under way has found wrong bars.';
comment on column agg.audit.error is 'Why its last slice could not be verified.';

-- 80_dispatch/run_log.table.sql
create table agg.run_log (
  run_id bigint generated always as identity,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  env text not null,
  lane smallint not null default 1,
  batches integer not null,
  tasks integer not null,
  windows bigint not null,
  bars_created bigint not null,
  bars_quality_poor bigint not null,
  bars_corrected bigint not null,
  failed integer not null,
  windows_backfilled bigint not null default 0,
  stopped_reason text not null,
  constraint run_log_pkey primary key (run_id),
  constraint run_log_stopped_reason_check check (stopped_reason in ('idle', 'one_batch', 'time_budget', 'busy', 'paused'))
);

create index run_log_finished_at_idx on agg.run_log (finished_at);

alter table agg.run_log enable row level security;

create policy service_role_reads on agg.run_log for select to service_role using (true);

comment on table agg.run_log is 'One row a call of agg_run_due, kept for 14 days by agg_maintain; the dispatch job calls it once a batch, so that the last row of a minute and lane says idle, unless the job ran out of time. Times are the wall clock.';

-- 85_move/move.table.sql
create table agg.move (
  is_only boolean not null default true,
  moved_at timestamptz not null,
  moved_xid xid not null,
  constraint move_pkey primary key (is_only),
  constraint move_is_only_check check (is_only)
);

alter table agg.move enable row level security;

create policy service_role_reads on agg.move for select to service_role using (true);

comment on table agg.move is
  'One row while an older deployment is set aside in the schema pgbars_before: when it was moved. Minutes that another transaction has written are younger than the move.';

-- 85_move/moved_object.table.sql
create table agg.moved_object (
  moved_object_id integer generated always as identity,
  kind text not null,
  parent text,
  name text not null,
  definition text,
  is_taken_over boolean not null,
  explanation text not null,
  constraint moved_object_pkey primary key (moved_object_id),
  constraint moved_object_kind_check check (kind in (
    'table', 'view', 'materialized view', 'foreign table', 'function', 'reading view', 'foreign key', 'publication', 'trigger', 'reader',
    'job', 'asset', 'bars of'
  ))
);

alter table agg.moved_object enable row level security;

create policy service_role_reads on agg.moved_object for select to service_role using (true);

comment on table agg.moved_object is
  'What else the move of an older deployment has touched: what was set aside, and what read or fed it. Empty where none is set aside.';
comment on column agg.moved_object.parent is 'The table that the object belongs to, or the number of a job.';
comment on column agg.moved_object.definition is 'The statement that makes the object anew. Run before undo_move it goes by the new tables, in it by the old ones.';

-- 85_move/moved_row.table.sql
create table agg.moved_row (
  moved_row_id integer generated always as identity,
  table_name text not null,
  is_taken_over boolean not null,
  rows bigint not null,
  explanation text not null,
  constraint moved_row_pkey primary key (moved_row_id)
);

alter table agg.moved_row enable row level security;

create policy service_role_reads on agg.moved_row for select to service_role using (true);

comment on table agg.moved_row is
  'What became of the rows of an older deployment when it was moved: how many of which table were taken over, or stayed, and why. Empty where none is set aside.';

-- 10_foundation/check_timeframe.sql
create function agg.check_timeframe()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source_length interval;
  v_is_source_mandatory boolean;
  -- In the largest unit that divides it.
  v_minutes constant bigint := extract(epoch from new.duration)::bigint / 60;
  v_name constant text := case
    when mod(v_minutes, 10080) = 0 then v_minutes / 10080 || 'w'
    when mod(v_minutes, 1440) = 0 then v_minutes / 1440 || 'd'
    when mod(v_minutes, 60) = 0 then v_minutes / 60 || 'h'
    else v_minutes || 'm'
  end;
  v_problem text;
  v_user text;
begin
  if tg_op = 'TRUNCATE' then
    raise exception 'agg.timeframe cannot be truncated: tasks and bars refer to it' using errcode = 'object_in_use';
  end if;

  if tg_op <> 'INSERT' and (
    tg_op = 'DELETE'
    or (new.timeframe, new.duration, new.source_timeframe) is distinct from (old.timeframe, old.duration, old.source_timeframe)
  ) then
    v_user := case
      when exists (
        select from public.data_agg_state as s where old.timeframe in (s.timeframe, s.source_timeframe)
      ) then 'tasks'
      when exists (select from public.derived_data_bars as d where d.timeframe = old.timeframe)
        or (old.timeframe = '1m' and exists (select from public.data_bars as d)) then 'bars'
      when exists (select from agg.timeframe as t where t.source_timeframe = old.timeframe) then 'other timeframes'
    end;
    if v_user is not null then
      raise exception 'timeframe % cannot be %: % refer to it',
        old.timeframe, case tg_op when 'DELETE' then 'deleted' else 'changed' end, v_user
        using errcode = 'object_in_use', hint = 'Only is_mandatory can change while a timeframe is in use.';
    end if;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;

  select t.duration, t.is_mandatory into v_source_length, v_is_source_mandatory
  from agg.timeframe as t
  where t.timeframe = new.source_timeframe;
  v_problem := case
    when extract(year from new.duration) <> 0 or extract(month from new.duration) <> 0 then 'a month has no fixed length'
    when new.duration <= interval '0' or mod(extract(epoch from new.duration), 60) <> 0
      then 'its length must be one or more whole minutes'
    when new.duration <= interval '1 hour' and mod(60 * 60, extract(epoch from new.duration)) <> 0 then 'its length must divide an hour'
    when new.duration < interval '2 hours' and new.duration > interval '1 hour'
      then 'windows on a local clock must be longer than a change of the clock'
    when new.duration <= interval '24 hours' and mod(24 * 60 * 60, extract(epoch from new.duration)) <> 0
      then 'its length must divide a day'
    when new.duration > interval '24 hours' and mod(extract(epoch from new.duration), 7 * 24 * 60 * 60) <> 0
      then 'beyond a day its length must be whole weeks'
    when (new.source_timeframe is null) <> (new.timeframe = '1m')
      then '1m is built from no other timeframe, and every other timeframe from one'
    when new.source_timeframe is not null and v_source_length is null
      then format('its source %s is not a timeframe', new.source_timeframe)
    when v_source_length > interval '1 hour' then format('its source %s is longer than an hour', new.source_timeframe)
    when new.source_timeframe <> '1m' and not v_is_source_mandatory
      then format('its source %s is not there for every asset', new.source_timeframe)
    when v_source_length >= new.duration or mod(extract(epoch from new.duration), extract(epoch from v_source_length)) <> 0
      then format('its length must be a multiple of its source %s', new.source_timeframe)
    when new.timeframe <> v_name then format('its name must be %s, which says its length', v_name)
  end;
  if v_problem is not null then
    raise exception 'timeframe % of % cannot work: %', new.timeframe, new.duration, v_problem
      using errcode = 'invalid_parameter_value';
  end if;
  -- Hours, never days: the length of a day of timestamptz depends on the time zone of the session.
  new.duration := make_interval(secs => extract(epoch from new.duration)::double precision);
  return new;
end;
$$;

create trigger check_row before insert or update or delete on agg.timeframe
  for each row execute function agg.check_timeframe();

create trigger check_truncate before truncate on agg.timeframe
  for each statement execute function agg.check_timeframe();

comment on function agg.check_timeframe is
  'Refuses a timeframe that cannot work, and a change of one that is in use, with the reason: invalid_parameter_value, object_in_use. A further timeframe is a further row.';

-- 10_foundation/count_in_batch.sql
create function agg.count_in_batch(p_counter text)
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select set_config(
    'pgbars.' || p_counter, (coalesce(nullif(current_setting('pgbars.' || p_counter, true), ''), '0')::integer + 1)::text, true
  )::integer;
$$;

comment on function agg.count_in_batch is
'Adds one to a counter of the transaction, and returns it. agg.run_batch sets the counters lock_waits and failed_builds to 0.';

-- 10_foundation/current_env.sql
create function agg.current_env(p_env text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(p_env, (select e.env from agg.environment as e), 'prod');
end;
$$;

comment on function agg.current_env is
'Returns p_env, or the environment of the database where p_env is null.';

-- 10_foundation/fail_kind.sql
create function agg.fail_kind(p_sqlstate text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when left(p_sqlstate, 2) in ('08', '40', '53', '57', '58') or p_sqlstate in ('55P03', '23505') then 'transient'
    else 'hard'
  end;
$$;

comment on function agg.fail_kind is
'Says whether an error is transient or hard.
Transient errors may pass by themselves: connection, serialization, resources, operator, lock, a bar that another session has just stored. All others are hard. A cancelled statement is neither: it ends the run.';

-- 10_foundation/instant_of.sql
-- Temporal calls this rule "compatible". Postgres itself takes the later of two.
create function agg.instant_of(p_wall timestamp, p_time_zone text)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_zone constant text := coalesce(p_time_zone, 'UTC');
  v_latest constant timestamptz := p_wall at time zone v_zone;
  -- Hours, since a day of timestamptz has the length that the time zone of the session gives it.
  v_day_before constant timestamptz := v_latest - interval '24 hours';
  -- What the offset of the day before makes of p_wall.
  v_earlier constant timestamptz := v_day_before + (p_wall - (v_day_before at time zone v_zone));
begin
  if v_earlier < v_latest and v_earlier at time zone v_zone = p_wall then
    return v_earlier;
  end if;
  return v_latest;
end;
$$;

comment on function agg.instant_of is
'The instant at which a wall clock shows p_wall: where it shows it twice, the earlier one; where it never shows it, what the offset before the change makes of it. A null zone is UTC. The one rule for every boundary that is given as a local time.';

-- 10_foundation/instant_pattern.sql
create function agg.instant_pattern()
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)? ?([Zz]|[Uu][Tt][Cc]|[+-][0-9]{2}(:?[0-9]{2})?)$';
$$;

comment on function agg.instant_pattern is
  'How an instant is written: ISO 8601 date and time with its zone. T or a space stands between them; seconds may be left out; beyond microseconds a fraction has zeros only. The zone is Z, UTC or an offset such as +00, +0000 or +00:00; one space may stand before it.';

-- 10_foundation/is_number_between.sql
create function agg.is_number_between(p_value jsonb, p_least numeric, p_most numeric)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case jsonb_typeof(p_value) when 'number' then p_value::numeric between p_least and p_most else false end;
$$;

comment on function agg.is_number_between is 'Whether a JSON value is a number from p_least to p_most; false for null and everything else.';

-- 10_foundation/is_paused.sql
create function agg.is_paused(p_now timestamptz)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from agg.environment as e where e.paused_until > p_now);
$$;

comment on function agg.is_paused is 'Whether this database pauses at p_now: agg_pause has said so, and neither the end has come nor agg_resume.';

-- 10_foundation/is_test.sql
create function agg.is_test(p_env text)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select upper(p_env) in ('DEV', 'TEST');
$$;

comment on function agg.is_test is
'Says whether an environment goes by test_active: DEV and TEST do, in any case.';

-- 10_foundation/read_count.sql
create function agg.read_count(p_stats jsonb, p_key text)
returns integer
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_value constant jsonb := nullif(p_stats -> p_key, 'null');
begin
  if v_value is null then
    return null;
  end if;
  if not agg.is_number_between(v_value, 0, 1000000000) or v_value::numeric <> trunc(v_value::numeric) then
    raise exception '% must be a whole number from 0 to 1000000000, not %', p_key, left(v_value::text, 100)
      using errcode = 'invalid_parameter_value';
  end if;
  return v_value::numeric::integer;
end;
$$;

comment on function agg.read_count is
'The count that a JSON object holds under a key: a whole number from 0 to 10^9 in any spelling; null where there is none. Raises invalid_parameter_value for anything else.';

-- 10_foundation/require_fresh_snapshots.sql
create function agg.require_fresh_snapshots()
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'bars are built in read committed transactions only, not in %', current_setting('transaction_isolation')
      using errcode = 'active_sql_transaction',
        hint = 'A snapshot older than the lock on a task may miss bars whose change notes are already read.';
  end if;
end;
$$;

comment on function agg.require_fresh_snapshots is
'Raises active_sql_transaction in a transaction that keeps one snapshot (repeatable read, serializable): a build must see what was committed before its task was locked.';

-- 10_foundation/retry_delay.sql
create function agg.retry_delay(p_failures integer, p_fail_kind text)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case p_fail_kind
    when 'transient' then interval '1 minute'
    else least(interval '1 hour', interval '1 minute' * 2 ^ least(p_failures, 6))
  end;
$$;

comment on function agg.retry_delay is
'How long to wait after a failure of p_fail_kind that followed p_failures hard ones in a row.
A transient failure: a minute, so that bars are back soon after what was in the way is gone. A hard one: a minute, doubled each time, at most an hour.';

-- 10_foundation/set_asset_updated_at.sql
create function agg.set_asset_updated_at()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_jsonb(new) - 'is_active' <> to_jsonb(old) - 'is_active' then
    new.updated_at := now();
  end if;
  return new;
end;
$$;

create trigger set_updated_at before update on public.core_asset_registry_all
  for each row when (old.updated_at is not distinct from new.updated_at)
  execute function agg.set_asset_updated_at();

comment on function agg.set_asset_updated_at is
  'agg.set_updated_at for the registry, whose generated column has no value yet when the trigger runs.';

-- 10_foundation/set_updated_at.sql
create function agg.set_updated_at()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := greatest(now(), old.updated_at);
  return new;
end;
$$;

-- *<> compares whole rows whatever their types, also json, which has no equality.
create trigger set_updated_at before update on public.data_bars
  for each row when (old.updated_at is not distinct from new.updated_at and old.* *<> new.*)
  execute function agg.set_updated_at();

create trigger set_updated_at before update on public.derived_data_bars
  for each row when (old.updated_at is not distinct from new.updated_at and old.* *<> new.*)
  execute function agg.set_updated_at();

comment on function agg.set_updated_at is
  'Sets updated_at of a row that an update changes, where the writer has left it alone. It never goes back: a transaction may have begun before the one whose row it changes.';

-- 10_foundation/timeframe_list.sql
create function agg.timeframe_list()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select string_agg(t.timeframe, ', ' order by t.duration) from agg.timeframe as t);
end;
$$;

comment on function agg.timeframe_list is
'The names of all timeframes, by duration, as text for messages.';

-- 10_foundation/utc_instant.sql
create function agg.utc_instant(p_text text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_text ~ agg.instant_pattern() then
    -- Postgres reads texts of limited length.
    return regexp_replace(p_text, '(\.[0-9]{6})0+', '\1')::timestamptz;
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return null;
end;
$$;

comment on function agg.utc_instant is
  'The instant that an ISO 8601 text with a zone names (see agg.instant_pattern), null where it names none.';

-- 10_foundation/version.sql
create function agg.version()
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select '0.1.0';
$$;

comment on function agg.version is 'The version of pgbars that this schema is of, as in deno.json.';

-- 10_foundation/window_bounds.sql
create function agg.window_bounds(
  p_ts_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp, out starts_utc timestamptz, out ends_utc timestamptz
)
returns record
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_time_zone is null then
    starts_utc := agg.window_start(p_ts_utc, p_length, null, p_origin);
    ends_utc := agg.window_end(p_ts_utc, p_length, null, p_origin);
    return;
  end if;
  -- Near a change of the clock the window that the wall clock shows may be one too early or too late.
  select max(b.boundary) filter (where b.boundary <= p_ts_utc), min(b.boundary) filter (where b.boundary > p_ts_utc)
  into starts_utc, ends_utc
  from generate_series(-1, 2) as i (step)
  cross join lateral (
    select agg.instant_of(date_bin(p_length, p_ts_utc at time zone p_time_zone, p_origin) + i.step * p_length, p_time_zone)
  ) as b (boundary);
end;
$$;

comment on function agg.window_bounds is
'The window that an instant lies in: [starts_utc, ends_utc).
Windows begin at p_origin plus or minus whole p_length. A null zone is UTC. Otherwise they begin so on the wall clock of the zone (see agg.instant_of), and are shorter or longer where the clock changes within them. Windows neither overlap nor leave a hole. p_length must be longer than any change of the clock.';

-- 10_foundation/window_end.sql
create function agg.window_end(p_ts_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    -- Added in UTC, where a day has 24 hours, whatever the session says.
    when p_time_zone is null then (date_bin(p_length, p_ts_utc, p_origin at time zone 'UTC') at time zone 'UTC' + p_length) at time zone 'UTC'
    else (agg.window_bounds(p_ts_utc, p_length, p_time_zone, p_origin)).ends_utc
  end;
end;
$$;

comment on function agg.window_end is
'The end of the window that an instant lies in; see agg.window_bounds.';

-- 10_foundation/window_start.sql
create function agg.window_start(p_ts_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_time_zone is null then date_bin(p_length, p_ts_utc, p_origin at time zone 'UTC')
    else (agg.window_bounds(p_ts_utc, p_length, p_time_zone, p_origin)).starts_utc
  end;
end;
$$;

comment on function agg.window_start is
'The start of the window that an instant lies in; see agg.window_bounds.';

-- 10_foundation/windows_between.sql
create function agg.windows_between(
  p_from_utc timestamptz, p_to_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp
)
returns table (starts_utc timestamptz, ends_utc timestamptz)
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
-- A day of p_length is 24 hours then, whatever the session says.
set timezone = 'UTC'
as $$
  select g.starts_utc, g.starts_utc + p_length
  from generate_series(
    date_bin(p_length, p_from_utc, p_origin at time zone 'UTC'), p_to_utc - interval '1 microsecond', p_length
  ) as g (starts_utc)
  where p_time_zone is null
  union all
  select w.starts_utc, w.ends_utc
  from (
    select b.starts_utc, lead(b.starts_utc) over (order by b.starts_utc) as ends_utc
    from generate_series(
      date_bin(p_length, p_from_utc at time zone p_time_zone, p_origin) - p_length,
      (p_to_utc at time zone p_time_zone) + 2 * p_length,
      p_length
    ) as g (wall)
    cross join lateral (select agg.instant_of(g.wall, p_time_zone)) as b (starts_utc)
    where p_time_zone is not null
  ) as w
  where w.starts_utc < p_to_utc and w.ends_utc > p_from_utc;
$$;

comment on function agg.windows_between is
'The windows that touch [p_from_utc, p_to_utc), in order; see agg.window_bounds.';

-- 20_registry/asset_problems.sql
create function agg.asset_problems(p_symbols text[])
returns setof agg.asset_problem
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  return query
  with asset as materialized (
    select
      r.canonical_symbol as symbol, r.metadata,
      case jsonb_typeof(r.metadata -> 'agg') when 'object' then r.metadata -> 'agg' else '{}' end as config
    from unnest(p_symbols) as n (symbol)
    join public.core_asset_registry_all as r on r.canonical_symbol = n.symbol
  ),
  synthetic as materialized (
    select
      a.symbol, b.component_weights, b.formula_base, b.derivation_version,
      case
        when jsonb_typeof(b.components) <> 'array' then '[]'
        when jsonb_array_length(b.components) <= 1000 then b.components
        else '[]'
      end as components
    from asset as a
    join agg.basket as b on b.canonical_symbol = a.symbol
  ),
  -- Many assets share a session, and reading one costs more than all else here.
  session as materialized (
    select s.session, agg.session_problem(s.session) as problem, agg.unknown_session_keys(s.session) as unknown_keys
    from (select distinct a.config -> 'session' as session from asset as a where a.config ? 'session') as s
  ),
  day as materialized (
    select c.day_close, agg.day_close_problem(c.day_close) as problem
    from (select distinct a.config -> 'day_close' as day_close from asset as a where a.config ? 'day_close') as c
  ),
  timeframes as (
    select string_agg(t.timeframe, ', ' order by t.duration) as known
    from agg.timeframe as t
    where t.source_timeframe is not null
  )
  select p.symbol, left(p.problem, 500), p.leaves_out
  from (
    select a.symbol, format('agg must be an object, not %s', a.metadata -> 'agg') as problem, 'key' as leaves_out
    from asset as a
    where jsonb_typeof(a.metadata -> 'agg') <> 'object'
    union all
    select
      a.symbol, format('agg.%s is not known; known are enabled, start_utc, mandatory, optional, session, calendar, day_close, quality, sparse, keep, revisions, max_silence', k.key), 'key'
    from asset as a
    cross join lateral jsonb_object_keys(a.config) as k (key)
    where k.key not in ('enabled', 'start_utc', 'mandatory', 'optional', 'session', 'calendar', 'day_close', 'quality', 'sparse', 'keep', 'revisions', 'max_silence')
    union all
    select a.symbol, format('agg.%s must be true or false, not %s', k.key, a.config -> k.key), 'asset'
    from asset as a
    cross join unnest(array['enabled', 'sparse']) as k (key)
    where jsonb_typeof(a.config -> k.key) <> 'boolean'
    union all
    select
      a.symbol,
      format(
        'agg.start_utc must be an instant with its zone such as "2025-07-01T00:00:00Z", from %s up to %s, not %s',
        extract(year from f.least_utc at time zone 'UTC'), extract(year from f.end_utc at time zone 'UTC'), a.config -> 'start_utc'
      ),
      'key'
    from asset as a
    cross join agg.defaults as f
    cross join lateral (select agg.utc_instant(a.config ->> 'start_utc')) as i (instant)
    where a.config ? 'start_utc' and (i.instant is null or i.instant < f.least_utc or i.instant >= f.end_utc)
    union all
    select a.symbol, format('agg.%s must be a list of timeframes out of %s, not %s', k.key, f.known, k.value), 'key'
    from asset as a
    cross join timeframes as f
    cross join lateral jsonb_each(a.config) as k (key, value)
    where k.key in ('mandatory', 'optional')
      and (
        jsonb_typeof(k.value) <> 'array'
        or exists (
          select
          from jsonb_array_elements(case jsonb_typeof(k.value) when 'array' then k.value else '[]' end) as i (item)
          where jsonb_typeof(i.item) <> 'string'
            or not exists (
              select from agg.timeframe as t where t.timeframe = i.item #>> '{}' and t.source_timeframe is not null
            )
        )
      )
    union all
    select
      a.symbol,
      format(
        'agg.keep must be an object of timeframes out of %s, each with a number of days, weeks, months or years such as "400 days", not %s',
        agg.timeframe_list(), a.config -> 'keep'
      ),
      'key'
    from asset as a
    where a.config ? 'keep' and (
      jsonb_typeof(a.config -> 'keep') <> 'object'
      or exists (
        select
        from jsonb_each(case jsonb_typeof(a.config -> 'keep') when 'object' then a.config -> 'keep' else '{}' end) as k (timeframe, value)
        where agg.kept_for(k.value) is null or not exists (select from agg.timeframe as t where t.timeframe = k.timeframe)
      )
    )
    union all
    select a.symbol, n.problem, 'asset'
    from asset as a
    join session as n on n.session = a.config -> 'session'
    where n.problem is not null
    union all
    select a.symbol, format('%s is not known; agg.session has time_zone and weekly', n.unknown_keys), 'key'
    from asset as a
    join session as n on n.session = a.config -> 'session'
    where n.unknown_keys is not null
    union all
    select
      a.symbol,
      format(
        'agg.calendar must be the name of a calendar out of %s, not %s',
        (select string_agg(c.name, ', ' order by c.name) from agg.calendar as c), a.config -> 'calendar'
      ),
      'asset'
    from asset as a
    where a.config ? 'calendar' and not exists (select from agg.calendar as c where to_jsonb(c.name) = a.config -> 'calendar')
    union all
    select a.symbol, d.problem, 'asset'
    from asset as a
    join day as d on d.day_close = a.config -> 'day_close'
    where d.problem is not null
    union all
    select
      a.symbol,
      format(
        'agg.quality must be an object with good (%s where left out) and poor (%s) in whole percent, 1 <= poor <= good <= 100, not %s',
        f.good_percent, f.poor_percent, a.config -> 'quality'
      ),
      case when q.is_usable then 'key' else 'asset' end
    from asset as a
    cross join agg.defaults as f
    cross join lateral (
      select case jsonb_typeof(a.config -> 'quality') when 'object' then a.config -> 'quality' else '{"good": null}' end as quality
    ) as o
    cross join lateral (
      select
        coalesce(substring(o.quality ->> 'good' from '^[0-9]{1,3}$')::integer, f.good_percent) as good,
        coalesce(substring(o.quality ->> 'poor' from '^[0-9]{1,3}$')::integer, f.poor_percent) as poor
    ) as p
    cross join lateral (
      select p.poor between 1 and p.good and p.good <= 100 and not exists (
        select from jsonb_each(o.quality) as e (key, value)
        where e.key in ('good', 'poor') and e.value::text !~ '^[0-9]{1,3}$'
      ) as is_usable
    ) as q
    where a.config ? 'quality' and (not q.is_usable or o.quality - 'good' - 'poor' <> '{}')
    union all
    select
      a.symbol,
      format('agg.revisions must be true, false, or how long they are kept such as "90 days" (days, weeks, months, years), not %s', a.config -> 'revisions'),
      'key'
    from asset as a
    where a.config ? 'revisions' and jsonb_typeof(a.config -> 'revisions') <> 'boolean' and agg.kept_for(a.config -> 'revisions') is null
    union all
    select
      a.symbol, format('agg.max_silence must be a length of time such as "30 minutes" (minutes, hours, days, weeks), not %s', a.config -> 'max_silence'), 'key'
    from asset as a
    where a.config ? 'max_silence' and agg.is_duration(a.config -> 'max_silence') is not true
    union all
    select a.symbol, format('is_synthetic must be true or false, not %s', a.metadata -> 'is_synthetic'), 'series'
    from asset as a
    where jsonb_typeof(a.metadata -> 'is_synthetic') <> 'boolean'
    union all
    select s.symbol, 'components must be a list of 1 to 1000 symbols that differ', 'series'
    from synthetic as s
    where s.components = '[]'
      or exists (
        select from jsonb_array_elements(s.components) as k (item) where jsonb_typeof(k.item) <> 'string' or btrim(k.item #>> '{}') = ''
      )
      or (select count(*) <> count(distinct k.item) from jsonb_array_elements(s.components) as k (item))
    union all
    select
      s.symbol,
      format(
        'component_weights.%s must be a number from 1e-12 to 1000, above or below 0, not %s', k.item, coalesce(w.weight, 'null')
      ),
      'series'
    from synthetic as s
    cross join lateral jsonb_array_elements_text(s.components) as k (item)
    cross join lateral (select s.component_weights -> k.item) as w (weight)
    where not agg.is_number_between(w.weight, -1000, -1e-12) and not agg.is_number_between(w.weight, 1e-12, 1000)
    union all
    select
      s.symbol,
      format('formula_base must be a number from 1e-12 to 1e12, not %s', coalesce(s.formula_base, 'null')), 'series'
    from synthetic as s
    where not agg.is_number_between(s.formula_base, 1e-12, 1e12)
    union all
    select s.symbol, format('derivation_version must be 1 or 2, not %s', s.derivation_version), 'series'
    from synthetic as s
    where s.derivation_version not in ('1', '2')
    union all
    select s.symbol, c.problem, 'series'
    from synthetic as s
    cross join lateral agg.circle_problem(s.symbol) as c (problem)
    where c.problem is not null
  ) as p;
end;
$$;

comment on function agg.asset_problems is
  'What is wrong with the metadata of assets, one row for each problem. The text names the key and is cut off after 500 characters. No row for good metadata, or for a symbol that is not in the registry.
A statement that gives an asset any of these is refused. Metadata that are stored already are followed as far as they are understood:
key: what says which bars are made, and how long they are kept. Unknown keys, a start_utc that is not an instant, what is not a timeframe and what is not a time to keep are ignored.
series: what says how 1m bars are computed. Its other timeframes are built from the 1m bars that are there.
asset: what says whether the asset is built, when its market is open, when its days begin and what a good bar is. A guess would make wrong bars.';

-- 20_registry/begins_on_hours.sql
create function agg.begins_on_hours(p_day_close jsonb)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p_day_close is null or not exists (
    -- What is to be found is an offset of the zone, in summer or in winter.
    select
    from generate_series(timestamp '1970-01-01', '2050-01-01', interval '3 months') as d (day)
    where extract(minute from agg.instant_of(d.day + (p_day_close ->> 'time')::time, p_day_close ->> 'time_zone') at time zone 'UTC') <> 0
  );
$$;

comment on function agg.begins_on_hours is
  'Whether every day of metadata.agg.day_close begins on a whole hour of UTC, from 1970 to 2050, so that its windows hold whole hours. Those of Kolkata, Kathmandu and Lord Howe Island do not.';

-- 20_registry/calendar_entry_problem.sql
create function agg.calendar_entry_problem(p_entry jsonb, p_day_start time)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_day constant text := p_entry ->> 'day';
  v_kind constant text := p_entry ->> 'kind';
  v_opens constant text := p_entry ->> 'opens_at';
  v_closes constant text := p_entry ->> 'closes_at';
  v_unknown text;
begin
  if jsonb_typeof(p_entry) <> 'object' then
    return 'an entry is an object such as {"day": "2026-12-25", "kind": "closed"}';
  end if;
  select string_agg(k.key, ', ' order by k.key) into v_unknown
  from jsonb_object_keys(p_entry) as k (key)
  where k.key not in ('day', 'kind', 'opens_at', 'closes_at');
  return case
    when v_unknown is not null then format('%s is not known; known are day, kind, opens_at, closes_at', v_unknown)
    when agg.utc_instant(v_day || 'T00:00Z') is null or v_day not between '1900' and '2200'
      then 'day must be a date such as "2026-12-25", from 1900 to 2199'
    when not coalesce(v_kind in ('closed', 'early_close', 'late_opening', 'special_opening'), false)
      then 'kind must be closed, early_close, late_opening or special_opening'
    when v_kind in ('late_opening', 'special_opening') and not coalesce(v_opens ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$', false)
      then format('%s needs opens_at, a local time such as "10:30"', v_kind)
    when v_kind in ('early_close', 'special_opening') and not coalesce(v_closes ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$', false)
      then format('%s needs closes_at, a local time such as "13:00"', v_kind)
    when v_kind in ('closed', 'early_close') and v_opens is not null then format('opens_at does not go with %s', v_kind)
    when v_kind in ('closed', 'late_opening') and v_closes is not null then format('closes_at does not go with %s', v_kind)
    when v_kind = 'late_opening' and v_opens::time = p_day_start then format('the trading day begins at %s, so that nothing opens late', v_opens)
    when v_kind = 'early_close' and agg.time_into_day(v_closes::time, p_day_start) in (interval '0', interval '24 hours')
      then format('the trading day ends at %s, so that nothing closes early', v_closes)
    when v_kind = 'special_opening' and agg.time_into_day(v_closes::time, p_day_start) > interval '0'
      and agg.time_into_day(v_closes::time, p_day_start) <= agg.time_into_day(v_opens::time, p_day_start)
      then format('within the trading day, which begins at %s, closes_at must come after opens_at', to_char(p_day_start, 'HH24:MI'))
  end;
end;
$$;

comment on function agg.calendar_entry_problem is
  'What is wrong with an entry that import_calendar is given for a calendar whose trading days begin at p_day_start; null where it is good.';

-- 20_registry/changed_hours.sql
create function agg.changed_hours(p_former tstzmultirange, p_open tstzmultirange)
returns tstzmultirange
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed constant tstzmultirange := (p_former - p_open) + (p_open - p_former);
begin
  if (select count(*) from unnest(v_changed)) <= 100 then
    return v_changed;
  end if;
  return (
    select range_agg(tstzrange(lower(j.span), upper(j.span) - interval '168 hours'))
    from unnest((
      select range_agg(tstzrange(lower(c.span), upper(c.span) + interval '168 hours')) from unnest(v_changed) as c (span)
    )) as j (span)
  );
end;
$$;

comment on function agg.changed_hours is
  'Where what is open differs. Where that is in more than a hundred places, as after another weekly session, those less than a week apart become one: each task gets a copy, and to build a window again that comes out the same writes nothing.';

-- 20_registry/circle_problem.sql
create function agg.circle_problem(p_symbol text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive walk as (
    select k.component from agg.synthetic_component as k where k.canonical_symbol = p_symbol
    union
    select k.component from walk as w join agg.synthetic_component as k on k.canonical_symbol = w.component
  )
  select format('components lead back to %s itself', p_symbol) from walk as w where w.component = p_symbol;
$$;

comment on function agg.circle_problem is
  'Says that a basket holds itself, directly or through other baskets, so that each build would cause the next. Null for one that does not.';

-- 20_registry/day_close_problem.sql
create function agg.day_close_problem(p_day_close jsonb)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'agg.day_close must be a local time in steps of five minutes and its time zone, such as {"time": "17:00", "time_zone": "America/New_York"}, not %s',
    p_day_close
  )
  where not coalesce(
    jsonb_typeof(p_day_close) = 'object'
    and p_day_close ->> 'time' ~ '^([01][0-9]|2[0-3]):[0-5][05]$' and agg.is_time_zone(p_day_close ->> 'time_zone')
    and (case jsonb_typeof(p_day_close) when 'object' then p_day_close else '{}' end) - 'time' - 'time_zone' = '{}',
    p_day_close is null
  );
$$;

comment on function agg.day_close_problem is
  'Why metadata.agg.day_close cannot be read; null where it can, or where nothing is said. A time in steps of five minutes, since days are built from 5m bars where hours do not fit.';

-- 20_registry/easter_sunday.sql
-- The anonymous algorithm in the form of Meeus, Jones and Butcher.
create function agg.easter_sunday(p_year integer)
returns date
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select make_date(p_year, (d.days + 114) / 31, mod(d.days + 114, 31) + 1)
  from (select mod(p_year, 19), p_year / 100, mod(p_year, 100)) as y (golden, century, rest)
  cross join lateral (
    select mod(19 * y.golden + y.century - y.century / 4 - (y.century - (y.century + 8) / 25 + 1) / 3 + 15, 30)
  ) as m (moon)
  cross join lateral (
    select mod(32 + 2 * mod(y.century, 4) + 2 * (y.rest / 4) - m.moon - mod(y.rest, 4), 7)
  ) as w (weekday)
  cross join lateral (
    select m.moon + w.weekday - 7 * ((y.golden + 11 * m.moon + 22 * w.weekday) / 451)
  ) as d (days);
$$;

comment on function agg.easter_sunday is 'Easter Sunday of a year in the Gregorian calendar.';

-- 20_registry/fx_days.sql
create function agg.fx_days(p_first_year integer, p_last_year integer)
returns setof date
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select d.day
  from generate_series(p_first_year, p_last_year) as y (n)
  cross join lateral unnest(array[make_date(y.n, 1, 1), make_date(y.n, 12, 25)]) as d (day)
  where extract(isodow from d.day) <= 5;
$$;

comment on function agg.fx_days is
  'The trading days on which the foreign exchange market is closed: Christmas Day and New Year, where they are no weekend, for the years from p_first_year to p_last_year. Brokers differ.';

-- 20_registry/implied_basket.sql
create function agg.implied_basket(p_method text)
returns jsonb
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case p_method
    when 'calc_dxy_range_1m' then '{
      "components": ["EURUSD", "USDJPY", "GBPUSD", "USDCAD", "USDSEK", "USDCHF"],
      "component_weights": {
        "EURUSD": -0.576, "USDJPY": 0.136, "GBPUSD": -0.119, "USDCAD": 0.091, "USDSEK": 0.042, "USDCHF": 0.036
      },
      "formula_base": 50.14348112,
      "derivation_version": 1
    }'::jsonb
  end;
$$;

comment on function agg.implied_basket is
  'The basket that metadata.derivation_method implies, as metadata would give it; null for a method that implies none.';

-- 20_registry/import_calendar.sql
create function public.import_calendar(p_name text, p_days jsonb, p_time_zone text default null, p_day_start time default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set statement_timeout = '60s'
as $$
declare
  v_former agg.calendar;
  v_time_zone text;
  v_day_start time;
  v_problem text;
  v_zones text[];
  v_minutes int4multirange[];
  v_from_utc timestamptz[];
  v_to_utc timestamptz[];
  v_open tstzmultirange[];
  v_corrections agg.changed_span[];
  v_added integer;
  v_removed integer;
  v_tasks integer := 0;
begin
  if not coalesce(p_name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$', false) then
    raise exception 'p_name must be a letter, then up to 63 letters, digits, _ . or -, not %', coalesce(quote_literal(left(p_name, 100)), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  -- What tasks are compared with is then what they get.
  perform agg.lock_registry();
  select c.* into v_former from agg.calendar as c where c.name = p_name;
  v_time_zone := coalesce(p_time_zone, v_former.time_zone);
  v_day_start := coalesce(p_day_start, v_former.day_start, '00:00');
  if not coalesce(agg.is_time_zone(v_time_zone), false) then
    raise exception 'p_time_zone must name the time zone of the calendar, such as America/New_York, not %',
      coalesce(quote_literal(left(v_time_zone, 100)), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if v_day_start = '24:00' or extract(second from v_day_start) <> 0 then
    raise exception 'p_day_start must be a whole minute from 00:00 to 23:59, not %', v_day_start using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(p_days) is distinct from 'array' then
    raise exception 'p_days must be a list such as [{"day": "2026-12-25", "kind": "closed"}], not %', coalesce(left(p_days::text, 100), 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  select format('entry %s, %s: %s', e.n, left(e.entry::text, 200), r.problem) into v_problem
  from jsonb_array_elements(p_days) with ordinality as e (entry, n)
  cross join lateral agg.calendar_entry_problem(e.entry, v_day_start) as r (problem)
  where r.problem is not null
  order by e.n
  limit 1;
  if v_problem is null then
    with entry as (
      select e.*
      from rows from (
        jsonb_to_recordset(p_days) as (day date, kind text, opens_at time, closes_at time)
      ) with ordinality as e (day, kind, opens_at, closes_at, n)
    )
    select format('entries %s and %s, of %s: %s and %s cannot be on one day', least(a.n, b.n), greatest(a.n, b.n), a.day, a.kind, b.kind)
    into v_problem
    from entry as a
    join entry as b on b.day = a.day and b.n <> a.n
    where a.kind = 'closed' and b.kind <> 'special_opening'
      or a.kind = b.kind and (a.kind <> 'special_opening' or a.opens_at = b.opens_at)
      or (a.kind, b.kind) = ('early_close', 'late_opening')
        and agg.time_into_day(a.closes_at, v_day_start) <= agg.time_into_day(b.opens_at, v_day_start)
    order by least(a.n, b.n), greatest(a.n, b.n)
    limit 1;
  end if;
  if v_problem is not null then
    raise exception 'p_days: %', v_problem using errcode = 'invalid_parameter_value';
  end if;

  -- Which minutes are open for the tasks that use the calendar, before and after.
  select
    array_agg(g.session_time_zone), array_agg(g.session_minutes), array_agg(g.from_utc), array_agg(g.to_utc),
    array_agg(agg.open_spans(g.session_time_zone, g.session_minutes, p_name, g.from_utc, g.to_utc))
  into v_zones, v_minutes, v_from_utc, v_to_utc, v_open
  from (
    select
      s.session_time_zone, s.session_minutes, min(s.agg_start_utc) as from_utc,
      max(greatest(s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes), s.built_to_utc)) as to_utc
    from public.data_agg_state as s
    where s.calendar = p_name
    group by s.session_time_zone, s.session_minutes
  ) as g;

  insert into agg.calendar as c (name, time_zone, day_start)
  values (p_name, v_time_zone, v_day_start)
  on conflict (name) do update set time_zone = excluded.time_zone, day_start = excluded.day_start
  where (c.time_zone, c.day_start) <> (excluded.time_zone, excluded.day_start);
  delete from agg.calendar_day as d
  using (
    select f.day, f.kind, f.opens_at, f.closes_at from agg.calendar_day as f where f.calendar = p_name
    except
    select n.day, n.kind, n.opens_at, n.closes_at
    from jsonb_to_recordset(p_days) as n (day date, kind text, opens_at time, closes_at time)
  ) as o
  where d.calendar = p_name and d.day = o.day and d.kind = o.kind and d.opens_at is not distinct from o.opens_at;
  get diagnostics v_removed = row_count;
  insert into agg.calendar_day (calendar, day, kind, opens_at, closes_at)
  select p_name, n.day, n.kind, n.opens_at, n.closes_at
  from jsonb_to_recordset(p_days) as n (day date, kind text, opens_at time, closes_at time)
  on conflict (calendar, day, kind, opens_at) do nothing;
  get diagnostics v_added = row_count;

  if v_added > 0 or v_removed > 0 or (v_former.time_zone, v_former.day_start) is distinct from (v_time_zone, v_day_start) then
    with hours as materialized (
      select b.time_zone, b.minutes, b.to_utc, agg.changed_hours(b.former_spans, o.spans) as changed
      from unnest(v_zones, v_minutes, v_from_utc, v_to_utc, v_open) as b (time_zone, minutes, from_utc, to_utc, former_spans)
      cross join lateral agg.open_spans(b.time_zone, b.minutes, p_name, b.from_utc, b.to_utc) as o (spans)
    )
    select
      array_agg(
        -- What is built meanwhile may be built by the former days.
        agg.new_changed_span(s.canonical_symbol, s.timeframe, h.changed + tstzmultirange(tstzrange(h.to_utc, null)))
        order by s.canonical_symbol, s.run_interval_minutes
      ),
      count(*) filter (where not isempty(h.changed))
    into v_corrections, v_tasks
    from hours as h
    join public.data_agg_state as s
      on s.calendar = p_name and (s.session_time_zone, s.session_minutes) is not distinct from (h.time_zone, h.minutes);
    if v_corrections is not null then
      perform agg.reopen_windows(v_corrections);
      perform agg.add_corrections(v_corrections);
    end if;
  end if;

  return jsonb_build_object(
    'success', true,
    'calendar', p_name,
    'time_zone', v_time_zone,
    'day_start', to_char(v_day_start, 'HH24:MI'),
    'days', jsonb_array_length(p_days),
    'added', v_added,
    'removed', v_removed,
    'unchanged', jsonb_array_length(p_days) - v_added,
    'tasks', v_tasks
  );
end;
$$;

comment on function public.import_calendar is
'Replaces the days of a calendar, or makes a new one, that metadata.agg.calendar can name.
p_name is a letter, then up to 63 letters, digits and _ . -; p_days is a list of what differs from the weekly session, each entry with day (the date on which the trading day lies or ends) and kind:
{"day": "2026-12-25", "kind": "closed"}
{"day": "2026-11-27", "kind": "early_close", "closes_at": "13:00"}
{"day": "2026-03-02", "kind": "late_opening", "opens_at": "10:30"}
{"day": "2026-11-08", "kind": "special_opening", "opens_at": "18:00", "closes_at": "19:15"}: open, whatever the session says.
Times are local: p_time_zone is their zone, such as America/New_York. p_day_start is the local time at which a trading day begins, on the date before it from 12:00 on. Null leaves both as they are; a new calendar needs a zone, and its days begin at 00:00.
Returns success, calendar, time_zone, day_start, days, added, removed, unchanged and tasks: those for which other minutes of what they have decided are open now. These become corrections. Repeating it changes nothing.
Changes of the registry wait for it. Raises invalid_parameter_value, with the entry, for what cannot be.';

-- 20_registry/is_duration.sql
create function agg.is_duration(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_typeof(p_value) = 'string' and p_value #>> '{}' ~ '^[1-9][0-9]{0,3} (minute|hour|day|week)s?$';
$$;

comment on function agg.is_duration is 'Whether a JSON value is a length of time such as "30 minutes": whole minutes, hours, days or weeks.';

-- 20_registry/is_time_zone.sql
create function agg.is_time_zone(p_name text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_name ~ '^(UTC|[A-Za-z_]+(/[A-Za-z_-]+)+|Etc/GMT[+-]?[0-9]{1,2})$' then
    perform timestamptz '2000-01-01 00:00:00+00' at time zone p_name;
    return true;
  end if;
  return false;
exception when invalid_parameter_value then
  return false;
end;
$$;

comment on function agg.is_time_zone is
  'Whether a text names a time zone as the IANA database does, such as America/New_York, or is UTC. Abbreviations and POSIX rules are refused: they do not follow the changes of the clock.';

-- 20_registry/kept_for.sql
create function agg.kept_for(p_value jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_value) = 'string' and p_value #>> '{}' ~ '^([1-9][0-9]{0,3} days?|[1-9][0-9]{0,2} (weeks?|months?|years?))$'
    then (p_value #>> '{}')::interval
  end;
$$;

comment on function agg.kept_for is
  'Reads how long something is kept (metadata.agg.keep and revisions), such as "400 days": whole days (up to 9999), weeks, months or years (up to 999). Null where it is not understood: from a longer time no instant could be computed.';

-- 20_registry/lock_registry.sql
create function agg.lock_registry()
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('pgbars.registry', 0));
$$;

comment on function agg.lock_registry is
  'Lets one transaction at a time change the registry or sync. The others wait here. Call it before locking rows of the registry: other transactions hold such rows while they wait for it.';

-- 20_registry/next_open.sql
create function agg.next_open(
  p_time_zone text, p_session_minutes int4multirange, p_calendar text, p_from timestamptz, p_until timestamptz
)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_session_minutes is null and p_calendar is null then
    return p_from;
  end if;
  -- A day is asked first: most of the time something is open soon.
  return coalesce(
    lower(agg.open_spans(p_time_zone, p_session_minutes, p_calendar, p_from, least(p_until, p_from + interval '24 hours'))),
    lower(agg.open_spans(p_time_zone, p_session_minutes, p_calendar, p_from, p_until)),
    p_until
  );
end;
$$;

comment on function agg.next_open is
'The first instant in [p_from, p_until) at which session and calendar are open; p_until where they are closed. Without session and calendar it is p_from.';

-- 20_registry/nth_weekday.sql
create function agg.nth_weekday(p_year integer, p_month integer, p_weekday integer, p_nth integer)
returns date
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_nth > 0
      then m.first_day + mod(p_weekday - extract(isodow from m.first_day)::integer + 7, 7) + 7 * (p_nth - 1)
    else m.last_day - mod(extract(isodow from m.last_day)::integer - p_weekday + 7, 7) + 7 * (p_nth + 1)
  end
  from (
    select make_date(p_year, p_month, 1), (make_date(p_year, p_month, 1) + interval '1 month' - interval '1 day')::date
  ) as m (first_day, last_day);
$$;

comment on function agg.nth_weekday is
  'The nth day of a month that falls on a day of the week (1 is Monday): p_nth counts from 1, and -1 is the last.';

-- 20_registry/open_spans.sql
create function agg.open_spans(
  p_time_zone text, p_session_minutes int4multirange, p_calendar text, p_from timestamptz, p_to timestamptz
)
returns tstzmultirange
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_asked tstzmultirange;
  v_open tstzmultirange;
  v_closed tstzmultirange;
  v_opened tstzmultirange;
  v_from timestamptz;
  v_to timestamptz;
  v_zone text;
begin
  select greatest(p_from, f.least_utc), least(p_to, f.end_utc) into v_from, v_to from agg.defaults as f;
  if v_from >= v_to then
    return tstzmultirange();
  end if;
  v_asked := tstzmultirange(tstzrange(v_from, v_to));

  if p_session_minutes is null then
    v_open := v_asked;
  else
    -- Whole weeks of the wall clock, and of these what lies within a day of the question: no clock is further from UTC than that.
    select coalesce(range_agg(tstzrange(i.opens, i.closes)), '{}') into v_open
    from (
      select date_trunc('week', v_from at time zone 'UTC') - interval '1 week', (v_to at time zone 'UTC') + interval '1 day'
    ) as b (first_week, until)
    cross join lateral generate_series(b.first_week, b.until, interval '1 week') as w (week)
    cross join lateral unnest(p_session_minutes) as s (span)
    cross join lateral (
      select w.week + make_interval(mins => lower(s.span)), w.week + make_interval(mins => upper(s.span))
    ) as l (opens, closes)
    cross join lateral (
      select agg.instant_of(l.opens, p_time_zone), agg.instant_of(l.closes, p_time_zone)
      where l.closes >= (v_from at time zone 'UTC') - interval '1 day' and l.opens <= b.until
      offset 0
    ) as i (opens, closes)
    -- What lies in an hour that the clock leaves out is not open.
    where i.opens < i.closes;
  end if;

  if p_calendar is not null then
    select c.time_zone into v_zone from agg.calendar as c where c.name = p_calendar;
    select
      range_agg(tstzrange(i.from_utc, i.to_utc)) filter (where i.is_closed),
      range_agg(tstzrange(i.from_utc, i.to_utc)) filter (where not i.is_closed)
    into v_closed, v_opened
    from (
      select d.is_closed, agg.instant_of(d.from_wall, v_zone) as from_utc, agg.instant_of(d.to_wall, v_zone) as to_utc
      from agg.calendar_day_span as d
      where d.calendar = p_calendar
        and d.day between (v_from at time zone v_zone)::date - 1 and (v_to at time zone v_zone)::date + 1
      offset 0
    ) as i
    where i.from_utc < i.to_utc;
    v_open := v_open - coalesce(v_closed, '{}') + coalesce(v_opened, '{}');
  end if;
  return v_open * v_asked;
end;
$$;

comment on function agg.open_spans is
  'What is open from p_from up to p_to: the weekly session (null: all of it), without what the calendar closes, with what it opens. Local times become instants by agg.instant_of. Between the first and the last instant of agg.defaults only.';

-- 20_registry/revision_age.sql
create function agg.revision_age(p_revisions jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Not a call of agg.kept_for: readers of bars may call this function and no other.
  select case
    when p_revisions = 'false' then interval '0'
    when jsonb_typeof(p_revisions) = 'string' and p_revisions #>> '{}' ~ '^([1-9][0-9]{0,3} days?|[1-9][0-9]{0,2} (weeks?|months?|years?))$'
      then (p_revisions #>> '{}')::interval
    else interval '400 days'
  end;
$$;

comment on function agg.revision_age is
  'How long revisions of the bars of an asset are kept, from metadata.agg.revisions: what agg.kept_for reads; zero for false; 400 days where nothing, or nothing that can be read, is said.';

-- 20_registry/session_minutes.sql
-- The week is given as in {"time_zone": "America/New_York", "weekly": [{"open": "Sun 17:00", "close": "Fri 17:00"}]}.
create function agg.session_minutes(p_session jsonb)
returns int4multirange
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_days constant text[] := array['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  v_week constant integer := 7 * 24 * 60;
  v_clock constant text := '^(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):[0-5][0-9]$';
  v_session constant jsonb := agg.weekly_session(p_session);
  v_bad jsonb;
begin
  if v_session is null then
    return null;
  end if;
  if jsonb_typeof(v_session) <> 'object' then
    raise exception 'agg.session must be "24x7", % or an object with time_zone and weekly, not %',
      (select string_agg(to_jsonb(p.name)::text, ', ' order by p.name) from agg.session_preset as p), v_session
      using errcode = 'invalid_parameter_value';
  end if;
  if not coalesce(agg.is_time_zone(v_session ->> 'time_zone'), false) then
    raise exception 'agg.session.time_zone must name a time zone such as America/New_York, not %',
      coalesce(v_session -> 'time_zone', 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(v_session -> 'weekly') is distinct from 'array' or v_session -> 'weekly' = '[]' then
    raise exception 'agg.session.weekly must be a list such as [{"open": "Sun 17:00", "close": "Fri 17:00"}], not %',
      coalesce(v_session -> 'weekly', 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  select i.item into v_bad
  from jsonb_array_elements(v_session -> 'weekly') as i (item)
  where jsonb_typeof(i.item) <> 'object' or i.item - 'open' - 'close' <> '{}'
    or coalesce(lower(i.item ->> 'open') !~ v_clock, true) or coalesce(lower(i.item ->> 'close') !~ v_clock, true)
    or lower(i.item ->> 'open') = lower(i.item ->> 'close')
  limit 1;
  if v_bad is not null then
    raise exception 'agg.session.weekly: each entry needs two different times such as {"open": "Mon 09:30", "close": "Mon 16:00"}, not %', v_bad
      using errcode = 'invalid_parameter_value';
  end if;

  return (
    select range_agg(r.span)
    from (
      select
        (array_position(v_days, left(lower(i.item ->> 'open'), 3)) - 1) * 1440
          + (extract(epoch from right(i.item ->> 'open', 5)::time) / 60)::integer as opens,
        (array_position(v_days, left(lower(i.item ->> 'close'), 3)) - 1) * 1440
          + (extract(epoch from right(i.item ->> 'close', 5)::time) / 60)::integer as closes
      from jsonb_array_elements(v_session -> 'weekly') as i (item)
    ) as s
    cross join lateral (
      select int4range(s.opens, s.closes) where s.opens < s.closes
      union all
      select unnest(array[int4range(s.opens, v_week), int4range(0, s.closes)]) where s.opens > s.closes
    ) as r (span)
  );
end;
$$;

comment on function agg.session_minutes is
  'Open minutes of the local week from metadata.agg.session: null for 24x7, otherwise ranges from Monday 00:00 on. Ignores keys that it does not know. Raises invalid_parameter_value, and names the key.';

-- 20_registry/session_problem.sql
create function agg.session_problem(p_session jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.session_minutes(p_session);
  return null;
exception when invalid_parameter_value then
  return sqlerrm;
end;
$$;

comment on function agg.session_problem is 'Why metadata.agg.session cannot be read; null where it can.';

-- 20_registry/time_into_day.sql
create function agg.time_into_day(p_time time, p_day_start time)
returns interval
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_time - p_day_start + case when p_time < p_day_start then interval '24 hours' else interval '0' end;
end;
$$;

comment on function agg.time_into_day is
  'How long after the beginning of a trading day, at p_day_start, a clock shows p_time for the first time.';

-- 20_registry/unknown_session_keys.sql
create function agg.unknown_session_keys(p_session jsonb)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('agg.session.%s', k.name), ', ' order by k.name)
  from jsonb_object_keys(case jsonb_typeof(p_session) when 'object' then p_session else '{}' end) as k (name)
  where k.name not in ('time_zone', 'weekly');
$$;

comment on function agg.unknown_session_keys is 'Keys of metadata.agg.session that this version does not know, as a list; null where there are none.';

-- 20_registry/weekly_session.sql
create function agg.weekly_session(p_session jsonb)
returns jsonb
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_session = '"24x7"' then null
    else coalesce((select p.session from agg.session_preset as p where to_jsonb(p.name) = p_session), p_session)
  end;
$$;

comment on function agg.weekly_session is
  'The weekly session that metadata.agg.session names or is; null for 24x7, and where nothing is said.';

-- 20_registry/window_origin.sql
create function agg.window_origin(p_length interval, p_day_close jsonb, p_session jsonb)
returns timestamp
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_monday constant timestamp := timestamp '2000-01-03 00:00:00';
  v_zone constant text := coalesce(p_day_close ->> 'time_zone', 'UTC');
  v_starts constant time := coalesce((p_day_close ->> 'time')::time, time '00:00');
  v_day constant timestamp := v_monday + v_starts - case when v_starts >= '12:00' then interval '1 day' else interval '0' end;
  v_session_zone text;
  v_opens integer;
  v_first timestamp;
begin
  if p_length <= interval '1 hour' then
    return v_monday;
  end if;
  if p_length = interval '168 hours' then
    v_session_zone := agg.weekly_session(p_session) ->> 'time_zone';
    select s.opens into v_opens
    from (
      select
        lower(r.span) as opens,
        lower(r.span) - coalesce(lag(upper(r.span)) over (order by r.span), max(upper(r.span)) over () - 10080) as closed_minutes
      from unnest(agg.session_minutes(p_session)) as r (span)
    ) as s
    where s.closed_minutes > 0
    order by s.closed_minutes desc, s.opens
    limit 1;
  end if;
  if v_opens is null then
    return v_day;
  end if;
  select min(
    date_bin(
      '1 day', agg.instant_of(v_monday + w.later + make_interval(mins => v_opens), v_session_zone) at time zone v_zone, v_day
    ) - w.later
  )
  into v_first
  from unnest(array[interval '0', interval '182 days']) as w (later);
  return v_first - case when v_first > v_day then interval '7 days' else interval '0' end;
end;
$$;

comment on function agg.window_origin is
  'A local time at which a window of p_length begins, in the zone of metadata.agg.day_close (UTC where nothing is said): that of data_agg_state.
Up to an hour it is a Monday 00:00 UTC. Longer windows begin where days do, weeks with the day in which the first session of the week opens: that after the longest time in which the weekly session is closed. Without one a week begins with Monday, which begins on Sunday where days begin at 12:00 or later.
Where the clocks of the session and of the day change on different dates, the earlier of the days that January and July give.';

-- 20_registry/xnys_days.sql
-- A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after; New Year on a Saturday is not observed.
-- Sources differ in a few days. Here a half-day ends at 13:00, also where the exchange stopped some minutes before or after, and no
-- day opens late: some sources have openings between 09:31 and 12:00 on six days of 2001 to 2006, others 09:30.
create function agg.xnys_days(p_first_year integer, p_last_year integer)
returns table (day date, kind text, closes_at time)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  with year as (
    select y.n as year, make_date(y.n, 7, 4) as fourth, agg.nth_weekday(y.n, 11, 4, 4) as thanksgiving
    from generate_series(p_first_year, p_last_year) as y (n)
  ),
  fixed as (
    select make_date(y.year, 1, 1) as day from year as y
    union all
    select make_date(y.year, 6, 19) from year as y where y.year >= 2022
    union all
    select y.fourth from year as y
    union all
    select make_date(y.year, 12, 25) from year as y
  ),
  holiday as (
    select case extract(isodow from f.day) when 6 then f.day - 1 when 7 then f.day + 1 else f.day end as day
    from fixed as f
    where not (extract(isodow from f.day) = 6 and extract(month from f.day) = 1)
    union all
    select agg.nth_weekday(y.year, 1, 1, 3) from year as y
    union all
    select agg.nth_weekday(y.year, 2, 1, 3) from year as y
    union all
    select agg.easter_sunday(y.year) - 2 from year as y
    union all
    select agg.nth_weekday(y.year, 5, 1, -1) from year as y
    union all
    select agg.nth_weekday(y.year, 9, 1, 1) from year as y
    union all
    select y.thanksgiving from year as y
    union all
    -- The attacks of 2001, mourning of presidents, and a storm.
    select s.day
    from unnest(array[
      date '2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14', '2004-06-11', '2007-01-02', '2012-10-29', '2012-10-30', '2018-12-05',
      '2025-01-09'
    ]) as s (day)
    where extract(year from s.day) between p_first_year and p_last_year
  ),
  half_day as (
    select y.thanksgiving + 1 as day from year as y
    union all
    select make_date(y.year, 12, 24) from year as y where extract(isodow from make_date(y.year, 12, 24)) between 1 and 4
    union all
    -- Before the Fourth; until 2012, where that is a Thursday, after it.
    select case when extract(isodow from y.fourth) = 4 and y.year < 2013 then y.fourth + 1 else y.fourth - 1 end
    from year as y
    where extract(isodow from y.fourth) between 2 and 5
    union all
    select s.day from unnest(array[date '2003-12-26']) as s (day) where extract(year from s.day) between p_first_year and p_last_year
  )
  select h.day, 'closed', null::time from holiday as h
  union all
  select d.day, 'early_close', time '13:00' from half_day as d;
$$;

comment on function agg.xnys_days is
  'The days on which the New York Stock Exchange differs from Monday to Friday, for the years from p_first_year (2000 at the earliest) to p_last_year, by its rules and, up to 2025, its special days.';

-- 30_bars/bar_rules.sql
create function agg.bar_rules()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with input_column as (
    select d.attnum, d.attname, d.attnotnull
    from pg_catalog.pg_attribute as d
    join pg_catalog.pg_attribute as i on i.attname = d.attname and i.attrelid = (
      select t.typrelid from pg_catalog.pg_type as t where t.oid = 'agg.input_bar'::regtype
    )
    where d.attrelid = 'public.data_bars'::regclass and d.attnum > 0 and not d.attisdropped
  ),
  rule as (
    select 1 as kind, i.attname as name, format('b.%I is null', i.attname) as is_broken, '23502' as code, null as constraint_name,
      format('%s must not be null', i.attname) as problem
    from input_column as i
    where i.attnotnull
    union all
    select 2, c.conname, format('not (%s)', e.expression), '23514', c.conname,
      coalesce(pg_catalog.obj_description(c.oid, 'pg_constraint'), format('%s requires %s', c.conname, e.expression))
    from pg_catalog.pg_constraint as c
    cross join lateral (select pg_catalog.pg_get_expr(c.conbin, c.conrelid)) as e (expression)
    where c.conrelid = 'public.data_bars'::regclass and c.contype = 'c'
      and c.conkey <@ array(select i.attnum from input_column as i)
  )
  select string_agg(
    format(
      '(%s, %s, %L, %L, %L)', row_number, r.is_broken, r.code, r.constraint_name, r.problem
    ), ', ' order by r.row_number
  )
  from (select k.*, row_number() over (order by k.kind, k.name) from rule as k) as r;
$$;

comment on function agg.bar_rules is
  'What data_bars asks of a bar, as rows of SQL over a bar b: place in the order of evaluation, whether b breaks it, SQLSTATE, constraint, and the problem in words. Values that must not be null come first, then checks by name. The words are the comment on the constraint, or its expression. Checks that need more columns than agg.input_bar has are left out.';

-- 30_bars/bars_without.sql
create function agg.bars_without(p_bars agg.input_bar[], p_refused agg.rejected_bar[])
returns agg.input_bar[]
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array(select b from unnest(p_bars) as b where b.index not in (select r.index from unnest(p_refused) as r));
$$;

comment on function agg.bars_without is 'The bars that are not among the refused ones.';

-- 30_bars/broken_bars.sql
create function agg.broken_bars(p_bars agg.input_bar[])
returns setof agg.rejected_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $sql$
      select distinct on (b.index) b.index, r.code, r.constraint_name,
        case
          when r.constraint_name in ('data_bars_high_covers', 'data_bars_low_covers')
            and (b.high >= e.top or agg.is_rounding_error(b.high, e.top))
            and (b.low <= e.bottom or agg.is_rounding_error(b.low, e.bottom))
          then r.problem || ' It is by rounding only (at most 1e-9 of the price): p_clamp => true widens high and low.'
          else r.problem
        end
      from unnest($1) as b
      cross join lateral (values %s) as r (nr, is_broken, code, constraint_name, problem)
      cross join lateral (select greatest(b.open, b.close), least(b.open, b.close)) as e (top, bottom)
      where r.is_broken
      order by b.index, r.nr
    $sql$,
    agg.bar_rules()
  ) using p_bars;
exception when data_exception then
  return;
end;
$$;

comment on function agg.broken_bars is
  'The bars that break a rule of agg.bar_rules, each with the first one. Empty where a check raises an error of its own.';

-- 30_bars/is_rounding_error.sql
create function agg.is_rounding_error(p_bound double precision, p_price double precision)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- What is not a price is no rounding error, and a difference of the largest numbers would overflow.
  select case when abs(p_bound) < 1e50 and abs(p_price) < 1e50 then abs(p_bound - p_price) <= 1e-9 * abs(p_bound) else false end;
$$;

comment on function agg.is_rounding_error is
  'Whether two prices differ by at most a billionth of the first.';

-- 30_bars/is_whole_number.sql
create function agg.is_whole_number(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_value) in ('number', 'string')
      and p_value #>> '{}' ~ '^\s*[+-]?([0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?\s*$'
    then abs((p_value #>> '{}')::numeric) < 1e18 and (p_value #>> '{}')::numeric % 1 = 0
    else false
  end;
$$;

comment on function agg.is_whole_number is
  'Whether a JSON value, or the text in it, is a whole number of at most 18 digits, however it is spelled: 12, 12.0, 1.2e1, "12".';

-- 30_bars/keep_changed_bars.sql
create function agg.keep_changed_bars()
returns trigger
language plpgsql
volatile
-- Writers of derived_data_bars have no rights on its revisions.
security definer
set search_path = pg_catalog, pg_temp
-- A plan made for one statement serves all: transition tables are hashed, and the registry is asked by its key.
set enable_nestloop = off
set enable_mergejoin = off
set enable_hashjoin = on
set jit = off
as $$
declare
  v_is_built constant boolean := coalesce(current_setting('pgbars.is_building_windows', true), '') = 'on';
begin
  -- The update that an upsert of new bars is as well.
  if not exists (select from old_rows) then
    return null;
  end if;
  insert into public.derived_data_bars_revision (
    canonical_symbol, timeframe, ts_utc, replaced_at, written_at, deleted_at, open, high, low, close, vol, vwap, trade_count,
    covered_minutes, expected_minutes, quality_score, is_partial, reason
  )
  select
    o.canonical_symbol, o.timeframe, o.ts_utc, coalesce(n.updated_at, now()), o.updated_at, o.deleted_at, o.open, o.high, o.low, o.close,
    o.vol, o.vwap, o.trade_count, o.covered_minutes, o.expected_minutes, o.quality_score, o.is_partial,
    case
      when n.canonical_symbol is null then 'deleted'
      when not v_is_built then 'by_hand'
      when n.covered_minutes > o.covered_minutes then 'late_minutes'
      when n.covered_minutes < o.covered_minutes then 'lost_minutes'
      when (n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count, n.is_partial)
        is distinct from (o.open, o.high, o.low, o.close, o.vol, o.vwap, o.trade_count, o.is_partial) then 'changed_minutes'
      else 'new_rules'
    end
  from old_rows as o
  -- A row whose key was changed is gone from its place.
  left join new_rows as n on n.canonical_symbol = o.canonical_symbol and n.timeframe = o.timeframe and n.ts_utc = o.ts_utc
  where (o.deleted_at is null or n.canonical_symbol is not null and n.deleted_at is null)
    and o.updated_at < coalesce(n.updated_at, now())
    and (
      select agg.revision_age(r.metadata #> '{agg,revisions}') from public.core_asset_registry_all as r where r.canonical_symbol = o.canonical_symbol
    ) is distinct from interval '0'
  on conflict (canonical_symbol, timeframe, ts_utc, replaced_at) do nothing;
  return null;
end;
$$;

create trigger keep_changed after update on public.derived_data_bars
  referencing old table as old_rows new table as new_rows for each statement execute function agg.keep_changed_bars();

comment on function agg.keep_changed_bars is
  'Keeps what an update changed of derived_data_bars, from its transition tables, as revisions. Keeps no row that was no bar and still is not, nor one that its own transaction wrote, which no reader has seen.';

-- 30_bars/keep_deleted_bars.sql
create function agg.keep_deleted_bars()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if current_setting('pgbars.keeps_deleted', true) = 'off' then
    return null;
  end if;
  insert into public.derived_data_bars_revision (
    canonical_symbol, timeframe, ts_utc, replaced_at, written_at, deleted_at, open, high, low, close, vol, vwap, trade_count,
    covered_minutes, expected_minutes, quality_score, is_partial, reason
  )
  select
    o.canonical_symbol, o.timeframe, o.ts_utc, now(), o.updated_at, o.deleted_at, o.open, o.high, o.low, o.close,
    o.vol, o.vwap, o.trade_count, o.covered_minutes, o.expected_minutes, o.quality_score, o.is_partial, 'deleted'
  from old_rows as o
  where o.deleted_at is null and o.updated_at < now()
    and (
      select agg.revision_age(r.metadata #> '{agg,revisions}') from public.core_asset_registry_all as r where r.canonical_symbol = o.canonical_symbol
    ) is distinct from interval '0'
  on conflict (canonical_symbol, timeframe, ts_utc, replaced_at) do nothing;
  return null;
end;
$$;

create trigger keep_deleted after delete on public.derived_data_bars
  referencing old table as old_rows for each statement execute function agg.keep_deleted_bars();

comment on function agg.keep_deleted_bars is
  'Keeps the bars that a statement deleted from derived_data_bars as revisions, but for those that its own transaction wrote. It keeps none while the setting pgbars.keeps_deleted is off.';

-- 30_bars/malformed_bars.sql
create function agg.malformed_bars(p_bars jsonb)
returns setof agg.rejected_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := array[
    'canonical_symbol', 'timeframe', 'ts_utc', 'open', 'high', 'low', 'close', 'vol', 'vwap', 'trade_count', 'is_partial', 'source', 'raw'
  ];
  v_pattern constant text := agg.instant_pattern();
begin
  return query
  select (e.nr - 1)::integer, '22023', null::text, left(p.problem, 300)
  from jsonb_array_elements(p_bars) with ordinality as e (bar, nr)
  cross join lateral (
    select case
      when jsonb_typeof(e.bar) <> 'object' then format('a bar must be an object, not %s', jsonb_typeof(e.bar))
      when e.bar - v_known <> '{}' then format(
        '%s is not known; known are %s',
        (select string_agg(k.key, ', ') from jsonb_object_keys(e.bar - v_known) as k (key)), array_to_string(v_known, ', ')
      )
      when coalesce(jsonb_typeof(e.bar -> 'canonical_symbol'), '') <> 'string'
        or e.bar ->> 'canonical_symbol' <> btrim(e.bar ->> 'canonical_symbol')
        or length(e.bar ->> 'canonical_symbol') not between 1 and 200
        or e.bar ->> 'canonical_symbol' ~ '[[:cntrl:]]'
      then format(
        'canonical_symbol must be a text of 1 to 200 characters, without control characters and without space around it, not %s',
        coalesce(e.bar -> 'canonical_symbol', 'null')
      )
      when coalesce(e.bar ->> 'ts_utc' !~ v_pattern, true) then format(
        'ts_utc must be an instant with its zone such as "2026-01-02T10:00:00Z", not %s', coalesce(e.bar -> 'ts_utc', 'null')
      )
      when e.bar ->> 'trade_count' is not null and not agg.is_whole_number(e.bar -> 'trade_count') then format(
        'trade_count must be a whole number of at most 18 digits, not %s', e.bar -> 'trade_count'
      )
      when jsonb_typeof(e.bar -> 'is_partial') not in ('boolean', 'null') then format(
        'is_partial must be true or false, not %s', e.bar -> 'is_partial'
      )
    end
  ) as p (problem)
  where p.problem is not null;
end;
$$;

comment on function agg.malformed_bars is
  'The bars of an array that are refused before they are read: a bar that is not an object, an unknown key, a bad symbol, a time that is not an instant with its zone, a trade_count that is not a whole number, an is_partial that is not true or false.';

-- 30_bars/new_rejected_bar.sql
create function agg.new_rejected_bar(p_index integer, p_code text, p_constraint_name text, p_problem text)
returns agg.rejected_bar
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bar agg.rejected_bar;
begin
  v_bar.index := p_index;
  v_bar.code := p_code;
  v_bar.constraint_name := p_constraint_name;
  v_bar.problem := p_problem;
  return v_bar;
end;
$$;

comment on function agg.new_rejected_bar is
'The one constructor of agg.rejected_bar.';

-- 30_bars/read_bars.sql
create function agg.read_bars(
  p_bars jsonb[], p_indexes integer[], p_clamp boolean, out bars agg.input_bar[], out refused agg.rejected_bar[]
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_bars) / 2;
  v_first record;
  v_second record;
begin
  bars := array(
    select row(
      i.index, g.canonical_symbol, coalesce(g.timeframe, '1m'),
      -- Postgres reads instants of limited length.
      regexp_replace(g.ts_utc, '(\.[0-9]{6})0+', '\1')::timestamptz,
      g.open,
      case when p_clamp and agg.is_rounding_error(g.high, e.top) then greatest(g.high, e.top) else g.high end,
      case when p_clamp and agg.is_rounding_error(g.low, e.bottom) then least(g.low, e.bottom) else g.low end,
      g.close, g.vol, g.vwap, g.trade_count::bigint,
      coalesce(g.is_partial, false), coalesce(g.source, 'ingest'), coalesce(g.raw, '{}')
    )::agg.input_bar
    from unnest(p_bars, p_indexes) as i (bar, index)
    cross join lateral jsonb_to_record(i.bar) as g (
      canonical_symbol text, timeframe text, ts_utc text,
      open double precision, high double precision, low double precision, close double precision,
      vol double precision, vwap double precision, trade_count numeric, is_partial boolean, source text, raw jsonb
    )
    cross join lateral (select greatest(g.open, g.close), least(g.open, g.close)) as e (top, bottom)
  );
  refused := '{}';
exception when data_exception then
  if v_half = 0 then
    bars := '{}';
    refused := array[agg.new_rejected_bar(p_indexes[1], sqlstate, null, regexp_replace(sqlerrm, '"([^"]{40})[^"]+"', '"\1..."'))];
    return;
  end if;
  v_first := agg.read_bars(p_bars[:v_half], p_indexes[:v_half], p_clamp);
  v_second := agg.read_bars(p_bars[v_half + 1:], p_indexes[v_half + 1:], p_clamp);
  bars := v_first.bars || v_second.bars;
  refused := v_first.refused || v_second.refused;
end;
$$;

comment on function agg.read_bars is
  'Reads bars out of JSON, with their places in the array of the caller. p_clamp widens high and low to cover open and close where the excess is a rounding error. Where a value cannot be read, reads by halves, until only bad bars are refused.';

-- 30_bars/store_bars.sql
create function agg.store_bars(p_bars agg.input_bar[], out inserted bigint, out updated bigint, out unchanged bigint)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Marks the rows of this statement: an update leaves created_at alone.
  v_at constant timestamptz := clock_timestamp();
begin
  with given as materialized (
    select distinct on (g.canonical_symbol, g.ts_utc) g.*
    from unnest(p_bars) as g
    order by g.canonical_symbol, g.ts_utc, g.index desc
  ),
  stored as (
    insert into public.data_bars as b (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw, created_at
    )
    select
      g.canonical_symbol, g.timeframe, g.ts_utc, g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count, g.is_partial, g.source, g.raw,
      v_at
    from given as g
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
      vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count,
      is_partial = excluded.is_partial, source = excluded.source, raw = excluded.raw,
      ingested_at = excluded.ingested_at
    where (b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw)
      is distinct from (
        excluded.open, excluded.high, excluded.low, excluded.close, excluded.vol, excluded.vwap, excluded.trade_count,
        excluded.is_partial, excluded.source, excluded.raw
      )
    returning b.created_at = v_at as is_new
  )
  select
    count(*) filter (where s.is_new), count(*) filter (where not s.is_new), (select count(*) from given as g) - count(*)
  into inserted, updated, unchanged
  from stored as s;
end;
$$;

comment on function agg.store_bars is
  'Stores bars in one statement, locking them in the order of their keys; of bars with one key the last one.';

-- 30_bars/store_or_split.sql
create function agg.store_or_split(
  p_bars agg.input_bar[], out inserted bigint, out updated bigint, out unchanged bigint, out refused agg.rejected_bar[]
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_bars) / 2;
  v_constraint text;
  v_first record;
  v_second record;
begin
  select s.inserted, s.updated, s.unchanged, '{}'::agg.rejected_bar[]
  into strict inserted, updated, unchanged, refused
  from agg.store_bars(p_bars) as s;
exception when others then
  if cardinality(p_bars) = 0
    -- A unique violation is a bar's own here: bars that are stored already are no conflict.
    or (sqlstate <> '23505' and agg.fail_kind(sqlstate) = 'transient')
    -- Errors of the transaction, of the schema, and internal ones, but not a refusal of access.
    or (left(sqlstate, 2) in ('25', '42', 'XX') and sqlstate <> '42501')
  then
    raise;
  end if;
  if v_half = 0 then
    get stacked diagnostics v_constraint = constraint_name;
    inserted := 0;
    updated := 0;
    unchanged := 0;
    refused := array[agg.new_rejected_bar(p_bars[1].index, sqlstate, nullif(v_constraint, ''), left(sqlerrm, 300))];
    return;
  end if;
  v_first := agg.store_or_split(p_bars[:v_half]);
  v_second := agg.store_or_split(p_bars[v_half + 1:]);
  inserted := v_first.inserted + v_second.inserted;
  updated := v_first.updated + v_second.updated;
  unchanged := v_first.unchanged + v_second.unchanged;
  refused := v_first.refused || v_second.refused;
end;
$$;

comment on function agg.store_or_split is
  'Stores bars, in one statement where none is refused, otherwise by halves, until only bad bars are refused: what a check, foreign key or trigger raises for a bar costs that bar. Raises what no bar is the reason of: a cancelled statement, and what passes by itself, such as a deadlock or a full disk.';

-- 30_bars/upsert_bars.sql
create function public.upsert_bars(p_bars jsonb, p_clamp boolean default false)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Times have their zone; what Postgres says of a bad one is in UTC.
set timezone = 'UTC'
set statement_timeout = '60s'
as $$
declare
  v_refused agg.rejected_bar[];
  v_read record;
  v_bars agg.input_bar[];
  v_stored record;
begin
  if jsonb_typeof(p_bars) is distinct from 'array' then
    raise exception 'p_bars must be an array of bars, not %', coalesce(jsonb_typeof(p_bars), 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  v_refused := array(select m from agg.malformed_bars(p_bars) as m);
  select r.* into strict v_read
  from (
    select
      coalesce(array_agg(e.bar order by e.nr), '{}') as bars,
      coalesce(array_agg((e.nr - 1)::integer order by e.nr), '{}') as indexes
    from jsonb_array_elements(p_bars) with ordinality as e (bar, nr)
    where e.nr - 1 not in (select m.index from unnest(v_refused) as m)
  ) as w
  cross join lateral agg.read_bars(w.bars, w.indexes, coalesce(p_clamp, false)) as r;
  v_refused := v_refused || v_read.refused || array(
    select agg.new_rejected_bar(b.index, '23000', null, s.problem)
    from unnest(v_read.bars) as b
    join agg.computed_series as s on s.canonical_symbol = b.canonical_symbol
    union all
    select agg.new_rejected_bar(b.index, '23000', null, f.problem)
    from unnest(v_read.bars) as b
    join agg.minute_floor as f on f.canonical_symbol = b.canonical_symbol and b.ts_utc < f.floor_utc
    where not exists (select from agg.computed_series as s where s.canonical_symbol = b.canonical_symbol)
  );
  v_bars := agg.bars_without(v_read.bars, v_refused);
  v_refused := v_refused || array(select k from agg.broken_bars(v_bars) as k);
  v_bars := agg.bars_without(v_bars, v_refused);
  v_stored := agg.store_or_split(v_bars);
  v_refused := v_refused || v_stored.refused;
  v_bars := agg.bars_without(v_bars, v_refused);

  return jsonb_build_object(
    'success', true, 'inserted', v_stored.inserted, 'updated', v_stored.updated, 'unchanged', v_stored.unchanged,
    'superseded', cardinality(v_bars) - v_stored.inserted - v_stored.updated - v_stored.unchanged,
    'refused', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'index', r.index, 'canonical_symbol', p_bars -> r.index -> 'canonical_symbol', 'ts_utc', p_bars -> r.index -> 'ts_utc',
          'code', r.code, 'constraint', r.constraint_name, 'problem', r.problem
        ) order by r.index
      ), '[]')
      from unnest(v_refused) as r
    ),
    'unregistered', (
      select coalesce(jsonb_agg(s.symbol order by s.symbol), '[]')
      from (select distinct b.canonical_symbol from unnest(v_bars) as b) as s (symbol)
      where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.symbol)
    )
  );
end;
$$;

comment on function public.upsert_bars is
  'Stores 1m bars, refuses bad ones, and says what became of each.
p_bars: a JSON array of objects with canonical_symbol, ts_utc (an instant with its zone), open, high, low, close, and optionally vol, vwap, trade_count (null where unknown), is_partial, source, raw.
p_clamp: widens high and low to cover open and close where they miss by at most 1e-9 of the price.
A bar that is stored already is replaced as a whole, and not written where it is the same. Repeating a call changes nothing.
Result: inserted, updated and unchanged count bars; superseded counts bars that a later one with the same key replaced in the same call. refused lists index (from 0), canonical_symbol, ts_utc, code (SQLSTATE), constraint and problem of each refused bar. unregistered lists the symbols of stored bars that the registry does not know: no task builds from them.
Refused are malformed bars, bars that break a check of data_bars, bars of a computed series, bars older than metadata.agg.keep says, and what a check, foreign key or trigger of your own refuses. A constraint that is deferred raises at the end of the transaction instead.
Raises invalid_parameter_value for what is not an array, and what no bar is the reason of, such as a deadlock or a timeout; then nothing is stored. jsonb itself refuses what is not JSON, a NUL, half a surrogate pair and a number beyond numeric.
Locks the bars it writes, in the order of their keys, to the end of the transaction. Runs with the rights of its owner: no policy on data_bars binds the caller.';

-- 40_tasks/agg_bootstrap_cursor.sql
create function public.agg_bootstrap_cursor(p_symbol text, p_to_tf text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  update public.data_agg_state as s
  set
    last_agg_bar_ts_utc = b.cursor_utc,
    built_to_utc = nullif(greatest(b.decided_to_utc, b.followed_to_utc), b.decided_to_utc),
    status = case when s.enabled then 'idle' else 'disabled' end,
    running_started_at_utc = null,
    fail_streak = 0,
    hard_fail_streak = 0,
    failing_since_utc = null,
    next_run_at = agg.first_run_at(
      b.cursor_utc, agg.due_at(b.cursor_utc, b.window_length, s.aggregation_delay_seconds, s.window_time_zone, s.window_origin),
      s.session_minutes, s.calendar
    ),
    updated_at = now()
  from (
    with recursive level as (
      select p_to_tf as timeframe
      union all
      select s.timeframe
      from level as l
      join public.data_agg_state as s on s.canonical_symbol = p_symbol and s.source_timeframe = l.timeframe and s.timeframe <> l.timeframe
    )
    select
      t.canonical_symbol, t.timeframe, t.followed_to_utc, t.window_length,
      c.cursor_utc, agg.window_end(c.cursor_utc, t.window_length, t.window_time_zone, t.window_origin) as decided_to_utc
    from agg.task as t
    cross join lateral (
      select agg.bootstrap_cursor(t.agg_start_utc, t.window_length, t.window_time_zone, t.window_origin) as cursor_utc
    ) as c
    where t.canonical_symbol = p_symbol and t.timeframe in (select l.timeframe from level as l)
    order by t.run_interval_minutes
    for update of t
  ) as b
  where s.canonical_symbol = b.canonical_symbol and s.timeframe = b.timeframe;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_to_tf;
  if not found then
    perform agg.raise_no_task(p_symbol, p_to_tf);
  end if;
  return jsonb_build_object(
    'success', true,
    'bootstrapped_cursor', v_task.last_agg_bar_ts_utc,
    'will_start_at', agg.window_end(
      v_task.last_agg_bar_ts_utc, make_interval(mins => v_task.run_interval_minutes), v_task.window_time_zone, v_task.window_origin
    )
  );
end;
$$;

comment on function public.agg_bootstrap_cursor is
'Starts a task over from its agg_start_utc, and the tasks that build from it.
Sets the cursor one interval before agg_start_utc and clears the failures. An unchanged bar is not written; a bar whose source bars are gone is soft-deleted. Only this, and a start moved back under a task that has decided nothing, move a cursor back.
Returns success, bootstrapped_cursor and will_start_at. Locks: waits for a dispatcher that holds the task. Raises no_data_found without a task.';

-- 40_tasks/agg_finish.sql
create function public.agg_finish(
  p_symbol text,
  p_tf text,
  p_success boolean,
  p_new_cursor_utc timestamptz default null,
  p_stats jsonb default null,
  p_fail_kind text default null,
  p_error text default null,
  p_now timestamptz default now(),
  p_claimed_at timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_decided_to_utc timestamptz;
  v_end_utc timestamptz;
  v_frontier_utc timestamptz;
  v_result agg.build_result;
begin
  if p_success is null then
    raise exception 'p_success must be true or false' using errcode = 'invalid_parameter_value';
  end if;
  if not p_success and coalesce(p_fail_kind, '') not in ('transient', 'hard') then
    raise exception 'p_fail_kind must be transient or hard, not %', coalesce(p_fail_kind, 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  v_task := agg.lock_task(p_symbol, p_tf);
  if v_task.running_started_at_utc is null or v_task.running_started_at_utc <> p_claimed_at then
    raise exception 'task % % is not claimed%', p_symbol, p_tf, coalesce(' since ' || p_claimed_at, '')
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Claim it with agg_start() first. A claim older than 15 minutes counts as abandoned and is taken back.';
  end if;

  v_length := make_interval(mins => v_task.run_interval_minutes);
  v_decided_to_utc := agg.window_end(v_task.last_agg_bar_ts_utc, v_length, v_task.window_time_zone, v_task.window_origin);
  if p_success and p_new_cursor_utc is not null then
    v_end_utc := agg.window_end(p_new_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin);
    if agg.window_start(p_new_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin) <> p_new_cursor_utc
      or p_new_cursor_utc < v_task.last_agg_bar_ts_utc
    then
      raise exception 'cursor % of % % is not the start of a window at or after the cursor %',
        p_new_cursor_utc, p_symbol, p_tf, v_task.last_agg_bar_ts_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
    -- A start that was moved ahead leaves the cursor behind it; nothing between them is built.
    select greatest(o.frontier_utc, o.from_utc) into v_frontier_utc
    from agg.plan_builds(array[p_symbol], p_tf, p_now, null, 1) as o;
    if p_new_cursor_utc > v_task.last_agg_bar_ts_utc and v_end_utc > v_frontier_utc then
      raise exception 'cursor % of % % is beyond the frontier %', p_new_cursor_utc, p_symbol, p_tf, v_frontier_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
  end if;

  v_result.symbols := array[p_symbol];
  v_result.timeframe := p_tf;
  v_result.window_length := v_length;
  v_result.window_time_zone := v_task.window_time_zone;
  v_result.window_origin := v_task.window_origin;
  v_result.from_utc := v_decided_to_utc;
  v_result.decided_to_utc := coalesce(v_end_utc, v_decided_to_utc);
  v_result.stopped_reason := left(p_stats ->> 'stopped_reason', 100);
  v_result.bars := agg.read_count(p_stats, 'bars_created');
  v_result.bars_poor := agg.read_count(p_stats, 'bars_quality_poor');
  if not p_success then
    v_result.fail_kind := p_fail_kind;
    v_result.error := coalesce(left(p_error, 2000), 'the worker gave no reason');
  end if;
  perform agg.finish_tasks(array[v_result], p_now);
  -- The claim may have been lost and another's: what was built under it may have missed a change whose note is gone.
  if p_success and p_claimed_at is null and p_new_cursor_utc > v_task.last_agg_bar_ts_utc then
    perform agg.add_corrections(array[agg.new_changed_span(
      p_symbol, p_tf, tstzmultirange(tstzrange(v_decided_to_utc, v_end_utc))
    )]);
  end if;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  return jsonb_build_object(
    'success', true,
    'status', v_task.status,
    'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
    'next_run_at', v_task.next_run_at,
    'hard_fail_streak', v_task.hard_fail_streak
  );
end;
$$;

comment on function public.agg_finish is
'Releases a claim of agg_start. Call it in the transaction that built the bars.
On success it stores p_new_cursor_utc, which must be the start of a window, not behind the stored cursor and not beyond a frontier (null: unchanged), and adds the counts bars_created and bars_quality_poor of p_stats (what catchup_aggregation_range returned; each from 0 to 10^9). On failure it counts the failure (p_fail_kind transient or hard, p_error the reason) and backs off.
p_claimed_at is claimed_at of agg_start: with it a worker whose claim was taken back cannot release that of another; without it the windows that the cursor passes are built once more by the dispatcher. p_now is the clock.
Returns success, status, last_agg_bar_ts_utc, next_run_at (infinity: the task sleeps until data arrive), hard_fail_streak.
Locks: the task''s row, to the end of the transaction. Raises object_not_in_prerequisite_state without the claim, invalid_parameter_value for bad arguments';

-- 40_tasks/agg_get_due_tasks.sql
create function public.agg_get_due_tasks(
  p_env_name text default null, p_limit integer default 10, p_now timestamptz default now()
)
returns table (
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  last_agg_bar_ts_utc timestamptz,
  run_interval_minutes integer,
  aggregation_delay_seconds integer,
  is_mandatory boolean,
  task_priority integer
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- As in agg.claim_due_tasks.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_is_test constant boolean := agg.is_test(agg.current_env(p_env_name));
  v_queue record;
  v_left integer := p_limit;
  v_rows integer;
begin
  if agg.is_paused(p_now) then
    return;
  end if;
  perform agg.recover_abandoned_claims(p_now);
  -- Queue by queue: only the last one that is read is sorted for a part of it.
  for v_queue in
    select q.is_mandatory, q.run_interval_minutes, q.task_priority
    from agg.task_queue as q
    order by q.is_mandatory desc, q.run_interval_minutes, q.task_priority
  loop
    exit when v_left <= 0;
    return query
    select
      s.canonical_symbol, s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc,
      s.run_interval_minutes, s.aggregation_delay_seconds, s.is_mandatory, s.task_priority
    from agg.runnable_task as s
    join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = v_is_test
    where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
      and s.task_priority = v_queue.task_priority and s.next_run_at <= p_now
    order by s.last_successful_at_utc nulls first, s.canonical_symbol
    limit v_left;
    get diagnostics v_rows = row_count;
    v_left := v_left - v_rows;
  end loop;
end;
$$;

comment on function public.agg_get_due_tasks is
  'Tasks to work on at p_now, most urgent first, at most p_limit (null: all).
p_env_name is the environment whose flag says which assets are active; null is the environment of the database.
Mandatory tasks come first, then shorter timeframes, lower task_priority, and the least recently successful.
Claims no task: agg_start does. Returns none in a pause (agg_pause). Frees tasks that were claimed 15 minutes ago or longer and never finished.';

-- 40_tasks/agg_start.sql
create function public.agg_start(p_symbol text, p_tf text, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  update public.data_agg_state as s
  set status = 'running', running_started_at_utc = p_now, updated_at = now()
  from (
    select r.canonical_symbol, r.timeframe
    from agg.runnable_task as r
    where r.canonical_symbol = p_symbol and r.timeframe = p_tf
    for update skip locked
  ) as free
  where s.canonical_symbol = free.canonical_symbol and s.timeframe = free.timeframe
  returning s.* into v_task;
  if found then
    return jsonb_build_object(
      'claimed', true,
      'canonical_symbol', v_task.canonical_symbol,
      'timeframe', v_task.timeframe,
      'source_timeframe', v_task.source_timeframe,
      'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
      'claimed_at', v_task.running_started_at_utc
    );
  end if;

  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  if not found then
    perform agg.raise_no_task(p_symbol, p_tf);
  end if;
  return jsonb_build_object(
    'claimed', false,
    'reason', case when v_task.status in ('running', 'disabled') then v_task.status else 'busy' end
  );
end;
$$;

comment on function public.agg_start is
'Claims a task for a worker outside the database.
Returns claimed; with true also canonical_symbol, timeframe, source_timeframe, last_agg_bar_ts_utc and claimed_at (to be given to agg_finish); with false a reason: running, disabled, or busy (a dispatcher holds it).
Locks: never waits. A claim older than 15 minutes is taken back. Raises no_data_found without a task.';

-- 40_tasks/bootstrap_cursor.sql
create function agg.bootstrap_cursor(
  p_start_utc timestamptz, p_window_length interval, p_time_zone text default null, p_origin timestamp default '2000-01-03 00:00:00'
)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return agg.window_start(p_start_utc - interval '1 microsecond', p_window_length, p_time_zone, p_origin);
end;
$$;

comment on function agg.bootstrap_cursor is
'Returns the cursor of a task that has decided nothing: the window before its first whole window at or after p_start_utc.';

-- 40_tasks/claim_due_tasks.sql
create function agg.claim_due_tasks(
  p_env text, p_limit integer, p_now timestamptz, p_lanes integer default 1, out timeframe text, out symbols text[]
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by an index in order, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_is_test constant boolean := agg.is_test(p_env);
  v_queue record;
  v_is_mandatory boolean;
  v_minutes integer;
  v_claimed text[];
  v_timeframe text;
  v_due bigint := 0;
  v_is_passed_over boolean := false;
begin
  symbols := '{}';
  for v_queue in
    select q.is_mandatory, q.run_interval_minutes, q.task_priority
    from agg.task_queue as q
    cross join lateral (
      select s.next_run_at
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
      order by s.next_run_at
      limit 1
    ) as f
    where f.next_run_at <= p_now
    order by
      q.is_mandatory desc,
      least(min(f.next_run_at) over (partition by q.is_mandatory, q.run_interval_minutes), p_now - interval '5 minutes'),
      q.run_interval_minutes, q.task_priority
  loop
    if (v_is_mandatory, v_minutes) is distinct from (v_queue.is_mandatory, v_queue.run_interval_minutes) then
      exit when timeframe is not null;
      v_is_passed_over := v_minutes is not null;
      v_is_mandatory := v_queue.is_mandatory;
      v_minutes := v_queue.run_interval_minutes;
      v_due := 0;
    end if;
    if p_lanes > 1 then
      v_due := v_due + (
        select count(*)
        from (
          select
          from agg.runnable_task as s
          where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
            and s.task_priority = v_queue.task_priority and s.next_run_at <= p_now
          limit p_limit::bigint * p_lanes
        ) as d
      );
    end if;

    select array_agg(c.canonical_symbol), min(c.timeframe) into v_claimed, v_timeframe
    from (
      select s.canonical_symbol, s.timeframe
      from agg.runnable_task as s
      join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = v_is_test
      where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
        and s.task_priority = v_queue.task_priority and s.next_run_at <= p_now
        and (
          not v_is_passed_over
          or not exists (
            select
            from agg.runnable_task as u
            where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
              and u.next_run_at <= p_now
          )
        )
      order by s.next_run_at
      limit case when p_lanes > 1 then least(p_limit, (v_due + p_lanes - 1) / p_lanes) else p_limit end - cardinality(symbols)
      for update of s skip locked
    ) as c;
    timeframe := coalesce(timeframe, v_timeframe);
    symbols := symbols || v_claimed;
    exit when cardinality(symbols) >= p_limit;
  end loop;
end;
$$;

comment on function agg.claim_due_tasks is
'Locks up to p_limit due tasks of one timeframe to the end of the transaction, and returns their symbols; no symbols where nothing is due.
Order: mandatory first, then shorter timeframe, priority, due for longest. A timeframe of which a task has been due for more than five minutes goes before shorter ones, so that no backlog holds up another. Reads an index in this order: what is due and not taken costs nothing.
p_lanes: how many dispatchers share the work. Each takes at most its share of what is due.
Passes over a task while its source task is due and was not taken: another session has it, and will let this one follow.
Locks: never waits; passes over rows that others have locked. Build in a later statement, so that its snapshot is younger than the locks.';

-- 40_tasks/due_at.sql
create function agg.due_at(
  p_cursor_utc timestamptz,
  p_window_length interval,
  p_delay_seconds integer,
  p_time_zone text default null,
  p_origin timestamp default '2000-01-03 00:00:00'
)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return agg.window_end(agg.window_end(p_cursor_utc, p_window_length, p_time_zone, p_origin), p_window_length, p_time_zone, p_origin)
    + make_interval(secs => p_delay_seconds);
end;
$$;

comment on function agg.due_at is
'Returns when the window after a cursor may be decided: its end plus the delay.';

-- 40_tasks/extend_built_to.sql
create function agg.extend_built_to(p_symbol text, p_timeframe text, p_built_to_utc timestamptz)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  update agg.task as s
  set built_to_utc = p_built_to_utc
  where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe and p_built_to_utc > s.followed_to_utc;
$$;

comment on function agg.extend_built_to is
'Stores that windows up to p_built_to_utc were built ahead of the cursor of a task, so that changes of their source are followed. The caller holds the task.';

-- 40_tasks/finish_tasks.sql
create function agg.finish_tasks(p_results agg.build_result[], p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_finished record;
begin
  with result as materialized (
    -- Once a result, however many symbols it has. Windows in UTC need no call.
    select
      r.symbols, r.timeframe, r.from_utc, r.decided_to_utc, r.bars, r.bars_poor, r.stopped_reason, r.fail_kind, r.error,
      case
        when r.window_time_zone is null then r.decided_to_utc - r.window_length
        else agg.window_start(r.decided_to_utc - interval '1 microsecond', r.window_length, r.window_time_zone, r.window_origin)
      end as cursor_utc,
      case
        when r.window_time_zone is null then r.decided_to_utc + r.window_length
        else agg.window_end(r.decided_to_utc, r.window_length, r.window_time_zone, r.window_origin)
      end as next_end_utc
    from unnest(p_results) as r
  ),
  finished as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = case when r.fail_kind is null then greatest(s.last_agg_bar_ts_utc, r.cursor_utc) else s.last_agg_bar_ts_utc end,
      built_to_utc = case when r.fail_kind is not null or s.built_to_utc > r.decided_to_utc then s.built_to_utc end,
      next_run_at = case
        when r.fail_kind is not null then date_trunc('minute', p_now + agg.retry_delay(s.hard_fail_streak, r.fail_kind))
        when r.stopped_reason = 'max_windows' then p_now
        when r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) > p_now
          then r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds)
        else date_trunc('minute', p_now + least(interval '5 minutes', greatest(
          interval '1 minute', (p_now - r.next_end_utc - make_interval(secs => s.aggregation_delay_seconds)) / 8
        )))
      end,
      status = case
        when not s.enabled or s.status = 'disabled' then 'disabled'
        when r.fail_kind is null or s.hard_fail_streak + (r.fail_kind = 'hard')::integer < d.hard_failures then 'idle'
        when s.is_mandatory then 'hard_failed'
        else 'disabled'
      end,
      running_started_at_utc = null,
      fail_streak = case when r.fail_kind is null then 0 else least(s.fail_streak, 1000000) + 1 end,
      hard_fail_streak = case when r.fail_kind is null then 0 else least(s.hard_fail_streak, 1000000) + (r.fail_kind = 'hard')::integer end,
      failing_since_utc = case when r.fail_kind is not null then coalesce(least(s.failing_since_utc, p_now), p_now) end,
      total_runs = least(s.total_runs, 999999999999999) + 1,
      total_bars_created = least(s.total_bars_created + coalesce(r.bars, 0), 1000000000000000),
      total_bars_quality_poor = least(s.total_bars_quality_poor + coalesce(r.bars_poor, 0), 1000000000000000),
      last_attempted_at_utc = p_now,
      last_successful_at_utc = case when r.fail_kind is null then p_now else s.last_successful_at_utc end,
      last_stopped_reason = case when r.fail_kind is null then r.stopped_reason else s.last_stopped_reason end,
      last_error = r.error,
      updated_at = now()
    from agg.defaults as d
    cross join result as r
    cross join lateral unnest(r.symbols) as y (symbol)
    where s.canonical_symbol = y.symbol and s.timeframe = r.timeframe
    returning
      s.canonical_symbol, s.timeframe, s.is_mandatory, s.hard_fail_streak, s.last_error,
      -- A gap that is stepped over lies before from_utc.
      r.fail_kind is null and (r.stopped_reason = 'frontier' or r.decided_to_utc is distinct from r.from_utc) as has_advanced,
      r.fail_kind is null and r.stopped_reason is distinct from 'max_windows'
        and p_now >= r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) as is_waiting
  )
  select
    min(f.timeframe) as timeframe,
    array_agg(f.canonical_symbol) filter (where f.has_advanced) as advanced,
    array_agg(f.canonical_symbol) filter (where f.is_waiting) as waiting,
    string_agg(
      format('%s %s (%s, %s in a row): %s', f.canonical_symbol, f.timeframe,
        case when f.is_mandatory then 'mandatory, keeps retrying' else 'optional, now disabled' end, f.hard_fail_streak, f.last_error),
      '; ' order by f.canonical_symbol, f.timeframe
    ) filter (where f.hard_fail_streak >= (select d.hard_failures from agg.defaults as d)) as alarms
  into v_finished
  from finished as f;

  if v_finished.waiting is not null then
    perform agg.sleep_tasks(v_finished.waiting, v_finished.timeframe);
  end if;
  if v_finished.advanced is not null then
    perform agg.wake_dependents(v_finished.advanced, v_finished.timeframe);
  end if;
  if v_finished.alarms is not null then
    raise warning 'hard failures: %', v_finished.alarms using hint = 'select * from agg_health() explains every task.';
  end if;
end;
$$;

comment on function agg.finish_tasks is
'The one rule for what follows work on tasks: cursor, streaks, status, and when each is due again.
A task is due again when its next window completes; at once after max_windows; after a failure, see agg.retry_delay. A task that waits for data or for its source task sleeps until these come (agg.sleep_tasks); where it cannot, it is due after an eighth of the time that it has waited (1 to 5 minutes). A wait ends at a whole minute. What advances wakes the tasks that build from it.
Three hard failures in a row disable an optional task. A mandatory one keeps retrying as hard_failed. Warns of both.
The decided_to_utc of a result is not behind what its tasks have decided.
Locks: the caller holds the tasks. Counts end at 10^15, so that no value from outside makes a sum overflow.';

-- 40_tasks/first_run_at.sql
create function agg.first_run_at(p_cursor_utc timestamptz, p_due_at timestamptz, p_session_minutes int4multirange, p_calendar text)
returns timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when p_session_minutes is null and p_calendar is null then p_due_at else p_cursor_utc end;
$$;

comment on function agg.first_run_at is
'Returns when a task whose cursor has just been set to its start runs first: when its first window may be decided. With a session or a calendar it is at once, since the first windows may be closed ones, which need no time to pass.';

-- 40_tasks/has_source_bar.sql
create function agg.has_source_bar(p_symbol text, p_timeframe text, p_from_utc timestamptz, p_to_utc timestamptz)
returns boolean
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when t.source_timeframe is not null then exists (
      select from agg.source_bar as b
      where b.canonical_symbol = p_symbol and b.timeframe = coalesce((
          select s.source_timeframe from public.data_agg_state as s where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
        ), t.source_timeframe)
        and b.ts_utc >= p_from_utc and b.ts_utc < p_to_utc and b.covered_minutes > 0
    )
    else not exists (
      select from agg.synthetic_component as k
      where k.canonical_symbol = p_symbol and not exists (
        select from public.data_bars as d
        where d.canonical_symbol = k.component and d.timeframe = p_timeframe and d.ts_utc >= p_from_utc and d.ts_utc < p_to_utc
      )
    )
  end
  from agg.timeframe as t
  where t.timeframe = p_timeframe;
$$;

comment on function agg.has_source_bar is
'Whether a task has a source bar in [p_from_utc, p_to_utc); for a synthetic series, whether each component has one.';

-- 40_tasks/lock_series.sql
create function agg.lock_series(p_symbol text, p_timeframe text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.lock_task(p_symbol, p_timeframe);
  -- A series without a task has no row to lock.
  perform pg_advisory_xact_lock(hashtextextended(format('pgbars.series %s %s', p_symbol, p_timeframe), 0));
end;
$$;

comment on function agg.lock_series is
'Lets one session at a time build bars of a series outside the dispatcher, with or without a task.
Build in a later statement, so that its snapshot is younger than the lock.';

-- 40_tasks/lock_task.sql
create function agg.lock_task(p_symbol text, p_timeframe text)
returns public.data_agg_state
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  perform agg.require_fresh_snapshots();
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  for update;
  return v_task;
end;
$$;

comment on function agg.lock_task is
'Locks the row of a task to the end of the transaction, and returns it; null where there is no such task.
Locks: waits for the session that holds the row.';

-- 40_tasks/raise_no_task.sql
create function agg.raise_no_task(p_symbol text, p_timeframe text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'there is no task % %', p_symbol, p_timeframe
    using errcode = 'no_data_found',
      hint = 'Add the asset to core_asset_registry_all, then run sync_agg_state_from_registry().';
end;
$$;

comment on function agg.raise_no_task is 'Raises no_data_found for a task that does not exist, and says how to get it.';

-- 40_tasks/recover_abandoned_claims.sql
create function agg.recover_abandoned_claims(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_recovered integer;
begin
  update public.data_agg_state as s
  set
    status = case when s.hard_fail_streak >= abandoned.hard_failures then 'hard_failed' else 'idle' end,
    running_started_at_utc = null,
    next_run_at = p_now,
    last_error = format('claim of %s was abandoned', s.running_started_at_utc),
    updated_at = now()
  from (
    select a.canonical_symbol, a.timeframe, d.hard_failures
    from public.data_agg_state as a
    cross join agg.defaults as d
    where a.status = 'running'
      and a.running_started_at_utc not between p_now - d.overdue_after + interval '1 microsecond' and p_now + d.overdue_after
    for update of a skip locked
  ) as abandoned
  where s.canonical_symbol = abandoned.canonical_symbol and s.timeframe = abandoned.timeframe;
  get diagnostics v_recovered = row_count;
  return v_recovered;
end;
$$;

comment on function agg.recover_abandoned_claims is
'Frees tasks that a worker claimed with agg_start 15 minutes ago or longer and never finished. Returns how many.
A claim that began more than 15 minutes after p_now is as old: the clock that dated it was ahead.
Locks: passes over rows that others have locked.';

-- 40_tasks/recover_postponed_tasks.sql
create function agg.recover_postponed_tasks(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by an index, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_recovered integer;
begin
  update public.data_agg_state as s
  set next_run_at = p_now, updated_at = now()
  from (
    select l.canonical_symbol, l.timeframe
    from agg.task_queue as q
    cross join lateral (
      select r.canonical_symbol, r.timeframe
      from agg.runnable_task as r
      where r.is_mandatory = q.is_mandatory and r.run_interval_minutes = q.run_interval_minutes and r.task_priority = q.task_priority
        and r.next_run_at > p_now + make_interval(mins => q.run_interval_minutes) + interval '1 hour' and r.next_run_at < 'infinity'
        and r.next_run_at > r.due_at
      for update skip locked
    ) as l
  ) as postponed
  where s.canonical_symbol = postponed.canonical_symbol and s.timeframe = postponed.timeframe;
  get diagnostics v_recovered = row_count;

  if not exists (select from agg.correction as c where c.retry_at > p_now + interval '1 hour') then
    return v_recovered;
  end if;
  update agg.correction as k
  set retry_at = p_now
  from (
    select c.canonical_symbol, c.timeframe, c.correction_id
    from agg.correction as c
    where c.retry_at > p_now + interval '1 hour'
    for update skip locked
  ) as postponed
  where k.canonical_symbol = postponed.canonical_symbol and k.timeframe = postponed.timeframe
    and k.correction_id = postponed.correction_id;
  return v_recovered;
end;
$$;

comment on function agg.recover_postponed_tasks is
'Makes due at p_now what a clock that was ahead has put off for longer than any task or correction waits. Returns how many tasks.
A task waits at most for its next window and an hour of backoff, a correction at most an hour; a task that sleeps (infinity) waits for data. Where there is nothing to do it costs one probe a queue.
Locks: passes over rows that others have locked.';

-- 40_tasks/require_tasks.sql
create function agg.require_tasks(p_symbols text[], p_timeframes text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unknown text;
begin
  select n.timeframe into v_unknown
  from unnest(p_timeframes) as n (timeframe)
  where not exists (select from agg.timeframe as t where t.timeframe = n.timeframe)
  limit 1;
  if found then
    raise exception '% is not a timeframe', coalesce(v_unknown, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  select n.symbol into v_unknown
  from unnest(p_symbols) as n (symbol)
  where not exists (select from public.data_agg_state as s where s.canonical_symbol = n.symbol)
  limit 1;
  if found then
    perform agg.raise_no_task(v_unknown, 'of any timeframe');
  end if;
end;
$$;

comment on function agg.require_tasks is
'Raises no_data_found for a symbol without tasks, and invalid_parameter_value for an unknown timeframe. Null lists are all.';

-- 40_tasks/sleep_tasks.sql
create function agg.sleep_tasks(p_symbols text[], p_timeframe text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_held text[];
begin
  v_held := array(
    select s.canonical_symbol
    from unnest(p_symbols) as c (symbol)
    join public.data_agg_state as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    join public.data_agg_state as u
      on u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
    for share of u skip locked
  );
  -- A later statement: it sees every bar and cursor that was committed before the locks.
  update public.data_agg_state as s
  set next_run_at = 'infinity', updated_at = now()
  from (
    select t.canonical_symbol
    from unnest(p_symbols) as c (symbol)
    join agg.runnable_task as t on t.canonical_symbol = c.symbol and t.timeframe = p_timeframe
    left join agg.task as u
      on u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    left join unnest(v_held) as h (symbol) on h.symbol = t.canonical_symbol
    where (u.canonical_symbol is null or h.symbol is not null)
      and case t.last_stopped_reason
        when 'no_source_data' then not agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, 'infinity')
        else u.enabled and u.decided_to_utc < t.due_at - make_interval(secs => t.aggregation_delay_seconds)
      end
  ) as a
  where s.canonical_symbol = a.canonical_symbol and s.timeframe = p_timeframe;
end;
$$;

comment on function agg.sleep_tasks is
'Lets tasks sleep that have just found nothing to decide: next_run_at infinity, and a run costs them nothing.
After no_source_data: where no source bar at all lies at or after the next window. One that does, stamped after the clock, is waited for as before. After any other reason: where the source task has not decided the next window.
Change notes wake them (agg.add_corrections), and a source task that advances (agg.wake_dependents).
Locks: the caller holds the tasks. Never waits: locks the source tasks to the end of the transaction, so that none advances unseen; a task whose source is held elsewhere stays awake.';

-- 40_tasks/wake_dependents.sql
create function agg.wake_dependents(p_symbols text[], p_timeframe text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_changes agg.changed_span[];
begin
  if not exists (select from agg.runnable_task as d where d.next_run_at = 'infinity') then
    return;
  end if;
  v_changes := array(
    select agg.new_changed_span(d.canonical_symbol, d.timeframe, tstzmultirange(tstzrange(d.followed_to_utc, null)))
    from unnest(p_symbols) as c (symbol)
    join agg.task as u on u.canonical_symbol = c.symbol and u.timeframe = p_timeframe
    join agg.runnable_task as d
      on d.canonical_symbol = u.canonical_symbol and d.source_timeframe = u.timeframe and d.timeframe <> u.timeframe
    where d.next_run_at = 'infinity' and d.due_at - make_interval(secs => d.aggregation_delay_seconds) <= u.decided_to_utc
  );
  if v_changes <> '{}' then
    perform agg.add_corrections(v_changes);
  end if;
end;
$$;

comment on function agg.wake_dependents is
'Wakes the tasks that sleep until these tasks of one timeframe have decided more, and now have. One that another session holds becomes a correction, which wakes it later.
Locks: the caller holds the tasks that advanced. Never waits.';

-- 40_tasks/wake_overlooked_tasks.sql
create function agg.wake_overlooked_tasks()
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Every access is by an index, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set jit = off
as $$
declare
  v_woken integer;
begin
  update public.data_agg_state as s
  set next_run_at = o.due_at, updated_at = now()
  from (
    select t.canonical_symbol, t.timeframe, t.due_at
    from agg.runnable_task as t
    where t.next_run_at = 'infinity'
      and case t.last_stopped_reason
        when 'no_source_data' then agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, 'infinity')
        else not exists (
          select
          from agg.task as u
          where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
            and u.enabled and u.decided_to_utc < t.due_at - make_interval(secs => t.aggregation_delay_seconds)
        )
      end
    for update of t skip locked
  ) as o
  where s.canonical_symbol = o.canonical_symbol and s.timeframe = o.timeframe;
  get diagnostics v_woken = row_count;
  return v_woken;
end;
$$;

comment on function agg.wake_overlooked_tasks is
'Wakes sleeping tasks that have something to do: a source bar that no change note spoke of, or a source task that has decided the next window. Returns how many.
Locks: passes over rows that others have locked.';

-- 50_changes/add_change_notes.sql
create function agg.add_change_notes()
returns trigger
language plpgsql
volatile
-- Writers of data_bars have no rights on agg.change_note.
security definer
set search_path = pg_catalog, pg_temp
-- A plan made for a bulk load serves the small statements of the same session as well: without compiling it.
set jit = off
as $$
declare
  v_builder constant text := coalesce(current_setting('pgbars.is_building', true), '');
  v_is_built constant boolean := v_builder = 'on';
  v_rows bigint;
  v_first_utc timestamptz;
  v_problem text;
  v_computed text;
  v_is_fold_due boolean;
begin
  -- agg.remove_old_bars: no task starts behind the floor.
  if v_builder = 'removing' then
    return null;
  end if;
  select count(*), min(c.ts_utc), min(c.canonical_symbol) filter (
    where c.canonical_symbol = any (array(select s.canonical_symbol from agg.computed_series as s))
  )
  into v_rows, v_first_utc, v_computed
  from changed_rows as c;
  -- The update that an upsert of new bars is as well.
  if v_rows = 0 then
    return null;
  end if;
  if v_computed is not null and not v_is_built and tg_op <> 'DELETE' then
    raise exception '%', (select s.problem from agg.computed_series as s where s.canonical_symbol = v_computed)
      using errcode = 'integrity_constraint_violation',
        hint = 'Store bars of its components, or change the registry. Deleted bars are computed again.';
  end if;
  if tg_op <> 'DELETE' and v_first_utc < (select max(f.floor_utc) from agg.floor as f where f.timeframe = '1m') then
    select f.problem into v_problem
    from changed_rows as c
    join agg.minute_floor as f on f.canonical_symbol = c.canonical_symbol
    where c.ts_utc < f.floor_utc
    order by f.canonical_symbol
    limit 1;
    if found then
      raise exception '%', v_problem
        using errcode = 'integrity_constraint_violation', hint = 'Leave these bars out; upsert_bars refuses them one by one. A floor once raised stays.';
    end if;
  end if;

  if v_rows <= 1000 then
    insert into agg.change_note (symbols, from_utc, is_built)
    select array_agg(c.canonical_symbol), array_agg(c.ts_utc), v_is_built from changed_rows as c
    returning note_id % 1000 = 0 into v_is_fold_due;
  else
    with added as (
      insert into agg.change_note (symbols, from_utc, to_utc, is_built)
      select array_agg(i.canonical_symbol), array_agg(i.from_utc), array_agg(i.to_utc), v_is_built
      from (
        select
          r.canonical_symbol, min(r.ts_utc) as from_utc, max(r.ts_utc) + interval '1 minute' as to_utc,
          (row_number() over (order by r.canonical_symbol, min(r.ts_utc)) - 1) / 1000 as chunk
        from (
          -- Minutes in a row are as far from their rank as their first.
          select
            c.canonical_symbol, c.ts_utc,
            c.ts_utc - interval '1 minute' * dense_rank() over (partition by c.canonical_symbol order by c.ts_utc) as run
          from changed_rows as c
        ) as r
        group by r.canonical_symbol, r.run
      ) as i
      group by i.chunk
      returning note_id
    )
    select bool_or(a.note_id % 1000 = 0) into v_is_fold_due from added as a;
  end if;
  if v_is_fold_due then
    perform agg.fold_notes();
  end if;
  return null;
end;
$$;

create trigger note_insert after insert on public.data_bars
  referencing new table as changed_rows for each statement execute function agg.add_change_notes();

create trigger note_update after update on public.data_bars
  referencing new table as changed_rows for each statement execute function agg.add_change_notes();

create trigger note_delete after delete on public.data_bars
  referencing old table as changed_rows for each statement execute function agg.add_change_notes();

comment on function agg.add_change_notes is
  'Leaves notes of what a statement changed, from its transition table: minute by minute up to 1,000 rows, beyond that as runs of minutes, 1,000 to a note. Refuses bars of a computed series that its builder has not written, and bars behind the floor of their symbol (agg.floor).';

-- 50_changes/add_corrections.sql
create function agg.add_corrections(p_changes agg.changed_span[], p_is_backfill boolean default false)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_sleeping agg.changed_span[];
begin
  with change as (
    select c.* from unnest(p_changes) as c where not isempty(c.spans)
  ),
  held as materialized (
    select
      c.canonical_symbol, c.timeframe, c.spans, s.next_run_at = 'infinity' as is_asleep,
      case when s.running_started_at_utc is null then
        tstzmultirange(tstzrange(null, s.followed_to_utc))
      end as decided
    from change as c
    join agg.task as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    for update of s skip locked
  ),
  taken as (
    -- By place: a join would read all corrections for each task where the planner takes their table for empty.
    delete from agg.correction as k
    where k.ctid = any (array(
      select w.ctid
      from held as h
      cross join lateral (
        select c.ctid
        from agg.correction as c
        where c.canonical_symbol = h.canonical_symbol and c.timeframe = h.timeframe
          and case
            -- A failed correction waits for its time, unless its source has changed.
            when c.is_backfill = p_is_backfill then c.error is null or c.spans && h.spans
            -- Taken and put back: what a dispatcher has taken meanwhile, and may have built from an older snapshot, is not there.
            else c.is_backfill and c.error is null and c.spans && h.spans
          end
        offset 0
      ) as w
    ))
    returning k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures, k.is_backfill <> p_is_backfill as is_history
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of tasks.
  merged as (
    select
      m.canonical_symbol, m.timeframe,
      range_agg(m.spans) filter (where not m.is_history) as spans,
      range_agg(m.spans) filter (where m.is_history) as history,
      range_agg(m.decided) as decided,
      bool_or(m.is_held) as is_held,
      bool_or(m.is_asleep) as is_asleep,
      min(m.changed_at) filter (where not m.is_history) as changed_at,
      min(m.changed_at) filter (where m.is_history) as history_at,
      max(m.failures) filter (where not m.is_history) as failures
    from (
      select c.canonical_symbol, c.timeframe, c.spans, null::tstzmultirange as decided, false as is_held, false as is_asleep, c.changed_at, c.failures, false as is_history
      from change as c
      union all
      select t.canonical_symbol, t.timeframe, t.spans, null, false, false, t.changed_at, t.failures, t.is_history
      from taken as t
      union all
      select h.canonical_symbol, h.timeframe, null, h.decided, true, h.is_asleep, null, null, false
      from held as h
    ) as m
    group by m.canonical_symbol, m.timeframe
  ),
  added as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, is_backfill)
    select m.canonical_symbol, m.timeframe, m.history, m.history_at, 0, true
    from merged as m
    where m.history is not null
    union all
    select m.canonical_symbol, m.timeframe, w.spans, m.changed_at, m.failures, p_is_backfill
    from merged as m
    -- Only the holder of a task that no worker has claimed knows what it has decided, and may drop the rest.
    cross join lateral (
      select case when m.decided is null then m.spans else m.spans * m.decided end - coalesce(m.history, '{}')
    ) as w (spans)
    where not isempty(w.spans)
      and (
        m.is_held
        or (
          select true from public.data_agg_state as s where s.canonical_symbol = m.canonical_symbol and s.timeframe = m.timeframe
        )
      )
  )
  select array_agg(agg.new_changed_span(m.canonical_symbol, m.timeframe, m.spans))
  into v_sleeping
  from merged as m
  where m.is_asleep and m.decided is not null;
  if v_sleeping is not null then
    perform agg.wake_tasks(v_sleeping);
  end if;
end;
$$;

comment on function agg.add_corrections is
'Makes corrections of changes to the source bars of tasks, merged with those that wait already.
p_is_backfill: history, which waits apart until nothing else does. What waits as history already is no correction beside it.
Drops what lies ahead of the cursor and of built_to_utc, but only for tasks that it can lock and that no worker has claimed: a row lock taken elsewhere, or a claim, may hide a build that has not seen the change. Drops changes of tasks that do not exist: what such a task builds later, it sees.
A task that sleeps is woken by what it drops.
Locks: never waits; keeps the locks it gets to the end of the transaction.';

-- 50_changes/add_moved_bar_note.sql
create function agg.add_moved_bar_note()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into agg.change_note (symbols, from_utc) values (array[old.canonical_symbol], array[old.ts_utc]);
  return null;
end;
$$;

create trigger note_move after update on public.data_bars
  for each row
  when ((old.canonical_symbol, old.timeframe, old.ts_utc) is distinct from (new.canonical_symbol, new.timeframe, new.ts_utc))
  execute function agg.add_moved_bar_note();

comment on function agg.add_moved_bar_note is
  'Leaves a note of the minute that an update of symbol or ts_utc took a bar away from: a note a bar.';

-- 50_changes/add_replicated_note.sql
create function agg.add_replicated_note()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_symbol constant text := case tg_op when 'DELETE' then old.canonical_symbol else new.canonical_symbol end;
  v_ts_utc constant timestamptz := case tg_op when 'DELETE' then old.ts_utc else new.ts_utc end;
  v_day constant timestamptz := date_bin(interval '1 day', v_ts_utc, timestamptz '2000-01-01 00:00:00+00');
  -- The symbols, and the days of symbols, that this transaction has noted. Quoted, so that no symbol looks like an entry.
  v_noted constant text := coalesce(current_setting('pgbars.replicated', true), '');
  v_entry_symbol constant text := '|' || quote_literal(v_symbol);
  v_entry text := v_entry_symbol || date_part('epoch', v_day) || '|';
  v_is_first boolean;
  v_note_id bigint;
begin
  if tg_op = 'UPDATE' and (old.canonical_symbol <> v_symbol or old.ts_utc <> v_ts_utc) then
    insert into agg.change_note (symbols, from_utc) values (array[old.canonical_symbol], array[old.ts_utc]);
  end if;
  if strpos(v_noted, v_entry) > 0 then
    return null;
  end if;

  v_is_first := strpos(v_noted, v_entry_symbol || '|') = 0;
  if v_is_first then
    v_entry := v_entry_symbol || '|';
  end if;
  -- Room for thousands of symbols. What is forgotten is noted again.
  perform set_config('pgbars.replicated', case when length(v_noted) < 100000 then v_noted else '' end || v_entry, true);
  insert into agg.change_note (symbols, from_utc, to_utc)
  values (
    array[v_symbol],
    array[case when v_is_first then v_ts_utc else v_day end],
    array[case when v_is_first then v_ts_utc + interval '1 minute' else v_day + interval '24 hours' end]
  )
  returning note_id into v_note_id;
  if v_note_id % 1000 = 0 then
    perform agg.fold_notes();
  end if;
  return null;
end;
$$;

-- Fires in the replica role only, where no trigger of a statement fires. Other sessions pay nothing for it.
create trigger note_replicated after insert or update or delete on public.data_bars
  for each row execute function agg.add_replicated_note();

alter table public.data_bars enable replica trigger note_replicated;

comment on function agg.add_replicated_note is
  'Leaves a note of a row that logical replication, or a session with session_replication_role = replica, has written. The first row of a symbol in a transaction is noted as its minute, each later one as its whole UTC day, once: a large copy leaves a note a day and symbol.';

-- 50_changes/add_truncation_note.sql
create function agg.add_truncation_note()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into agg.change_note (from_utc, to_utc) values ('{-infinity}', '{infinity}');
  return null;
end;
$$;

create trigger note_truncate after truncate on public.data_bars
  for each statement execute function agg.add_truncation_note();

-- Logical replication truncates, too.
alter table public.data_bars enable always trigger note_truncate;

comment on function agg.add_truncation_note is 'Leaves a note that every symbol changed at every time.';

-- 50_changes/agg_add_change_note.sql
create function public.agg_add_change_note(
  p_symbols text[] default null, p_from timestamptz default null, p_to timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_from_utc constant timestamptz := coalesce(p_from, '-infinity');
  v_to_utc constant timestamptz := coalesce(p_to, 'infinity');
  v_symbols constant text[] := array(select distinct s.symbol from unnest(p_symbols) as s (symbol));
begin
  if v_from_utc >= v_to_utc then
    raise exception '[%, %) is not a range of time', v_from_utc, v_to_utc
      using errcode = 'invalid_parameter_value', hint = 'p_to is the end: the first instant that did not change.';
  end if;
  if cardinality(p_symbols) = 0 or array_position(p_symbols, null) is not null then
    raise exception 'p_symbols must be symbols, not %', p_symbols
      using errcode = 'invalid_parameter_value', hint = 'null means every symbol.';
  end if;
  insert into agg.change_note (symbols, from_utc, to_utc)
  select
    case when p_symbols is not null then v_symbols end,
    array_fill(v_from_utc, array[n.entries]), array_fill(v_to_utc, array[n.entries])
  from (select greatest(cardinality(v_symbols), 1)) as n (entries);
  perform agg.fold_notes();
  return jsonb_build_object(
    'success', true,
    'symbols', case when p_symbols is null then null else cardinality(v_symbols) end,
    'from_utc', p_from,
    'to_utc', p_to
  );
end;
$$;

comment on function public.agg_add_change_note is
'Says that source bars changed, after a load with the triggers of data_bars off.
p_symbols: null for all. [p_from, p_to): null for without bound. Too wide a range costs time and changes nothing else.
Call it in the transaction of the load, or after its commit: a note that is committed before the bars may be read before them, and is lost.
Returns success, symbols (how many; null for all), from_utc and to_utc. Raises invalid_parameter_value for an empty range or list.';

-- 50_changes/changes_from_notes.sql
create function agg.changes_from_notes(p_note_ids bigint[])
returns setof agg.changed_span
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
begin
  return query
  with noted as materialized (
    select
      u.symbol, n.changed_at, n.is_built, tstzrange(u.from_utc, coalesce(u.to_utc, u.from_utc + interval '1 minute')) as span
    from agg.change_note as n
    cross join lateral unnest(coalesce(n.symbols, array[null]), n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
    where n.note_id = any (p_note_ids)
  ),
  merged as materialized (
    select
      m.symbol, range_agg(m.span) as spans, range_agg(m.span) filter (where not m.is_built) as foreign_spans, min(m.changed_at) as changed_at
    from (
      select n.symbol, n.span, n.changed_at, n.is_built from noted as n where n.symbol is not null
      union all
      select a.canonical_symbol, n.span, n.changed_at, n.is_built
      from noted as n
      cross join lateral (
        select s.canonical_symbol from public.data_agg_state as s
        union all
        select k.component from agg.task_component as k
      ) as a
      where n.symbol is null
    ) as m
    group by m.symbol
  )
  select d.symbol, d.timeframe, range_agg(d.spans), min(d.changed_at), 0
  from (
    select m.symbol, t.timeframe, m.spans, m.changed_at
    from merged as m
    cross join agg.timeframe as t
    where t.source_timeframe = '1m'
    union all
    select k.canonical_symbol, '1m', m.spans, m.changed_at
    from merged as m
    join agg.task_component as k on k.component = m.symbol
    union all
    -- Someone other than the builder wrote to the series.
    select s.canonical_symbol, s.timeframe, m.foreign_spans, m.changed_at
    from merged as m
    join public.data_agg_state as s on s.canonical_symbol = m.symbol and s.basket is not null
    where m.foreign_spans is not null
  ) as d
  group by d.symbol, d.timeframe;
end;
$$;

comment on function agg.changes_from_notes is
'Says what change notes mean for tasks. These build from what changed: the tasks of the symbol whose source is 1m; the synthetic series that have it in their basket; and a synthetic series itself where someone other than its builder wrote to it.';

-- 50_changes/claim_corrections.sql
create function agg.claim_corrections(
  p_env text, p_timeframe text, p_limit integer, p_now timestamptz, p_lanes integer default 1, p_is_backfill boolean default false
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return array(
    select s.canonical_symbol
    from (
      select k.canonical_symbol, min(k.correction_id) as first_id
      from agg.correction as k
      where k.timeframe = p_timeframe and k.is_backfill = p_is_backfill and k.retry_at <= p_now
      group by k.canonical_symbol
    ) as k
    join agg.active_asset as a on a.canonical_symbol = k.canonical_symbol and a.is_test = (select agg.is_test(p_env))
    join agg.runnable_task as s on s.canonical_symbol = k.canonical_symbol and s.timeframe = p_timeframe
    -- What a task has left waiting goes to the end of the queue.
    order by k.first_id
    limit least(p_limit, (
      select (count(distinct w.canonical_symbol) + p_lanes - 1) / p_lanes
      from agg.correction as w
      where w.timeframe = p_timeframe and w.is_backfill = p_is_backfill and w.retry_at <= p_now
    ))
    for update of s skip locked
  );
end;
$$;

comment on function agg.claim_corrections is
  'Locks up to p_limit tasks of a timeframe that have corrections waiting, p_is_backfill those of history, to the end of the transaction, and returns their symbols.
Order: those first that wait longest since they were last worked on.
p_lanes: how many dispatchers share the work. Each takes at most its share of what waits.
Locks: never waits; passes over rows that others have locked, and tasks that a worker has claimed. Build in a later statement, so that its snapshot is younger than the locks.';

-- 50_changes/correct_tasks.sql
create function agg.correct_tasks(
  p_symbols text[], p_timeframe text, p_now timestamptz, p_max_windows integer, p_is_backfill boolean default false
)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_taken agg.changed_span[];
  v_changes agg.changed_span[];
  v_requests agg.build_request[];
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  with taken as (
    delete from agg.correction as k
    using unnest(p_symbols) as c (symbol)
    where k.canonical_symbol = c.symbol and k.timeframe = p_timeframe and k.is_backfill = p_is_backfill and k.retry_at <= p_now
    returning k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures
  )
  select array_agg(agg.new_changed_span(t.canonical_symbol, t.timeframe, t.spans, t.changed_at, t.failures))
  into v_taken
  from taken as t;
  v_changes := array(
    select agg.new_changed_span(t.canonical_symbol, t.timeframe, range_agg(t.spans), min(t.changed_at), max(t.failures))
    from unnest(v_taken) as t
    group by t.canonical_symbol, t.timeframe
  );
  -- Built is what lies behind the cursor; what lies ahead of it may be what the task sleeps for.
  perform agg.wake_tasks(v_changes);
  v_requests := array(select q from agg.rebuild_requests(v_changes, p_max_windows) as q);
  v_results := array(select r from agg.build_or_split(v_requests) as r);

  -- Requests are the newest windows: what is older than them is left for later.
  insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, is_backfill)
  select k.canonical_symbol, k.timeframe, w.spans, k.changed_at, k.failures, p_is_backfill
  from (
    select
      c.canonical_symbol, c.timeframe,
      range_agg(c.spans) as spans, min(c.changed_at) as changed_at, max(c.failures) as failures, min(c.from_utc) as from_utc
    from (
      select c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures, null::timestamptz as from_utc
      from unnest(v_changes) as c
      union all
      select y.symbol, q.timeframe, null, null, null, q.from_utc
      from unnest(v_requests) as q
      cross join lateral unnest(q.symbols) as y (symbol)
    ) as c
    group by c.canonical_symbol, c.timeframe
  ) as k
  cross join lateral (select k.spans * tstzmultirange(tstzrange(null, k.from_utc))) as w (spans)
  where k.from_utc is not null and not isempty(w.spans);

  insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, retry_at, error, is_backfill)
  select
    y.symbol, r.timeframe, r.failed, b.changed_at, b.failures + 1,
    p_now + agg.retry_delay(b.failures, coalesce(r.fail_kind, 'hard')), r.error, p_is_backfill
  from unnest(v_results) as r
  cross join lateral unnest(r.symbols) as y (symbol)
  cross join lateral (
    select min(t.changed_at), least(max(t.failures), 1000000)
    from unnest(v_taken) as t
    where t.canonical_symbol = y.symbol and t.timeframe = r.timeframe and t.spans && r.failed
  ) as b (changed_at, failures)
  where r.error is not null;

  select
    cardinality(p_symbols), coalesce(sum(r.windows * cardinality(r.symbols)), 0), 0, 0,
    coalesce(sum((r.inserted + r.updated + r.removed) * cardinality(r.symbols)), 0),
    (select count(distinct y.symbol) from unnest(v_results) as e cross join lateral unnest(e.symbols) as y (symbol) where e.error is not null), 0
  into
    v_sums.tasks, v_sums.windows, v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.notes
  from unnest(v_results) as r;
  if p_is_backfill then
    select coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length)) * cardinality(q.symbols)), 0)
    into v_sums.windows_backfilled
    from unnest(v_requests) as q;
  end if;
  return v_sums;
end;
$$;

comment on function agg.correct_tasks is
'Builds again what the corrections of claimed tasks of one timeframe ask for, p_is_backfill those of history: at most p_max_windows windows a task, newest first; the rest waits on. Moves no cursor. Wakes a task whose source has changed ahead of the cursor.
What fails waits for agg.retry_delay, and holds up nothing else.';

-- 50_changes/fold_notes.sql
create function agg.fold_notes()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  -- In a transaction that keeps one snapshot, a note that a dispatcher has deleted since would fail the writer.
  if current_setting('transaction_isolation') <> 'read committed'
    or not exists (select from agg.change_note as n where n.changed_at < clock_timestamp() - interval '10 minutes')
  then
    return;
  end if;

  with folded as (
    delete from agg.change_note as n
    where n.note_id in (
      select f.note_id from agg.change_note as f order by f.is_folded, f.note_id limit 2000 for update skip locked
    )
    returning n.symbols, n.from_utc, n.to_utc, n.changed_at, n.is_built
  ),
  merged as (
    select
      c.symbol, f.is_built,
      range_agg(tstzrange(c.from_utc, coalesce(c.to_utc, c.from_utc + interval '1 minute'))) as spans,
      min(f.changed_at) as changed_at
    from folded as f
    cross join lateral unnest(coalesce(f.symbols, array[null]), f.from_utc, f.to_utc) as c (symbol, from_utc, to_utc)
    group by c.symbol, f.is_built
  ),
  numbered as (
    select
      m.symbol, m.is_built, m.changed_at, lower(s.span) as from_utc, upper(s.span) as to_utc,
      (row_number() over (partition by m.is_built order by m.symbol, s.span) - 1) / 1000 as chunk
    from merged as m
    cross join lateral unnest(m.spans) as s (span)
  )
  insert into agg.change_note (changed_at, symbols, from_utc, to_utc, is_built, is_folded)
  select min(n.changed_at), array_agg(n.symbol), array_agg(n.from_utc), array_agg(n.to_utc), n.is_built, true
  from numbered as n
  where n.symbol is not null
  group by n.is_built, n.chunk
  union all
  select n.changed_at, null, array[n.from_utc], array[n.to_utc], n.is_built, true
  from numbered as n
  where n.symbol is null;
end;
$$;

comment on function agg.fold_notes is
  'Merges notes into few, by symbol, once one of them is older than ten minutes: no dispatcher reads them, and they must not grow with every statement. Writers call it at every thousandth note. It merges at most 2,000 notes, those first that are not merged yet. Never waits, and leaves alone what other sessions hold; what it has merged stays locked by the writer until that commits.';

-- 50_changes/make_history.sql
create function agg.make_history(
  p_symbols text[], p_timeframe text, p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns agg.changed_span[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_moved agg.changed_span[];
begin
  with live as materialized (
    select t.canonical_symbol, t.decided_to_utc, e.end_utc, agg.bootstrap_cursor(e.end_utc, q.window_length, q.window_time_zone, q.window_origin) as cursor_utc
    from agg.plan_builds(p_symbols, p_timeframe, p_now, null, null) as q
    cross join lateral unnest(q.symbols) as y (symbol)
    join agg.task as t on t.canonical_symbol = y.symbol and t.timeframe = p_timeframe
    cross join lateral (
      select case
        when q.source_timeframe is null then q.to_utc - interval '1 minute'
        else (
          select b.ts_utc
          from agg.source_bar as b
          where b.canonical_symbol = y.symbol and b.timeframe = q.source_timeframe and b.is_derived = (q.source_timeframe <> '1m')
            and b.ts_utc < p_now and b.covered_minutes > 0
          order by b.ts_utc desc
          limit 1
        )
      end
    ) as l (last_utc)
    cross join lateral (
      select agg.window_start(least(l.last_utc, q.frontier_utc, p_to), q.window_length, q.window_time_zone, q.window_origin)
    ) as e (end_utc)
    where l.last_utc is not null and e.end_utc > greatest(t.decided_to_utc, q.from_utc) and t.running_started_at_utc is null
  ),
  moved as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = l.cursor_utc,
      built_to_utc = nullif(greatest(s.built_to_utc, l.end_utc), l.end_utc),
      next_run_at = agg.due_at(
        l.cursor_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds, s.window_time_zone, s.window_origin
      ),
      updated_at = now()
    from live as l
    where s.canonical_symbol = l.canonical_symbol and s.timeframe = p_timeframe
    returning s.canonical_symbol, l.decided_to_utc, l.end_utc
  )
  select array_agg(agg.new_changed_span(
    m.canonical_symbol, p_timeframe, tstzmultirange(tstzrange(m.decided_to_utc, m.end_utc))
  ))
  into v_moved
  from moved as m;

  if v_moved is not null then
    perform agg.wake_dependents(array(select m.canonical_symbol from unnest(v_moved) as m), p_timeframe);
  end if;
  return v_moved || array(
    select agg.new_changed_span(y.symbol, p_timeframe, tstzmultirange(tstzrange(p_from, p_to)))
    from unnest(p_symbols) as y (symbol)
  );
end;
$$;

comment on function agg.make_history is
'Lets tasks of one timeframe go on with the window of their last source bar before p_now (p_to, if that is earlier), and returns what is history then: [p_from, p_to), and what the cursors passed. A null is without bound.
A task that a worker has claimed keeps its cursor. The caller holds the tasks.';

-- 50_changes/new_changed_span.sql
create function agg.new_changed_span(
  p_symbol text, p_timeframe text, p_spans tstzmultirange, p_changed_at timestamptz default now(), p_failures integer default 0
)
returns agg.changed_span
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_span agg.changed_span;
begin
  v_span.canonical_symbol := p_symbol;
  v_span.timeframe := p_timeframe;
  v_span.spans := p_spans;
  v_span.changed_at := p_changed_at;
  v_span.failures := p_failures;
  return v_span;
end;
$$;

comment on function agg.new_changed_span is
'The one constructor of agg.changed_span.';

-- 50_changes/new_tasks_holder.sql
create function agg.new_tasks_holder()
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select l.pid
  from pg_catalog.pg_locks as l
  where l.locktype = 'advisory' and l.objsubid = 1 and l.mode = 'ExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = agg.new_tasks_key()
  limit 1;
$$;

comment on function agg.new_tasks_holder is
'Returns the process id of another session whose open transaction has made tasks, for which change notes wait; null where there is none.';

-- 50_changes/new_tasks_key.sql
create function agg.new_tasks_key()
returns bigint
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select hashtextextended('pgbars.new_tasks', 0);
$$;

comment on function agg.new_tasks_key is
'Returns the key of an advisory lock: a transaction that has made tasks holds it, one that has read change notes holds it shared.';

-- 50_changes/take_notes.sql
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

comment on function agg.take_notes is
'Turns up to p_limit committed notes into corrections, deletes them, and returns how many.
Returns 0 while a transaction is open that has made tasks: no other session sees these tasks yet.
Locks: never waits; passes over notes that another dispatcher has taken.';

-- 50_changes/waiting_changes.sql
create function agg.waiting_changes(p_is_backfill boolean default null)
returns setof agg.changed_span
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select c.canonical_symbol, c.timeframe, range_agg(c.spans), min(c.changed_at), max(c.failures)
  from (
    select k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures
    from agg.correction as k
    where k.is_backfill is not distinct from coalesce(p_is_backfill, k.is_backfill)
    union all
    select n.* from agg.changes_from_notes(array(select c.note_id from agg.change_note as c where p_is_backfill is not true)) as n
  ) as c
  group by c.canonical_symbol, c.timeframe;
$$;

comment on function agg.waiting_changes is
'Returns all that waits, by task: corrections, and change notes that no dispatcher has read. p_is_backfill: only history, or only the rest; null is both.';

-- 50_changes/wake_tasks.sql
create function agg.wake_tasks(p_changes agg.changed_span[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  if not exists (select from agg.runnable_task as t where t.next_run_at = 'infinity') then
    return;
  end if;
  update public.data_agg_state as s
  set
    next_run_at = greatest(t.due_at, (
      select u.last_attempted_at_utc
      from public.data_agg_state as u
      where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    )),
    updated_at = now()
  from unnest(p_changes) as c
  join agg.task as t on t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe
  where s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe
    and t.next_run_at = 'infinity' and c.spans && tstzrange(t.decided_to_utc, null);
end;
$$;

comment on function agg.wake_tasks is
'Makes those of the changed tasks due that sleep, where their source has changed at or after their next window. They count as due since their source task was last run: what they waited for was not there before. The caller holds the tasks.';

-- 60_sync/apply_task_changes.sql
create function agg.apply_task_changes(p_changes agg.task_change[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
as $$
declare
  v_new_rules constant agg.changed_span[] := array(
    select agg.new_changed_span(c.canonical_symbol, c.timeframe, c.changed_spans)
    from unnest(p_changes) as c
    where c.changed_spans is not null
  );
begin
  -- A dispatcher that reads notes before this transaction ends does not see the tasks that it makes.
  if exists (select from unnest(p_changes) as c where c.action = 'insert') then
    perform pg_advisory_xact_lock(agg.new_tasks_key());
  end if;

  -- Many tasks begin alike.
  with first as materialized (
    select
      d.*, b.cursor_utc,
      agg.due_at(b.cursor_utc, l.length, d.aggregation_delay_seconds, d.window_time_zone, d.window_origin) as due_at
    from (
      select distinct c.agg_start_utc, c.run_interval_minutes, c.aggregation_delay_seconds, c.window_time_zone, c.window_origin
      from unnest(p_changes) as c
      where c.action <> 'disable'
    ) as d
    cross join lateral (select make_interval(mins => d.run_interval_minutes)) as l (length)
    cross join lateral (
      select agg.bootstrap_cursor(d.agg_start_utc, l.length, d.window_time_zone, d.window_origin)
      offset 0
    ) as b (cursor_utc)
  )
  insert into public.data_agg_state as s (
    canonical_symbol, timeframe, source_timeframe, run_interval_minutes, aggregation_delay_seconds, is_mandatory,
    agg_start_utc, last_agg_bar_ts_utc, next_run_at,
    good_percent, poor_percent, session_time_zone, session_minutes, basket, calendar, window_time_zone, window_origin
  )
  select
    c.canonical_symbol, c.timeframe, c.source_timeframe, c.run_interval_minutes, c.aggregation_delay_seconds, c.is_mandatory,
    c.agg_start_utc, f.cursor_utc, agg.first_run_at(f.cursor_utc, f.due_at, c.session_minutes, c.calendar),
    c.good_percent, c.poor_percent, c.session_time_zone, c.session_minutes, c.basket, c.calendar, c.window_time_zone, c.window_origin
  from unnest(p_changes) as c
  join first as f
    on f.agg_start_utc = c.agg_start_utc and f.run_interval_minutes = c.run_interval_minutes
    and f.aggregation_delay_seconds = c.aggregation_delay_seconds
    and f.window_time_zone is not distinct from c.window_time_zone and f.window_origin = c.window_origin
  where c.action <> 'disable'
  order by c.canonical_symbol, c.run_interval_minutes
  on conflict (canonical_symbol, timeframe) do update set
    source_timeframe = excluded.source_timeframe,
    run_interval_minutes = excluded.run_interval_minutes,
    is_mandatory = excluded.is_mandatory,
    agg_start_utc = excluded.agg_start_utc,
    -- A task that has decided nothing begins at an earlier start like a new one.
    last_agg_bar_ts_utc = case
      when excluded.agg_start_utc < s.agg_start_utc and s.last_agg_bar_ts_utc <= agg.bootstrap_cursor(
        s.agg_start_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
      ) then excluded.last_agg_bar_ts_utc
      else s.last_agg_bar_ts_utc
    end,
    good_percent = excluded.good_percent,
    poor_percent = excluded.poor_percent,
    session_time_zone = excluded.session_time_zone,
    session_minutes = excluded.session_minutes,
    basket = excluded.basket,
    calendar = excluded.calendar,
    enabled = true,
    status = case
      when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f)) then 'idle'
      else s.status
    end,
    running_started_at_utc = case when s.enabled then s.running_started_at_utc end,
    fail_streak = case when s.enabled then s.fail_streak else 0 end,
    hard_fail_streak = case when s.enabled then s.hard_fail_streak else 0 end,
    next_run_at = least(
      case
        when s.enabled and s.status <> 'disabled' then s.next_run_at
        else agg.due_at(
          s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds,
          s.window_time_zone, s.window_origin
        )
      end,
      case when excluded.agg_start_utc < s.agg_start_utc then excluded.next_run_at end
    ),
    updated_at = now();

  update public.data_agg_state as s
  set enabled = false, status = 'disabled', updated_at = now()
  from unnest(p_changes) as c
  where c.action = 'disable' and s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe;

  perform agg.move_windows(array(select c from unnest(p_changes) as c where c.has_new_windows));

  if v_new_rules <> '{}' then
    perform agg.reopen_windows(v_new_rules);
    perform agg.add_corrections(v_new_rules, p_is_backfill => true);
  end if;
end;
$$;

comment on function agg.apply_task_changes is
  'Stores what agg.task_changes found, in the order of keys. Keeps delays and priorities, and cursors but for a task whose windows begin elsewhere: that starts over. New rules become corrections of what is decided, which wait until nothing else does (agg.correction.is_backfill). Locks the task rows it changes. Where it makes tasks, it waits for a dispatcher that has read change notes, and others wait for it.';

-- 60_sync/follow_changed_assets.sql
create function agg.follow_changed_assets()
returns trigger
language plpgsql
volatile
-- Writers of the registry have no rights on tasks.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_symbols constant text[] := array(select c.canonical_symbol from changed_assets as c);
begin
  perform agg.follow_registry(v_symbols, v_symbols);
  return null;
end;
$$;

create trigger follow_insert after insert on public.core_asset_registry_all
  referencing new table as changed_assets
  for each statement execute function agg.follow_changed_assets();

create trigger follow_delete after delete on public.core_asset_registry_all
  referencing old table as changed_assets
  for each statement execute function agg.follow_changed_assets();

comment on function agg.follow_changed_assets is 'agg.follow_registry for assets that were inserted or deleted, in the transaction of the change.';

-- 60_sync/follow_registry.sql
create function agg.follow_registry(p_symbols text[], p_described text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problems text;
begin
  select left(string_agg(format('%s: %s', p.canonical_symbol, p.problem), '; ' order by p.canonical_symbol, p.problem), 2000)
  into v_problems
  from agg.asset_problems(p_described) as p;
  if v_problems is not null then
    raise exception 'metadata of %', v_problems
      using errcode = 'invalid_parameter_value', hint = 'Nothing of this statement is stored. Correct the metadata it gives and try again.';
  end if;
  if p_symbols is distinct from '{}' then
    perform public.sync_agg_state_from_registry(p_symbols => p_symbols);
  end if;
end;
$$;

comment on function agg.follow_registry is
  'Makes the tasks of p_symbols (null: of all assets) follow a change of the registry, in the environment of the database.
p_described are the assets whose metadata the change has written. Raises invalid_parameter_value, with assets and keys, where one of them has metadata that are not understood. Metadata that were there before are followed as far as they are understood, with a warning.
Under repeatable read, a circle of baskets that two transactions close together is found by the next sync only.';

-- 60_sync/follow_truncated_registry.sql
create function agg.follow_truncated_registry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.follow_registry(null, '{}');
  return null;
end;
$$;

create trigger follow_truncate after truncate on public.core_asset_registry_all
  for each statement execute function agg.follow_truncated_registry();

comment on function agg.follow_truncated_registry is 'agg.follow_registry after truncate, in the transaction of the change.';

-- 60_sync/follow_updated_assets.sql
create function agg.follow_updated_assets()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.follow_registry(
    coalesce(array_agg(coalesce(n.canonical_symbol, o.canonical_symbol)), '{}'),
    coalesce(array_agg(n.canonical_symbol) filter (where n.metadata is distinct from o.metadata), '{}')
  )
  from changed_assets as n
  full join former_assets as o on o.canonical_symbol = n.canonical_symbol
  where (n.active, n.test_active, n.metadata) is distinct from (o.active, o.test_active, o.metadata);
  return null;
end;
$$;

create trigger follow_update after update on public.core_asset_registry_all
  referencing new table as changed_assets old table as former_assets
  for each statement execute function agg.follow_updated_assets();

comment on function agg.follow_updated_assets is
  'agg.follow_registry for assets whose symbol, flags or metadata an update has changed, in the transaction of the change.';

-- 60_sync/lock_registry_first.sql
create function agg.lock_registry_first()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.lock_registry();
  return null;
end;
$$;

create trigger lock_first before insert or delete or truncate or update of canonical_symbol, active, test_active, metadata
  on public.core_asset_registry_all
  for each statement execute function agg.lock_registry_first();

comment on function agg.lock_registry_first is
  'Calls agg.lock_registry before a statement that may change tasks locks rows. So changes of the registry wait for each other, and for a sync, without a deadlock.';

-- 60_sync/move_windows.sql
create function agg.move_windows(p_changes agg.task_change[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_changes = '{}' then
    return;
  end if;

  -- Says to agg.keep_changed_bars who writes.
  perform set_config('pgbars.is_building_windows', 'on', true);
  with boundary as materialized (
    select c.canonical_symbol, c.timeframe, w.starts_utc
    from unnest(p_changes) as c
    cross join lateral (
      select min(d.ts_utc), max(d.ts_utc)
      from public.derived_data_bars as d
      where d.canonical_symbol = c.canonical_symbol and d.timeframe = c.timeframe
    ) as b (first_utc, last_utc)
    cross join lateral agg.windows_between(
      b.first_utc, b.last_utc + interval '1 microsecond', make_interval(mins => c.run_interval_minutes),
      c.window_time_zone, c.window_origin
    ) as w
  )
  update public.derived_data_bars as d
  set deleted_at = coalesce(d.deleted_at, now()), covered_minutes = 0, updated_at = greatest(now(), d.updated_at)
  from unnest(p_changes) as c
  where d.canonical_symbol = c.canonical_symbol and d.timeframe = c.timeframe
    -- What lies before the start could not be built again.
    and d.ts_utc >= c.agg_start_utc and (d.deleted_at is null or d.covered_minutes > 0)
    and not exists (
      select from boundary as b
      where b.canonical_symbol = d.canonical_symbol and b.timeframe = d.timeframe and b.starts_utc = d.ts_utc
    );
  perform set_config('pgbars.is_building_windows', 'off', true);

  -- Many tasks move alike, and stand alike.
  with moved as materialized (
    select
      c.canonical_symbol, c.timeframe, c.agg_start_utc, c.window_time_zone, c.window_origin, c.run_interval_minutes,
      t.aggregation_delay_seconds, t.followed_to_utc
    from unnest(p_changes) as c
    join agg.task as t on t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe
  ),
  first as materialized (
    select
      d.*, b.cursor_utc,
      agg.window_end(b.cursor_utc, l.length, d.window_time_zone, d.window_origin) as start_utc,
      -- No window that reaches beyond what was built: it may not have ended.
      agg.window_start(d.followed_to_utc, l.length, d.window_time_zone, d.window_origin) as built_to_utc,
      agg.due_at(b.cursor_utc, l.length, d.aggregation_delay_seconds, d.window_time_zone, d.window_origin) as due_at
    from (
      select distinct
        m.agg_start_utc, m.window_time_zone, m.window_origin, m.run_interval_minutes, m.aggregation_delay_seconds, m.followed_to_utc
      from moved as m
    ) as d
    cross join lateral (select make_interval(mins => d.run_interval_minutes)) as l (length)
    cross join lateral (
      select agg.bootstrap_cursor(d.agg_start_utc, l.length, d.window_time_zone, d.window_origin)
      offset 0
    ) as b (cursor_utc)
  )
  update public.data_agg_state as s
  set
    window_time_zone = m.window_time_zone,
    window_origin = m.window_origin,
    last_agg_bar_ts_utc = f.cursor_utc,
    built_to_utc = nullif(greatest(f.start_utc, f.built_to_utc), f.start_utc),
    status = 'idle',
    running_started_at_utc = null,
    fail_streak = 0,
    hard_fail_streak = 0,
    failing_since_utc = null,
    next_run_at = agg.first_run_at(f.cursor_utc, f.due_at, s.session_minutes, s.calendar),
    updated_at = now()
  from moved as m
  join first as f
    on f.agg_start_utc = m.agg_start_utc and f.run_interval_minutes = m.run_interval_minutes
    and f.aggregation_delay_seconds = m.aggregation_delay_seconds and f.followed_to_utc = m.followed_to_utc
    and f.window_time_zone is not distinct from m.window_time_zone and f.window_origin = m.window_origin
  where s.canonical_symbol = m.canonical_symbol and s.timeframe = m.timeframe;
end;
$$;

comment on function agg.move_windows is
  'Gives tasks the windows that agg.task_changes wants and starts them over, as agg_bootstrap_cursor does. Bars from the start on that are no longer the start of a window are soft-deleted. The caller holds the rows of the tasks.';

-- 60_sync/reopen_windows.sql
create function agg.reopen_windows(p_changes agg.changed_span[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.data_agg_state as s
  set last_agg_bar_ts_utc = n.cursor_utc, next_run_at = least(s.next_run_at, n.due_at), updated_at = now()
  from unnest(p_changes) as c
  join agg.task as t on t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe
  cross join lateral (
    select agg.bootstrap_cursor(
      agg.window_start(
        now() - make_interval(secs => t.aggregation_delay_seconds), t.window_length, t.window_time_zone, t.window_origin
      ),
      t.window_length, t.window_time_zone, t.window_origin
    )
  ) as b (cursor_utc)
  cross join lateral (
    select
      b.cursor_utc,
      agg.due_at(b.cursor_utc, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin) as due_at
  ) as n
  where s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe and t.last_agg_bar_ts_utc > n.cursor_utc;
end;
$$;

comment on function agg.reopen_windows is
'Moves the cursors of tasks back to now where they lie ahead of it: windows were decided because the market was closed in them, and other hours say otherwise. The caller holds the registry.';

-- 60_sync/set_environment.sql
create function agg.set_environment(p_env text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_env !~ '^[A-Za-z][A-Za-z0-9_-]{0,31}$' then
    raise exception '% is not the name of an environment: a letter, then up to 31 letters, digits, _ or -', quote_literal(left(p_env, 100))
      using errcode = 'invalid_parameter_value';
  end if;
  if p_env = agg.current_env(null) then
    return;
  end if;
  perform agg.lock_registry();
  insert into agg.environment (env) values (p_env) on conflict (is_only) do update set env = excluded.env;
  perform public.sync_agg_state_from_registry();
end;
$$;

comment on function agg.set_environment is
  'Makes this the environment of the database, and all tasks follow. Changes of the registry wait for it, to the end of the transaction. Raises invalid_parameter_value for a text that is not a name.';

-- 60_sync/sync_agg_state_from_registry.sql
create function public.sync_agg_state_from_registry(
  p_env text default null,
  p_default_start_utc timestamptz default '2025-07-01 00:00:00+00',
  p_symbols text[] default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
set statement_timeout = '60s'
as $$
declare
  v_env text;
  v_problems agg.asset_problem[];
  v_changes agg.task_change[];
begin
  if p_default_start_utc is null then
    raise exception 'p_default_start_utc must not be null' using errcode = 'invalid_parameter_value';
  end if;

  -- One sync at a time: what it compares with is then what it writes to.
  perform agg.lock_registry();
  v_env := agg.current_env(p_env);

  v_problems := array(
    select p
    from agg.asset_problems(array(
      select a.canonical_symbol
      from agg.active_asset as a
      where a.is_test = (select agg.is_test(v_env)) and (p_symbols is null or a.canonical_symbol = any (p_symbols))
    )) as p
    order by p.canonical_symbol
  );
  if v_problems <> '{}' then
    raise warning 'metadata are not understood: %', (
      select left(string_agg(format('%s (%s; left out: %s)', p.canonical_symbol, p.problem, p.leaves_out), '; '), 2000)
      from unnest(v_problems) as p
    ) using hint = 'Correct metadata in core_asset_registry_all.';
  end if;

  v_changes := array(select c from agg.task_changes(v_env, p_symbols, v_problems, p_default_start_utc) as c);
  if v_changes <> '{}' then
    perform agg.apply_task_changes(v_changes);
  end if;

  return (
    select jsonb_build_object(
      'success', true,
      'env', v_env,
      'inserted', count(*) filter (where c.action = 'insert'),
      'updated', count(*) filter (where c.action = 'update'),
      'reenabled', count(*) filter (where c.action = 'reenable'),
      'disabled', count(*) filter (where c.action = 'disable'),
      'inserted_or_updated', count(*) filter (where c.action <> 'disable'),
      'symbols', coalesce(jsonb_agg(distinct c.canonical_symbol), '[]'),
      'refused', to_jsonb(v_problems),
      'default_start_utc', p_default_start_utc
    )
    from unnest(v_changes) as c
  );
end;
$$;

comment on function public.sync_agg_state_from_registry is
  'Makes tasks follow the registry: every active asset gets its mandatory and optional timeframes, a synthetic one its 1m as well.
p_env is the environment whose flag says which assets are active; null is the environment of the database (see schedule_jobs). p_default_start_utc is the start of new tasks of assets without metadata.agg.start_utc. p_symbols are the assets that follow; null is all.
A new task begins with a bootstrapped cursor and waits 300 seconds after the end of a window (aggregation_delay_seconds); a 1m task does not wait, since a late component is a correction. Cursors, delays and priorities of tasks that are there stay.
What differs is updated. An earlier start, another session, other thresholds and another basket become corrections of all that is decided. Tasks that are not wanted are switched off, and switched on again when they are. An optional task that three hard failures disabled stays so until its asset is switched off and on.
Metadata that are not understood are listed under refused, each with what is left out: key (the key is ignored), series (the 1m bars of the basket are not computed) or asset (its tasks stay as they are). All of them are named in a warning.
Returns success, env, inserted, updated, reenabled, disabled (tasks), inserted_or_updated, symbols (assets whose tasks it changed), refused and default_start_utc.
Syncs and changes of the registry wait for each other. A sync locks only the task rows it changes. One that makes new tasks waits for a dispatcher that has read change notes. Repeating it changes nothing. Raises invalid_parameter_value where p_default_start_utc is null.';

-- 60_sync/task_changes.sql
create function agg.task_changes(
  p_env text, p_symbols text[], p_problems agg.asset_problem[], p_default_start_utc timestamptz
)
returns setof agg.task_change
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
-- A plan for some symbols and one for all have little in common.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with left_out as materialized (
    select distinct p.canonical_symbol, p.leaves_out from unnest(p_problems) as p where p.leaves_out <> 'key'
  ),
  asked as materialized (
    select t.*, t.duration > interval '1 hour' as is_local
    from agg.active_asset as a
    join agg.wanted_task as t on t.canonical_symbol = a.canonical_symbol
    where a.is_test = (select agg.is_test(p_env))
      and (p_symbols is null or a.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = t.canonical_symbol and (o.leaves_out = 'asset' or t.basket is not null)
      )
  ),
  -- Many assets share a session and a day, and reading one costs more than all else here.
  session as materialized (
    select d.session, agg.session_minutes(d.session) as minutes, agg.weekly_session(d.session) ->> 'time_zone' as time_zone
    from (select distinct k.session from asked as k where k.session is not null) as d
  ),
  day as materialized (
    select d.day_close, nullif(d.day_close ->> 'time_zone', 'UTC') as time_zone, agg.begins_on_hours(d.day_close) as begins_on_hours
    from (select distinct k.day_close from asked as k where k.is_local and k.day_close is not null) as d
  ),
  origin as materialized (
    select d.duration, d.day_close, d.session, agg.window_origin(d.duration, d.day_close, d.session) as window_origin
    from (select distinct k.duration, k.day_close, k.session from asked as k where k.is_local) as d
  ),
  wanted as materialized (
    select
      k.canonical_symbol, k.timeframe, k.run_interval_minutes, k.aggregation_delay_seconds, k.is_mandatory, k.agg_start_utc,
      k.good_percent, k.poor_percent::smallint as poor_percent, n.time_zone as session_time_zone, n.minutes as session_minutes,
      k.basket, k.calendar,
      case when d.begins_on_hours is false then k.fallback_source_timeframe else k.source_timeframe end as source_timeframe,
      d.time_zone as window_time_zone,
      coalesce(o.window_origin, timestamp '2000-01-03 00:00:00') as window_origin,
      greatest(m.floor_utc, u.floor_utc, c.floor_utc) as floor_utc
    from asked as k
    left join session as n on n.session = k.session
    left join day as d on k.is_local and d.day_close = k.day_close
    left join origin as o
      on k.is_local and o.duration = k.duration
      and coalesce(o.day_close, 'null') = coalesce(k.day_close, 'null') and coalesce(o.session, 'null') = coalesce(k.session, 'null')
    -- Of the bars that it makes, and of those that it reads.
    left join agg.floor as m on m.canonical_symbol = k.canonical_symbol and m.timeframe = k.timeframe
    left join agg.floor as u
      on u.canonical_symbol = k.canonical_symbol
      and u.timeframe = case when d.begins_on_hours is false then k.fallback_source_timeframe else k.source_timeframe end
    left join lateral (
      select max(f.floor_utc) as floor_utc
      from jsonb_array_elements_text(k.basket -> 'components') as e (component)
      join agg.floor as f on f.canonical_symbol = e.component and f.timeframe = '1m'
    ) as c on k.basket is not null
  ),
  present as materialized (
    select s.*
    from public.data_agg_state as s
    where (p_symbols is null or s.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = s.canonical_symbol and (o.leaves_out = 'asset' or s.basket is not null)
      )
  ),
  difference as materialized (
    select
      c.action,
      coalesce(w.canonical_symbol, s.canonical_symbol) as canonical_symbol, coalesce(w.timeframe, s.timeframe) as timeframe,
      w.source_timeframe, w.run_interval_minutes, w.aggregation_delay_seconds, w.is_mandatory, b.agg_start_utc,
      w.good_percent, w.poor_percent, w.session_time_zone, w.session_minutes, w.basket, w.calendar,
      w.window_time_zone, w.window_origin,
      r.is_kept and r.has_new_windows as has_new_windows,
      r.is_kept and not r.has_new_windows and r.has_new_rules as has_new_rules,
      r.is_kept and not r.has_new_windows and not r.has_new_rules and r.has_new_hours as has_new_hours,
      s.session_time_zone as former_time_zone, s.session_minutes as former_minutes, s.calendar as former_calendar,
      s.agg_start_utc as decided_from_utc,
      greatest(s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes), s.built_to_utc) as decided_to_utc
    from wanted as w
    full join present as s on s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
    cross join lateral (
      select case
        when w.canonical_symbol is not null then greatest(coalesce(w.agg_start_utc, s.agg_start_utc, p_default_start_utc), w.floor_utc)
      end
    ) as b (agg_start_utc)
    cross join lateral (
      select
        w.canonical_symbol is not null and s.canonical_symbol is not null as is_kept,
        (s.window_time_zone, s.window_origin) is distinct from (w.window_time_zone, w.window_origin) as has_new_windows,
        b.agg_start_utc < s.agg_start_utc
          or (s.good_percent, s.poor_percent, s.basket) is distinct from (w.good_percent, w.poor_percent, w.basket) as has_new_rules,
        (s.session_time_zone, s.session_minutes, s.calendar)
          is distinct from (w.session_time_zone, w.session_minutes, w.calendar) as has_new_hours
    ) as r
    cross join lateral (
      select case
        when s.canonical_symbol is null then 'insert'
        when w.canonical_symbol is null then case when s.enabled then 'disable' end
        when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f))
          then 'reenable'
        when r.has_new_windows or r.has_new_rules or r.has_new_hours
          or (s.source_timeframe, s.run_interval_minutes, s.is_mandatory, s.agg_start_utc)
            is distinct from (w.source_timeframe, w.run_interval_minutes, w.is_mandatory, b.agg_start_utc)
          then 'update'
      end
    ) as c (action)
    where c.action is not null
  ),
  -- Once for all tasks that change from one session or calendar to another.
  hours as materialized (
    select
      g.former_time_zone, g.former_minutes, g.former_calendar, g.session_time_zone, g.session_minutes, g.calendar,
      -- What is built meanwhile may be built by the former hours.
      agg.changed_hours(f.spans, n.spans) + tstzmultirange(tstzrange(g.to_utc, null)) as changed_spans
    from (
      select
        d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar,
        min(d.decided_from_utc) as from_utc, max(d.decided_to_utc) as to_utc
      from difference as d
      where d.has_new_hours
      group by d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar
    ) as g
    cross join lateral (
      select agg.open_spans(g.former_time_zone, g.former_minutes, g.former_calendar, g.from_utc, g.to_utc)
    ) as f (spans)
    cross join lateral (select agg.open_spans(g.session_time_zone, g.session_minutes, g.calendar, g.from_utc, g.to_utc)) as n (spans)
  )
  select
    d.action, d.canonical_symbol, d.timeframe, d.source_timeframe, d.run_interval_minutes, d.aggregation_delay_seconds, d.is_mandatory,
    d.agg_start_utc, d.good_percent, d.poor_percent, d.session_time_zone, d.session_minutes, d.basket,
    d.calendar, d.window_time_zone, d.window_origin, d.has_new_windows,
    case
      when d.has_new_rules then '{(,)}'
      when d.has_new_hours then (
        select h.changed_spans
        from hours as h
        where (h.former_time_zone, h.former_minutes, h.former_calendar, h.session_time_zone, h.session_minutes, h.calendar)
          is not distinct from
          (d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar)
      )
    end::tstzmultirange
  from difference as d;
end;
$$;

comment on function agg.task_changes is
  'How the tasks of p_symbols (null: of all assets) differ from agg.wanted_task in p_env; no row where they do not. p_problems are what agg.asset_problems says of the active ones: tasks that they leave out do not differ. Reads only.';

-- 70_build/aggregate_1m_to_5m_window.sql
create function public.aggregate_1m_to_5m_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1, p_now timestamptz default now()
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select public.aggregate_window(p_symbol, '5m', p_from_utc, coalesce(p_to_utc, p_from_utc), p_derivation_version, p_now);
$$;

comment on function public.aggregate_1m_to_5m_window is
'Builds one 5m window of a symbol from its 1m bars, now.
[p_from_utc, p_to_utc) must be exactly one window, aligned in UTC. Moves no cursor; may be repeated.
Returns success, stored, source_count, and quality_score or the reason why no bar was stored: insufficient_source_bars, before_agg_start_utc, frontier (not complete at p_now).
Locks: the task''s row, to the end of the transaction. Raises invalid_parameter_value for another range.';

-- 70_build/aggregate_5m_to_1h_window.sql
create function public.aggregate_5m_to_1h_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1, p_now timestamptz default now()
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select public.aggregate_window(p_symbol, '1h', p_from_utc, coalesce(p_to_utc, p_from_utc), p_derivation_version, p_now);
$$;

comment on function public.aggregate_5m_to_1h_window is
'Builds one 1h window of a symbol from its 5m bars, now.
Otherwise as aggregate_1m_to_5m_window. frontier also means that the 5m task has not decided the whole hour.';

-- 70_build/aggregate_window.sql
create function public.aggregate_window(
  p_symbol text,
  p_timeframe text,
  p_from_utc timestamptz,
  p_to_utc timestamptz default null,
  p_derivation_version integer default null,
  p_now timestamptz default now()
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_window record;
  v_request agg.build_request;
  v_quality smallint;
  v_source_count integer;
  v_reason text;
begin
  select t.duration into v_length from agg.timeframe as t where t.timeframe = p_timeframe and t.source_timeframe is not null;
  if not found then
    raise exception '% is not a timeframe that is built from minutes', coalesce(p_timeframe, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  select s.* into v_task from public.data_agg_state as s where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe;
  v_window := agg.window_bounds(
    p_from_utc, v_length, v_task.window_time_zone, coalesce(v_task.window_origin, timestamp '2000-01-03 00:00:00')
  );
  if p_symbol is null or p_from_utc is null or v_window.starts_utc <> p_from_utc or v_window.ends_utc <> p_to_utc then
    raise exception '% %: [%, %) is not one % window', p_symbol, p_timeframe, p_from_utc, coalesce(p_to_utc, v_window.ends_utc), p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = case
          when v_task.window_time_zone is null
            then format('Give the start of a window, aligned to %s in UTC, and the instant %s later.', v_length, v_length)
          else format('The window is [%s, %s).', v_window.starts_utc, v_window.ends_utc)
        end;
  end if;

  perform agg.lock_series(p_symbol, p_timeframe);
  select o.* into v_request
  from agg.plan_builds(
    array[p_symbol], p_timeframe, p_now, null, p_derivation_version, false,
    agg.window_start(
      p_from_utc - interval '1 microsecond', v_length, v_task.window_time_zone, coalesce(v_task.window_origin, timestamp '2000-01-03 00:00:00')
    )
  ) as o;

  if v_request.from_utc > p_from_utc then
    v_reason := 'before_agg_start_utc';
  elsif v_request.frontier_utc < v_window.ends_utc then
    v_reason := 'frontier';
  else
    v_request.to_utc := v_window.ends_utc;
    perform agg.build_bars(array[v_request]);
    perform agg.extend_built_to(p_symbol, p_timeframe, v_window.ends_utc);
    select d.quality_score, d.source_candles into v_quality, v_source_count
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = p_from_utc and d.deleted_at is null;
    if v_quality is null then
      v_reason := 'insufficient_source_bars';
    end if;
  end if;

  if v_source_count is null then
    select count(*) into v_source_count
    from agg.source_bar as b
    where b.canonical_symbol = p_symbol and b.timeframe = v_request.source_timeframe
      and b.ts_utc >= p_from_utc and b.ts_utc < v_window.ends_utc and b.covered_minutes > 0;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'success', true,
    'stored', v_quality is not null,
    'source_count', v_source_count,
    'quality_score', v_quality,
    'reason', v_reason
  ));
end;
$$;

comment on function public.aggregate_window is
'Builds one window of a symbol, of any timeframe above 1m, now.
p_from_utc is the start of the window: in UTC up to 1h, beyond that on the clock of the asset (metadata.agg.day_close). p_to_utc is its end; null: the window says it. Null p_derivation_version: that of the stored bar, or 1. p_now is the clock. Moves no cursor; may be repeated.
Returns success, stored, source_count, and quality_score or the reason why no bar was stored: insufficient_source_bars, before_agg_start_utc, frontier (not complete at p_now).
Locks: the task''s row, to the end of the transaction. Raises invalid_parameter_value for another range, and for an unknown timeframe.';

-- 70_build/build_bars.sql
create function agg.build_bars(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_results agg.build_result[];
  v_passed_on agg.changed_span[];
begin
  v_results := array(
    select r from agg.build_windows(p_requests) as r
    union all
    select r from agg.build_synthetic(p_requests) as r
  );
  -- No other task has used yet what is built ahead of a cursor; writes to 1m bars leave notes of their own.
  v_passed_on := array(
    select agg.new_changed_span(
      s.canonical_symbol, s.timeframe,
      range_agg(tstzrange(r.from_utc, case when r.removed > 0 then r.to_utc else r.decided_to_utc end))
    )
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    join public.data_agg_state as s
      on s.canonical_symbol = y.symbol and s.source_timeframe = r.timeframe and s.timeframe <> r.timeframe
    where r.is_rebuild and r.timeframe <> '1m' and r.written > 0
    group by s.canonical_symbol, s.timeframe
  );
  if cardinality(v_passed_on) > 0 then
    perform agg.add_corrections(v_passed_on);
  end if;
  return query select r.* from unnest(v_results) as r;
end;
$$;

comment on function agg.build_bars is
  'Builds requests, for windows and synthetic minutes alike: the symbols of a request for which the same came of it share a result. What it changes behind a cursor becomes a correction of the tasks that build from it.';

-- 70_build/build_or_split.sql
create function agg.build_or_split(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_requests) / 2;
  v_first agg.build_request := p_requests[1];
  v_second agg.build_request := p_requests[1];
  v_symbols constant integer := cardinality(v_first.symbols) / 2;
  v_middle_utc timestamptz;
  v_results agg.build_result[];
  v_failed agg.build_result;
  v_sqlstate text;
  v_column text;
begin
  begin
    v_results := array(select r from agg.build_bars(p_requests) as r);
  exception when others then
    get stacked diagnostics v_column = column_name;
    v_sqlstate := sqlstate;
    v_failed.fail_kind := agg.fail_kind(sqlstate);
    v_failed.error := format('%s (%s)', concat_ws(': ', nullif(v_column, ''), sqlerrm), sqlstate);
  end;
  if v_failed.error is null then
    return query select r.* from unnest(v_results) as r;
    return;
  end if;

  if v_sqlstate = '55P03' and agg.count_in_batch('lock_waits') > 500 then
    raise exception 'another session holds a table, or too many bars, for longer than the dispatcher waits'
      using errcode = 'lock_not_available',
        hint = 'select * from pg_locks where not granted; shows which session waits for which. The next run tries again.';
  elsif v_sqlstate = '55P03' then
    -- Wait 500 ms once; then probe with 10 ms to find which bars are locked.
    perform set_config('lock_timeout', '10ms', true);
  end if;

  if v_half > 0 then
    return query
    select r.* from agg.build_or_split(p_requests[:v_half]) as r
    union all
    select r.* from agg.build_or_split(p_requests[v_half + 1:]) as r;
    return;
  end if;

  if v_symbols > 0 then
    v_first.symbols := v_first.symbols[:v_symbols];
    v_second.symbols := v_second.symbols[v_symbols + 1:];
    return query
    select r.* from agg.build_or_split(array[v_first]) as r
    union all
    select r.* from agg.build_or_split(array[v_second]) as r;
    return;
  end if;

  -- At the start of a window, so that each half holds one at least.
  v_middle_utc := agg.window_start(
    v_first.from_utc + (v_first.to_utc - v_first.from_utc) / 2, v_first.window_length, v_first.window_time_zone, v_first.window_origin
  );
  if v_middle_utc = v_first.from_utc then
    v_middle_utc := agg.window_end(v_middle_utc, v_first.window_length, v_first.window_time_zone, v_first.window_origin);
  end if;
  if v_failed.fail_kind = 'hard' and v_middle_utc < v_first.to_utc and agg.count_in_batch('failed_builds') <= 200 then
    v_first.to_utc := v_middle_utc;
    v_second.from_utc := v_middle_utc;
    return query
    select m.*
    from agg.build_or_split(array[v_first]) as a
    cross join agg.build_or_split(array[v_second]) as b
    cross join lateral agg.merge_results(a, b) as m;
    return;
  end if;

  v_failed.symbols := v_first.symbols;
  v_failed.timeframe := v_first.timeframe;
  v_failed.window_length := v_first.window_length;
  v_failed.window_time_zone := v_first.window_time_zone;
  v_failed.window_origin := v_first.window_origin;
  v_failed.from_utc := v_first.from_utc;
  v_failed.to_utc := v_second.to_utc;
  v_failed.windows := 0;
  v_failed.bars := 0;
  v_failed.bars_poor := 0;
  v_failed.inserted := 0;
  v_failed.updated := 0;
  v_failed.removed := 0;
  v_failed.written := 0;
  v_failed.decided_to_utc := v_first.from_utc;
  v_failed.is_rebuild := v_first.is_rebuild;
  v_failed.failed := tstzmultirange(tstzrange(v_first.from_utc, v_second.to_utc));
  v_failed.error := format('[%s, %s): %s', v_first.from_utc, v_second.to_utc, v_failed.error);
  return next v_failed;
end;
$$;

comment on function agg.build_or_split is
'agg.build_bars; where that raises, each half of the requests on its own, then each half of the symbols of a request, and a symbol that fails hard by halves in time, down to single windows. So what is bad fails alone, and comes back with its error.
Gives up halving in time after 200 failures in a batch: the rest fails as it is, and is halved further when it is tried again.
Raises lock_not_available after 500 waits for locks.';

-- 70_build/build_synthetic.sql
create function agg.build_synthetic(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_synthetic.
set enable_seqscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set jit = off
as $$
begin
  if not exists (select from unnest(p_requests) as o where o.source_timeframe is null) then
    return;
  end if;

  perform set_config('pgbars.is_building', 'on', true);
  return query
  with minute as materialized (
    select m.* from agg.compare_synthetic(p_requests) as m
  ),
  stored as (
    insert into public.data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, source, raw
    )
    select
      m.canonical_symbol, m.timeframe, m.ts_utc, m.open, m.high, m.low, m.close, 0, null, 0, 'synthetic', m.raw
    from minute as m
    where m.change in ('insert', 'update')
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      trade_count = excluded.trade_count,
      is_partial = excluded.is_partial,
      source = excluded.source,
      raw = excluded.raw,
      updated_at = now()
  ),
  removed as (
    delete from public.data_bars as d
    where d.canonical_symbol = any (array(select m.canonical_symbol from minute as m where m.change = 'remove'))
      and d.timeframe = '1m'
      and d.ts_utc = any (array(select m.ts_utc from minute as m where m.change = 'remove'))
      -- Looked up rather than joined: a join may read the table first while the planner takes it for empty. coalesce keeps
      -- the planner from making a join of it.
      and coalesce((d.canonical_symbol, d.ts_utc) in (select m.canonical_symbol, m.ts_utc from minute as m where m.change = 'remove'), false)
  )
  select
    array[y.symbol], q.timeframe, q.window_length, q.window_time_zone, q.window_origin, q.from_utc, q.to_utc,
    coalesce(n.minutes, 0), coalesce(n.complete, 0), 0,
    coalesce(n.inserted, 0), coalesce(n.updated, 0), coalesce(n.removed, 0), coalesce(n.inserted + n.updated + n.removed, 0),
    q.to_utc, agg.stopped_reason(q.from_utc, q.frontier_utc, q.is_limited, q.to_utc),
    q.is_rebuild, null::tstzmultirange, null::text, null::text
  from unnest(p_requests) with ordinality as q
  cross join lateral unnest(q.symbols) as y (symbol)
  left join (
    select
      m.request_no, m.canonical_symbol,
      count(*) filter (where m.change is distinct from 'remove')::integer as minutes,
      count(*) filter (where m.is_complete and m.change is distinct from 'remove')::integer as complete,
      count(*) filter (where m.change = 'insert')::integer as inserted,
      count(*) filter (where m.change = 'update')::integer as updated,
      count(*) filter (where m.change = 'remove')::integer as removed
    from minute as m
    group by m.request_no, m.canonical_symbol
  ) as n on n.request_no = q.ordinality and n.canonical_symbol = y.symbol
  where q.source_timeframe is null;
  perform set_config('pgbars.is_building', 'off', true);
end;
$$;

comment on function agg.build_synthetic is
  'Stores what agg.compare_synthetic finds: writes only what differs, and deletes synthetic minutes that are not complete any more. The caller has locked the rows of the tasks. One result for each series of requests without a source_timeframe: windows counts minutes with at least one component, bars those that are complete.';

-- 70_build/build_windows.sql
create function agg.build_windows(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_windows.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set enable_sort = off
set enable_hashagg = on
set enable_memoize = off
set max_parallel_workers_per_gather = 0
set jit = off
set work_mem = '32MB'
as $$
begin
  -- Says to agg.keep_changed_bars who writes.
  perform set_config('pgbars.is_building_windows', 'on', true);
  return query
  with window_bar as materialized (
    select w.* from agg.compare_windows(p_requests) as w
  ),
  inserted as (
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.vwap_vol, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, w.is_partial, case when w.quality_score is null then now() end
    from window_bar as w
    where w.change = 'insert'
  ),
  -- Conflicts rather than joins: an update that joins may put the table first when it is thought to be empty.
  changed as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.vwap_vol, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, w.is_partial,
      case when w.quality_score is null or w.change = 'remove' then now() end
    from window_bar as w
    where w.change in ('update', 'remove')
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      vwap_vol = excluded.vwap_vol,
      trade_count = excluded.trade_count,
      source_timeframe = excluded.source_timeframe,
      source_candles = excluded.source_candles,
      expected_candles = excluded.expected_candles,
      covered_minutes = excluded.covered_minutes,
      expected_minutes = excluded.expected_minutes,
      quality_score = excluded.quality_score,
      derivation_version = excluded.derivation_version,
      is_partial = excluded.is_partial,
      raw = case when d.raw ? 'migrated_from' then d.raw - 'migrated_from' else d.raw end,
      deleted_at = case when excluded.deleted_at is not null then coalesce(d.deleted_at, excluded.deleted_at) end,
      updated_at = greatest(now(), d.updated_at)
  ),
  tally as materialized (
    select
      w.request_no, w.canonical_symbol,
      count(*) filter (where w.change is distinct from 'remove')::integer as windows,
      count(w.quality_score) filter (where w.change is distinct from 'remove')::integer as bars,
      count(*) filter (where w.quality_score = 0 and w.change is distinct from 'remove')::integer as bars_poor,
      count(*) filter (where w.quality_score is not null and not w.was_bar and w.change <> 'remove')::integer as inserted,
      count(*) filter (where w.quality_score is not null and w.was_bar and w.change = 'update')::integer as updated,
      count(*) filter (where w.was_bar and (w.change = 'remove' or w.change = 'update' and w.quality_score is null))::integer as removed,
      count(w.change)::integer as written,
      max(w.ends_utc) filter (where w.change is distinct from 'remove') as filled_to_utc
    from window_bar as w
    group by w.request_no, w.canonical_symbol
  ),
  -- In a tick the same comes of nearly all symbols: what follows is asked for those that fill no range.
  outcome as materialized (
    select
      n.request_no, array_agg(n.canonical_symbol) as symbols,
      n.windows, n.bars, n.bars_poor, n.inserted, n.updated, n.removed, n.written, n.filled_to_utc
    from tally as n
    group by n.request_no, n.windows, n.bars, n.bars_poor, n.inserted, n.updated, n.removed, n.written, n.filled_to_utc
    union all
    select q.ordinality, array_agg(y.symbol), 0, 0, 0, 0, 0, 0, 0, null
    from unnest(p_requests) with ordinality as q
    cross join lateral unnest(q.symbols) as y (symbol)
    left join tally as n on n.request_no = q.ordinality and n.canonical_symbol = y.symbol
    where q.source_timeframe is not null and n.request_no is null
    group by q.ordinality
  ),
  -- What follows the bars of a range that they do not fill: the next source bar; and where source bars end, if none follows.
  -- Those outside the session fill no window, and decide it.
  probed as materialized (
    select
      t.request_no, t.symbol, t.timeframe, t.to_utc, t.frontier_utc, t.window_length, t.window_time_zone, t.window_origin,
      t.windows, t.bars, t.bars_poor, t.inserted, t.updated, t.removed, t.written,
      n.next_utc,
      case when n.next_utc is null and t.clock_utc is not null then greatest(t.filled_to_utc, (
        select agg.window_end(c.ts_utc, t.window_length, t.window_time_zone, t.window_origin)
        from agg.source_bar as c
        where c.canonical_symbol = t.symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.filled_to_utc and c.ts_utc < least(t.to_utc, t.clock_utc) and c.covered_minutes > 0
        order by c.ts_utc desc
        limit 1
      )) end as reached_utc
    from (
      select
        o.request_no, y.symbol, q.timeframe, q.source_timeframe, q.window_length, q.window_time_zone, q.window_origin,
        q.to_utc, q.frontier_utc, q.clock_utc, coalesce(o.filled_to_utc, q.from_utc) as filled_to_utc,
        o.windows, o.bars, o.bars_poor, o.inserted, o.updated, o.removed, o.written
      from outcome as o
      join unnest(p_requests) with ordinality as q on q.ordinality = o.request_no
      cross join lateral unnest(o.symbols) as y (symbol)
      where coalesce(o.filled_to_utc, q.from_utc) < q.to_utc
    ) as t
    cross join lateral (
      select (
        select c.ts_utc
        from agg.source_bar as c
        where c.canonical_symbol = t.symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.to_utc and c.ts_utc < coalesce(t.clock_utc, 'infinity') and c.covered_minutes > 0
        order by c.ts_utc
        limit 1
      )
      offset 0
    ) as n (next_utc)
  ),
  opening as materialized (
    select
      p.request_no, p.reached_utc,
      agg.window_start(
        agg.next_open(q.session_time_zone, q.session_minutes, q.calendar, p.reached_utc, q.frontier_utc),
        q.window_length, q.window_time_zone, q.window_origin
      ) as opens_utc
    from (select distinct t.request_no, t.reached_utc from probed as t where t.reached_utc is not null) as p
    join unnest(p_requests) with ordinality as q on q.ordinality = p.request_no
  ),
  -- Windows are decided to the end of the range; or over the gap behind it, however long, to the next source bar or to a stored
  -- bar that has to go; or, where the task waits for data, to where its source bars end, and on while the market is closed.
  decided as (
    select
      o.request_no, o.symbols, o.windows, o.bars, o.bars_poor, o.inserted, o.updated, o.removed, o.written, q.to_utc as decided_to_utc
    from outcome as o
    join unnest(p_requests) with ordinality as q on q.ordinality = o.request_no
    where coalesce(o.filled_to_utc, q.from_utc) >= q.to_utc
    union all
    select
      d.request_no, array_agg(d.symbol), d.windows, d.bars, d.bars_poor, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc
    from (
      select
        t.*,
        case
          when t.reached_utc is not null then least(t.frontier_utc, greatest(t.reached_utc, o.opens_utc))
          else least(
            t.frontier_utc,
            agg.window_start(t.next_utc, t.window_length, t.window_time_zone, t.window_origin),
            (
              select d.ts_utc
              from public.derived_data_bars as d
              where d.canonical_symbol = t.symbol and d.timeframe = t.timeframe and d.ts_utc >= t.to_utc
              order by d.ts_utc
              limit 1
            )
          )
        end as decided_to_utc
      from probed as t
      left join opening as o on o.request_no = t.request_no and o.reached_utc = t.reached_utc
    ) as d
    group by d.request_no, d.windows, d.bars, d.bars_poor, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc
  )
  select
    d.symbols, q.timeframe, q.window_length, q.window_time_zone, q.window_origin, q.from_utc, q.to_utc,
    d.windows, d.bars, case when q.poor_percent > 0 then d.bars_poor else 0 end, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc,
    agg.stopped_reason(q.from_utc, q.frontier_utc, d.decided_to_utc >= q.to_utc, d.decided_to_utc),
    q.is_rebuild, null::tstzmultirange, null::text, null::text
  from decided as d
  join unnest(p_requests) with ordinality as q on q.ordinality = d.request_no;
  perform set_config('pgbars.is_building_windows', 'off', true);
end;
$$;

comment on function agg.build_windows is
'Stores what agg.compare_windows finds: writes only what differs, keeps windows with too few minutes for a bar, and soft-deletes bars of decided windows that no longer qualify. Returns a result for the symbols of each request with a source_timeframe.
Requests of one task must not overlap, and the caller has locked its row: two builders of one window would meet in a unique_violation.';

-- 70_build/calc_dxy_range_1m.sql
create function public.calc_dxy_range_1m(
  p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '120s'
as $$
  select public.derive_synthetic_range('DXY', p_from_utc, p_to_utc, p_derivation_version);
$$;

comment on function public.calc_dxy_range_1m is
  'Computes the 1m bars of DXY from six currency pairs, into data_bars, for minutes in [p_from_utc, p_to_utc).
The price is 50.14348112 x EURUSD^-0.576 x USDJPY^0.136 x GBPUSD^-0.119 x USDCAD^0.091 x USDSEK^0.042 x USDCHF^0.036. It is a synthetic series, not an official print of the index.
Everything else is as in derive_synthetic_range.';

-- 70_build/catchup_aggregation_range.sql
create function public.catchup_aggregation_range(
  p_symbol text,
  p_to_tf text,
  p_start_cursor_utc timestamptz default null,
  p_max_windows integer default 100,
  p_until_utc timestamptz default now(),
  p_derivation_version integer default null,
  p_stop_on_zero_source boolean default true
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '120s'
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_request agg.build_request;
  v_result agg.build_result;
  v_from_utc timestamptz;
  v_windows integer := 0;
  v_bars integer := 0;
  v_poor integer := 0;
  v_written integer := 0;
  v_cursor timestamptz;
begin
  v_task := agg.lock_task(p_symbol, p_to_tf);
  if v_task is null then
    perform agg.raise_no_task(p_symbol, p_to_tf);
  end if;
  select t.duration into strict v_length from agg.timeframe as t where t.timeframe = p_to_tf;
  if p_max_windows is null or p_max_windows < 1 then
    raise exception 'p_max_windows must be at least 1, not %', p_max_windows using errcode = 'invalid_parameter_value';
  end if;
  if p_until_utc is null then
    raise exception 'p_until_utc must not be null' using errcode = 'invalid_parameter_value';
  end if;
  if agg.window_start(p_start_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin) <> p_start_cursor_utc then
    raise exception 'cursor % of % % is not the start of a window', p_start_cursor_utc, p_symbol, p_to_tf
      using errcode = 'invalid_parameter_value',
        hint = format(
          'Cursors are aligned to %s %s; null goes on from the stored cursor.', v_length,
          case when v_task.window_time_zone is null then 'in UTC' else 'on the clock of ' || v_task.window_time_zone end
        );
  end if;

  v_cursor := p_start_cursor_utc;
  -- A round builds windows in a row. Where gaps are among them, there is room for more behind the last gap.
  loop
    select o.* into strict v_request
    from agg.plan_builds(
      array[p_symbol], p_to_tf, p_until_utc, p_max_windows - v_windows, p_derivation_version, coalesce(p_stop_on_zero_source, true), v_cursor
    ) as o;
    select r.* into strict v_result from agg.build_bars(array[v_request]) as r;
    v_cursor := agg.window_start(
      v_result.decided_to_utc - interval '1 microsecond', v_length, v_task.window_time_zone, v_task.window_origin
    );
    v_from_utc := coalesce(v_from_utc, v_request.from_utc);
    v_windows := v_windows + v_result.windows;
    v_bars := v_bars + v_result.bars;
    v_poor := v_poor + v_result.bars_poor;
    v_written := v_written + v_result.inserted + v_result.updated;
    exit when v_result.stopped_reason <> 'max_windows' or v_windows >= p_max_windows;
  end loop;
  perform agg.extend_built_to(p_symbol, p_to_tf, v_result.decided_to_utc);

  return jsonb_build_object(
    'success', true,
    'windows_processed', v_windows,
    'windows_empty', (
      select count(*)
      from agg.windows_between(
        v_from_utc, v_result.decided_to_utc, v_length, v_task.window_time_zone, v_task.window_origin
      ) as w
    ) - v_windows,
    'bars_created', v_bars,
    'bars_quality_poor', v_poor,
    'bars_written', v_written,
    'new_cursor', v_cursor,
    'stopped_reason', v_result.stopped_reason,
    'agg_start_enforced', v_task.agg_start_utc
  ) || case v_result.stopped_reason
    when 'cursor_at_frontier' then jsonb_build_object(
      'cursor_position', v_cursor,
      'max_source_ts', (
        select max(b.ts_utc)
        from agg.source_bar as b
        where b.canonical_symbol = p_symbol and b.timeframe = v_task.source_timeframe and b.covered_minutes > 0
      )
    )
    else '{}'
  end;
end;
$$;

comment on function public.catchup_aggregation_range is
'Builds many windows of one task, and returns the cursor that agg_finish then stores.
Begins with the window after p_start_cursor_utc (null: the stored cursor), never before agg_start_utc, and builds up to p_max_windows windows that have source bars, up to the frontiers at p_until_utc. It steps over a gap in one move, however long. With p_stop_on_zero_source false it also decides the empty windows behind the last source bar. Null p_derivation_version: that of the registry, otherwise that of the stored bar, or 1.
Returns windows_processed (they had source bars), windows_empty (stepped over), bars_created (qualify), bars_quality_poor, bars_written (differed from what stood there), new_cursor, stopped_reason (max_windows, frontier, no_source_data, cursor_at_frontier) and agg_start_enforced; with cursor_at_frontier also cursor_position and max_source_ts (the last source bar, null where there is none).
Stores no cursor; may be repeated. A start ahead of the stored cursor leaves the windows between unbuilt: do not store the cursor that comes of it.
Locks: the task''s row, to the end of the transaction. Raises no_data_found without a task, invalid_parameter_value for bad arguments.';

-- 70_build/compare_synthetic.sql
-- Formula: the geometric basket of the ICE US Dollar Index, base * product of rate ^ weight.
create function agg.compare_synthetic(p_requests agg.build_request[])
returns setof agg.synthetic_minute
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every join here reads a range of a key for each request. Neither the statistics of a table that has just been loaded nor a
-- cached plan may turn one into a scan of the table.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_problems text;
begin
  select string_agg(distinct format('%s: %s', p.canonical_symbol, p.problem), '; ')
  into v_problems
  from (
    select a.canonical_symbol, a.problem
    from agg.asset_problems(array(
      select y.symbol from unnest(p_requests) as o cross join lateral unnest(o.symbols) as y (symbol) where o.source_timeframe is null
    )) as a
    where a.leaves_out = 'series'
    union all
    select y.symbol, 'is_synthetic is not true'
    from unnest(p_requests) as o
    cross join lateral unnest(o.symbols) as y (symbol)
    left join public.core_asset_registry_all as r on r.canonical_symbol = y.symbol
    where o.source_timeframe is null and r.metadata -> 'is_synthetic' is distinct from 'true'
  ) as p;
  if v_problems is not null then
    raise exception 'the registry does not say how to compute %', v_problems
      using errcode = 'invalid_parameter_value', hint = 'Correct metadata in core_asset_registry_all.';
  end if;

  return query
  with build as (
    select
      o.ordinality, y.canonical_symbol, o.timeframe, o.from_utc, o.to_utc, o.derivation_version,
      exists (
        select from public.data_bars as d
        where d.canonical_symbol = y.canonical_symbol and d.timeframe = '1m'
          and d.ts_utc >= o.from_utc and d.ts_utc < o.to_utc
      ) as has_bars
    from unnest(p_requests) with ordinality as o
    cross join lateral unnest(o.symbols) as y (canonical_symbol)
    where o.source_timeframe is null
  ),
  -- Read once, not once a minute.
  component as materialized (
    select b.*, k.component_no, k.component, k.weight, k.component_count, k.formula_base
    from build as b
    join agg.synthetic_component as k on k.canonical_symbol = b.canonical_symbol
  ),
  minute as (
    select
      k.ordinality as request_no, k.canonical_symbol, k.timeframe, d.ts_utc, k.derivation_version, k.has_bars,
      count(*) filter (where d.open > 0 and d.close > 0) = k.component_count as is_complete,
      k.formula_base,
      -- Summed in the order of the basket: sums of floats depend on it.
      sum(k.weight * case when d.open > 0 then ln(d.open) end order by k.component_no) as ln_open,
      sum(k.weight * case when d.close > 0 then ln(d.close) end order by k.component_no) as ln_close,
      array_agg(k.component order by k.component_no) as components
    from component as k
    cross join lateral (
      select c.ts_utc, c.open, c.close
      from public.data_bars as c
      where c.canonical_symbol = k.component and c.timeframe = '1m'
        and c.ts_utc >= k.from_utc and c.ts_utc < k.to_utc
      offset 0
    ) as d
    group by
      k.ordinality, k.canonical_symbol, k.timeframe, d.ts_utc, k.derivation_version, k.has_bars,
      k.component_count, k.formula_base
  ),
  priced as materialized (
    select
      m.request_no, m.canonical_symbol, m.timeframe, m.ts_utc, m.has_bars,
      m.is_complete and v.open is not null and v.close is not null as is_complete,
      v.open, v.close,
      jsonb_build_object(
        'kind', lower(m.canonical_symbol),
        'derivation_version', m.derivation_version,
        'prices', case m.derivation_version when 1 then 'flat' else 'open_close' end,
        'components', to_jsonb(m.components),
        'formula_base', m.formula_base
      ) as raw,
      case when m.has_bars and m.is_complete then (
        select d from public.data_bars as d
        where d.canonical_symbol = m.canonical_symbol and d.timeframe = '1m' and d.ts_utc = m.ts_utc
      ) end as stored
    from minute as m
    cross join lateral (select case m.derivation_version when 1 then m.ln_close else m.ln_open end) as o (ln_open)
    -- data_bars takes prices below 1e50, which is exp(115.1). Beyond exp(700) double precision would raise.
    cross join lateral (
      select
        case when greatest(abs(o.ln_open), abs(o.ln_open + ln(m.formula_base))) <= 115 then m.formula_base * exp(o.ln_open) end,
        case when greatest(abs(m.ln_close), abs(m.ln_close + ln(m.formula_base))) <= 115 then m.formula_base * exp(m.ln_close) end
    ) as p (open, close)
    cross join lateral (
      select
        round(p.open::numeric, greatest(8, 8 - floor(log(p.open))::integer))::double precision,
        round(p.close::numeric, greatest(8, 8 - floor(log(p.close))::integer))::double precision
    ) as v (open, close)
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of requests.
  replaced as (
    select
      e.request_no,
      e.canonical_symbol,
      max(e.from_utc) as from_utc,
      max(e.to_utc) as to_utc,
      range_agg(tstzrange(e.ts_utc, e.ts_utc + interval '1 minute')) filter (where e.is_complete) as kept
    from (
      select
        b.ordinality as request_no, b.canonical_symbol, b.from_utc, b.to_utc,
        null::timestamptz as ts_utc, null::boolean as is_complete
      from build as b
      where b.has_bars
      union all
      select p.request_no, p.canonical_symbol, null, null, p.ts_utc, p.is_complete
      from priced as p
      where p.has_bars
    ) as e
    group by e.request_no, e.canonical_symbol
  )
  select
    p.request_no, p.canonical_symbol, p.timeframe, p.ts_utc,
    p.open, greatest(p.open, p.close), least(p.open, p.close), p.close, p.raw, p.is_complete,
    case
      when not p.is_complete then null
      when (p.stored).ts_utc is null then 'insert'
      when (
        (p.stored).open, (p.stored).high, (p.stored).low, (p.stored).close,
        (p.stored).vol, (p.stored).vwap, (p.stored).trade_count,
        (p.stored).is_partial, (p.stored).source, (p.stored).raw
      ) is distinct from (
        p.open, greatest(p.open, p.close), least(p.open, p.close), p.close,
        0::double precision, null::double precision, 0::bigint,
        false, 'synthetic', p.raw
      ) then 'update'
    end
  from priced as p
  union all
  select
    r.request_no, l.canonical_symbol, l.timeframe, l.ts_utc, l.open, l.high, l.low, l.close, l.raw, false, 'remove'
  from replaced as r
  cross join lateral (
    select d.*
    from public.data_bars as d
    where d.canonical_symbol = r.canonical_symbol and d.timeframe = '1m'
      and d.ts_utc >= r.from_utc and d.ts_utc < r.to_utc and d.source = 'synthetic'
      and not d.raw ? 'migrated_from'
    offset 0
  ) as l
  where not coalesce(r.kept @> l.ts_utc, false);
end;
$$;

comment on function agg.compare_synthetic is
  'The one rule for synthetic series, for any number of them in one statement. It returns each minute in which a component has a bar, and how its bar differs from what is stored; and each stored synthetic minute that is not complete any more, but for those of an older deployment (raw.migrated_from). Writes nothing.
A minute is complete where all components have bars with positive prices, and where the price of the basket is a positive number that double precision can hold.
Prices are rounded to 8 decimals, and below 1 to so many more that 8 significant digits stay.
Version 1 is flat at the price of the closes. Any other takes its open from the opens and its close from the closes, with high and low as their larger and smaller.';

-- 70_build/compare_windows.sql
-- First open, highest high, lowest low, last close, sums; vwap = sum(vwap * vwap_vol) / sum(vwap_vol). Quality is coverage: the
-- minutes that went in against those in which session and calendar are open. Windows with too few minutes for a bar are kept
-- for longer bars, so that each of these equals what its minutes say.
create function agg.compare_windows(p_requests agg.build_request[])
returns setof agg.window_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is a range of a key for each symbol, read in key order. Statistics of a table that has just been loaded, or a plan
-- cached before, must not turn one into a scan or a sort of the table. Joins of two sets are hashed.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set enable_sort = off
set enable_hashagg = on
set enable_memoize = off
set max_parallel_workers_per_gather = 0
set jit = off
set work_mem = '32MB'
as $$
begin
  return query
  with request as materialized (
    select
      o.*,
      o.window_origin at time zone 'UTC' as origin_utc,
      o.source_timeframe <> '1m' as is_derived,
      o.window_time_zone is not null or o.to_utc <= o.from_utc + o.window_length as is_by_window,
      (extract(epoch from o.window_length) / 60)::integer as window_minutes,
      (extract(epoch from o.source_length) / 60)::integer as source_minutes,
      case
        when o.session_minutes is not null or o.calendar is not null
          then agg.open_spans(o.session_time_zone, o.session_minutes, o.calendar, o.from_utc, o.to_utc)
      end as open
    from unnest(p_requests) with ordinality as o
    where o.source_timeframe is not null and o.from_utc < o.to_utc
  ),
  -- What is read in one go, for each symbol: a single window, or one of a local clock; otherwise the whole range, and of a session
  -- what is open.
  stretch as materialized (
    select
      r.ordinality, w.starts_utc as from_utc, w.ends_utc as to_utc, w.starts_utc as window_start,
      case when not r.is_derived then r.open end as open,
      (extract(epoch from w.ends_utc - w.starts_utc) / 60)::integer as window_minutes
    from request as r
    cross join lateral agg.windows_between(r.from_utc, r.to_utc, r.window_length, r.window_time_zone, r.window_origin) as w
    where r.window_time_zone is not null
    union all
    select r.ordinality, r.from_utc, r.to_utc, r.from_utc, case when not r.is_derived then r.open end, r.window_minutes
    from request as r
    where r.window_time_zone is null and r.is_by_window
    union all
    select r.ordinality, r.from_utc, r.to_utc, null, null, r.window_minutes
    from request as r
    where not r.is_by_window and (r.open is null or r.is_derived)
    union all
    -- Minutes outside the session are in no bar. Where it opens and closes with windows, no minute has to be looked at.
    select r.ordinality, lower(u.span), upper(u.span), null, case when r.open <> s.spans then r.open end, r.window_minutes
    from request as r
    cross join lateral (
      select range_agg(tstzrange(
        date_bin(r.window_length, lower(p.span), r.origin_utc),
        date_bin(r.window_length, upper(p.span) + r.window_length - interval '1 microsecond', r.origin_utc)
      ))
      from unnest(r.open) as p (span)
    ) as s (spans)
    cross join lateral unnest(s.spans) as u (span)
    where not r.is_by_window and r.open is not null and not r.is_derived
  ),
  -- How many minutes of each window are open, and how many of its source windows have one.
  expected as materialized (
    select s.ordinality, s.ts_utc, sum(s.minutes)::integer as minutes, case when s.is_minute then sum(s.minutes) else count(*) end::integer as candles
    from (
      select
        g.ordinality, g.is_minute, sum(extract(epoch from least(g.ends_utc, upper(g.span)) - greatest(g.starts_utc, lower(g.span)))) / 60 as minutes,
        case
          when g.window_time_zone is null then date_bin(g.window_length, g.starts_utc, g.origin_utc)
          else agg.window_start(g.starts_utc, g.window_length, g.window_time_zone, g.window_origin)
        end as ts_utc
      from (
        select r.ordinality, r.window_length, r.window_time_zone, r.window_origin, r.origin_utc, l.is_minute, u.span, w.starts_utc, w.ends_utc
        from request as r
        cross join lateral (
          select true, r.window_length, r.window_origin where not r.is_derived
          union all
          -- Windows of up to an hour are aligned in UTC, wherever those of the request begin.
          select false, r.source_length, timestamp '2000-01-03 00:00:00' where r.is_derived
        ) as l (is_minute, length, origin)
        cross join lateral unnest(r.open) as u (span)
        cross join lateral agg.windows_between(lower(u.span), upper(u.span), l.length, null, l.origin) as w
        where r.open is not null
      ) as g
      group by g.ordinality, g.is_minute, g.window_length, g.window_time_zone, g.window_origin, g.origin_utc, g.starts_utc
    ) as s
    group by s.ordinality, s.ts_utc, s.is_minute
  ),
  stored as materialized (
    select exists (
      select
      from request as r
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = r.timeframe and d.ts_utc >= r.from_utc and d.ts_utc < r.to_utc
        limit 1
      ) as d
    ) as has_rows
  )
  select
    j.ordinality, j.symbol, j.timeframe, j.ts_utc, j.ts_utc + j.window_minutes * interval '1 minute',
    j.open, j.high, j.low, j.close, j.vol, j.vwap, j.vwap_vol, j.trade_count,
    j.source_timeframe, j.source_candles, j.expected_candles, j.covered_minutes, j.expected_minutes,
    j.quality_score, coalesce(j.derivation_version, d.derivation_version, 1), j.is_partial,
    case
      when d.ts_utc is null then 'insert'
      -- A bar of an older deployment stays until its window qualifies, and is one of pgbars from then on.
      when d.raw ? 'migrated_from' and d.deleted_at is null then case when j.quality_score is not null then 'update' end
      when (
        d.open, d.high, d.low, d.close, d.vol, d.vwap, d.vwap_vol, d.trade_count,
        d.source_timeframe, d.source_candles, d.expected_candles, d.covered_minutes, d.expected_minutes,
        d.quality_score, d.derivation_version, d.is_partial, d.deleted_at is null
      ) is distinct from (
        j.open, j.high, j.low, j.close, j.vol, j.vwap, j.vwap_vol, j.trade_count,
        j.source_timeframe, j.source_candles, j.expected_candles, j.covered_minutes, j.expected_minutes,
        j.quality_score, coalesce(j.derivation_version, d.derivation_version, 1), j.is_partial, j.quality_score is not null
      ) then 'update'
    end,
    d.ts_utc is not null and d.deleted_at is null
  from (
    select
      b.*,
      case
        when b.expected_minutes = 0 then null
        when b.covered_minutes >= b.expected_minutes then 2
        when b.covered_minutes * 100 >= b.expected_minutes * b.good_percent then 1
        when b.covered_minutes * 100 >= b.expected_minutes * b.poor_percent then 0
      end::smallint as quality_score
    from (
      select
        a.*,
        coalesce(e.minutes, case when a.has_session then 0 else a.window_minutes end) as expected_minutes,
        coalesce(e.candles, case when a.has_session then 0 else a.window_minutes / a.source_minutes end) as expected_candles
      from (
        -- Grouping costs a single window as much as its minutes.
        select
          r.ordinality, r.timeframe, r.source_timeframe, r.source_minutes, r.derivation_version, r.good_percent, r.poor_percent,
          r.open is not null as has_session, s.window_minutes, y.symbol, w.*
        from request as r
        join stretch as s on s.ordinality = r.ordinality
        cross join lateral unnest(r.symbols) as y (symbol)
        cross join lateral (
          select
            s.window_start as ts_utc,
            -- Over a sorted subquery: in the order of ts_utc.
            (array_agg(f.open))[1] as open,
            max(f.high) as high,
            min(f.low) as low,
            (array_agg(f.close))[count(*)] as close,
            sum(f.vol) as vol,
            sum(f.vwap * f.vwap_vol) / sum(f.vwap_vol) as vwap,
            sum(f.vwap_vol) as vwap_vol,
            sum(f.trade_count)::bigint as trade_count,
            count(*) filter (where f.is_bar)::integer as source_candles,
            sum(f.covered_minutes)::integer as covered_minutes,
            bool_or(f.is_partial) as is_partial
          from (
            select c.*
            from agg.source_bar as c
            where c.canonical_symbol = y.symbol and c.timeframe = r.source_timeframe and c.is_derived = r.is_derived
              and c.ts_utc >= s.from_utc and c.ts_utc < s.to_utc and c.covered_minutes > 0
              and (s.open is null or s.open @> c.ts_utc)
            -- Sums of floats depend on the order: with this one a bar built again is the same to the last bit.
            order by c.ts_utc
          ) as f
          offset 0
        ) as w
        where s.window_start is not null and w.covered_minutes > 0
        union all
        select
          r.ordinality, r.timeframe, r.source_timeframe, r.source_minutes, r.derivation_version, r.good_percent, r.poor_percent,
          r.open is not null as has_session, s.window_minutes, y.symbol, w.*
        from request as r
        join stretch as s on s.ordinality = r.ordinality
        cross join lateral unnest(r.symbols) as y (symbol)
        cross join lateral (
          select
            date_bin(r.window_length, f.ts_utc, r.origin_utc) as ts_utc,
            -- Over a sorted subquery: in the order of ts_utc.
            (array_agg(f.open))[1] as open,
            max(f.high) as high,
            min(f.low) as low,
            (array_agg(f.close))[count(*)] as close,
            sum(f.vol) as vol,
            sum(f.vwap * f.vwap_vol) / sum(f.vwap_vol) as vwap,
            sum(f.vwap_vol) as vwap_vol,
            sum(f.trade_count)::bigint as trade_count,
            count(*) filter (where f.is_bar)::integer as source_candles,
            sum(f.covered_minutes)::integer as covered_minutes,
            bool_or(f.is_partial) as is_partial
          from (
            select c.*
            from agg.source_bar as c
            where c.canonical_symbol = y.symbol and c.timeframe = r.source_timeframe and c.is_derived = r.is_derived
              and c.ts_utc >= s.from_utc and c.ts_utc < s.to_utc and c.covered_minutes > 0
              and (s.open is null or s.open @> c.ts_utc)
            -- Sums of floats depend on the order: with this one a bar built again is the same to the last bit.
            order by c.ts_utc
          ) as f
          group by 1
          offset 0
        ) as w
        where s.window_start is null
      ) as a
      left join expected as e on e.ordinality = a.ordinality and e.ts_utc = a.ts_utc
      offset 0
    ) as b
    offset 0
  ) as j
  left join lateral (
    select d.*
    from public.derived_data_bars as d
    where (select s.has_rows from stored as s)
      and d.canonical_symbol = j.symbol and d.timeframe = j.timeframe and d.ts_utc = j.ts_utc
    offset 0
  ) as d on true
  union all
  select
    r.ordinality, d.canonical_symbol, d.timeframe, d.ts_utc, null, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.vwap_vol,
    d.trade_count, d.source_timeframe, d.source_candles, d.expected_candles, 0, d.expected_minutes,
    d.quality_score, d.derivation_version, d.is_partial, 'remove', d.deleted_at is null
  from request as r
  cross join lateral (select y.symbol from unnest(r.symbols) as y (symbol) where (select s.has_rows from stored as s)) as y
  cross join lateral (
    select d.*
    from public.derived_data_bars as d
    where d.canonical_symbol = y.symbol and d.timeframe = r.timeframe
      and d.ts_utc >= r.from_utc and d.ts_utc < r.to_utc and (d.deleted_at is null or d.covered_minutes > 0)
    offset 0
  ) as d
  cross join lateral agg.window_bounds(d.ts_utc, r.window_length, r.window_time_zone, r.window_origin) as w
  where w.starts_utc <> d.ts_utc or not (d.raw ? 'migrated_from' and d.deleted_at is null) and not exists (
    select
    from agg.source_bar as c
    where c.canonical_symbol = d.canonical_symbol and c.timeframe = r.source_timeframe and c.is_derived = r.is_derived
      and c.ts_utc >= w.starts_utc and c.ts_utc < w.ends_utc and c.covered_minutes > 0
      and (r.is_derived or r.open is null or r.open @> c.ts_utc)
    -- Keeps the planner from making a join of it.
    offset 0
  );
end;
$$;

comment on function agg.compare_windows is
'The one rule that turns source bars into bars, for requests of any number of tasks and windows, in one statement.
Returns each window that has minutes, with the bar that they make and how that differs from what is stored, and each stored row whose window has no minutes any more. Writes nothing.
A bar of an older deployment (raw.migrated_from) differs once its window has minutes enough for a bar, and never for want of them.';

-- 70_build/derive_synthetic_range.sql
create function public.derive_synthetic_range(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '120s'
as $$
declare
  v_floor_utc timestamptz;
  v_request agg.build_request;
  v_result agg.build_result;
begin
  if p_from_utc is null or p_to_utc is null or p_from_utc >= p_to_utc then
    raise exception '[%, %) is not a range of time', p_from_utc, p_to_utc using errcode = 'invalid_parameter_value';
  end if;
  if p_derivation_version is null or p_derivation_version not in (1, 2) then
    raise exception 'p_derivation_version must be 1 (flat) or 2 (open and close), not %', p_derivation_version
      using errcode = 'invalid_parameter_value';
  end if;
  if not exists (
    select from public.core_asset_registry_all as r
    where r.canonical_symbol = p_symbol and r.metadata -> 'is_synthetic' = 'true'
  ) then
    raise exception '% is not a synthetic asset of the registry', p_symbol
      using errcode = 'no_data_found',
        hint = 'Its metadata need is_synthetic, components, component_weights and formula_base.';
  end if;

  v_floor_utc := (
    select max(f.floor_utc)
    from agg.floor as f
    where f.timeframe = '1m' and (
      f.canonical_symbol = p_symbol
      or f.canonical_symbol in (select k.component from agg.synthetic_component as k where k.canonical_symbol = p_symbol)
    )
  );
  if p_from_utc < v_floor_utc then
    raise exception '% cannot be computed before %: its minutes, or those of a component, are not kept (metadata.agg.keep)', p_symbol, v_floor_utc
      using errcode = 'invalid_parameter_value';
  end if;

  v_request.symbols := array[p_symbol];
  v_request.timeframe := '1m';
  v_request.window_length := interval '1 minute';
  v_request.window_origin := timestamp '2000-01-03 00:00:00';
  v_request.from_utc := p_from_utc;
  v_request.to_utc := p_to_utc;
  v_request.frontier_utc := p_to_utc;
  v_request.derivation_version := p_derivation_version;
  v_request.is_rebuild := true;
  -- Of two builders of one minute, the slower one may have seen less, and would replace what the faster one made.
  perform agg.lock_series(p_symbol, '1m');
  select r.* into strict v_result from agg.build_synthetic(array[v_request]) as r;
  perform agg.extend_built_to(p_symbol, '1m', (
    select max(d.ts_utc) + interval '1 minute'
    from public.data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = '1m' and d.ts_utc >= p_from_utc and d.ts_utc < p_to_utc
  ));
  return jsonb_build_object(
    'success', true,
    'inserted', v_result.inserted,
    'updated', v_result.updated,
    'unchanged', v_result.bars - v_result.inserted - v_result.updated,
    'removed', v_result.removed,
    'skipped_incomplete', v_result.windows - v_result.bars,
    'derivation_version', p_derivation_version,
    'timestamp_range', jsonb_build_object('from', p_from_utc, 'to', p_to_utc)
  );
end;
$$;

comment on function public.derive_synthetic_range is
  'Computes the 1m bars of a synthetic asset from its components, into data_bars, for minutes in [p_from_utc, p_to_utc).
Components, weights and base are those of the registry. p_derivation_version 1 is the flat bar of the closes. 2 has open and close; its high and low are a lower bound of the true range.
Minutes without all components, or whose price is not a positive number, count as skipped_incomplete. A synthetic minute that is not complete any more is deleted and counts as removed. Prices have 8 decimals, and below 1 so many more that 8 significant digits stay.
Returns success, inserted, updated, unchanged, removed, skipped_incomplete, derivation_version and timestamp_range (from, to).
Builds just this range, whatever the start and frontiers of the task. Moves no cursor. Locks the row of the task to the end of the transaction. Repeating it counts unchanged and writes nothing.
Raises invalid_parameter_value for a range (also one before what metadata.agg.keep keeps), a version or a basket that cannot be, no_data_found for a symbol that is not a synthetic asset.';

-- 70_build/merge_results.sql
create function agg.merge_results(p_first agg.build_result, p_second agg.build_result)
returns agg.build_result
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_merged agg.build_result := p_first;
begin
  v_merged.to_utc := p_second.to_utc;
  v_merged.windows := p_first.windows + p_second.windows;
  v_merged.bars := p_first.bars + p_second.bars;
  v_merged.bars_poor := p_first.bars_poor + p_second.bars_poor;
  v_merged.inserted := p_first.inserted + p_second.inserted;
  v_merged.updated := p_first.updated + p_second.updated;
  v_merged.removed := p_first.removed + p_second.removed;
  v_merged.written := p_first.written + p_second.written;
  if p_second.decided_to_utc > p_second.from_utc then
    v_merged.decided_to_utc := p_second.decided_to_utc;
  end if;
  -- Ask again at once: what stopped the halves is not what stops the whole.
  v_merged.stopped_reason := 'max_windows';
  v_merged.failed := coalesce(p_first.failed, '{}') + coalesce(p_second.failed, '{}');
  v_merged.error := coalesce(p_first.error, p_second.error);
  v_merged.fail_kind := null;
  if v_merged.error is not null and v_merged.bars = 0 then
    v_merged.fail_kind := coalesce(p_first.fail_kind, p_second.fail_kind);
    v_merged.decided_to_utc := p_first.from_utc;
  end if;
  return v_merged;
end;
$$;

comment on function agg.merge_results is
'The result of a symbol''s request out of those of its two halves in time. It has failed where no bar could be built: to have decided windows without a bar is no success.';

-- 70_build/plan_builds.sql
create function agg.plan_builds(
  p_symbols text[],
  p_timeframe text,
  p_now timestamptz,
  p_max_windows integer,
  p_derivation_version integer,
  p_stop_at_data_frontier boolean default true,
  p_cursor_utc timestamptz default null
)
returns setof agg.build_request
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
begin
  return query
  -- Grouped as it is stored, before anything is computed: in a tick nearly all want the same.
  with task as materialized (
    select
      array_agg(c.symbol) as symbols, s.source_timeframe, s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.aggregation_delay_seconds, s.last_agg_bar_ts_utc, s.built_to_utc,
      f.agg_start_utc, u.decided_to_utc as source_frontier_utc, b.derivation_version, b.last_utc
    from unnest(p_symbols) as c (symbol)
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join public.data_agg_state as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    -- A cursor behind it is of no interest.
    cross join lateral (
      select case when p_cursor_utc is not null or s.last_agg_bar_ts_utc < s.agg_start_utc then s.agg_start_utc end
    ) as f (agg_start_utc)
    cross join lateral (
      select case when t.source_timeframe is not null then coalesce(s.source_timeframe, t.source_timeframe) end
    ) as w (source_timeframe)
    left join agg.task as u on u.canonical_symbol = c.symbol and u.timeframe = w.source_timeframe and u.enabled
    left join lateral (
      select max(k.derivation_version) as derivation_version, case when count(*) = count(l.ts_utc) then min(l.ts_utc) end as last_utc
      from agg.synthetic_component as k
      left join lateral (
        select b.ts_utc
        from public.data_bars as b
        where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
        order by b.ts_utc desc
        limit 1
      ) as l on true
      where p_timeframe = '1m' and k.canonical_symbol = c.symbol
    ) as b on true
    group by
      s.source_timeframe, s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.aggregation_delay_seconds, s.last_agg_bar_ts_utc, s.built_to_utc,
      f.agg_start_utc, u.decided_to_utc, b.derivation_version, b.last_utc
  ),
  wish as materialized (
    select
      k.symbols, t.timeframe, t.duration, st.timeframe as source_timeframe, st.duration as source_length, k.window_time_zone, o.origin,
      coalesce(k.good_percent, d.good_percent) as good_percent, coalesce(k.poor_percent, d.poor_percent) as poor_percent,
      k.session_time_zone, k.session_minutes, k.calendar, coalesce(k.aggregation_delay_seconds, d.delay_seconds) as delay_seconds,
      n.from_utc, k.source_frontier_utc, k.derivation_version,
      -- Where a component ends, the series does.
      case when p_timeframe = '1m' then coalesce(k.last_utc + t.duration, '-infinity') end as data_end_utc,
      coalesce(
        n.from_utc < greatest(agg.window_end(k.last_agg_bar_ts_utc, t.duration, k.window_time_zone, o.origin), k.built_to_utc), false
      ) as is_rebuild
    from task as k
    cross join agg.defaults as d
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join agg.timeframe as st
      on st.timeframe = case when t.source_timeframe is not null then coalesce(k.source_timeframe, t.source_timeframe) end
    cross join lateral (select coalesce(k.window_origin, timestamp '2000-01-03 00:00:00')) as o (origin)
    cross join lateral (
      select agg.window_end(
        greatest(
          coalesce(p_cursor_utc, k.last_agg_bar_ts_utc), agg.bootstrap_cursor(k.agg_start_utc, t.duration, k.window_time_zone, o.origin)
        ),
        t.duration, k.window_time_zone, o.origin
      )
      offset 0
    ) as n (from_utc)
  )
  select
    w.symbols, w.timeframe, w.source_timeframe, w.duration, w.window_time_zone, w.origin, w.source_length,
    w.from_utc, greatest(w.from_utc, least(e.last_utc, e.limit_utc)), f.frontier_utc,
    case when p_stop_at_data_frontier then p_now end, e.limit_utc < e.last_utc,
    coalesce(p_derivation_version, w.derivation_version), w.good_percent, w.poor_percent,
    w.session_time_zone, w.session_minutes, w.calendar, w.is_rebuild
  from wish as w
  cross join lateral (
    select agg.window_start(p_now - make_interval(secs => w.delay_seconds), w.duration, w.window_time_zone, w.origin)
    offset 0
  ) as n (complete_utc)
  cross join lateral (
    -- Looked for two weeks ahead: no market is closed for longer.
    select agg.window_start(
      least(
        agg.next_open(w.session_time_zone, w.session_minutes, w.calendar, n.complete_utc, n.complete_utc + interval '336 hours'),
        w.source_frontier_utc
      ),
      w.duration, w.window_time_zone, w.origin
    )
    offset 0
  ) as f (frontier_utc)
  cross join lateral (
    select
      least(f.frontier_utc, case when p_stop_at_data_frontier then w.data_end_utc end) as last_utc,
      case when p_max_windows is null then timestamptz 'infinity' else greatest(
        agg.window_end(w.from_utc, w.duration, w.window_time_zone, w.origin),
        agg.window_start(w.from_utc + w.duration * p_max_windows::double precision, w.duration, w.window_time_zone, w.origin)
      ) end as limit_utc
    offset 0
  ) as e;
end;
$$;

comment on function agg.plan_builds is
  'What tasks of one timeframe may decide at p_now: one request for all symbols that want the same windows with the same settings. They begin with the window after the cursor (p_cursor_utc, or the stored one), never before agg_start_utc, and end at the nearest of time frontier, source frontier and p_max_windows windows. Windows in which the market is closed need no time to pass: the time frontier lies before the next window that is open. A synthetic series goes up to the last minute for which all components have bars.
A bar stamped after p_now proves nothing about the windows before it. Null p_derivation_version: that of the registry for a synthetic series, otherwise that of the stored bar, or 1. A symbol without a task is planned with the defaults: 24x7, 300 s, no start. Reads only.';

-- 70_build/rebuild_requests.sql
create function agg.rebuild_requests(p_changes agg.changed_span[], p_max_windows integer default null)
returns setof agg.build_request
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  return query
  with run as (
    select
      c.canonical_symbol, t.timeframe, case when t.source_timeframe is not null then s.source_timeframe end as source_timeframe,
      t.duration, w.span,
      s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.calendar,
      ceil(extract(epoch from upper(w.span) - lower(w.span)) / extract(epoch from t.duration))::bigint as windows
    from unnest(p_changes) as c
    join agg.timeframe as t on t.timeframe = c.timeframe
    cross join lateral (
      select k.*
      from agg.task as k
      where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe
      -- Or the planner would read all tasks for each change.
      offset 0
    ) as s
    cross join lateral (
      select
        case
          -- The first window begins before that.
          when lower(c.spans) >= s.agg_start_utc + 2 * t.duration then lower(c.spans)
          else agg.window_end(
            agg.bootstrap_cursor(s.agg_start_utc, t.duration, s.window_time_zone, s.window_origin), t.duration, s.window_time_zone, s.window_origin
          )
        end,
        s.followed_to_utc
    ) as k (start_utc, end_utc)
    cross join lateral (
      -- Windows in UTC need no call.
      select range_agg(case
        when s.window_time_zone is null then tstzrange(
          date_bin(s.window_length, lower(d.span), s.window_origin at time zone 'UTC'),
          date_bin(s.window_length, upper(d.span) - interval '1 microsecond', s.window_origin at time zone 'UTC') + s.window_length
        )
        else tstzrange(
          agg.window_start(lower(d.span), t.duration, s.window_time_zone, s.window_origin),
          agg.window_end(upper(d.span) - interval '1 microsecond', t.duration, s.window_time_zone, s.window_origin)
        )
      end)
      from unnest(
        c.spans * case when k.start_utc < k.end_utc then tstzmultirange(tstzrange(k.start_utc, k.end_utc)) else '{}' end
      ) as d (span)
    ) as a (spans)
    cross join lateral unnest(a.spans) as u (span)
    cross join lateral (
      select case
        when s.basket is not null or upper(u.span) - lower(u.span) <= 1000 * t.duration then u.span
        -- Years without a bar would take their share of every batch.
        else (
          select tstzrange(
            agg.window_start(min(x.first_utc), t.duration, s.window_time_zone, s.window_origin),
            agg.window_end(max(x.last_utc), t.duration, s.window_time_zone, s.window_origin)
          )
          from (
            select min(c.ts_utc) as first_utc, max(c.ts_utc) as last_utc
            from agg.source_bar as c
            where c.canonical_symbol = s.canonical_symbol and c.timeframe = s.source_timeframe
              and c.ts_utc >= lower(u.span) and c.ts_utc < upper(u.span) and c.covered_minutes > 0
            union all
            select min(d.ts_utc), max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
              and d.ts_utc >= lower(u.span) and d.ts_utc < upper(u.span) and (d.deleted_at is null or d.covered_minutes > 0)
          ) as x
          having max(x.last_utc) is not null
        )
      end
    ) as w (span)
    where w.span is not null
  ),
  ranked as (
    select
      r.*, sum(r.windows) over (partition by r.canonical_symbol, r.timeframe order by r.span desc) - r.windows as newer_windows
    from run as r
  ),
  limited as (
    select
      r.*,
      case
        when r.windows <= p_max_windows - r.newer_windows or p_max_windows is null then lower(r.span)
        else agg.window_start(
          upper(r.span) - r.duration * (p_max_windows - r.newer_windows)::double precision, r.duration, r.window_time_zone, r.window_origin
        )
      end as from_utc
    from ranked as r
    where p_max_windows is null or r.newer_windows < p_max_windows
  )
  select
    array_agg(l.canonical_symbol), l.timeframe, l.source_timeframe, l.duration, l.window_time_zone, l.window_origin, st.duration,
    l.from_utc, upper(l.span), upper(l.span), null::timestamptz, false,
    case when l.source_timeframe is null then (
      select k.derivation_version from agg.synthetic_component as k where k.canonical_symbol = min(l.canonical_symbol) limit 1
    ) end,
    l.good_percent, l.poor_percent, l.session_time_zone, l.session_minutes, l.calendar, true
  from limited as l
  left join agg.timeframe as st on st.timeframe = l.source_timeframe
  group by
    l.timeframe, l.source_timeframe, l.duration, l.window_time_zone, l.window_origin, st.duration, l.from_utc, l.span,
    l.good_percent, l.poor_percent, l.session_time_zone, l.session_minutes, l.calendar,
    -- Each series has a basket of its own.
    case when l.source_timeframe is null then l.canonical_symbol end;
end;
$$;

comment on function agg.rebuild_requests is
'Requests to build again the decided windows that the changes touch: one for each run of windows, at most p_max_windows a task, the newest of them. Symbols with the same run and settings share a request.';

-- 70_build/stopped_reason.sql
create function agg.stopped_reason(
  p_from_utc timestamptz, p_frontier_utc timestamptz, p_is_limited boolean, p_decided_to_utc timestamptz
)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_from_utc >= p_frontier_utc then 'cursor_at_frontier'
    when p_decided_to_utc >= p_frontier_utc then 'frontier'
    when p_is_limited then 'max_windows'
    else 'no_source_data'
  end;
end;
$$;

comment on function agg.stopped_reason is
'Why the building of a request stopped: cursor_at_frontier (no window could be decided yet), max_windows, frontier (of time or source), no_source_data (waits at the data frontier).
p_from_utc is the end of what was decided before, p_decided_to_utc after.';

-- 80_dispatch/advance_tasks.sql
create function agg.advance_tasks(p_symbols text[], p_timeframe text, p_now timestamptz, p_max_windows integer)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  v_results := array(
    select r
    from agg.build_or_split(array(select q from agg.plan_builds(p_symbols, p_timeframe, p_now, p_max_windows, null) as q)) as r
  );
  perform agg.finish_tasks(v_results, p_now);

  select
    sum(n.symbols), sum(r.windows * n.symbols), sum(r.bars * n.symbols), sum(r.bars_poor * n.symbols), 0,
    sum(n.symbols) filter (where r.error is not null), 0
  into
    v_sums.tasks, v_sums.windows, v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.notes
  from unnest(v_results) as r
  cross join lateral (select cardinality(r.symbols)) as n (symbols);
  if v_sums.failed > 0 then
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, retry_at, error)
    select y.symbol, r.timeframe, p.spans, now(), 1, p_now + agg.retry_delay(0, 'hard'), r.error
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    cross join lateral (select r.failed * tstzmultirange(tstzrange(null, r.decided_to_utc))) as p (spans)
    where r.fail_kind is null and not isempty(p.spans);
  end if;
  return agg.sum_batches(v_sums, null);
end;
$$;

comment on function agg.advance_tasks is
'Plans, builds and finishes claimed tasks of one timeframe. The caller holds their row locks, taken in an earlier statement.
A window that fails hard costs itself only, where others of its task can be built: the cursor passes it, and it waits as a correction that failed.';

-- 80_dispatch/agg_maintain.sql
create function public.agg_maintain(p_env text default null, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '60s'
-- A session may leave a change of the registry open.
set lock_timeout = '5s'
as $$
declare
  v_audit jsonb;
  v_sync jsonb;
  v_removed integer;
begin
  if agg.is_paused(p_now) then
    return jsonb_build_object('paused', true, 'alerts_raised', agg.refresh_alerts(p_now, null, true));
  end if;
  -- First: it takes time, and what follows takes locks.
  begin
    v_audit := agg.audit_history(p_env, p_now);
  exception when others then
    raise warning 'the audit failed: % (%)', sqlerrm, sqlstate;
  end;
  -- Before floors are raised: no build that began before that reads what is removed.
  begin
    v_removed := agg.remove_old_bars(100000);
  exception when others then
    raise warning 'bars that are not kept could not be removed: % (%)', sqlerrm, sqlstate;
  end;
  begin
    perform agg.raise_floors(p_now);
    v_sync := public.sync_agg_state_from_registry(p_env);
  exception when others then
    -- Alerts and pruning must go on without it.
    raise warning 'the registry sync failed: % (%)', sqlerrm, sqlstate;
    v_sync := jsonb_build_object('success', false, 'error', case sqlstate
      when '55P03' then 'an open transaction has changed the registry, or tasks, and the sync waits for it'
      else sqlerrm
    end);
  end;
  begin
    perform agg.measure_silence(p_now);
  exception when others then
    raise warning 'the silence of series could not be measured: % (%)', sqlerrm, sqlstate;
  end;
  return jsonb_build_object(
    'slices_audited', v_audit -> 'slices_audited',
    'windows_wrong', v_audit -> 'windows_wrong',
    'sync', v_sync,
    'alerts_raised', agg.refresh_alerts(p_now, v_sync, true),
    'rows_pruned', agg.prune_logs(p_now),
    'revisions_pruned', agg.prune_revisions(p_now),
    'tasks_recovered', agg.recover_postponed_tasks(p_now),
    'bars_removed', v_removed,
    'tasks_woken', case when date_part('minute', p_now) < 5 then agg.wake_overlooked_tasks() end
  );
end;
$$;

comment on function public.agg_maintain is
'Runs the maintenance job: an audit of history, registry sync, alerts, pruning, removal of bars that metadata.agg.keep does not keep, tasks that a wrong clock has put off, and in the first five minutes of an hour a look at tasks that sleep.
p_env: see agg_run_due. p_now is the clock.
A sync that raises an error, or that waits five seconds for an open change of the registry, is reported in the result, as a warning and as an alert; the rest goes on. Repeating it changes nothing. In a pause (agg_pause) it only refreshes alerts, and returns paused and alerts_raised. A task that sleeps although it has source bars (a load with the triggers off left no note) is woken.
The audit verifies decided bars as agg_verify does, newest first, then round and round, for a share of the time since the last call (schedule_jobs sets it). It has wrong bars built again by the next run, and raises an alert. An error in it is a warning; the rest goes on.
Bars that are not kept: it removes up to 100,000 that lie behind a floor of agg.floor, then raises floors; what it raises is removed from the next time on.
Returns slices_audited and windows_wrong (null where the audit failed), sync, alerts_raised, rows_pruned, revisions_pruned (at most 40000 a run), bars_removed (null where an error stopped it, which is a warning), tasks_recovered and tasks_woken (null where it did not look).';

-- 80_dispatch/agg_pause.sql
create function public.agg_pause(p_reason text, p_until timestamptz, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The role that the caller has set, as the Data API does; otherwise the one that is logged in.
  v_by constant text := coalesce(nullif(current_setting('role'), 'none'), session_user);
begin
  if coalesce(btrim(p_reason), '') = '' or length(p_reason) > 200 then
    raise exception 'p_reason must have 1 to 200 characters' using errcode = 'invalid_parameter_value';
  end if;
  if p_now is null or p_until is null or p_until <= p_now then
    raise exception 'p_until must be after %, not %', coalesce(p_now::text, 'null'), coalesce(p_until::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  insert into agg.environment (paused_until, paused_by, paused_reason) values (p_until, v_by, p_reason)
  on conflict (is_only) do update
  set paused_until = excluded.paused_until, paused_by = excluded.paused_by, paused_reason = excluded.paused_reason;
  return jsonb_build_object('paused_until', p_until, 'paused_by', v_by, 'paused_reason', p_reason);
end;
$$;

comment on function public.agg_pause is
'Pauses the work of this database until p_until: dispatchers and the maintenance job find nothing to do.
p_reason says why, in at most 200 characters. p_until is the end; infinity: until agg_resume. p_now is the clock. A pause replaces the one before.
A batch that runs goes on to its end. agg_get_due_tasks gives outside workers no tasks. Bars may be stored and registry changes take effect meanwhile; what they change is built after the pause. agg_maintain refreshes alerts, and nothing else.
agg_health and agg_check say that it pauses. Of the alerts behind, failing, unread and slow none is raised or resolved in a pause, and what they measure counts from its end.
The pause is of this database: logical replication must not carry agg.environment.
Returns paused_until, paused_by and paused_reason. Raises invalid_parameter_value for an empty reason, or an end that is not after p_now.';

-- 80_dispatch/agg_resume.sql
create function public.agg_resume(p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update agg.environment as e set paused_until = p_now where e.paused_until > p_now;
  return jsonb_build_object('resumed', found);
end;
$$;

comment on function public.agg_resume is
'Ends the pause that agg_pause began: the next run works again.
p_now is the clock. Returns resumed, false where there was no pause. Repeating it changes nothing.';

-- 80_dispatch/agg_run_due.sql
create function public.agg_run_due(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_time_budget interval default interval '40 seconds',
  p_batch_windows integer default 100000,
  p_lane integer default 1
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '120s'
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_env constant text := agg.current_env(p_env);
  v_stopped_reason text;
  v_batch agg.batch_result;
  v_batches integer := 0;
  v_sums agg.batch_result := agg.sum_batches(null, null);
begin
  if p_now is null or not isfinite(p_now) or p_time_budget is null
    or coalesce(p_limit, 0) < 1 or coalesce(p_batch_windows, 0) < 1
  then
    raise exception 'p_now and p_time_budget must not be null, p_now must be finite, p_limit and p_batch_windows at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  if p_lane is null or p_lane not between 1 and 4 then
    raise exception 'p_lane must be from 1 to 4, not %', coalesce(p_lane::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  -- Held to the end of the transaction, so that no dead or pooled session can keep it.
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.agg_run_due', p_lane - 1)) then
    v_stopped_reason := 'busy';
  end if;

  while v_stopped_reason is null loop
    v_batch := agg.run_batch(v_env, p_limit, p_now, p_batch_windows);
    v_batches := v_batches + (v_batch.tasks > 0)::integer;
    v_sums := agg.sum_batches(v_sums, v_batch);
    if v_batch.tasks = 0 and v_batch.notes = 0 then
      v_stopped_reason := case when agg.is_paused(p_now) then 'paused' else 'idle' end;
    elsif clock_timestamp() >= v_started_at + p_time_budget then
      v_stopped_reason := case when p_time_budget <= interval '0' then 'one_batch' else 'time_budget' end;
    end if;
  end loop;

  if v_sums.failed > 0 then
    perform agg.refresh_alerts(p_now);
  end if;
  insert into agg.run_log (
    started_at, finished_at, env, lane, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, windows_backfilled,
    stopped_reason
  )
  values (
    v_started_at, clock_timestamp(), v_env, p_lane, v_batches, v_sums.tasks, v_sums.windows,
    v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.windows_backfilled,
    v_stopped_reason
  );
  return jsonb_build_object(
    'tasks', v_sums.tasks,
    'windows', v_sums.windows,
    'bars_created', v_sums.bars_created,
    'bars_quality_poor', v_sums.bars_quality_poor,
    'bars_corrected', v_sums.bars_corrected,
    'failed', v_sums.failed,
    'batches', v_batches,
    'stopped_reason', v_stopped_reason
  );
end;
$$;

comment on function public.agg_run_due is
  'Runs the dispatcher: builds what is due and makes corrections, in the transaction of the caller.
p_env: the assets of this environment; null: that of the database. p_limit: tasks a batch. p_now: the clock. p_batch_windows: windows a batch.
p_lane: which of the dispatchers that schedule_jobs has set up this is, 1 to 4. One run at a time in each lane; runs in several share the work.
p_time_budget: no batch begins after this time by the wall clock; interval ''0'' runs one batch.
Returns tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, batches and stopped_reason: idle (nothing is left to do), one_batch, time_budget, paused (see agg_pause), or busy (another dispatcher is at work in this lane; nothing was done).
Writes one row of agg.run_log. The job of agg.job_list calls it batch by batch and commits each.
Locks: transactions that add assets wait for one that has read change notes, so commit soon. Raises invalid_parameter_value for arguments out of range, lock_not_available where a table is locked.';

-- 80_dispatch/audit_history.sql
create function agg.audit_history(p_env text, p_now timestamptz)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_step_at timestamptz;
  v_until timestamptz;
  v_budget interval;
  v_symbols text[];
  v_assets integer := 1;
  v_slices integer := 0;
  v_wrong integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.audit', 0)) then
    return jsonb_build_object('slices_audited', 0, 'windows_wrong', 0);
  end if;
  -- A clock that was ahead would keep assets waiting.
  update agg.audit as a
  set
    audited_at = least(a.audited_at, p_now), added_at = least(a.added_at, p_now),
    round_started_at = least(a.round_started_at, p_now), verified_since = least(a.verified_since, p_now)
  where greatest(a.audited_at, a.added_at, a.round_started_at, a.verified_since) > p_now;
  select e.audit_percent * least(coalesce(p_now - max(a.audited_at) filter (where a.audited_at > '-infinity'), interval '5 minutes'), interval '5 minutes') / 100
  into v_budget
  from agg.environment as e
  left join agg.audit as a on true
  group by e.audit_percent;
  v_until := v_started_at + v_budget;

  with wanted as materialized (
    select s.canonical_symbol
    from agg.active_asset as s
    where s.is_test = agg.is_test(agg.current_env(p_env))
      and exists (select from agg.runnable_task as t where t.canonical_symbol = s.canonical_symbol)
  ),
  gone as (
    delete from agg.audit as a
    where a.canonical_symbol not in (select w.canonical_symbol from wanted as w)
  ),
  resolved as (
    update agg.alert as r
    set resolved_at = p_now
    where r.kind = 'wrong' and r.resolved_at is null and r.canonical_symbol not in (select w.canonical_symbol from wanted as w)
  )
  insert into agg.audit (canonical_symbol, added_at)
  select w.canonical_symbol, p_now from wanted as w
  on conflict do nothing;

  while clock_timestamp() < v_until loop
    v_symbols := array(
      select a.canonical_symbol
      from agg.audit as a
      where a.next_utc is not null or a.round_started_at is null or a.round_started_at <= p_now - interval '1 hour'
      order by a.audited_at, a.next_utc desc nulls first, a.canonical_symbol
      limit v_assets
    );
    exit when cardinality(v_symbols) = 0;
    v_step_at := clock_timestamp();
    begin
      v_wrong := v_wrong + agg.audit_slices(v_symbols, p_now);
      v_slices := v_slices + cardinality(v_symbols);
      -- As many at once as fit, since many cost less each.
      if clock_timestamp() - v_step_at < (v_until - clock_timestamp()) / 4 then
        v_assets := least(2 * v_assets, 500);
      elsif clock_timestamp() - v_step_at > v_until - clock_timestamp() then
        v_assets := greatest(v_assets / 4, 1);
      end if;
    exception when others then
      if v_assets = 1 then
        raise warning 'the bars of % could not be audited: % (%)', v_symbols[1], sqlerrm, sqlstate;
        update agg.audit as a
        set audited_at = p_now, round_started_at = p_now, next_utc = null, error = format('%s (%s)', sqlerrm, sqlstate)
        where a.canonical_symbol = v_symbols[1];
      end if;
      v_assets := 1;
    end;
  end loop;
  return jsonb_build_object('slices_audited', v_slices, 'windows_wrong', v_wrong);
end;
$$;

comment on function agg.audit_history is
'Verifies slices of decided history for a share of the time since the last call (agg.environment.audit_percent; of at most five minutes) by the wall clock, and has wrong bars built again: see agg.audit_slices.
Takes the asset first that was least recently audited: the newest slice of each, then older ones. An asset begins a round at most once an hour.
What raises an error costs itself only: the asset waits for its next turn, with a warning. Returns slices_audited and windows_wrong; both are 0 while another session audits.
Locks: no task and no bar.';

-- 80_dispatch/audit_slices.sql
create function agg.audit_slices(p_symbols text[], p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_spans agg.changed_span[];
  v_wrong integer;
begin
  update agg.audit as a
  set round_started_at = p_now, wrong_timeframes = '{}'
  where a.canonical_symbol = any (p_symbols) and a.next_utc is null;

  -- All timeframes of an asset, in whole windows of the longest: what is below a wrong bar is found wrong with it, and built first.
  with moved as (
    update agg.audit as a
    set
      audited_at = p_now,
      error = null,
      next_utc = case when s.from_utc > s.start_utc then s.from_utc end,
      verified_since = case when s.from_utc > s.start_utc then a.verified_since else a.round_started_at end
    from (
      select y.symbol, b.start_utc, w.from_utc, w.to_utc
      from unnest(p_symbols) as y (symbol)
      join agg.audit as u on u.canonical_symbol = y.symbol
      cross join lateral (
        select t.window_length, t.run_interval_minutes, t.window_time_zone, t.window_origin
        from agg.runnable_task as t
        where t.canonical_symbol = y.symbol
        order by t.run_interval_minutes desc
        limit 1
      ) as l
      cross join lateral (
        select
          agg.window_start(min(t.agg_start_utc), l.window_length, l.window_time_zone, l.window_origin) as start_utc,
          least(max(t.followed_to_utc), u.next_utc) as end_utc
        from agg.runnable_task as t
        where t.canonical_symbol = y.symbol
      ) as b
      cross join lateral (
        select max(x.last_utc) as last_utc
        from (
          select (
            select max(d.ts_utc)
            from public.data_bars as d
            where d.canonical_symbol = i.symbol and d.timeframe = '1m' and d.ts_utc < b.end_utc
          ) as last_utc
          from (
            select y.symbol
            union all
            select k.component from agg.task_component as k where k.canonical_symbol = y.symbol
          ) as i (symbol)
          union all
          select (
            select max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = y.symbol and d.timeframe = t.timeframe and d.ts_utc < b.end_utc
          )
          from agg.runnable_task as t
          where t.canonical_symbol = y.symbol
        ) as x
      ) as n
      -- Where no bar is left, an empty slice ends the round.
      cross join lateral (
        select agg.window_end(coalesce(n.last_utc, b.start_utc), l.window_length, l.window_time_zone, l.window_origin) as to_utc
      ) as e
      cross join lateral (
        select
          case
            when n.last_utc >= b.start_utc
              then agg.window_start(e.to_utc - interval '24 hours', l.window_length, l.window_time_zone, l.window_origin)
            else b.start_utc
          end as from_utc,
          case when n.last_utc >= b.start_utc then e.to_utc else b.start_utc end as to_utc
      ) as w
    ) as s
    where a.canonical_symbol = s.symbol
    returning a.canonical_symbol, s.from_utc, s.to_utc
  )
  select coalesce(array_agg(agg.new_changed_span(m.canonical_symbol, t.timeframe, tstzmultirange(tstzrange(m.from_utc, m.to_utc)))), '{}')
  into v_spans
  from moved as m
  join agg.runnable_task as t on t.canonical_symbol = m.canonical_symbol
  where m.from_utc < m.to_utc;

  -- One statement, so that all sees what the same transactions have done.
  with difference as materialized (
    select d.canonical_symbol, d.timeframe, d.ts_utc, d.ends_utc, d.problem
    from agg.verify_spans(v_spans) as d
    where not d.is_pending
  ),
  -- Adding rows needs no lock of the task.
  corrected as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
    select d.canonical_symbol, d.timeframe, range_agg(tstzrange(d.ts_utc, d.ends_utc)), now()
    from difference as d
    group by d.canonical_symbol, d.timeframe
  ),
  wrong as materialized (
    select
      d.canonical_symbol, d.timeframe, count(*) as windows, min(d.ts_utc) as first_utc, max(d.ends_utc) as end_utc,
      count(*) filter (where d.problem = 'missing') as missing,
      count(*) filter (where d.problem = 'different') as different,
      count(*) filter (where d.problem = 'stale') as stale
    from difference as d
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ),
  alerted as (
    insert into agg.alert as r (kind, canonical_symbol, timeframe, severity, message, raised_at)
    select
      'wrong', w.canonical_symbol, w.timeframe, 'warning',
      format(
        'at %s the audit found %s wrong windows in [%s, %s): %s missing, %s different, %s stale; the next run builds them again',
        p_now, w.windows, w.first_utc, w.end_utc, w.missing, w.different, w.stale
      ),
      p_now
    from wrong as w
    on conflict (kind, canonical_symbol, timeframe) where resolved_at is null
    -- The newest first; what was found before stays readable.
    do update set message = left(excluded.message || E'\n' || r.message, 1000)
  ),
  marked as (
    update agg.audit as a
    set wrong_timeframes = array(select distinct t.timeframe from unnest(a.wrong_timeframes || w.timeframes) as t (timeframe))
    from (select w.canonical_symbol, array_agg(w.timeframe) as timeframes from wrong as w group by w.canonical_symbol) as w
    where a.canonical_symbol = w.canonical_symbol
  )
  select coalesce(sum(w.windows), 0) into v_wrong from wrong as w;

  update agg.alert as r
  set resolved_at = p_now
  from agg.audit as a
  where r.kind = 'wrong' and r.resolved_at is null and a.canonical_symbol = r.canonical_symbol
    and a.canonical_symbol = any (p_symbols) and a.next_utc is null and r.timeframe <> all (a.wrong_timeframes)
    and not exists (
      select from agg.correction as k
      where k.canonical_symbol = r.canonical_symbol and k.timeframe = r.timeframe and not k.is_backfill
    );
  return v_wrong;
end;
$$;

comment on function agg.audit_slices is
'Verifies one slice of history of each asset: at least a day, and a whole window of its longest task, before what its round has verified. Slices pass over time without bars. Returns how many windows are wrong.
Each wrong window becomes a correction, and an alert of the kind wrong for its task. What waits to be built again is not wrong. Tasks that cannot be computed get a correction, which tells windows apart and reports its failure.
Bars behind the start of a task, and so behind a floor, are not verified. Locks: no task and no bar.';

-- 80_dispatch/job_list.sql
create function agg.job_list(p_now timestamptz default null)
returns table (job_name text, schedule text, command text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select j.job_name, j.schedule, format(j.command, case when p_now is null then 'now()' else format('%L::timestamptz', p_now) end, j.lane)
  from (
    select
      'pgbars:dispatch' || case when l.lane > 1 then '-' || l.lane else '' end,
      '* * * * *',
      'do $run$ declare v_until constant timestamptz := clock_timestamp() + interval ''40 seconds''; '
        'begin loop exit when public.agg_run_due(p_now => %s, p_time_budget => interval ''0'', p_lane => %s) '
        '->> ''stopped_reason'' <> ''one_batch''; commit; exit when clock_timestamp() > v_until; end loop; end $run$',
      l.lane
    from agg.environment as e
    cross join lateral generate_series(1, e.lanes) as l (lane)
    union all
    select 'pgbars:maintain', '*/5 * * * *', 'select public.agg_maintain(p_now => %s)', null
  ) as j (job_name, schedule, command, lane);
$$;

comment on function agg.job_list is
  'Every job of pgbars: name, cron schedule in UTC, and the SQL to run in the environment of the database. p_now, where given, is put in for now(). The one definition, for pg_cron and for runners without it. A dispatch job for each lane of agg.environment, which commits after each batch and stops after 40 seconds.';

-- 80_dispatch/job_runs.sql
create function agg.job_runs(p_since timestamptz)
returns table (lane smallint, started_at timestamptz, took interval)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with batch as (
    select
      l.run_id, l.lane, l.started_at, l.finished_at,
      lag(l.stopped_reason) over w is distinct from 'one_batch' or l.started_at > lag(l.finished_at) over w + interval '1 second' as begins_run
    from agg.run_log as l
    where l.finished_at > p_since and l.stopped_reason <> 'busy'
    window w as (partition by l.lane order by l.run_id)
  )
  select b.lane, min(b.started_at), max(b.finished_at) - min(b.started_at)
  from (
    select l.*, count(*) filter (where l.begins_run) over (partition by l.lane order by l.run_id) as run_no from batch as l
  ) as b
  group by b.lane, b.run_no;
$$;

comment on function agg.job_runs is
  'The runs of dispatch jobs that ended after p_since, by lane: when each began, and how long it took. The job writes a row a batch: what follows a batch at once belongs to the same run.';

-- 80_dispatch/measure_silence.sql
create function agg.measure_silence(p_now timestamptz, p_limit integer default 40)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_measured integer;
begin
  delete from agg.allowed_silence as a
  where not exists (select from agg.watched_series as w where w.canonical_symbol = a.canonical_symbol);
  insert into agg.allowed_silence (canonical_symbol, silence, measured_at)
  select
    w.canonical_symbol,
    greatest(d.overdue_after, g.longest, case when w.last_utc - g.first_utc < interval '7 days' then interval '3 days' end),
    p_now
  from (
    select s.*, l.ts_utc as last_utc
    from agg.watched_series as s
    left join agg.allowed_silence as a on a.canonical_symbol = s.canonical_symbol
    cross join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc < p_now
      order by b.ts_utc desc
      limit 1
    ) as l
    where (a.measured_at between p_now - interval '1 day' and p_now) is not true
    order by a.measured_at nulls first, s.canonical_symbol
    limit p_limit
  ) as w
  cross join agg.defaults as d
  cross join lateral (
    select agg.open_spans(w.session_time_zone, w.session_minutes, w.calendar, w.last_utc - interval '28 days', w.last_utc)
    offset 0
  ) as o (open)
  cross join lateral (
    select
      min(b.ts_utc) as first_utc,
      max(agg.time_within(o.open, b.ts_utc + interval '1 minute', b.next_utc)) filter (
        where b.next_utc - b.ts_utc > d.overdue_after and not exists (
          select from agg.alert as a
          where a.kind = 'no_data' and a.severity = 'critical' and a.canonical_symbol = w.canonical_symbol
            and a.raised_at > b.ts_utc and a.raised_at <= b.next_utc
        )
      ) as longest
    from (
      select m.ts_utc, lead(m.ts_utc) over (order by m.ts_utc) as next_utc
      from public.data_bars as m
      where m.canonical_symbol = w.canonical_symbol and m.timeframe = '1m'
        and m.ts_utc >= w.last_utc - interval '28 days' and m.ts_utc <= w.last_utc
    ) as b
  ) as g
  on conflict (canonical_symbol) do update set silence = excluded.silence, measured_at = excluded.measured_at;
  get diagnostics v_measured = row_count;
  return v_measured;
end;
$$;

comment on function agg.measure_silence is
'Measures agg.allowed_silence anew for at most p_limit series whose measurement is a day old or missing, oldest first. Returns how many.
Measured are the four weeks up to the last bar: 15 minutes, or the longest gap in open time, where that is longer; three days at least where there is less than a week of bars. A gap whose alert no_data became critical was an outage, and does not count.';

-- 80_dispatch/poor_series.sql
create function agg.poor_series(p_now timestamptz)
returns table (canonical_symbol text, timeframe text, windows bigint, good bigint)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  select t.canonical_symbol, t.timeframe, q.windows, q.good
  from (
    select distinct on (s.canonical_symbol) s.canonical_symbol, s.timeframe, s.poor_percent
    from public.data_agg_state as s
    where s.enabled and s.source_timeframe = '1m' and s.timeframe <> '1m'
    order by s.canonical_symbol, s.run_interval_minutes
  ) as t
  cross join lateral (
    -- A window with too few minutes for a bar has a row that is deleted.
    select count(*) as windows, count(*) filter (where d.quality_score >= 1 and d.deleted_at is null) as good
    from public.derived_data_bars as d
    where d.canonical_symbol = t.canonical_symbol and d.timeframe = t.timeframe
      and d.ts_utc >= p_now - interval '1 day' and d.ts_utc < p_now and d.covered_minutes > 0
    offset 0
  ) as q
  where t.poor_percent > 0 and q.windows >= 20 and q.good < 0.95 * q.windows;
$$;

comment on function agg.poor_series is
'Series of which less than 95 % of the windows of the day up to p_now that have a minute have a good bar, in the shortest timeframe that is built from minutes. At least 20 windows are asked for; of a sparse market no bar is poor.';

-- 80_dispatch/prune_logs.sql
create function agg.prune_logs(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pruned integer;
  v_cron_rows integer;
begin
  delete from agg.run_log as r where r.finished_at < p_now - interval '14 days';
  get diagnostics v_pruned = row_count;
  delete from agg.alert as a where a.resolved_at < p_now - interval '90 days';
  delete from agg.correction as k
  where not exists (
    select from public.data_agg_state as s where s.canonical_symbol = k.canonical_symbol and s.timeframe = k.timeframe
  );
  if to_regclass('cron.job_run_details') is not null then
    execute format(
      -- Runs are numbered in order, which dates those that a restart or a refused connection left without a time. A
      -- removed job leaves its runs behind: they are known by their command.
      $sql$
        delete from cron.job_run_details as d
        where (d.command like '%%public.agg_run_due(%%' or d.command like '%%public.agg_maintain(%%')
          and coalesce(d.end_time, d.start_time, (
            select coalesce(l.end_time, l.start_time)
            from cron.job_run_details as l
            where l.runid > d.runid and coalesce(l.end_time, l.start_time) is not null
            order by l.runid
            limit 1
          )) < %L::timestamptz - interval '3 days'
      $sql$,
      p_now
    );
    get diagnostics v_cron_rows = row_count;
  end if;
  return v_pruned + coalesce(v_cron_rows, 0);
end;
$$;

comment on function agg.prune_logs is
'Deletes run log rows older than 14 days, alerts resolved 90 days ago, corrections of tasks that are gone, and the jobs'' own rows of cron.job_run_details older than 3 days. Returns how many rows of logs.';

-- 80_dispatch/prune_revisions.sql
create function agg.prune_revisions(p_now timestamptz, p_limit integer default 20000)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_default constant interval := agg.revision_age(null);
  v_pruned integer;
begin
  with special as materialized (
    select r.canonical_symbol, agg.revision_age(r.metadata #> '{agg,revisions}') as age
    from public.core_asset_registry_all as r
    where r.metadata #> '{agg,revisions}' is not null
  )
  delete from public.derived_data_bars_revision as v
  where v.ctid = any (array(
    (
      select a.ctid
      from public.derived_data_bars_revision as a
      where a.replaced_at < p_now - v_default
        and a.canonical_symbol <> all (array(select s.canonical_symbol from special as s where s.age > v_default))
      limit p_limit
    )
    union all
    (
      select a.ctid
      from special as s
      join public.derived_data_bars_revision as a on a.canonical_symbol = s.canonical_symbol
      where s.age <> v_default and a.replaced_at < p_now - s.age
      limit p_limit
    )
  ));
  get diagnostics v_pruned = row_count;
  return v_pruned;
end;
$$;

comment on function agg.prune_revisions is
  'Deletes revisions that are older than metadata.agg.revisions of their asset allows at p_now, at most p_limit of each kind. Returns how many.';

-- 80_dispatch/raise_floors.sql
create function agg.raise_floors(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_raised integer;
begin
  with wanted as materialized (
    select r.canonical_symbol, t.timeframe, d.floor_utc
    from public.core_asset_registry_all as r
    cross join lateral jsonb_each(
      case jsonb_typeof(r.metadata -> 'agg' -> 'keep') when 'object' then r.metadata -> 'agg' -> 'keep' else '{}' end
    ) as k (timeframe, value)
    join agg.timeframe as t on t.timeframe = k.timeframe
    cross join lateral (
      select date_trunc('day', p_now at time zone 'UTC' - agg.kept_for(k.value)) at time zone 'UTC'
    ) as d (floor_utc)
    left join agg.floor as f on f.canonical_symbol = r.canonical_symbol and f.timeframe = k.timeframe
    where d.floor_utc > coalesce(f.floor_utc, '-infinity')
      -- Bars of an asset that is not built are all kept: they may be all that there is of it.
      and exists (select from public.data_agg_state as s where s.canonical_symbol = r.canonical_symbol and s.enabled)
  ),
  reader as materialized (
    select w.canonical_symbol, w.timeframe, s.canonical_symbol as reader_symbol, s.timeframe as reader_timeframe, s.decided_to_utc
    from wanted as w
    join agg.task as s on s.canonical_symbol = w.canonical_symbol and s.source_timeframe = w.timeframe and s.timeframe <> w.timeframe and s.enabled
    union all
    select w.canonical_symbol, w.timeframe, s.canonical_symbol, s.timeframe, s.decided_to_utc
    from wanted as w
    join agg.task_component as k on k.component = w.canonical_symbol and w.timeframe = '1m'
    join agg.task as s on s.canonical_symbol = k.canonical_symbol and s.timeframe = '1m' and s.enabled
  ),
  waiting as materialized (
    select c.canonical_symbol, c.timeframe, coalesce(lower(c.spans), '-infinity') as from_utc
    from agg.waiting_changes() as c
    where exists (select from reader)
  ),
  held as (
    select r.canonical_symbol, r.timeframe, min(least(r.decided_to_utc, w.from_utc)) as to_utc
    from reader as r
    left join waiting as w on w.canonical_symbol = r.reader_symbol and w.timeframe = r.reader_timeframe
    group by r.canonical_symbol, r.timeframe
  )
  insert into agg.floor as f (canonical_symbol, timeframe, floor_utc)
  select w.canonical_symbol, w.timeframe, d.floor_utc
  from wanted as w
  left join held as h on h.canonical_symbol = w.canonical_symbol and h.timeframe = w.timeframe
  cross join lateral (select date_trunc('day', least(w.floor_utc, h.to_utc) at time zone 'UTC') at time zone 'UTC') as d (floor_utc)
  where isfinite(d.floor_utc)
  order by w.canonical_symbol, w.timeframe
  on conflict (canonical_symbol, timeframe) do update set floor_utc = excluded.floor_utc where excluded.floor_utc > f.floor_utc;
  get diagnostics v_raised = row_count;
  return v_raised;
end;
$$;

comment on function agg.raise_floors is
'Raises floors to the UTC day that metadata.agg.keep says at p_now. Returns how many.
A floor goes no further than the tasks that read the bars have decided, and not past a window that waits to be built again: it costs no bar that is not made yet. A sync then moves the starts of tasks.';

-- 80_dispatch/refresh_alerts.sql
create function agg.refresh_alerts(p_now timestamptz, p_sync jsonb default null, p_is_maintenance boolean default false)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_paused_until constant timestamptz := (select e.paused_until from agg.environment as e);
  v_overdue_after constant interval := (select d.overdue_after from agg.defaults as d);
  -- Kinds that this call leaves alone.
  v_skipped constant text[] :=
    case when v_paused_until > p_now then array['behind', 'failing', 'unread', 'slow'] else '{}' end
    || case when not p_is_maintenance then array['no_data', 'unregistered', 'slow', 'poor_quality'] else '{}' end
    || case when date_part('minute', p_now) >= 5 then array['poor_quality'] else '{}' end
    || case when p_sync is null then array['unsynced'] else '{}' end
    || case when coalesce(not p_sync ? 'refused', true) then array['metadata'] else '{}' end;
  v_raised integer;
begin
  with cause as materialized (
    select
      case when s.is_mandatory then 'hard_failed' else 'disabled' end as kind,
      s.canonical_symbol, s.timeframe, s.is_mandatory as is_critical,
      format('%s hard failures in a row: %s', s.hard_fail_streak, s.last_error) as message
    from public.data_agg_state as s
    cross join agg.defaults as d
    where s.enabled and s.hard_fail_streak >= d.hard_failures
    union all
    select
      'failing', s.canonical_symbol, s.timeframe, s.is_mandatory,
      format('has failed since %s, %s times in a row: %s', s.failing_since_utc, s.fail_streak, s.last_error)
    from public.data_agg_state as s
    cross join agg.defaults as d
    where s.enabled and s.hard_fail_streak < d.hard_failures
      and s.failing_since_utc <= p_now - v_overdue_after and coalesce(v_paused_until <= p_now - v_overdue_after, true)
    union all
    select 'behind', h.canonical_symbol, h.timeframe, s.is_mandatory, h.explanation
    from public.agg_health(p_now) as h
    join public.data_agg_state as s on s.canonical_symbol = h.canonical_symbol and s.timeframe = h.timeframe
    where h.state in ('overdue', 'never_ran') and h.due_for > v_overdue_after
    union all
    select
      'no_data', n.canonical_symbol, '1m', n.silence > 2 * n.allowed,
      format('the last 1m bar is that of %s; silent for %s of open time, longer than %s', n.last_utc, n.silence, n.allowed)
    from agg.silent_series(p_now) as n
    where 'no_data' <> all (v_skipped)
    union all
    select
      'poor_quality', q.canonical_symbol, q.timeframe, false,
      format('%s of the %s windows of the last day that have a minute have no good bar', q.windows - q.good, q.windows)
    from agg.poor_series(p_now) as q
    where 'poor_quality' <> all (v_skipped)
    union all
    select
      'unregistered', '*', '*', false,
      format('bars arrive of %s symbols that the registry does not have: %s', count(*), array_to_string((array_agg(u.canonical_symbol order by u.canonical_symbol))[:20], ', '))
    from agg.unregistered_symbols(p_now) as u
    where 'unregistered' <> all (v_skipped)
    having count(*) > 0
    union all
    select
      'slow', '*', '*', false,
      format('the runs of lane %s took 40 s or more for 15 minutes, the longest %s s: more is to do than they can', r.lane, round(extract(epoch from r.longest), 1))
    from (
      select j.lane, max(j.took) as longest
      from agg.job_runs(p_now - interval '15 minutes') as j
      -- The run of this minute may not have ended.
      where 'slow' <> all (v_skipped) and j.started_at <= p_now - interval '1 minute'
      group by j.lane
      having min(j.took) >= interval '40 seconds' and count(*) >= 5
      order by max(j.took) desc
      limit 1
    ) as r
    union all
    select
      'metadata', f.item ->> 'canonical_symbol', '*', false,
      string_agg(format('%s (left out: %s)', f.item ->> 'problem', f.item ->> 'leaves_out'), '; ')
    from jsonb_array_elements(p_sync -> 'refused') as f (item)
    group by f.item ->> 'canonical_symbol'
    union all
    select 'unsynced', '*', '*', false, p_sync ->> 'error'
    where p_sync ? 'error'
    union all
    select
      'unread', '*', '*', true,
      format(
        'no dispatcher has read what changed since %s%s', min(n.changed_at),
        ': the open transaction of backend ' || agg.new_tasks_holder() || ' has added assets'
      )
    from agg.change_note as n
    having min(n.changed_at) < p_now - v_overdue_after and coalesce(v_paused_until < p_now - v_overdue_after, true)
    union all
    select 'uncorrected', k.canonical_symbol, k.timeframe, false, format('%s tries to build %s again failed: %s', k.failures, k.spans, k.error)
    from agg.correction as k
    cross join agg.defaults as d
    where k.failures >= d.hard_failures and k.error is not null
  ),
  wanted as materialized (
    select distinct on (c.kind, c.canonical_symbol, c.timeframe)
      c.kind, c.canonical_symbol, c.timeframe, case when c.is_critical then 'critical' else 'warning' end as severity, c.message
    from (
      -- Sorted once: a join of causes with each other would compare all with all.
      select
        k.*,
        bool_or(k.kind = any (array['hard_failed', 'failing', 'behind'])) over w as has_failed,
        bool_or(k.kind = 'no_data') over w as is_silent
      from cause as k
      window w as (partition by k.canonical_symbol)
    ) as c
    where case c.kind when 'no_data' then not c.has_failed when 'poor_quality' then not c.has_failed and not c.is_silent else true end
    order by c.kind, c.canonical_symbol, c.timeframe, c.message desc
  ),
  resolved as (
    update agg.alert as a
    set resolved_at = p_now
    where a.resolved_at is null and a.kind <> all (v_skipped)
      -- The audit resolves its own.
      and a.kind <> 'wrong'
      and (a.kind, a.canonical_symbol, a.timeframe) not in (
        select w.kind, w.canonical_symbol, w.timeframe from wanted as w
      )
  ),
  stored as (
    insert into agg.alert as a (kind, canonical_symbol, timeframe, severity, message, raised_at)
    select w.kind, w.canonical_symbol, w.timeframe, w.severity, w.message, p_now
    from wanted as w
    on conflict (kind, canonical_symbol, timeframe) where resolved_at is null do update
    set severity = excluded.severity, message = excluded.message
    where (a.severity, a.message) is distinct from (excluded.severity, excluded.message)
    returning a.raised_at = p_now as is_new
  )
  select count(*) filter (where s.is_new) into v_raised from stored as s;
  return v_raised;
end;
$$;

comment on function agg.refresh_alerts is
'Raises alerts whose cause is there, updates message and severity of those that are open, and resolves those whose cause is gone. Returns how many are new.
Kinds: hard_failed and disabled (three hard failures in a row), failing (a task, for 15 minutes), behind (due for 15 minutes, and no dispatcher has run it), uncorrected (a correction failed three times in a row), metadata (not understood, with what is left out) and unsynced (from p_sync, what a sync returned; null leaves these alone), unread (no dispatcher has read change notes for 15 minutes).
With p_is_maintenance also no_data (see agg.silent_series), unregistered (bars of the last day, of symbols that neither the registry nor a basket has), slow (the runs of a lane took their whole time for 15 minutes), and in the first five minutes of an hour poor_quality (less than 95 % of the windows of a day that have a minute have a good bar). Other calls leave these alone.
One alert for one trouble: hard_failed comes before failing, that before behind, that before no_data, that before poor_quality.
In a pause (agg_pause) behind, failing, unread and slow stay as they are; after it they count from its end. Leaves those alone that agg.audit_slices raises: wrong.';

-- 80_dispatch/remove_old_bars.sql
create function agg.remove_old_bars(p_limit integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_table text;
  v_left integer := p_limit;
  v_rows integer;
begin
  perform set_config('pgbars.is_building', 'removing', true);
  perform set_config('pgbars.keeps_deleted', 'off', true);
  foreach v_table in array array['data_bars', 'derived_data_bars', 'derived_data_bars_revision'] loop
    execute format(
      $sql$
        delete from public.%1$I as b
        using (
          select a.canonical_symbol, a.timeframe, max(a.ts_utc) as last_utc
          from (
            select f.canonical_symbol, f.timeframe, o.ts_utc
            from agg.floor as f
            cross join lateral (
              select d.ts_utc
              from public.%1$I as d
              where d.canonical_symbol = f.canonical_symbol and d.timeframe = f.timeframe and d.ts_utc < f.floor_utc
              order by d.ts_utc
              limit $1
            ) as o
            limit $1
          ) as a
          group by a.canonical_symbol, a.timeframe
        ) as o
        where b.canonical_symbol = o.canonical_symbol and b.timeframe = o.timeframe and b.ts_utc <= o.last_utc
      $sql$,
      v_table
    ) using v_left;
    get diagnostics v_rows = row_count;
    v_left := greatest(0, v_left - v_rows);
  end loop;
  perform set_config('pgbars.is_building', 'off', true);
  perform set_config('pgbars.keeps_deleted', 'on', true);
  return p_limit - v_left;
end;
$$;

comment on function agg.remove_old_bars is
'Deletes up to p_limit bars that lie behind their floors, and returns how many. What they were before (derived_data_bars_revision) goes along. Leaves no change note and no revision: the floor says why they are gone, and no task starts behind it.';

-- 80_dispatch/run_batch.sql
create function agg.run_batch(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_batch_windows integer default 100000
)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A transaction may keep a bar locked for as long as it is open.
set lock_timeout = '500ms'
as $$
declare
  v_env constant text := agg.current_env(p_env);
  v_lanes constant integer := (select e.lanes from agg.environment as e);
  v_sums agg.batch_result;
  v_claim record;
  v_timeframe text;
  v_symbols text[];
begin
  if agg.is_paused(p_now) then
    return agg.sum_batches(null, null);
  end if;
  perform agg.require_fresh_snapshots();
  perform set_config('pgbars.lock_waits', '0', true);
  perform set_config('pgbars.failed_builds', '0', true);
  v_sums.notes := agg.take_notes(1000);
  perform agg.recover_abandoned_claims(p_now);

  v_claim := agg.claim_due_tasks(v_env, p_limit, p_now, v_lanes);
  if cardinality(v_claim.symbols) > 0 then
    v_sums := agg.sum_batches(
      v_sums,
      agg.advance_tasks(v_claim.symbols, v_claim.timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_claim.symbols)))
    );
  end if;

  -- From level to level: what one changes is a correction of the next.
  if exists (select from agg.correction as k where k.retry_at <= p_now and not k.is_backfill) then
    for v_timeframe in select t.timeframe from agg.timeframe as t order by t.duration loop
      v_symbols := agg.claim_corrections(v_env, v_timeframe, p_limit, p_now, v_lanes);
      if cardinality(v_symbols) > 0 then
        v_sums := agg.sum_batches(
          v_sums, agg.correct_tasks(v_symbols, v_timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_symbols)))
        );
      end if;
    end loop;
  end if;

  if coalesce(v_sums.tasks, 0) = 0 and exists (select from agg.correction as k where k.retry_at <= p_now) then
    for v_timeframe in select t.timeframe from agg.timeframe as t order by t.duration loop
      v_symbols := agg.claim_corrections(v_env, v_timeframe, p_limit, p_now, v_lanes, p_is_backfill => true);
      if cardinality(v_symbols) > 0 then
        v_sums := agg.sum_batches(
          v_sums,
          agg.correct_tasks(v_symbols, v_timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_symbols)), p_is_backfill => true)
        );
        exit;
      end if;
    end loop;
  end if;
  return agg.sum_batches(v_sums, null);
end;
$$;

comment on function agg.run_batch is
'One batch in the transaction of the caller: reads change notes, advances due tasks of one timeframe together, and makes corrections level by level. History (agg.correction.is_backfill) it builds only where it found nothing of these, one timeframe a batch: what falls due next waits for no more than that.
At most p_batch_windows windows for the due tasks and for the corrections of a level, shared evenly between tasks, so that no symbol holds up another. Where agg.environment has several lanes, it takes its share of what is due. tasks and notes are 0 when there was nothing to do, as in a pause (agg_pause).
Locks: waits for no task; waits 500 ms for a locked bar, then 10 ms for each further one. Raises lock_not_available after 500 waits, as with a locked table. Any number of batches may run side by side.';

-- 80_dispatch/schedule_jobs.sql
create function public.schedule_jobs(p_env text default null, p_lanes integer default null, p_audit_percent integer default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env text;
  v_lanes integer;
  v_scheduled text[] := array[]::text[];
  v_removed text[] := array[]::text[];
  v_message text;
  v_has_cron constant boolean := exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron');
begin
  if p_lanes not between 1 and 4 then
    raise exception 'p_lanes must be from 1 to 4, not %', p_lanes using errcode = 'invalid_parameter_value';
  end if;
  if p_audit_percent not between 0 and 10 then
    raise exception 'p_audit_percent must be from 0 to 10, not %', p_audit_percent using errcode = 'invalid_parameter_value';
  end if;
  if p_env is not null then
    perform agg.set_environment(p_env);
  end if;
  v_env := agg.current_env(null);
  update agg.environment as e set lanes = p_lanes where e.lanes <> p_lanes;
  update agg.environment as e set audit_percent = p_audit_percent where e.audit_percent <> p_audit_percent;
  v_lanes := (select e.lanes from agg.environment as e);

  if v_has_cron then
    execute format(
      $sql$
        with removed as materialized (
          select j.jobname, cron.unschedule(j.jobid)
          from cron.job as j
          where j.jobname like %L and j.jobname not in (select l.job_name from agg.job_list() as l)
        ),
        scheduled as materialized (
          select l.job_name, cron.schedule(l.job_name, l.schedule, l.command) from agg.job_list() as l
        )
        select
          array(select s.job_name from scheduled as s order by s.job_name),
          array(select r.jobname::text from removed as r order by r.jobname)
      $sql$,
      'pgbars:%'
    ) into v_scheduled, v_removed;
    v_message := format('%s jobs are scheduled', cardinality(v_scheduled));
    -- The launcher is a background worker of the superuser: other roles see a row without a type.
    if pg_has_role('pg_read_all_stats', 'usage')
      and not exists (select from pg_catalog.pg_stat_activity as a where a.backend_type = 'pg_cron launcher')
    then
      v_message := v_message || ', but none will start: the launcher of pg_cron does not run';
      raise notice '%', v_message
        using hint = 'Restart Postgres with pg_cron in shared_preload_libraries. The log of the server says why the launcher ended.';
    end if;
  else
    v_message := 'nothing is scheduled: pg_cron is not installed in this database';
    raise notice '%', v_message
      using hint = 'create extension pg_cron; then select schedule_jobs(); or call agg_run_due() from elsewhere each minute.';
  end if;
  return jsonb_build_object(
    'pg_cron', v_has_cron, 'scheduled', to_jsonb(v_scheduled), 'removed', to_jsonb(v_removed),
    'env', v_env, 'flag', case when agg.is_test(v_env) then 'test_active' else 'active' end, 'lanes', v_lanes,
    'audit_percent', (select e.audit_percent from agg.environment as e), 'message', v_message
  );
end;
$$;

comment on function public.schedule_jobs is
  'Makes the jobs of pg_cron whose names begin with pgbars: those of agg.job_list, no more and no fewer.
p_env becomes the environment of the database (prod at first), and the tasks of all assets follow at once. Its jobs work for this environment, and changes of the registry take effect in it. Null leaves it as it is.
p_lanes: how many dispatch jobs share the work, 1 to 4 (1 at first); two make use of two processors. The jobs of lanes that are taken away are removed. Null leaves it as it is.
p_audit_percent: the share of one processor that agg_maintain spends on verifying history, 0 (none) to 10 percent (5 at first). Null leaves it as it is.
Returns pg_cron (whether it is installed in this database), scheduled and removed (names of jobs), env, flag, lanes, audit_percent and message. flag is the column that says which assets are active: test_active for DEV and TEST in any case, otherwise active.
Where jobs cannot start, message says why, with a notice: pg_cron is not installed, or its launcher does not run. Only a role with the rights of pg_read_all_stats sees the launcher; for others message does not speak of it.
For the owner of the database. Repeating it changes nothing. Raises invalid_parameter_value for a text that is not a name of an environment, or a number out of range.';

-- 80_dispatch/silent_series.sql
create function agg.silent_series(p_now timestamptz)
returns table (canonical_symbol text, last_utc timestamptz, silence interval, allowed interval)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  with series as materialized (
    select s.*, l.ts_utc as last_utc, coalesce(n.max_silence, a.silence) as allowed
    from agg.watched_series as s
    left join agg.allowed_silence as a on a.canonical_symbol = s.canonical_symbol
    left join lateral (
      select (r.metadata #>> '{agg,max_silence}')::interval as max_silence
      from public.core_asset_registry_all as r
      where r.canonical_symbol = s.canonical_symbol and agg.is_duration(r.metadata #> '{agg,max_silence}')
    ) as n on true
    cross join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc < p_now
      order by b.ts_utc desc
      limit 1
    ) as l
    where l.ts_utc < p_now - coalesce(n.max_silence, a.silence)
  ),
  -- What was open of late, once for all series that share a session and a calendar.
  market as materialized (
    select
      m.*, agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, p_now - interval '35 days', p_now) as open
    from (select distinct s.session_time_zone, s.session_minutes, s.calendar from series as s) as m
  )
  select s.canonical_symbol, s.last_utc, t.silence, s.allowed
  from series as s
  join market as m
    on coalesce(m.session_time_zone, '') = coalesce(s.session_time_zone, '')
    and coalesce(m.session_minutes, '{(,)}') = coalesce(s.session_minutes, '{(,)}')
    and coalesce(m.calendar, '') = coalesce(s.calendar, '')
  cross join lateral (
    select agg.time_within(m.open, s.last_utc + interval '1 minute', p_now)
    offset 0
  ) as t (silence)
  where t.silence > s.allowed;
$$;

comment on function agg.silent_series is
'The series of 1m bars that are silent at p_now for more open time than they may be: metadata.agg.max_silence of the asset, otherwise agg.allowed_silence. A series that never had a bar is not silent, nor is one that is not measured yet.';

-- 80_dispatch/sum_batches.sql
create function agg.sum_batches(p_sums agg.batch_result, p_batch agg.batch_result)
returns agg.batch_result
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  p_sums.tasks := coalesce(p_sums.tasks, 0) + coalesce(p_batch.tasks, 0);
  p_sums.windows := coalesce(p_sums.windows, 0) + coalesce(p_batch.windows, 0);
  p_sums.bars_created := coalesce(p_sums.bars_created, 0) + coalesce(p_batch.bars_created, 0);
  p_sums.bars_quality_poor := coalesce(p_sums.bars_quality_poor, 0) + coalesce(p_batch.bars_quality_poor, 0);
  p_sums.bars_corrected := coalesce(p_sums.bars_corrected, 0) + coalesce(p_batch.bars_corrected, 0);
  p_sums.failed := coalesce(p_sums.failed, 0) + coalesce(p_batch.failed, 0);
  p_sums.notes := coalesce(p_sums.notes, 0) + coalesce(p_batch.notes, 0);
  p_sums.windows_backfilled := coalesce(p_sums.windows_backfilled, 0) + coalesce(p_batch.windows_backfilled, 0);
  return p_sums;
end;
$$;

comment on function agg.sum_batches is 'The sums of two batches; nulls count as 0.';

-- 80_dispatch/time_within.sql
create function agg.time_within(p_spans tstzmultirange, p_from timestamptz, p_to timestamptz)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(upper(s.span) - lower(s.span)), interval '0')
  from unnest(p_spans * tstzmultirange(tstzrange(p_from, greatest(p_from, p_to)))) as s (span);
$$;

comment on function agg.time_within is 'How much of [p_from, p_to) lies in the spans.';

-- 80_dispatch/unregistered_symbols.sql
create function agg.unregistered_symbols(p_now timestamptz)
returns table (canonical_symbol text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  -- From symbol to symbol, one probe of the key for each.
  with recursive symbol as (
    (select b.canonical_symbol as name from public.data_bars as b order by b.canonical_symbol limit 1)
    union all
    select n.name
    from symbol as s
    cross join lateral (
      select b.canonical_symbol as name from public.data_bars as b where b.canonical_symbol > s.name order by b.canonical_symbol limit 1
    ) as n
  )
  select s.name
  from symbol as s
  where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.name)
    and exists (
      select from public.data_bars as b
      where b.canonical_symbol = s.name and b.timeframe = '1m' and b.ts_utc > p_now - interval '1 day' and b.ts_utc <= p_now
    )
    and s.name not in (select k.component from agg.synthetic_component as k);
$$;

comment on function agg.unregistered_symbols is
  'Symbols with bars of the day up to p_now that neither the registry nor a basket of it has: nothing is built of them.';

-- 85_move/drop_old_jobs.sql
create function agg.drop_old_jobs()
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_names text[] := array[]::text[];
begin
  if exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    execute format(
      $sql$
        with old as materialized (
          select j.jobid, o.name, cron.unschedule(j.jobid)
          from cron.job as j
          join agg.moved_object as o on o.kind = %L and o.is_taken_over and o.parent = j.jobid::text
          where not j.active
        )
        select array(select o.name from old as o order by o.jobid)
      $sql$,
      'job'
    ) into v_names;
  end if;
  return v_names;
end;
$$;

comment on function agg.drop_old_jobs is
  'Unschedules the jobs of pg_cron that the move of an older deployment made inactive, where they are so still, and returns their names.';

-- 85_move/finish_move.sql
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

comment on function public.finish_move is
'Ends the move of an older deployment: drops what was set aside. Owner only.
That is the schema pgbars_before, the jobs of pg_cron that were made inactive, and what served older callers (calc_dxy_range_derived, and a trigger that follows their cursors).
p_despite_checks: finish although checks of agg_check fail at p_now.
Returns success, dropped (tables and functions) and jobs (names). There is no way back.
Raises object_not_in_prerequisite_state where no older deployment is set aside, where something still uses it, or where a check fails; move_status says so beforehand. Lock: waits 30 seconds for the old tables.';

-- 85_move/finish_problem.sql
create function agg.finish_problem(p_now timestamptz, p_despite_checks boolean)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problem text;
begin
  if not exists (select from agg.move) then
    return 'no older deployment is set aside';
  end if;
  select 'still used: ' || string_agg(u, ', ') || '. Drop these, or let them read the new tables'
  into v_problem
  from agg.used_from_outside('pgbars_before') as u;
  if v_problem is null and not p_despite_checks then
    select 'a check fails: ' || string_agg(distinct c."check", ', ') || '. See agg_check()'
    into v_problem
    from public.agg_check(p_now) as c
    where c.status = 'FAIL' and c."check" <> 'verdict';
  end if;
  return v_problem;
end;
$$;

comment on function agg.finish_problem is
  'Why finish_move cannot run at p_now; null where it can. p_despite_checks: checks of agg_check that fail are no reason.';

-- 85_move/give_back_commands.sql
create function agg.give_back_commands()
returns setof text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select format('alter %s %s set schema public', case c.relkind
    when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table'
  end, c.oid::regclass)
  from pg_catalog.pg_class as c
  where c.relnamespace = to_regnamespace('pgbars_before') and c.relkind in ('r', 'p', 'v', 'm', 'f');
  return query
  select format('alter routine %s set schema public', p.oid::regprocedure)
  from pg_catalog.pg_proc as p
  where p.pronamespace = to_regnamespace('pgbars_before');
  return query
  select c.command
  from agg.moved_object as o
  cross join lateral (values
    (1, case when o.kind = 'foreign key' then format('alter table %s drop constraint if exists %s', o.parent, o.name) end),
    (2, o.definition)
  ) as c (position, command)
  where o.is_taken_over and o.definition is not null and c.command is not null
  order by o.moved_object_id, c.position;
end;
$$;

comment on function agg.give_back_commands is
  'The statements that bring what was set aside back to public, in their order: tables, functions, then the views, foreign keys and publications that read the new tables since the move.';

-- 85_move/give_back_jobs.sql
create function agg.give_back_jobs()
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_names text[] := array[]::text[];
begin
  if exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    execute format(
      $sql$
        with removed as materialized (
          select cron.unschedule(j.jobid) from cron.job as j where j.jobname like %L
        ),
        old as materialized (
          select j.jobid, o.name, cron.alter_job(j.jobid, active => true)
          from cron.job as j
          join agg.moved_object as o on o.kind = 'job' and o.is_taken_over and o.parent = j.jobid::text
        )
        select array(select o.name from old as o order by o.jobid) from (select count(*) from removed) as r
      $sql$,
      'pgbars:%'
    ) into v_names;
  end if;
  return v_names;
end;
$$;

comment on function agg.give_back_jobs is
  'Removes the jobs of pgbars from pg_cron, makes those active again that the move of an older deployment made inactive, and returns the names of these.';

-- 85_move/give_back_minutes.sql
create function agg.give_back_minutes(p_moved_xid xid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bars constant regclass := to_regclass('public.data_bars');
  v_derived constant regclass := to_regclass('public.derived_data_bars');
  -- Computed series, by the old table that had their minutes.
  v_in_bars text[] := array[]::text[];
  v_in_derived text[] := array[]::text[];
  v_commands text[];
  v_rows bigint;
  v_added bigint := 0;
  v_updated bigint := 0;
  v_left_out bigint;
begin
  if v_derived is not null then
    execute format(
      'select array(select s.canonical_symbol from agg.computed_series as s where exists (select from %s as o '
        'where o.canonical_symbol = s.canonical_symbol and o.timeframe = %L and to_jsonb(o) ->> ''deleted_at'' is null))',
      v_derived, '1m'
    ) into v_in_derived;
  end if;
  if v_bars is not null then
    execute format(
      'select array(select s.canonical_symbol from agg.computed_series as s '
        'where s.canonical_symbol <> all ($1) and exists (select from %s as o where o.canonical_symbol = s.canonical_symbol))', v_bars
    ) into v_in_bars using v_in_derived;
  end if;

  -- Triggers of the old tables may name what is in public without its schema.
  perform set_config('search_path', 'public', true);
  v_commands := array(
    select k.command
    from (values
      (v_bars, format('n.source <> ''synthetic'' or n.canonical_symbol = any (%L::text[])', v_in_bars), jsonb_build_object()),
      (
        v_derived, format('n.source = ''synthetic'' and n.canonical_symbol = any (%L::text[])', v_in_derived),
        jsonb_build_object(
          'source', null, 'raw', null, 'source_timeframe', $sql$'1m'$sql$, 'quality_score', '2',
          'source_candles', '(select count(*) from agg.synthetic_component as k where k.canonical_symbol = n.canonical_symbol)',
          'expected_candles', '(select count(*) from agg.synthetic_component as k where k.canonical_symbol = n.canonical_symbol)',
          'derivation_version', $sql$coalesce(n.raw ->> 'derivation_version', '1')$sql$
        )
      )
    ) as p (old_table, condition, given_values)
    cross join lateral agg.old_minute_commands(p.old_table, p.condition, p.given_values) as c
    cross join lateral (values (1, c.update_command), (2, c.insert_command)) as k (position, command)
    where p.old_table is not null
    order by p.old_table, k.position
  );
  for i in 1 .. cardinality(v_commands) loop
    execute v_commands[i] using p_moved_xid;
    get diagnostics v_rows = row_count;
    if v_commands[i] like 'insert %' then
      v_added := v_added + v_rows;
    else
      v_updated := v_updated + v_rows;
    end if;
  end loop;
  execute format(
    'select count(*) from agg.data_bars as n where n.xmin <> $1 and n.canonical_symbol <> all ($2) and (n.source = %L or $3)', 'synthetic'
  ) into v_left_out using p_moved_xid, v_in_bars || v_in_derived, v_bars is null;
  return jsonb_build_object('minutes_added', v_added, 'minutes_updated', v_updated, 'minutes_left_out', v_left_out);
end;
$$;

comment on function agg.give_back_minutes is
  'Writes the minutes of agg.data_bars that are younger than the move to the old tables, which are in public again; see undo_move. p_moved_xid is the transaction of the move.';

-- 85_move/move_status.sql
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

comment on function public.move_status is
'Says what the move of an older deployment took over, what stayed and why, and what may be done at p_now.
What stayed is in the schema pgbars_before. Rows count those of a table at the time of the move. outcome: taken over, stayed, set aside, reads pgbars_before, or for undo_move and finish_move: may run, refused.
No rows where no older deployment was moved, or after finish_move. Reads only.';

-- 85_move/old_minute_commands.sql
create function agg.old_minute_commands(p_table regclass, p_condition text, p_values jsonb, out update_command text, out insert_command text)
returns record
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with old_column as (
    select
      a.attname::text as name,
      format(
        case when a.atttypid = 'timestamp'::regtype and n.atttypid = 'timestamptz'::regtype then '(%s at time zone ''UTC'')::%s' else '(%s)::%s' end,
        w.value, format_type(a.atttypid, a.atttypmod)
      ) as value,
      a.attname in ('open', 'high', 'low', 'close', 'vol', 'vwap', 'trade_count', 'is_partial') as is_price
    from pg_attribute as a
    left join pg_attribute as n
      on n.attrelid = to_regclass('agg.data_bars') and n.attname = a.attname and n.attnum > 0 and not n.attisdropped
    cross join lateral (
      select case when p_values ? a.attname::text then p_values ->> a.attname::text else 'n.' || quote_ident(n.attname) end as value
    ) as w
    where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = '' and w.value is not null
  ),
  part as (
    select
      string_agg(quote_ident(c.name), ', ') as names,
      string_agg(c.value, ', ') as values,
      string_agg(format('%I = %s', c.name, c.value), ', ') filter (where c.is_price or c.name in ('ingested_at', 'updated_at')) as settings,
      string_agg(format('o.%I is not distinct from %s', c.name, c.value), ' and ') filter (where c.is_price) as same,
      string_agg(format('o.%I = %s', c.name, c.value), ' and ') filter (where c.name in ('canonical_symbol', 'timeframe', 'ts_utc'))
        || case when exists (
          select from pg_attribute as a where a.attrelid = p_table and a.attname = 'deleted_at' and not a.attisdropped
        ) then ' and o.deleted_at is null' else '' end as match
    from old_column as c
  )
  select
    -- Of doubles, one that has the prices is enough.
    format(
      'update %1$s as o set %2$s from ('
        'select n.* from agg.data_bars as n where n.xmin <> $1 and n.source <> ''synthetic'' and (%3$s) '
        'and not exists (select from %1$s as o where %4$s and %5$s)) as n where %4$s',
      p_table, p.settings, p_condition, p.match, p.same
    ),
    format(
      'insert into %1$s (%2$s) select %3$s from agg.data_bars as n where n.xmin <> $1 and (%4$s) and not exists (select from %1$s as o where %5$s)',
      p_table, p.names, p.values, p_condition, p.match
    )
  from part as p;
$$;

comment on function agg.old_minute_commands is
  'Two statements that write minutes n of agg.data_bars to an old table by key: the first updates prices that differ, but for computed ones, the second adds what it does not have. They take those for which p_condition holds and that the transaction $1 has not written. p_values gives SQL for some columns, null to leave one out; columns that Postgres fills are left out.';

-- 85_move/undo_move.sql
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
    execute format('delete from supabase_migrations.schema_migrations as m where m.name ~ %L', '^pgbars_[0-9]+_[0-9]+_[0-9]+$');
  end if;
  if to_regclass('pgbars_releases.release') is not null then
    execute format('delete from %s', to_regclass('pgbars_releases.release'));
  end if;
  notify pgrst, 'reload schema';
  return v_minutes || jsonb_build_object('success', true, 'jobs', to_jsonb(v_jobs));
end;
$$;

comment on function public.undo_move is
'Takes a move back: the older deployment returns to public, and pgbars is removed. Owner only.
The old tables and functions return with their views, foreign keys, publications and jobs.
p_keep_minutes: minutes written since the move go to the old tables by key. Ingested ones go to data_bars. Those of a computed series go to where its minutes were, and what is there stays as it was. Everything else that changed since the move is lost: longer bars, tasks, the registry, deleted minutes. With false no minute goes there, for old tables that refuse them.
Returns success, minutes_added and minutes_updated (rows of the old tables), minutes_left_out (of computed series that the old tables did not have), and jobs (names).
Removes the record of the migrations of pgbars too. A migration that is still in a project moves the deployment again when it is pushed.
Raises object_not_in_prerequisite_state where no older deployment is set aside, or where objects made since use the new tables; move_status says so beforehand. Lock: waits 30 seconds for the tables.';

-- 85_move/undo_problem.sql
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

comment on function agg.undo_problem is
  'Why undo_move cannot run now; null where it can.';

-- 85_move/used_from_outside.sql
create function agg.used_from_outside(p_schema text, p_relations regclass[] default '{}')
returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with inside as materialized (
    select 'pg_class'::regclass as class, c.oid, c.reltype
    from pg_class as c
    where c.relnamespace = to_regnamespace(p_schema) or c.oid = any (p_relations::oid[])
    union all
    select 'pg_proc'::regclass, p.oid, null from pg_proc as p where p.pronamespace = to_regnamespace(p_schema)
    union all
    select 'pg_type'::regclass, t.oid, null from pg_type as t where t.typnamespace = to_regnamespace(p_schema)
    union all
    select 'pg_type'::regclass, c.reltype, null from pg_class as c where c.oid = any (p_relations::oid[])
  ),
  dependent as (
    -- Of a rule the view that it makes, of a default its table; of a constraint, policy or trigger itself.
    select distinct o.class, o.oid, case when s.is_shown then d.classid else o.class end as shown_class,
      case when s.is_shown then d.objid else o.oid end as shown_oid
    from pg_depend as d
    join inside as i on i.class = d.refclassid and i.oid = d.refobjid
    left join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
    left join pg_constraint as k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
    left join pg_trigger as t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
    left join pg_policy as p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
    left join pg_attrdef as a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
    left join pg_index as x on d.classid = 'pg_class'::regclass and x.indexrelid = d.objid
    left join pg_type as y on d.classid = 'pg_type'::regclass and y.oid = d.objid
    cross join lateral (
      select coalesce(w.ev_class, nullif(k.conrelid, 0), t.tgrelid, p.polrelid, a.adrelid, x.indrelid, nullif(y.typrelid, 0)) as relation
    ) as r
    cross join lateral (
      select d.classid in ('pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass) as is_shown
    ) as s
    cross join lateral (
      select
        case when r.relation is null then d.classid else 'pg_class'::regclass end as class, coalesce(r.relation, d.objid) as oid
    ) as o
    where d.deptype in ('n', 'a', 'i') and d.classid <> 'pg_publication_rel'::regclass
  )
  select pg_describe_object(d.shown_class, d.shown_oid, 0)
  from dependent as d
  where not exists (select from inside as i where i.class = d.class and i.oid = d.oid)
    and not exists (
      select
      from inside as i
      join pg_type as t on t.typelem = i.oid or t.typelem = i.reltype
      where d.class = 'pg_type'::regclass and d.oid = t.oid
    )
    and not exists (select from pg_class as c where d.class = 'pg_class'::regclass and c.oid = d.oid and c.relkind = 't')
  union
  select format('%s, in its text', pg_describe_object('pg_proc'::regclass, p.oid, 0))
  from pg_proc as p
  where p_schema = 'pgbars_before' and to_regnamespace(p_schema) is not null and p.prosrc ~ '\mpgbars_before\M'
    and p.pronamespace not in ('agg'::regnamespace, to_regnamespace(p_schema))
    and not exists (select from agg.public_function as f where f.function_id = p.oid)
  order by 1;
$$;

comment on function agg.used_from_outside is
  'Describes the objects outside of a schema that depend on what is in it, and on p_relations elsewhere: views, foreign keys, functions and so on. Functions that only name the schema in their text are listed for pgbars_before. No row for a schema that does not exist.';

-- 90_api/agg_alerts.sql
create function public.agg_alerts(p_open_only boolean default true)
returns table (
  alert_id bigint,
  kind text,
  canonical_symbol text,
  timeframe text,
  severity text,
  message text,
  raised_at timestamptz,
  resolved_at timestamptz
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.alert_id, a.kind, a.canonical_symbol, a.timeframe, a.severity, a.message, a.raised_at, a.resolved_at
  from agg.alert as a
  where a.resolved_at is null or not p_open_only
  order by a.resolved_at is not null, a.severity, a.raised_at desc, a.alert_id desc;
$$;

comment on function public.agg_alerts is
'Lists the alerts that are open, critical ones first; with p_open_only false also those that were resolved in the last 90 days.
timeframe * concerns all of an asset, canonical_symbol * all of the database. severity: critical (bars are missing, or are about to be) or warning. docs/operations.md says for each kind what to do.
Newest first within a severity, and open before resolved. Reads only.';

-- 90_api/agg_backfill.sql
create function public.agg_backfill(
  p_symbols text[] default null,
  p_timeframes text[] default null,
  p_from timestamptz default null,
  p_to timestamptz default null,
  p_now timestamptz default now()
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- The start that it writes into metadata.
set timezone = 'UTC'
set jit = off
set statement_timeout = '60s'
as $$
declare
  v_timeframe text;
  v_symbols text[];
  v_changes agg.changed_span[] := array[]::agg.changed_span[];
begin
  perform agg.require_tasks(p_symbols, p_timeframes);
  if p_from >= coalesce(p_to, p_now) then
    raise exception '[%, %) is not a range of time', p_from, coalesce(p_to, p_now) using errcode = 'invalid_parameter_value';
  end if;

  -- The tasks follow in this statement: what lies between the starts is history.
  update public.core_asset_registry_all as r
  set metadata = r.metadata || jsonb_build_object('agg', coalesce(r.metadata -> 'agg', '{}') || jsonb_build_object('start_utc', p_from))
  where (p_symbols is null or r.canonical_symbol = any (p_symbols))
    and coalesce(agg.utc_instant(r.metadata -> 'agg' ->> 'start_utc') > p_from, true)
    and exists (
      select
      from public.data_agg_state as s
      where s.canonical_symbol = r.canonical_symbol and s.agg_start_utc > p_from and (p_timeframes is null or s.timeframe = any (p_timeframes))
    );

  perform
  from public.data_agg_state as s
  where (p_symbols is null or s.canonical_symbol = any (p_symbols)) and (p_timeframes is null or s.timeframe = any (p_timeframes))
  order by s.canonical_symbol, s.run_interval_minutes
  for update;
  -- A task follows its source no further than that has got.
  for v_timeframe in
    select t.timeframe from agg.timeframe as t where p_timeframes is null or t.timeframe = any (p_timeframes) order by t.duration
  loop
    v_symbols := array(
      select s.canonical_symbol
      from public.data_agg_state as s
      where s.timeframe = v_timeframe and s.enabled and (p_symbols is null or s.canonical_symbol = any (p_symbols))
    );
    v_changes := v_changes || agg.make_history(v_symbols, v_timeframe, p_from, p_to, p_now);
  end loop;
  perform agg.add_corrections(v_changes, p_is_backfill => true);
  return (
    select jsonb_build_object(
      'success', true,
      'tasks', count(distinct (y.symbol, q.timeframe)),
      'windows', coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length))), 0)::bigint
    )
    from agg.rebuild_requests(array(
      select agg.new_changed_span(c.canonical_symbol, c.timeframe, range_agg(c.spans))
      from unnest(v_changes) as c
      group by c.canonical_symbol, c.timeframe
    )) as q
    cross join lateral unnest(q.symbols) as y (symbol)
  );
end;
$$;

comment on function public.agg_backfill is
'Has history built behind the work of the moment: the windows of tasks in [p_from, p_to).
p_symbols and p_timeframes: null is all. p_from: null is the start of each task; before the start of an asset it moves metadata.agg.start_utc back, for all timeframes of the asset. p_to: null is up to now. Windows that they cut count whole. Behind a floor (metadata.agg.keep) nothing is built. p_now is the clock.
A task whose cursor lies before p_to goes on with the window of its last source bar, so that live windows are first; what it passes is history as well. A task that a worker has claimed keeps its cursor.
A dispatcher builds history where no task is due and no other correction waits: shorter timeframes first, newest windows first. agg_pending shows what is left and how fast it goes; agg_cancel_backfill ends it. May be repeated.
Returns success, and how many windows of how many tasks.
Locks: the rows of the tasks, to the end of the transaction; waits for a dispatcher that holds one. Raises no_data_found for a symbol without tasks, invalid_parameter_value for an unknown timeframe or an empty range.';

-- 90_api/agg_cancel_backfill.sql
create function public.agg_cancel_backfill(p_symbols text[] default null, p_timeframes text[] default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set statement_timeout = '60s'
as $$
declare
  v_left agg.changed_span[];
begin
  perform agg.require_tasks(p_symbols, p_timeframes);
  perform
  from public.data_agg_state as s
  where (p_symbols is null or s.canonical_symbol = any (p_symbols)) and (p_timeframes is null or s.timeframe = any (p_timeframes))
  order by s.canonical_symbol, s.run_interval_minutes
  for update;
  with cancelled as (
    delete from agg.correction as k
    where k.is_backfill
      and (p_symbols is null or k.canonical_symbol = any (p_symbols)) and (p_timeframes is null or k.timeframe = any (p_timeframes))
    returning k.canonical_symbol, k.timeframe, k.spans
  )
  select array_agg(agg.new_changed_span(c.canonical_symbol, c.timeframe, c.spans))
  into v_left
  from (
    select k.canonical_symbol, k.timeframe, range_agg(k.spans) as spans from cancelled as k group by k.canonical_symbol, k.timeframe
  ) as c;
  return (
    select jsonb_build_object(
      'success', true,
      'tasks', count(distinct (y.symbol, q.timeframe)),
      'windows', coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length))), 0)::bigint
    )
    from agg.rebuild_requests(v_left) as q
    cross join lateral unnest(q.symbols) as y (symbol)
  );
end;
$$;

comment on function public.agg_cancel_backfill is
'Ends what agg_backfill has begun, and what changes of the registry asked to be built again: history that is not built yet stays as it is.
p_symbols and p_timeframes: null is all. What is built already stays. agg_verify lists what is missing; agg_backfill and agg_repair have it built after all.
Returns success, and how many windows of how many tasks it left.
Locks: the rows of the tasks, to the end of the transaction; waits for a dispatcher that holds one. Raises no_data_found for a symbol without tasks, invalid_parameter_value for an unknown timeframe.';

-- 90_api/agg_changes.sql
create function public.agg_changes(
  p_from timestamptz,
  p_to timestamptz default null,
  p_symbols text[] default null,
  p_timeframe text default null,
  p_limit integer default 1000,
  p_after jsonb default null
)
returns table (
  changed_at timestamptz,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  reason text,
  seen_from timestamptz,
  before jsonb,
  after jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_zone constant text := '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$';
  v_after public.derived_data_bars_revision;
begin
  if p_from is null or p_from >= p_to then
    raise exception '[%, %) is not a range of time', coalesce(p_from::text, 'null'), coalesce(p_to::text, 'infinity')
      using errcode = 'invalid_parameter_value', hint = 'p_from is where it begins; p_to its end, or null for until now.';
  end if;
  if p_limit < 1 then
    raise exception 'p_limit must be a number of changes above 0, not %', p_limit
      using errcode = 'invalid_parameter_value', hint = 'null means all.';
  end if;
  if p_after is not null then
    begin
      if p_after ->> 'changed_at' ~* v_zone and p_after ->> 'ts_utc' ~* v_zone then
        v_after.replaced_at := (p_after ->> 'changed_at')::timestamptz;
        v_after.ts_utc := (p_after ->> 'ts_utc')::timestamptz;
      end if;
    exception when data_exception then
      -- Refused below.
    end;
    v_after.canonical_symbol := p_after ->> 'canonical_symbol';
    v_after.timeframe := p_after ->> 'timeframe';
    if v_after.ts_utc is null or v_after.canonical_symbol is null or v_after.timeframe is null then
      raise exception 'p_after must be an object with changed_at, canonical_symbol, timeframe and ts_utc (instants with their zone), not %', left(p_after::text, 200)
        using errcode = 'invalid_parameter_value', hint = 'Give the last row of the page before.';
    end if;
  end if;

  return query
  select
    v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc, v.reason, v.written_at, x.before, x.after
  from public.derived_data_bars_revision as v
  left join lateral (
    select n.*
    from public.derived_data_bars_revision as n
    where n.canonical_symbol = v.canonical_symbol and n.timeframe = v.timeframe and n.ts_utc = v.ts_utc and n.replaced_at > v.replaced_at
    order by n.replaced_at
    limit 1
  ) as n on true
  left join public.derived_data_bars as d
    on n.canonical_symbol is null
    and d.canonical_symbol = v.canonical_symbol and d.timeframe = v.timeframe and d.ts_utc = v.ts_utc and d.deleted_at is null
  cross join lateral (
    select
      case when v.deleted_at is null then jsonb_build_object(
        'open', v.open, 'high', v.high, 'low', v.low, 'close', v.close, 'vol', v.vol, 'vwap', v.vwap, 'trade_count', v.trade_count,
        'quality_score', v.quality_score, 'covered_minutes', v.covered_minutes, 'expected_minutes', v.expected_minutes,
        'is_partial', v.is_partial
      ) end,
      case
        -- What came next came to be at once, or after the row had been gone.
        when n.written_at = v.replaced_at and n.deleted_at is null then jsonb_build_object(
          'open', n.open, 'high', n.high, 'low', n.low, 'close', n.close, 'vol', n.vol, 'vwap', n.vwap, 'trade_count', n.trade_count,
          'quality_score', n.quality_score, 'covered_minutes', n.covered_minutes, 'expected_minutes', n.expected_minutes,
          'is_partial', n.is_partial
        )
        when n.canonical_symbol is null and d.updated_at = v.replaced_at then jsonb_build_object(
          'open', d.open, 'high', d.high, 'low', d.low, 'close', d.close, 'vol', d.vol, 'vwap', d.vwap, 'trade_count', d.trade_count,
          'quality_score', d.quality_score, 'covered_minutes', d.covered_minutes, 'expected_minutes', d.expected_minutes,
          'is_partial', d.is_partial
        )
      end
  ) as x (before, after)
  where v.replaced_at >= greatest(p_from, v_after.replaced_at) and v.replaced_at < coalesce(p_to, 'infinity')
    and (p_symbols is null or v.canonical_symbol = any (p_symbols)) and (p_timeframe is null or v.timeframe = p_timeframe)
    and (
      p_after is null
      or (v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc)
        > (v_after.replaced_at, v_after.canonical_symbol, v_after.timeframe, v_after.ts_utc)
    )
    and x.before is distinct from x.after
  order by v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc
  limit p_limit;
end;
$$;

comment on function public.agg_changes is
'Lists the bars that changed in [p_from, p_to), with what they were and what they became, by time of change.
p_symbols, p_timeframe: null for all. p_limit: rows of a page; null for all. p_after: the last row of the page before, an object with changed_at, canonical_symbol, timeframe and ts_utc.
before and after hold open, high, low, close, vol, vwap, trade_count, quality_score, covered_minutes, expected_minutes and is_partial; null where there was no bar. seen_from: since when the bar had been as it was before.
reason: late_minutes, lost_minutes, changed_minutes, new_rules (session, calendar, thresholds, windows), by_hand, deleted.
First builds are no changes. Changes are listed for as long as revisions are kept, 400 days or metadata.agg.revisions.
Runs with the rights of the caller, as get_bars does. Raises invalid_parameter_value for an empty range and a p_limit or p_after that makes no sense.';

-- 90_api/agg_check.sql
create function public.agg_check(p_now timestamptz default now(), p_all boolean default false)
returns table ("check" text, subject text, status text, value text, hint text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan would take longer than the run.
set jit = off
set statement_timeout = '60s'
as $$
  with found as (
    select t.* from agg.check_tasks(p_now) as t
    union all
    select b.* from agg.check_bars(p_now) as b
    union all
    select s.* from agg.check_series(p_now) as s
    union all
    select j.* from agg.check_jobs(p_now) as j
    union all
    select a.* from agg.check_audit(p_now) as a
    union all
    select o.* from agg.check_older_deployment() as o
  ),
  judged as materialized (
    select f.*, bool_or(f.status <> 'PASS') over (partition by f.check_name) as has_problem from found as f
  ),
  verdict as (
    select
      count(*) as checks,
      count(*) filter (where c.warns and not c.fails) as warn,
      count(*) filter (where c.fails) as fail
    from (
      select bool_or(j.status = 'WARN') as warns, bool_or(j.status = 'FAIL') as fails from judged as j group by j.check_name
    ) as c
  )
  select r.check_name, r.subject, r.status, r.value, r.hint
  from (
    select
      'verdict' as check_name, '*' as subject,
      case when v.fail > 0 then 'FAIL' when v.warn > 0 then 'WARN' else 'PASS' end as status,
      format('%s checks, %s warn, %s fail', v.checks, v.warn, v.fail) as value,
      case when v.fail + v.warn > 0 then 'the rows below say what needs attention' end as hint
    from verdict as v
    union all
    select j.check_name, j.subject, j.status, j.value, j.hint
    from judged as j
    where j.status <> 'PASS' or (p_all and not j.has_problem)
  ) as r
  order by
    array_position(
      array[
        'verdict', 'tasks', 'mandatory', 'cursors', 'streaks', 'bars', 'quality', 'series', 'components', 'price_range',
        'derived_1m', 'pause', 'dispatcher', 'jobs', 'alerts', 'audit', 'set_aside_readers', 'rows_left'
      ],
      r.check_name
    ),
    r.status, r.subject;
$$;

comment on function public.agg_check is
'Says whether everything is as it should be at p_now: first a verdict of PASS, WARN or FAIL, then what needs attention.
The first row is the check verdict: the worst status, and how many checks there are, warn and fail. A row follows for each subject that is not as it should be; value says what was found, hint what to do. With p_all also a row PASS for each check that passes (subject *). What a closed market (session and calendar) has no bars for is not missed.
tasks: every active asset has the tasks that its metadata ask for, 5m and 1h among them. mandatory: these are marked mandatory, never disabled, and run before others. cursors: none is ahead of the clock, or of its source task. streaks: no task fails.
bars: each task has the bar of the last window that it should have decided a minute ago: 5m bars younger than 16 minutes, with a delay of 300 s. quality: 95 % of the bars of the last 24 windows are good, by timeframe. Neither asks sparse markets for bars.
series: computed series have at least three bars in the last five minutes (WARN: one or two). components: so do their components, one bar each. price_range: DXY is from 80 to 120, on average over its last hour.
derived_1m: derived_data_bars holds no 1m bar that is not deleted. pause: agg_pause has not stopped the work. dispatcher: it has run in the last five minutes, and no run of the last hour took more than 60 seconds. jobs: those of agg.job_list are there and active, and no other active job does their work. alerts: those that no other check reports. audit: agg_maintain has verified every bar in the last 30 days.
set_aside_readers and rows_left: what still reads tables that a move set aside, and rows that it did not take over.
Reads only.';

-- 90_api/agg_explain.sql
create function public.agg_explain(p_symbol text, p_timeframe text, p_ts timestamptz, p_now timestamptz default now())
returns table (item text, value text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set jit = off
as $$
declare
  v_length interval;
  v_task record;
  v_floors jsonb;
  v_minute_floor timestamptz;
  v_window record;
  v_bar public.derived_data_bars;
  v_minute public.data_bars;
  -- Null: all.
  v_open tstzmultirange;
  v_full tstzmultirange;
  v_expected timestamptz[];
  v_present timestamptz[];
  v_missing timestamptz[];
  v_is_basket boolean;
  v_is_decided boolean;
  v_late text;
  v_partial text;
  v_slowest record;
begin
  select t.duration into v_length from agg.timeframe as t where t.timeframe = p_timeframe;
  if v_length is null or p_symbol is null or p_ts is null then
    raise exception 'agg_explain needs a symbol, a timeframe and an instant, not %, % and %',
      coalesce(p_symbol, 'null'), coalesce(p_timeframe, 'null'), coalesce(p_ts::text, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  -- Minutes that are ingested have no task: what another one says of the session holds for them.
  select t.* into v_task
  from agg.task as t
  where t.canonical_symbol = p_symbol and (t.timeframe = p_timeframe or p_timeframe = '1m')
  order by t.timeframe = p_timeframe desc, t.run_interval_minutes
  limit 1;
  v_window := agg.window_bounds(
    p_ts, v_length, case when v_task.timeframe = p_timeframe then v_task.window_time_zone end,
    case when v_task.timeframe = p_timeframe then v_task.window_origin else timestamp '2000-01-03 00:00:00' end
  );
  v_full := tstzmultirange(tstzrange(v_window.starts_utc, v_window.ends_utc));
  return query select 'window', format('%s to %s', v_window.starts_utc, v_window.ends_utc);

  if not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = p_symbol) then
    return query values
      ('state', 'not registered'), ('why', format('core_asset_registry_all has no %s: nothing is built of its bars', p_symbol));
    return;
  end if;
  v_is_basket := exists (select from agg.synthetic_component as k where k.canonical_symbol = p_symbol);
  if v_task.session_minutes is not null or v_task.calendar is not null then
    v_open := agg.open_spans(v_task.session_time_zone, v_task.session_minutes, v_task.calendar, v_window.starts_utc, v_window.ends_utc);
  end if;
  v_expected := array(
    select m.ts_utc
    from generate_series(v_window.starts_utc, v_window.ends_utc - interval '1 minute', interval '1 minute') as m (ts_utc)
    where v_open is null or v_open @> m.ts_utc
  );
  select
    coalesce(array_agg(b.ts_utc order by b.ts_utc), '{}'),
    agg.minute_runs(array_agg(b.ts_utc) filter (where b.is_partial))
  into v_present, v_partial
  from public.data_bars as b
  where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc >= v_window.starts_utc and b.ts_utc < v_window.ends_utc
    and (v_open is null or v_open @> b.ts_utc);
  v_floors := (
    select jsonb_object_agg(f.timeframe, f.floor_utc)
    from agg.floor as f
    where f.canonical_symbol = p_symbol and f.floor_utc > v_window.starts_utc
  );
  v_minute_floor := (v_floors ->> '1m')::timestamptz;
  v_missing := array(
    select e.ts_utc
    from unnest(v_expected) as e (ts_utc)
    where e.ts_utc < p_now and e.ts_utc >= coalesce(v_minute_floor, '-infinity') and e.ts_utc <> all (v_present)
    order by 1
  );

  if p_timeframe = '1m' then
    select b.* into v_minute from public.data_bars as b where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc = v_window.starts_utc;
    if v_minute.ts_utc is not null then
      return query values
        ('state', 'bar'),
        ('built', format('stored at %s, as it is since %s, source %s', v_minute.created_at, v_minute.updated_at, v_minute.source));
    else
      return query values
        ('state', case when v_window.ends_utc > p_now then 'not decided' else 'no bar' end),
        ('why', case
          when v_minute_floor is not null then 'it is not kept any more'
          when v_open = '{}' then 'the market is closed in this minute'
          when v_window.ends_utc > p_now then 'the minute has not ended'
          when v_is_basket then 'it is computed only where every component has a bar'
          else 'no bar of this minute has arrived'
        end);
    end if;
    return query select 'partial', v_partial where v_partial is not null;
  else
    select d.* into v_bar
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = v_window.starts_utc;
    v_is_decided := coalesce(v_window.starts_utc < greatest(v_task.decided_to_utc, v_task.built_to_utc), false);
    return query
    select 'state', case
      when v_bar.ts_utc is not null and v_bar.deleted_at is null then 'bar'
      when v_task.timeframe is null then 'not built'
      when v_is_decided or v_window.starts_utc < v_task.agg_start_utc then 'no bar'
      else 'not decided'
    end;
    return query
    select 'why', w.why
    from (
      select case
        when v_bar.ts_utc is not null and v_bar.deleted_at is null then null
        when v_task.timeframe is null then format('the asset has no %s task: metadata.agg does not ask for it, or the asset has never been active', p_timeframe)
        when v_floors ? p_timeframe then 'it is not kept any more'
        when v_window.starts_utc < v_task.agg_start_utc and v_bar.ts_utc is null
          then format('it lies before %s, the start of aggregation (metadata.agg.start_utc)', v_task.agg_start_utc)
        when v_open = '{}' then 'the market is closed in all of it'
        when not v_is_decided then null
        when cardinality(v_present) = 0 then 'it is a gap: none of its minutes has a bar'
        when cardinality(v_present) * 100 < cardinality(v_expected) * v_task.poor_percent then format(
          'its minutes are too few: %s of %s are %s %%, and %s %% are needed (metadata.agg.quality)',
          cardinality(v_present), cardinality(v_expected), cardinality(v_present) * 100 / cardinality(v_expected), v_task.poor_percent
        )
        else 'its minutes are enough for a bar: it waits to be built again, or select agg_repair() builds it'
      end
    ) as w (why)
    where w.why is not null;
    return query
    select 'built', format('first at %s%s', v_bar.created_at, case when v_bar.raw ? 'migrated_from' then ', by an older deployment' else '' end)
    where v_bar.ts_utc is not null;
    return query
    select 'minutes', format(
      '%s of %s%s',
      case when v_minute_floor is null then cardinality(v_present) else coalesce(v_bar.covered_minutes, 0) end,
      case when v_minute_floor is null then cardinality(v_expected) else coalesce(v_bar.expected_minutes, cardinality(v_expected)) end,
      case when v_bar.deleted_at is null then ', quality ' || v_bar.quality_score || case v_bar.quality_score
        when 2 then ' (excellent: every minute)' when 1 then format(' (good: at least %s %%)', v_task.good_percent)
        else format(' (poor: at least %s %%)', v_task.poor_percent)
      end else '' end
    );
    return query
    select 'missing', agg.minute_runs(v_missing) where cardinality(v_missing) > 0 and v_open is distinct from '{}';
    select string_agg(format('%s (at %s)', to_char(l.ts_utc, 'YYYY-MM-DD HH24:MI'), l.created_at), ', ' order by l.ts_utc)
    into v_late
    from (
      select b.ts_utc, b.created_at
      from public.data_bars as b
      where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc = any (v_present) and b.created_at > v_bar.created_at
      order by b.ts_utc
      limit 10
    ) as l;
    return query select 'late', v_late where v_late is not null;
    return query select 'partial', v_partial where v_partial is not null;
  end if;

  return query
  select 'kept', format('%s bars of %s from %s on', f.timeframe, f.canonical_symbol, f.floor_utc)
  from agg.floor as f
  where f.floor_utc > v_window.starts_utc and (
    f.canonical_symbol = p_symbol and f.timeframe in ('1m', p_timeframe, v_task.source_timeframe)
    or f.timeframe = '1m' and f.canonical_symbol in (select k.component from agg.synthetic_component as k where k.canonical_symbol = p_symbol)
  )
  order by f.canonical_symbol, f.timeframe;

  return query
  select 'market', format('closed from %s to %s', lower(c.span), upper(c.span))
  from unnest(v_full - coalesce(v_open, v_full)) as c (span)
  order by c.span
  limit 20;
  return query
  select 'market', format(
    'calendar %s: %s is %s%s', d.calendar, d.day, replace(d.kind, '_', ' '),
    coalesce(' from ' || d.opens_at, '') || coalesce(' until ' || d.closes_at, '')
  )
  from agg.calendar as c
  join agg.calendar_day as d on d.calendar = c.name
  where c.name = v_task.calendar
    and d.day between (v_window.starts_utc at time zone c.time_zone)::date and ((v_window.ends_utc - interval '1 microsecond') at time zone c.time_zone)::date
  order by d.day;

  return query
  select 'component', format('%s lacks %s of %s minutes: %s', c.component, cardinality(c.minutes), cardinality(v_expected), agg.minute_runs(c.minutes))
  from (
    select k.component_no, k.component, array(
      select e.ts_utc
      from unnest(v_expected) as e (ts_utc)
      where e.ts_utc < p_now and not exists (
        select from public.data_bars as b where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc = e.ts_utc
      ) and not exists (
        select from agg.floor as f where f.canonical_symbol = k.component and f.timeframe = '1m' and f.floor_utc > e.ts_utc
      )
    ) as minutes
    from agg.synthetic_component as k
    where k.canonical_symbol = p_symbol
  ) as c
  where cardinality(c.minutes) > 0
  order by c.component_no;

  return query
  select 'changed', format(
    '%s: %s; before that %s', v.replaced_at,
    case v.reason
      when 'late_minutes' then 'minutes arrived late'
      when 'lost_minutes' then 'minutes were deleted'
      when 'changed_minutes' then 'minutes changed'
      when 'new_rules' then 'session, calendar, thresholds or windows changed'
      when 'by_hand' then 'another writer than the builder changed it'
      else 'the row was deleted'
    end,
    case
      when v.deleted_at is not null then format('no bar, with %s minutes', v.covered_minutes)
      else format('open %s, high %s, low %s, close %s, vol %s, %s minutes', v.open, v.high, v.low, v.close, coalesce(v.vol::text, 'unknown'), v.covered_minutes)
    end
  )
  from public.derived_data_bars_revision as v
  where v.canonical_symbol = p_symbol and v.timeframe = p_timeframe and v.ts_utc = v_window.starts_utc
  order by v.replaced_at;

  return query
  select 'waits', format('a change of its %s bars waits to be built since %s', s.source_timeframe, min(c.changed_at))
  from agg.waiting_changes() as c
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
  where c.canonical_symbol = p_symbol and s.run_interval_minutes <= extract(epoch from v_length) / 60
    and c.spans && tstzrange(v_window.starts_utc, v_window.ends_utc)
    and v_window.starts_utc < (select t.decided_to_utc from agg.task as t where t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe)
  group by s.source_timeframe, s.run_interval_minutes
  order by s.run_interval_minutes;

  if v_task.timeframe = p_timeframe and v_window.starts_utc >= v_task.followed_to_utc
    and v_window.starts_utc >= v_task.agg_start_utc
  then
    return query
    select 'waits', w.text
    from (
      select case
        when v_window.ends_utc + make_interval(secs => v_task.aggregation_delay_seconds) > p_now
          then format('for %s: its end, and the delay of %s seconds', v_window.ends_utc + make_interval(secs => v_task.aggregation_delay_seconds), v_task.aggregation_delay_seconds)
        else format('the task has decided windows up to %s', v_task.decided_to_utc)
      end
      union all
      select format('%s: %s', h.state, h.explanation)
      from public.agg_health(p_now) as h
      where h.canonical_symbol = p_symbol and h.timeframe = p_timeframe and h.state <> 'current'
    ) as w (text);
    select k.* into v_slowest from agg.slowest_component(p_symbol, p_now) as k;
    return query
    select 'component', format('%s holds the basket back: %s', v_slowest.component, coalesce('its last bar is at ' || v_slowest.last_utc, 'it has no bar'))
    where v_is_basket and coalesce(v_slowest.last_utc + interval '1 minute' < least(v_window.ends_utc, p_now), true);
  end if;
end;
$$;

comment on function public.agg_explain is
'Says in rows why a bar is as it is, or why there is no bar.
p_ts: any instant in the window. p_now: the clock.
item is one of: window; state (bar, no bar, not decided, not built, not registered); why; built (when first); minutes (covered of expected, and what that makes); missing, late, partial (which minutes); kept (from when on bars that it is, or is made of, are kept, where it lies before: metadata.agg.keep); market (what session and calendar close); component (minutes that a component of the basket lacks, or the component that holds the basket back); changed (each revision: when, why, and what the bar was before); waits (a change that waits to be built, or what a window waits for that is not decided). An item may have several rows, or no row.
Reads only. Raises invalid_parameter_value for an unknown timeframe and for nulls.';

-- 90_api/agg_gaps.sql
create function public.agg_gaps(
  p_symbol text, p_timeframe text, p_from_utc timestamptz default null, p_to_utc timestamptz default null
)
returns table (gap_from_utc timestamptz, gap_to_utc timestamptz, windows bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with task as (
    select
      s.window_length, s.window_time_zone, s.window_origin, s.source_timeframe,
      s.session_time_zone, s.session_minutes, s.calendar,
      greatest(
        agg.window_end(
          agg.bootstrap_cursor(s.agg_start_utc, s.window_length, s.window_time_zone, s.window_origin),
          s.window_length, s.window_time_zone, s.window_origin
        ),
        p_from_utc
      ) as from_utc,
      least(s.decided_to_utc, p_to_utc) as to_utc
    from agg.task as s
    where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  ),
  filled as (
    select distinct agg.window_start(b.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as ts_utc
    from task as t
    join agg.source_bar as b
      on b.canonical_symbol = p_symbol and b.timeframe = t.source_timeframe
      and b.ts_utc >= t.from_utc and b.ts_utc < t.to_utc and b.covered_minutes > 0
  ),
  edge as (
    select f.ends_utc as gap_from_utc, lead(f.ts_utc, 1, t.to_utc) over (order by f.ts_utc, f.ends_utc) as gap_to_utc
    from (
      select f.ts_utc, agg.window_end(f.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as ends_utc
      from filled as f
      cross join task as t
      union all
      select t.from_utc, t.from_utc from task as t
    ) as f
    cross join task as t
  ),
  -- Windows with an open minute. Those that are closed neither are a gap nor divide one.
  missing as (
    select tstzmultirange(tstzrange(e.gap_from_utc, e.gap_to_utc)) as gap, w.starts_utc, w.ends_utc
    from edge as e
    cross join task as t
    cross join lateral agg.windows_between(e.gap_from_utc, e.gap_to_utc, t.window_length, t.window_time_zone, t.window_origin) as w
    cross join lateral (
      select agg.open_spans(t.session_time_zone, t.session_minutes, t.calendar, e.gap_from_utc, e.gap_to_utc)
      where e.gap_to_utc > e.gap_from_utc
      offset 0
    ) as o (spans)
    where o.spans && tstzrange(w.starts_utc, w.ends_utc)
  )
  select min(m.starts_utc), max(m.ends_utc), count(*)
  from missing as m
  group by m.gap
  order by 1;
$$;

comment on function public.agg_gaps is
'Lists the gaps that a task has stepped over: runs of decided windows without a source bar.
[p_from_utc, p_to_utc), aligned to the timeframe, limits the range; null: without bound. Windows in which session and calendar are closed are in no gap. For a synthetic 1m task: minutes without a bar of the series. No row for an unknown task. Reads only.';

-- 90_api/agg_health.sql
create function public.agg_health(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  status text,
  cursor_utc timestamptz,
  lag interval,
  due_for interval,
  next_run_at timestamptz,
  state text,
  explanation text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
as $$
  with recursive symbol as (
    (select b.canonical_symbol as name from public.data_bars as b order by b.canonical_symbol limit 1)
    union all
    select n.name
    from symbol as s
    cross join lateral (
      select b.canonical_symbol as name from public.data_bars as b where b.canonical_symbol > s.name order by b.canonical_symbol limit 1
    ) as n
  ),
  -- What was open of late, and when it opens next: once for all tasks that share a session and a calendar. No market is closed
  -- for five weeks; of a task that is further behind, every minute counts as open.
  market as materialized (
    select
      m.*, b.since_utc,
      agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, b.since_utc, p_now + interval '1 microsecond') as open,
      lower(agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, p_now, p_now + interval '240 hours')) as opens_utc
    from (
      select distinct s.session_time_zone, s.session_minutes, s.calendar
      from public.data_agg_state as s
      where s.session_minutes is not null or s.calendar is not null
    ) as m
    cross join (select p_now - interval '840 hours') as b (since_utc)
  ),
  task as (
    select
      t.*, o.is_closed, o.opens_utc, p.paused_until, p.paused_by, p.paused_reason,
      greatest(interval '0', p_now - d.next_due_at) as lag,
      case
        -- A task that sleeps waits for what wakes it, not for a dispatcher.
        when o.is_closed or t.next_run_at = 'infinity' or p.paused_until > p_now then interval '0'
        else greatest(interval '0', p_now - greatest(
          -- A clock that was ahead may have put a task off for longer than any task waits.
          case when t.next_run_at > greatest(d.next_due_at, p_now + t.window_length + interval '1 hour') then d.next_due_at else t.next_run_at end,
          d.next_due_at,
          -- A task switched on just now has been due for no longer than that.
          t.updated_at,
          case when p.paused_until <= p_now then p.paused_until end
        ))
      end as due_for
    from agg.task as t
    left join agg.environment as p on true
    -- Equal keys where both are null, which a hash can look up.
    left join market as m
      on coalesce(m.session_time_zone, '') = coalesce(t.session_time_zone, '')
      and coalesce(m.session_minutes, '{(,)}') = coalesce(t.session_minutes, '{(,)}')
      and coalesce(m.calendar, '') = coalesce(t.calendar, '')
    cross join lateral (
      select
        f.first_utc,
        -- What is decided may reach up to the next opening.
        coalesce(
          case
            when t.decided_to_utc > p_now then not m.open @> p_now
            when t.decided_to_utc >= m.since_utc then f.first_utc is null
          end, false
        ) as is_closed,
        m.opens_utc
      from (
        select case
          when t.decided_to_utc between m.since_utc and p_now
            then lower(m.open * tstzmultirange(tstzrange(t.decided_to_utc, null)))
        end as first_utc
        -- Once a task.
        offset 0
      ) as f
    ) as o
    cross join lateral (
      select case
        when o.is_closed then p_now
        when o.first_utc is null or o.first_utc = t.decided_to_utc then t.due_at
        else agg.window_end(o.first_utc, t.window_length, t.window_time_zone, t.window_origin)
          + make_interval(secs => t.aggregation_delay_seconds)
      end as next_due_at
      offset 0
    ) as d
  ),
  judged as (
    select
      t.*,
      case
        when not t.enabled then 'switched_off'
        when t.status in ('disabled', 'hard_failed', 'running') then t.status
        when t.fail_streak > 0 then 'failing'
        when t.is_closed then 'market_closed'
        when t.paused_until > p_now and t.lag > interval '0' then 'paused'
        when t.due_for > interval '5 minutes' then case when t.last_attempted_at_utc is null then 'never_ran' else 'overdue' end
        when t.lag = interval '0' then 'current'
        when t.last_attempted_at_utc is null then 'due'
        when t.next_run_at = 'infinity' then case t.last_stopped_reason when 'no_source_data' then 'waiting_for_data' else 'waiting_for_source' end
        when t.last_stopped_reason = 'max_windows' then 'catching_up'
        when t.last_stopped_reason = 'no_source_data' and not agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, p_now)
          then 'waiting_for_data'
        when exists (
          select from agg.task as u
          where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
            and u.enabled and u.decided_to_utc < t.decided_to_utc + t.window_length
        ) then 'waiting_for_source'
        else 'due'
      end as state
    from task as t
  )
  select
    h.canonical_symbol, h.timeframe, h.status, h.cursor_utc, h.lag, h.due_for, h.next_run_at, h.state, h.explanation
  from (
    select
      j.canonical_symbol, j.timeframe, j.status, j.last_agg_bar_ts_utc as cursor_utc, j.lag, j.due_for, j.next_run_at, j.run_interval_minutes, j.state,
      case j.state
        when 'paused' then format('paused until %s by %s: %s', j.paused_until, j.paused_by, j.paused_reason)
        when 'switched_off' then 'the asset is not active in the registry, or metadata.agg does not ask for this timeframe'
        when 'disabled' then format('disabled after %s hard failures in a row: %s', j.hard_fail_streak, j.last_error)
        when 'hard_failed' then format('%s hard failures in a row, next try at %s: %s', j.hard_fail_streak, j.next_run_at, j.last_error)
        when 'failing' then format('%s failures in a row, next try at %s: %s', j.fail_streak, j.next_run_at, j.last_error)
        when 'running' then format('claimed by a worker since %s', j.running_started_at_utc)
        when 'market_closed' then 'session and calendar are closed ' || coalesce('until ' || j.opens_utc, 'for the next ten days')
        when 'never_ran' then 'no dispatcher has run it yet: is agg_run_due scheduled?'
        when 'overdue' then format('due for %s, but no dispatcher has run it: is agg_run_due scheduled?', j.due_for)
        when 'catching_up' then format('%s windows behind, more at every run', floor(extract(epoch from j.lag) / extract(epoch from j.window_length)))
        when 'waiting_for_data' then case
          when j.next_run_at = 'infinity' then format('no source bar after %s when it last ran, at %s: sleeps until one arrives', j.decided_to_utc, j.last_attempted_at_utc)
          else format('no source bar after %s: waits for data', j.decided_to_utc)
        end
        when 'due' then 'the next window is complete, the next run takes it'
        when 'waiting_for_source' then format('the %s task %s', j.source_timeframe, case
          when j.next_run_at = 'infinity' then format('had not decided the next window when this one last ran, at %s, and wakes it', j.last_attempted_at_utc)
          else 'has not decided the next window yet'
        end)
        else 'every complete window is decided'
      end || case
        when j.state in ('waiting_for_data', 'waiting_for_source') and exists (
          select from public.data_agg_state as u where u.canonical_symbol = j.canonical_symbol and u.basket is not null
        ) then coalesce((
          select format('; %s holds the basket back: %s', k.component, coalesce('its last bar is at ' || k.last_utc, 'it has no bar'))
          from agg.slowest_component(j.canonical_symbol, p_now) as k
          where coalesce(k.last_utc + interval '1 minute' < j.decided_to_utc + j.window_length, true)
        ), '')
        else ''
      end as explanation
    from judged as j
    union all
    select
      s.name, '1m', null, null, null, null, null, 1, 'unregistered',
      'bars arrive, but core_asset_registry_all does not have the symbol: nothing is built of them'
    from symbol as s
    where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.name)
  ) as h
  order by h.canonical_symbol, h.run_interval_minutes;
$$;

comment on function public.agg_health is
'Says how every task stands at p_now, and why.
state: current, market_closed, paused (agg_pause: something is due, and waits for the end of the pause), due, catching_up, waiting_for_data, waiting_for_source, never_ran, overdue, running, failing, hard_failed, disabled or switched_off; unregistered for a symbol that has bars but is not in core_asset_registry_all.
lag: for how long the next window could have been decided (zero: nothing to do). due_for: for how long no dispatcher has taken it; a pause does not count. Both go by the next window in which session and calendar are open.
market_closed: everything that was open is decided, and nothing is open now.
A basket that waits names the component that ends first, with its last bar. waiting_for_data looks for a source bar before it says so; of a task that sleeps (next_run_at infinity) it says what its last run found. Reads only.';

-- 90_api/agg_pending.sql
create function public.agg_pending(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  windows bigint,
  from_utc timestamptz,
  to_utc timestamptz,
  oldest interval,
  failures integer,
  explanation text,
  is_backfill boolean,
  windows_a_minute bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_changes constant agg.changed_span[] := array(select c from agg.waiting_changes(false) as c);
  v_history constant agg.changed_span[] := array(select c from agg.waiting_changes(true) as c);
  v_rate constant bigint := (
    select round(sum(l.windows_backfilled) / greatest(1, extract(epoch from clock_timestamp() - min(l.started_at)) / 60))
    from agg.run_log as l
    where l.finished_at > clock_timestamp() - interval '10 minutes' and l.windows_backfilled > 0
  );
  v_holder constant integer := agg.new_tasks_holder();
begin
  return query
  select
    s.canonical_symbol, s.timeframe, o.windows, o.from_utc, o.to_utc,
    greatest(interval '0', p_now - c.changed_at), c.failures,
    case
      when not s.enabled then 'waits until the asset is switched on again'
      when s.status = 'disabled' then 'waits: the task is disabled after failures'
      when not exists (
        select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol
      ) then 'waits until the asset is active again'
      when s.running_started_at_utc is not null then format('waits for the worker that has claimed the task since %s', s.running_started_at_utc)
      when e.error is not null then format('failed, next try at %s: %s', e.retry_at, e.error)
      when v_holder is not null then format('waits for the open transaction of backend %s, which has added assets', v_holder)
      when g.is_backfill then 'built when no task is due and no other correction waits'
      else 'the next run takes it'
    end,
    g.is_backfill, case when g.is_backfill then v_rate end
  from (values (false, v_changes), (true, v_history)) as g (is_backfill, changes)
  cross join lateral unnest(g.changes) as c
  join (
    select
      h.is_backfill, y.symbol as canonical_symbol, r.timeframe,
      sum(round(extract(epoch from r.to_utc - r.from_utc) / extract(epoch from r.window_length)))::bigint as windows,
      min(r.from_utc) as from_utc,
      max(r.to_utc) as to_utc
    from (values (false, v_changes), (true, v_history)) as h (is_backfill, changes)
    cross join lateral agg.rebuild_requests(h.changes) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    group by h.is_backfill, y.symbol, r.timeframe
  ) as o on o.is_backfill = g.is_backfill and o.canonical_symbol = c.canonical_symbol and o.timeframe = c.timeframe
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
  left join lateral (
    select k.retry_at, k.error
    from agg.correction as k
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe and k.is_backfill = g.is_backfill and k.error is not null
    order by k.retry_at
    limit 1
  ) as e on true
  order by s.canonical_symbol, s.run_interval_minutes, g.is_backfill;
end;
$$;

comment on function public.agg_pending is
'Lists the decided windows that wait to be built, or built again because their source changed.
A row a task: how many windows, from where to where, since when (oldest, at p_now), how often it failed, and what it waits for. A second row (is_backfill) for history, which agg_backfill or a change of the registry asked for. windows_a_minute is how many windows of all history were done a minute, over the last ten minutes of the wall clock; null where none were. No row: every stored bar is up to date with the change notes. Reads only.';

-- 90_api/agg_repair.sql
create function public.agg_repair(
  p_symbol text default null, p_timeframe text default null, p_from timestamptz default null, p_to timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_windows bigint;
  v_changes agg.changed_span[];
begin
  select coalesce(sum(v.windows), 0), array_agg(agg.new_changed_span(v.canonical_symbol, v.timeframe, v.spans))
  into v_windows, v_changes
  from (
    select d.canonical_symbol, d.timeframe, count(*) as windows, range_agg(tstzrange(d.ts_utc, d.ts_utc + t.duration)) as spans
    from public.agg_verify(p_symbol, p_timeframe, p_from, p_to) as d
    join agg.timeframe as t on t.timeframe = d.timeframe
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ) as v;
  if v_changes is not null then
    perform agg.add_corrections(v_changes);
  end if;
  return jsonb_build_object('success', true, 'tasks', coalesce(cardinality(v_changes), 0), 'windows', v_windows);
end;
$$;

comment on function public.agg_repair is
'Makes a correction of every window that agg_verify lists, for the dispatcher to build again, level by level.
Arguments and errors: see agg_verify. Returns success, and how many windows of how many tasks. May be repeated.';

-- 90_api/agg_runs.sql
create function public.agg_runs(p_limit integer default 100)
returns table (
  run_id bigint,
  started_at timestamptz,
  finished_at timestamptz,
  took interval,
  env text,
  lane smallint,
  batches integer,
  tasks integer,
  windows bigint,
  bars_created bigint,
  bars_quality_poor bigint,
  bars_corrected bigint,
  failed integer,
  stopped_reason text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    raise exception 'p_limit must be from 1 to 10000, not %', coalesce(p_limit::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  return query
  select
    l.run_id, l.started_at, l.finished_at, l.finished_at - l.started_at, l.env, l.lane, l.batches, l.tasks, l.windows,
    l.bars_created, l.bars_quality_poor, l.bars_corrected, l.failed, l.stopped_reason
  from agg.run_log as l
  order by l.run_id desc
  limit p_limit;
end;
$$;

comment on function public.agg_runs is
'Lists the last p_limit calls of the dispatcher, newest first, as agg.run_log has them: a row a batch where the job calls it.
p_limit is from 1 to 10000. took is what the call took, times are the wall clock. stopped_reason: see agg_run_due. Kept for 14 days. Reads only. Raises invalid_parameter_value for a limit out of range.';

-- 90_api/agg_size.sql
create function public.agg_size(p_bytes bigint default null, p_now timestamptz default now())
returns table (
  table_name text,
  timeframe text,
  rows bigint,
  is_estimate boolean,
  heap_bytes bigint,
  index_bytes bigint,
  bytes bigint,
  rows_a_day bigint,
  bytes_a_day bigint,
  days_left integer
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set statement_timeout = '60s'
as $$
  with recursive symbol as (
    (select b.canonical_symbol as name from public.data_bars as b order by b.canonical_symbol limit 1)
    union all
    select n.name
    from symbol as s
    cross join lateral (
      select b.canonical_symbol as name from public.data_bars as b where b.canonical_symbol > s.name order by b.canonical_symbol limit 1
    ) as n
  ),
  relation as materialized (
    select
      n.nspname as schema_name, c.relname as name, c.relname in ('data_bars', 'derived_data_bars') as has_bars,
      s.heap_bytes, s.index_bytes, s.rows, s.heap_bytes > 100000000 and s.rows is not null as is_estimate
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    cross join lateral (
      select
        sum(pg_table_size(l.oid)) as heap_bytes, sum(pg_indexes_size(l.oid)) as index_bytes,
        case when bool_and(l.reltuples >= 0) then sum(
          l.reltuples * (pg_relation_size(l.oid) / current_setting('block_size')::integer)::numeric / greatest(l.relpages, 1)
        ) end as rows
      -- A table of bars may have been partitioned.
      from (select c.oid union select t.relid from pg_partition_tree(c.oid) as t) as p (oid)
      join pg_catalog.pg_class as l on l.oid = p.oid and l.relkind = 'r'
    ) as s
    where c.relkind in ('r', 'p') and not c.relispartition and (
      n.nspname = 'agg' or (
        n.nspname = 'public'
        and c.relname in ('core_asset_registry_all', 'data_agg_state', 'data_bars', 'derived_data_bars', 'derived_data_bars_revision')
      )
    )
  ),
  counted as (
    select 'data_bars' as name, b.timeframe, count(*)::numeric as rows
    from public.data_bars as b
    where not (select r.is_estimate from relation as r where r.name = 'data_bars' and r.has_bars)
    group by b.timeframe
    union all
    select 'derived_data_bars', d.timeframe, count(*)
    from public.derived_data_bars as d
    where not (select r.is_estimate from relation as r where r.name = 'derived_data_bars' and r.has_bars)
    group by d.timeframe
    union all
    select r.name, f.timeframe, r.rows * f.share
    from relation as r
    cross join lateral (
      select v.timeframe, v.share
      from pg_catalog.pg_stats as a
      cross join lateral unnest(a.most_common_vals::text::text[], a.most_common_freqs) as v (timeframe, share)
      where a.schemaname = r.schema_name and a.tablename = r.name and a.attname = 'timeframe'
        and a.inherited = (select c.relkind = 'p' from pg_catalog.pg_class as c where c.oid = format('%I.%I', r.schema_name, r.name)::regclass)
    ) as f
    where r.has_bars and r.is_estimate
  ),
  -- Series of bars in an order that says nothing of them, so that the first hundred stand for all.
  series as (
    select
      s.name, s.timeframe, s.symbol, row_number() over w as position,
      count(*) over (partition by s.name, s.timeframe) as series
    from (
      select 'data_bars' as name, '1m' as timeframe, y.name as symbol from symbol as y
      union all
      select 'derived_data_bars', t.timeframe, t.canonical_symbol
      from public.data_agg_state as t
      where t.timeframe <> '1m' and t.enabled
    ) as s
    window w as (partition by s.name, s.timeframe order by hashtextextended(s.symbol, 0), s.symbol)
  ),
  growth as (
    select s.name, s.timeframe, sum(n.bars) / 7 * max(s.series) / least(max(s.series), 100) as rows_a_day
    from series as s
    cross join lateral (
      select count(*) as bars
      from public.data_bars as b
      where s.name = 'data_bars' and b.canonical_symbol = s.symbol and b.timeframe = s.timeframe
        and b.ts_utc >= p_now - interval '168 hours' and b.ts_utc <= p_now
      union all
      select count(*)
      from public.derived_data_bars as d
      where s.name = 'derived_data_bars' and d.canonical_symbol = s.symbol and d.timeframe = s.timeframe
        and d.ts_utc >= p_now - interval '168 hours' and d.ts_utc <= p_now
      union all
      select -count(*)
      from agg.floor as f
      join public.data_bars as b
        on b.canonical_symbol = f.canonical_symbol and b.timeframe = f.timeframe
        and b.ts_utc >= f.floor_utc and b.ts_utc < f.floor_utc + interval '168 hours'
      where s.name = 'data_bars' and f.canonical_symbol = s.symbol and f.timeframe = s.timeframe
      union all
      select -count(*)
      from agg.floor as f
      join public.derived_data_bars as d
        on d.canonical_symbol = f.canonical_symbol and d.timeframe = f.timeframe
        and d.ts_utc >= f.floor_utc and d.ts_utc < f.floor_utc + interval '168 hours'
      where s.name = 'derived_data_bars' and f.canonical_symbol = s.symbol and f.timeframe = s.timeframe
    ) as n
    where s.position <= 100
    group by s.name, s.timeframe
  ),
  part as (
    select
      r.name, c.timeframe, c.rows, r.is_estimate,
      r.heap_bytes * p.share as heap_bytes, r.index_bytes * p.share as index_bytes,
      g.rows_a_day, g.rows_a_day * (r.heap_bytes + r.index_bytes) * p.share / nullif(c.rows, 0) as bytes_a_day
    from counted as c
    join relation as r on r.has_bars and r.name = c.name
    cross join lateral (select c.rows / nullif(sum(a.rows), 0) from counted as a where a.name = c.name) as p (share)
    left join growth as g on g.name = c.name and g.timeframe = c.timeframe
    union all
    select r.name, null, r.rows, r.rows is not null, r.heap_bytes, r.index_bytes, null, null
    from relation as r
    where not r.has_bars
  )
  select
    p.name, p.timeframe, round(p.rows)::bigint, p.is_estimate, round(p.heap_bytes)::bigint, round(p.index_bytes)::bigint,
    round(p.heap_bytes + p.index_bytes)::bigint, round(p.rows_a_day)::bigint, round(p.bytes_a_day)::bigint, null::integer
  from part as p
  union all
  select
    '*', null, null, null, t.heap_bytes, t.index_bytes, t.bytes, null, t.bytes_a_day,
    case
      when p_bytes <= t.bytes then 0
      when p_bytes > t.bytes and t.bytes_a_day > 0 then least(floor((p_bytes - t.bytes)::numeric / t.bytes_a_day), 1000000)::integer
    end
  from (
    select
      round(sum(p.heap_bytes))::bigint as heap_bytes, round(sum(p.index_bytes))::bigint as index_bytes,
      round(sum(p.heap_bytes + p.index_bytes))::bigint as bytes, round(coalesce(sum(p.bytes_a_day), 0))::bigint as bytes_a_day
    from part as p
  ) as t
  order by 1, 7 desc;
$$;

comment on function public.agg_size is
'Says how many rows and bytes the tables hold, by timeframe, how fast they grow, and when they reach a size.
p_bytes: the size to reach; null: days_left is null. p_now is the clock.
A row for each table and timeframe of bars, one for each other table of pgbars (timeframe null), and one for all of them (table_name *), the only one with days_left: 0 where the size is reached, null where nothing grows. bytes are heap_bytes and index_bytes, those of a timeframe in proportion to its rows.
Rows of a table above 100 MB come from the statistics of the last analyze (is_estimate); null where there are none. rows_a_day is what seven days add, a day: the bars of the last seven days, less those that metadata.agg.keep lets go in the next seven. Counted in at most 100 series a timeframe. Reads only.';

-- 90_api/agg_verify.sql
create function public.agg_verify(
  p_symbol text default null, p_timeframe text default null, p_from timestamptz default null, p_to timestamptz default null
)
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  problem text,
  stored jsonb,
  expected jsonb,
  is_pending boolean
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if p_timeframe is not null and not exists (select from agg.timeframe as t where t.timeframe = p_timeframe) then
    raise exception '% is not a timeframe', p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  if p_symbol is not null and not exists (
    select from public.data_agg_state as s
    where s.canonical_symbol = p_symbol and (p_timeframe is null or s.timeframe = p_timeframe)
  ) then
    perform agg.raise_no_task(p_symbol, coalesce(p_timeframe, 'of any timeframe'));
  end if;
  if p_from >= p_to then
    raise exception '[%, %) is not a range of time', p_from, p_to using errcode = 'invalid_parameter_value';
  end if;

  return query
  select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem, v.stored, v.expected, v.is_pending
  from agg.verify_spans(array(
    select agg.new_changed_span(s.canonical_symbol, s.timeframe, tstzmultirange(tstzrange(p_from, p_to)))
    from public.data_agg_state as s
    where (p_symbol is null or s.canonical_symbol = p_symbol) and (p_timeframe is null or s.timeframe = p_timeframe)
  )) as v
  join agg.timeframe as t on t.timeframe = v.timeframe
  order by v.canonical_symbol, t.duration, v.ts_utc;
end;
$$;

comment on function public.agg_verify is
'Computes decided windows again from their source bars, and lists every difference to what is stored.
Nulls mean every task, and the whole of its decided range; windows that p_from and p_to cut count whole. Each level is compared with the one below it as it stands.
problem: missing, different (stored and expected hold the fields that differ), stale (a bar whose window has too few minutes) or failed (the task cannot be computed; expected holds the error). is_pending: a change note or a correction waits for it, and the next run builds it again.
Writes and locks nothing. Raises no_data_found without a task, invalid_parameter_value for an unknown timeframe or an empty range.';

-- 90_api/check_audit.sql
create function agg.check_audit(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    'audit', '*', case when e.audit_percent > 0 and s.oldest_at < p_now - interval '30 days' then 'WARN' else 'PASS' end,
    concat_ws(
      '; ',
      case when e.audit_percent = 0 then 'off' end,
      case when s.assets = 0 then 'nothing to verify' else format('the bar verified longest ago was verified %s ago', s.age) end,
      case when s.unfinished > 0 then format('%s of %s assets have had no complete round', s.unfinished, s.assets) end
    ),
    case
      when e.audit_percent > 0 and s.oldest_at < p_now - interval '30 days'
        then 'agg_maintain must run every five minutes; select schedule_jobs(p_audit_percent => 10); gives it more time'
    end
  from agg.environment as e
  cross join lateral (
    select
      count(*) as assets,
      count(*) filter (where a.verified_since is null) as unfinished,
      min(coalesce(a.verified_since, a.added_at)) as oldest_at,
      justify_hours(date_trunc('minute', p_now - min(coalesce(a.verified_since, a.added_at)))) as age
    from agg.audit as a
  ) as s
  union all
  select 'audit', a.canonical_symbol, 'WARN', left(a.error, 500), format('select * from agg_verify(%L);', a.canonical_symbol)
  from agg.audit as a
  where a.error is not null;
$$;

comment on function agg.check_audit is
  'The check audit of agg_check: how far the audit of agg_maintain is, and since when every bar has been verified.';

-- 90_api/check_bars.sql
create function agg.check_bars(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  -- Once for all tasks with the same windows and the same market: the last window that a dispatcher should have decided, which
  -- has a minute for that.
  with grid as materialized (
    select
      g.timeframe, g.window_length, g.symbols, g.starts, w.starts_utc, e.ends_utc,
      agg.open_spans(g.session_time_zone, g.session_minutes, g.calendar, w.starts_utc, e.ends_utc) <> '{}' as is_open
    from (
      select
        t.timeframe, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin,
        t.session_time_zone, t.session_minutes, t.calendar,
        array_agg(t.canonical_symbol) as symbols, array_agg(t.agg_start_utc) as starts
      from agg.task as t
      -- Of a sparse market no bar is missed, and no bar is poor.
      where t.enabled and t.source_timeframe <> t.timeframe and t.poor_percent > 0
      group by
        t.timeframe, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin,
        t.session_time_zone, t.session_minutes, t.calendar
    ) as g
    cross join lateral (
      select agg.window_start(
        p_now - make_interval(secs => g.aggregation_delay_seconds + 60), g.window_length, g.window_time_zone, g.window_origin
      )
      offset 0
    ) as e (ends_utc)
    cross join lateral (
      select agg.window_start(e.ends_utc - interval '1 microsecond', g.window_length, g.window_time_zone, g.window_origin)
      offset 0
    ) as w (starts_utc)
  ),
  asset as materialized (
    select g.timeframe, s.symbol, g.is_open, g.starts_utc, g.ends_utc, g.ends_utc - 24 * g.window_length as since_utc, s.start_utc
    from grid as g
    cross join lateral unnest(g.symbols, g.starts) as s (symbol, start_utc)
  ),
  missing as materialized (
    select a.symbol, a.timeframe, a.starts_utc
    from asset as a
    left join lateral (
      -- A probe of the key for each.
      select true as is_there
      from public.derived_data_bars as d
      where d.canonical_symbol = a.symbol and d.timeframe = a.timeframe and d.ts_utc >= a.starts_utc and d.ts_utc <= p_now
        and d.deleted_at is null
      limit 1
    ) as b on true
    where a.is_open and a.start_utc <= a.starts_utc and b.is_there is null
  ),
  scored as (
    select a.timeframe, a.symbol, q.bars, q.poor
    from asset as a
    cross join lateral (
      select count(*) as bars, count(*) filter (where d.quality_score = 0) as poor
      from public.derived_data_bars as d
      where d.canonical_symbol = a.symbol and d.timeframe = a.timeframe and d.ts_utc >= a.since_utc and d.ts_utc < a.ends_utc
        and d.deleted_at is null
      offset 0
    ) as q
  ),
  quality as (
    select
      s.timeframe, sum(s.bars) as bars, sum(s.poor) as poor,
      (array_agg(s.symbol order by s.poor desc, s.symbol) filter (where s.poor > 0))[:3] as worst
    from scored as s
    group by s.timeframe
  )
  select
    'bars', '*', 'PASS',
    format('%s tasks up to date, the market of %s is closed', count(*) filter (where a.is_open), count(*) filter (where not a.is_open)), null
  from asset as a
  union all
  select
    'bars', m.symbol || ' ' || m.timeframe,
    case when h.state in ('never_ran', 'overdue', 'hard_failed', 'disabled') then 'FAIL' else 'WARN' end,
    format('no bar of %s or later, the last is %s', m.starts_utc, coalesce(l.ts_utc::text, 'none')),
    case
      when h.state in ('current', 'market_closed') then format('too few minutes for a bar; the minutes are in data_bars from %s on', m.starts_utc)
      else h.state || ': ' || h.explanation
    end
  from missing as m
  -- Not asked where no bar is missing.
  join (
    select a.* from public.agg_health(p_now) as a where exists (select from missing)
  ) as h on h.canonical_symbol = m.symbol and h.timeframe = m.timeframe
  left join lateral (
    select d.ts_utc
    from public.derived_data_bars as d
    where d.canonical_symbol = m.symbol and d.timeframe = m.timeframe and d.ts_utc <= p_now and d.deleted_at is null
    order by d.ts_utc desc
    limit 1
  ) as l on true
  union all
  select
    'quality', '*', 'PASS',
    coalesce(string_agg(format('%s: %s %% of %s bars', q.timeframe, trunc(100 - 100 * q.poor / q.bars, 1), q.bars), ', ' order by q.timeframe), 'no bars'),
    null
  from quality as q
  where q.bars > 0
  union all
  select
    'quality', q.timeframe, 'WARN', format('%s %% of %s bars are good', trunc(100 - 100 * q.poor / q.bars, 1), q.bars),
    format('minutes are missing, most of all of %s; metadata.agg.sparse is for markets with minutes without a trade', array_to_string(q.worst, ', '))
  from quality as q
  where q.bars > 0 and q.poor > 0.05 * q.bars;
$$;

comment on function agg.check_bars is
  'The checks bars and quality of agg_check: a row PASS for each, and a row for each subject that does not pass.';

-- 90_api/check_jobs.sql
create function agg.check_jobs(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with run as materialized (
    select r.* from agg.job_runs(p_now - interval '1 hour') as r
  ),
  last_run as (
    select
      (select max(l.finished_at) from agg.run_log as l) as at_utc,
      (select min(s.created_at) from public.data_agg_state as s) as first_task_at
  ),
  cron_job as materialized (
    select j.job ->> 'job_name' as job_name, j.job ->> 'command' as command, (j.job -> 'active')::boolean as active
    from unnest(agg.cron_jobs()) as j (job)
  ),
  wanted_job as materialized (
    select l.job_name, l.command from agg.job_list() as l where to_regclass('cron.job') is not null
  )
  select 'pause', '*', 'PASS', 'not paused', null
  union all
  select
    'pause', '*', 'WARN', format('paused until %s by %s: %s', e.paused_until, e.paused_by, e.paused_reason), 'select agg_resume(); ends it'
  from agg.environment as e
  where e.paused_until > p_now
  union all
  select
    'dispatcher', '*', 'PASS',
    format('last run %s, the longest of the last hour took %s s', r.at_utc, (select round(extract(epoch from max(d.took)), 1) from run as d)), null
  from last_run as r
  union all
  select
    'dispatcher', '*',
    -- A new installation has not had its first minute yet.
    case when r.at_utc is null and (r.first_task_at is null or r.first_task_at > p_now - interval '5 minutes') then 'WARN' else 'FAIL' end,
    coalesce('no run since ' || r.at_utc, 'no run yet'),
    'select schedule_jobs(); without pg_cron call agg_run_due() each minute'
  from last_run as r
  where r.at_utc is null or r.at_utc < p_now - interval '5 minutes'
  union all
  select
    'dispatcher', 'lane ' || d.lane, 'WARN',
    format('%s runs took longer than 60 s, the longest %s s, at %s', count(*), round(extract(epoch from max(d.took)), 1), (array_agg(d.started_at order by d.took desc))[1]),
    'a backfill does; otherwise select schedule_jobs(p_lanes => 2);'
  from run as d
  where d.took > interval '60 seconds'
  group by d.lane
  union all
  select
    'jobs', '*', 'PASS', case when to_regclass('cron.job') is null then 'pg_cron is not installed' else count(*) || ' jobs' end, null
  from wanted_job as w
  union all
  select
    'jobs', w.job_name, case when c.active then 'WARN' else 'FAIL' end,
    case when c.active then 'has another command' when c.job_name is null then 'missing' else 'not active' end,
    -- A job that is scheduled again stays inactive.
    case when not c.active then format('select cron.unschedule(%L); ', w.job_name) else '' end || 'select schedule_jobs();'
  from wanted_job as w
  left join cron_job as c on c.job_name = w.job_name
  where c.active is not true or c.command <> w.command
  union all
  select
    'jobs', coalesce(c.job_name, c.command), case when c.command ~ '\m(calc_dxy_range_derived|pgbars_before)\M' then 'FAIL' else 'WARN' end,
    'active, and does the work of the dispatcher: ' || left(c.command, 200),
    format('select cron.unschedule(%L); the jobs of pgbars do it', c.job_name)
  from cron_job as c
  where c.active
    and not exists (select from wanted_job as w where w.job_name = c.job_name)
    and c.command ~ '\m(calc_dxy_range_derived|calc_dxy_range_1m|aggregate_1m_to_5m_window|aggregate_5m_to_1h_window|catchup_aggregation_range|pgbars_before)\M'
  union all
  select 'alerts', '*', 'PASS', 'none', null
  union all
  select
    'alerts', concat_ws(' ', a.kind, nullif(a.canonical_symbol, '*'), nullif(a.timeframe, '*')),
    case a.severity when 'critical' then 'FAIL' else 'WARN' end, left(a.message, 500),
    'docs/operations.md says what to do'
  from agg.alert as a
  where a.resolved_at is null and a.kind not in ('hard_failed', 'disabled', 'failing', 'behind');
$$;

comment on function agg.check_jobs is
  'The checks pause, dispatcher, jobs and alerts of agg_check: a row PASS for each, and a row for each subject that does not pass.';

-- 90_api/check_older_deployment.sql
create function agg.check_older_deployment()
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select 'derived_1m', '*', 'PASS', 'no 1m bar in derived_data_bars', null
  union all
  select
    'derived_1m', r.canonical_symbol, 'FAIL', format('derived_data_bars has 1m bars, the first of %s', b.ts_utc),
    '1m bars belong into data_bars; is the check derived_data_bars_timeframe_check still there?'
  from public.core_asset_registry_all as r
  cross join lateral (
    -- A probe of the key for each symbol.
    select d.ts_utc
    from public.derived_data_bars as d
    where d.canonical_symbol = r.canonical_symbol and d.timeframe = '1m' and d.deleted_at is null
    order by d.ts_utc
    limit 1
  ) as b
  union all
  select
    'set_aside_readers', '*', 'PASS',
    case when to_regnamespace('pgbars_before') is null then 'no older deployment' else 'nothing reads what was set aside' end, null
  union all
  select
    'set_aside_readers', u, 'FAIL', 'reads what was set aside, which no longer changes', 'make it read the table of the same name in public'
  from agg.used_from_outside('pgbars_before') as u
  union all
  select
    'rows_left', '*', 'PASS',
    case when to_regnamespace('pgbars_before') is null then 'no older deployment' else 'every row was taken over' end, null
  union all
  select
    'rows_left', l.table_name, 'WARN', string_agg(format('%s: %s', l.rows, l.explanation), '; ' order by l.rows desc, l.explanation),
    'they stay in the schema pgbars_before: look at them before finish_move() drops it'
  from agg.moved_row as l
  where not l.is_taken_over and l.rows > 0
  group by l.table_name;
$$;

comment on function agg.check_older_deployment is
  'The checks derived_1m, set_aside_readers and rows_left of agg_check: a row PASS for each, and a row for each subject that does not pass.';

-- 90_api/check_series.sql
create function agg.check_series(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  with series as materialized (
    select s.canonical_symbol, s.session_time_zone, s.session_minutes, s.calendar
    from public.data_agg_state as s
    where s.basket is not null and s.enabled
  ),
  component as materialized (
    select
      s.canonical_symbol, k.component, o.is_open, l.ts_utc as last_utc, coalesce(l.ts_utc > p_now - interval '5 minutes', false) as is_fresh
    from series as s
    join agg.synthetic_component as k on k.canonical_symbol = s.canonical_symbol
    left join lateral (
      select t.session_time_zone, t.session_minutes, t.calendar
      from public.data_agg_state as t
      where t.canonical_symbol = k.component and t.enabled
      limit 1
    ) as m on true
    cross join lateral (
      select agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, p_now - interval '5 minutes', p_now)
        @> tstzrange(p_now - interval '5 minutes', p_now)
      offset 0
    ) as o (is_open)
    left join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc <= p_now
      order by b.ts_utc desc
      limit 1
    ) as l on true
  ),
  judged as materialized (
    select
      s.canonical_symbol, c.asked, c.fresh, c.stale, c.has_bars, l.ts_utc as last_utc, n.bars,
      c.is_open and agg.open_spans(s.session_time_zone, s.session_minutes, s.calendar, p_now - interval '5 minutes', p_now)
        @> tstzrange(p_now - interval '5 minutes', p_now) as is_open
    from series as s
    cross join lateral (
      select
        bool_and(k.is_open) as is_open,
        count(*) filter (where k.is_open) as asked,
        count(*) filter (where k.is_open and k.is_fresh) as fresh,
        bool_or(k.last_utc is not null) as has_bars,
        string_agg(format('%s (%s)', k.component, coalesce('last bar ' || k.last_utc, 'no bar')), ', ' order by k.component)
          filter (where k.is_open and not k.is_fresh) as stale
      from component as k
      where k.canonical_symbol = s.canonical_symbol
    ) as c
    cross join lateral (
      select count(*) as bars
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc > p_now - interval '5 minutes' and b.ts_utc <= p_now
    ) as n
    left join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc <= p_now
      order by b.ts_utc desc
      limit 1
    ) as l on true
  ),
  dollar_index as (
    select round(avg(b.close)::numeric, 2) as average, max(b.ts_utc) as last_utc
    from judged as j
    join public.data_bars as b
      on b.canonical_symbol = j.canonical_symbol and b.timeframe = '1m'
      and b.ts_utc > j.last_utc - interval '1 hour' and b.ts_utc <= j.last_utc
    where j.canonical_symbol = 'DXY'
  )
  select
    'series', '*', 'PASS',
    format('%s series up to date, %s closed', count(*) filter (where j.is_open), count(*) filter (where not j.is_open)), null
  from judged as j
  union all
  select
    'series', j.canonical_symbol, case when j.bars > 0 or not j.has_bars or agg.is_paused(p_now) then 'WARN' else 'FAIL' end,
    format('%s bars in the last five minutes, the last is %s', j.bars, coalesce(j.last_utc::text, 'none')),
    case
      when not j.has_bars then 'no component has a bar yet: send some, or set active to false'
      when j.stale is not null then 'a minute needs all components; the check components says which are late'
      else format('select * from agg_health() where canonical_symbol = %L', j.canonical_symbol)
    end
  from judged as j
  where j.is_open and j.bars < 3
  union all
  select
    'components', '*', 'PASS',
    coalesce(
      string_agg(
        j.canonical_symbol || ': ' || case when j.asked = 0 then 'closed' else format('%s of %s', j.fresh, j.asked) end, ', '
        order by j.canonical_symbol
      ),
      'no series'
    ),
    null
  from judged as j
  union all
  select
    'components', j.canonical_symbol, 'WARN', format('%s of %s open components have a bar in the last five minutes', j.fresh, j.asked),
    'look at the ingest of ' || j.stale
  from judged as j
  where j.fresh < j.asked
  union all
  select 'price_range', '*', 'PASS', coalesce('DXY: ' || x.average, 'no DXY'), null
  from dollar_index as x
  union all
  select
    'price_range', 'DXY', 'FAIL', format('%s on average over the hour up to %s, not from 80 to 120', x.average, x.last_utc),
    'compare the prices of its components with another source'
  from dollar_index as x
  where x.average not between 80 and 120;
$$;

comment on function agg.check_series is
  'The checks series, components and price_range of agg_check: a row PASS for each, and a row for each series that does not pass. A series is open while it and all of its components are.';

-- 90_api/check_tasks.sql
create function agg.check_tasks(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with wanted as materialized (
    select w.canonical_symbol, w.timeframe, w.duration, w.is_mandatory, s.enabled is true as is_there
    from agg.active_asset as a
    join agg.wanted_task as w on w.canonical_symbol = a.canonical_symbol
    left join public.data_agg_state as s on s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
    where a.is_test = (select agg.is_test(agg.current_env(null)))
  ),
  task as materialized (
    select t.* from agg.task as t where t.enabled
  ),
  -- Where a market is closed, windows up to its next opening may be decided before they end.
  market as materialized (
    select
      m.session_time_zone, m.session_minutes, m.calendar,
      agg.next_open(m.session_time_zone, m.session_minutes, m.calendar, p_now, p_now + interval '336 hours') as opens_utc
    from (
      select distinct t.session_time_zone, t.session_minutes, t.calendar from task as t where t.decided_to_utc > p_now
    ) as m
  ),
  ahead as (
    select
      t.canonical_symbol, t.timeframe, t.decided_to_utc, t.last_agg_bar_ts_utc,
      case when t.decided_to_utc > u.decided_to_utc then u.timeframe end as source_timeframe
    from task as t
    left join task as u on u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    left join market as m
      on m.session_time_zone is not distinct from t.session_time_zone
      and m.session_minutes is not distinct from t.session_minutes
      and m.calendar is not distinct from t.calendar
    where (t.decided_to_utc > u.decided_to_utc or t.decided_to_utc > m.opens_utc)
      -- Where nothing is decided, the cursor stands before the start.
      and t.last_agg_bar_ts_utc > agg.bootstrap_cursor(t.agg_start_utc, t.window_length, t.window_time_zone, t.window_origin)
  )
  select
    'tasks', '*', 'PASS', format('%s tasks of %s active assets', count(*), count(distinct w.canonical_symbol)), null
  from wanted as w
  union all
  select
    'tasks', w.canonical_symbol, case when bool_or(w.is_mandatory) then 'FAIL' else 'WARN' end,
    'no task ' || string_agg(w.timeframe, ', ' order by w.duration),
    'select sync_agg_state_from_registry(); its result says under refused which metadata are not understood'
  from wanted as w
  where not w.is_there
  group by w.canonical_symbol
  union all
  select 'mandatory', '*', 'PASS', format('%s mandatory tasks', count(*)), null
  from task as t
  where t.is_mandatory
  union all
  select
    'mandatory', t.canonical_symbol || ' ' || t.timeframe, p.status, p.value, p.hint
  from task as t
  join agg.timeframe as f on f.timeframe = t.timeframe
  cross join (select max(o.last_attempted_at_utc) as at_utc from task as o where not o.is_mandatory) as optional
  cross join lateral (
    select
      case when f.is_mandatory and not t.is_mandatory or t.status = 'disabled' then 'FAIL' else 'WARN' end,
      case
        when f.is_mandatory and not t.is_mandatory then 'not marked mandatory'
        when t.status = 'disabled' then 'disabled'
        else format('due since %s, but an optional task ran at %s', t.next_run_at, optional.at_utc)
      end,
      case
        when f.is_mandatory and not t.is_mandatory then 'select sync_agg_state_from_registry();'
        when t.status = 'disabled'
          then 'update data_agg_state set status = ''idle'', hard_fail_streak = 0, fail_streak = 0 where canonical_symbol = '
            || quote_literal(t.canonical_symbol) || ' and timeframe = ' || quote_literal(t.timeframe)
        else 'select * from agg_health() says what holds it up'
      end
  ) as p (status, value, hint)
  where (f.is_mandatory and not t.is_mandatory)
    or (
      t.is_mandatory and (
        t.status = 'disabled'
        or (
          t.status in ('idle', 'hard_failed') and t.next_run_at < p_now - interval '5 minutes'
          and optional.at_utc > t.next_run_at + interval '5 minutes' and optional.at_utc <= p_now
        )
      )
    )
  union all
  select
    'cursors', '*', 'PASS', format('%s cursors, from %s to %s', count(*), min(t.last_agg_bar_ts_utc), max(t.last_agg_bar_ts_utc)), null
  from task as t
  union all
  select
    'cursors', a.canonical_symbol || ' ' || a.timeframe, 'FAIL',
    format(
      'decided up to %s, ahead of %s', a.decided_to_utc, coalesce('its source task ' || a.source_timeframe, 'the clock')
    ),
    format('select agg_bootstrap_cursor(%L, %L); what comes out the same is not written', a.canonical_symbol, a.timeframe)
  from ahead as a
  union all
  select 'streaks', '*', 'PASS', 'no task fails', null
  union all
  select
    'streaks', t.canonical_symbol || ' ' || t.timeframe,
    case
      when t.is_mandatory and (t.hard_fail_streak >= d.hard_failures or t.failing_since_utc <= p_now - d.overdue_after) then 'FAIL'
      else 'WARN'
    end,
    format('%s failures in a row, %s of them hard: %s', t.fail_streak, t.hard_fail_streak, left(t.last_error, 200)),
    'fix the cause; a success clears the streak' || case
      when t.status = 'disabled' then ', once status is idle and the streaks are 0 again: the task is disabled'
      else ''
    end
  from task as t
  cross join agg.defaults as d
  where t.fail_streak > 0;
$$;

comment on function agg.check_tasks is
  'The checks tasks, mandatory, cursors and streaks of agg_check: a row PASS for each, and a row for each subject that does not pass.';

-- 90_api/cron_jobs.sql
create function agg.cron_jobs()
returns jsonb[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs jsonb[];
begin
  if to_regclass('cron.job') is not null then
    execute format(
      $sql$
        select array_agg(jsonb_build_object('job_name', j.jobname, 'command', j.command, 'active', j.active))
        from cron.job as j
        where j.database = %L
      $sql$,
      current_database()
    ) into v_jobs;
  end if;
  return v_jobs;
end;
$$;

comment on function agg.cron_jobs is
  'The jobs of pg_cron that run in this database, as far as the caller may see them: objects with job_name, command and active. None without pg_cron.';

-- 90_api/filled_bars.sql
create function agg.filled_bars(
  p_symbol text,
  p_timeframe text,
  p_from timestamptz,
  p_to timestamptz,
  p_limit integer,
  p_is_newest boolean,
  p_fill boolean,
  p_forming boolean,
  p_as_of timestamptz
)
returns table (
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  quality_score smallint,
  covered_minutes integer,
  expected_minutes integer,
  is_partial boolean,
  is_filled boolean,
  is_forming boolean,
  updated_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_series record;
  v_length interval;
  -- Null: nothing is said to be decided.
  v_cursor_utc timestamptz;
begin
  select r.* into v_series
  from agg.readable_series as r
  where r.canonical_symbol = p_symbol and (r.timeframe = p_timeframe or p_timeframe = '1m')
  order by r.timeframe = p_timeframe desc, r.timeframe
  limit 1;
  -- The session is that of the asset. Minutes that are ingested have no task.
  if v_series.timeframe = p_timeframe then
    v_length := make_interval(mins => v_series.run_interval_minutes);
    v_cursor_utc := v_series.cursor_utc;
  else
    v_length := case when v_series.timeframe is not null then interval '1 minute' end;
    v_series.window_time_zone := null;
    v_series.window_origin := timestamp '2000-01-03 00:00:00';
  end if;

  return query
  with stored as materialized (
    select b.*
    from public.get_bars(array[p_symbol], p_timeframe, case when not p_is_newest then p_from end, p_to, p_limit, p_as_of => p_as_of) as b
  ),
  forming as materialized (
    select w.starts_utc, f.*
    from agg.open_windows(
      v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
      greatest(v_cursor_utc + interval '1 microsecond', p_from),
      least(p_to, (
        select m.ts_utc + interval '1 microsecond'
        from public.data_bars as m
        where m.canonical_symbol = p_symbol and m.timeframe = '1m'
        order by m.ts_utc desc
        limit 1
      ))
    ) as w
    cross join lateral (
      select
        (array_agg(m.open order by m.ts_utc))[1] as open, max(m.high) as high, min(m.low) as low,
        (array_agg(m.close order by m.ts_utc))[count(*)] as close, sum(m.vol order by m.ts_utc) as vol,
        sum(m.vwap * m.vol order by m.ts_utc) filter (where m.vol > 0 and m.vwap is not null)
          / sum(m.vol order by m.ts_utc) filter (where m.vol > 0 and m.vwap is not null) as vwap,
        sum(m.trade_count)::bigint as trade_count, count(*)::integer as covered_minutes, max(m.updated_at) as updated_at
      from public.data_bars as m
      where m.canonical_symbol = p_symbol and m.timeframe = '1m' and m.ts_utc >= w.starts_utc and m.ts_utc < w.ends_utc
        and (w.open is null or w.open @> m.ts_utc)
    ) as f
    where p_forming and p_timeframe <> '1m' and v_cursor_utc is not null and f.covered_minutes > 0
      -- Built ahead of the cursor.
      and not exists (select from stored as s where s.ts_utc = w.starts_utc)
    order by case when p_is_newest then w.starts_utc end desc, w.starts_utc
    limit p_limit
  ),
  bar as materialized (
    select
      s.ts_utc, s.open, s.high, s.low, s.close, s.vol, s.vwap, s.trade_count, s.quality_score, s.covered_minutes, s.expected_minutes,
      s.is_partial, false as is_forming, s.updated_at
    from stored as s
    union all
    select
      f.starts_utc, f.open, f.high, f.low, f.close, f.vol, f.vwap, f.trade_count, null, f.covered_minutes, null, true, true, f.updated_at
    from forming as f
  ),
  -- Whose close the first windows have.
  previous as materialized (
    select b.ts_utc, b.close
    from public.get_bars(array[p_symbol], p_timeframe, null, p_from, 1, p_as_of => p_as_of) as b
    where p_fill and not p_is_newest
  ),
  span as materialized (
    select
      case when exists (select from previous) then p_from else (select min(b.ts_utc) from bar as b) end as from_utc,
      least(p_to, interval '1 microsecond' + greatest(
        case when p_as_of is null then v_cursor_utc end,
        (select max(f.starts_utc) from forming as f),
        (select b.ts_utc from public.get_bars(array[p_symbol], p_timeframe, null, null, 1, p_as_of => p_as_of) as b)
      )) as to_utc
    where p_fill
  ),
  filled as (
    select w.starts_utc
    from span as s
    cross join lateral agg.open_windows(
      v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
      s.from_utc, s.to_utc, p_limit, p_is_newest
    ) as w
    where s.from_utc is not null and not exists (select from bar as b where b.ts_utc = w.starts_utc)
  ),
  -- A run is a bar with the windows behind it that have none.
  merged as (
    select m.*, count(m.close) over (order by m.ts_utc) as run
    from (
      select b.*, false as is_filled from bar as b
      union all
      select f.starts_utc, null, null, null, null, 0, null, 0, null, 0, null, false, false, null, true from filled as f
      union all
      select p.ts_utc, null, null, null, p.close, null, null, null, null, null, null, null, null, null, null from previous as p
    ) as m
  )
  select
    m.ts_utc, coalesce(m.open, m.last_close), coalesce(m.high, m.last_close), coalesce(m.low, m.last_close), m.last_close,
    m.vol, m.vwap, m.trade_count, m.quality_score, m.covered_minutes, m.expected_minutes, m.is_partial, m.is_filled, m.is_forming, m.updated_at
  from (
    select c.*, first_value(c.close) over (partition by c.run order by c.ts_utc) as last_close from merged as c
  ) as m
  where m.is_filled is not null and m.run > 0
  order by case when p_is_newest then m.ts_utc end desc, m.ts_utc
  limit p_limit;
end;
$$;

comment on function agg.filled_bars is
  'get_bars of one symbol, with windows that are not decided yet (p_forming) and windows without a bar (p_fill): the first p_limit rows from p_from on, or where p_is_newest the last ones before p_to. Runs with the rights of the caller.';

-- 90_api/find_differences.sql
create function agg.find_differences(p_requests agg.build_request[])
returns setof agg.difference
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_half constant integer := cardinality(p_requests) / 2;
  v_request constant agg.build_request := p_requests[1];
  v_first agg.build_request := p_requests[1];
  v_second agg.build_request := p_requests[1];
  v_symbols constant integer := cardinality(v_request.symbols) / 2;
  v_differences agg.difference[];
  v_error text;
begin
  begin
    v_differences := array(
      select row(
        w.canonical_symbol, w.timeframe, w.ts_utc, case when w.was_bar and w.quality_score is null then 'remove' else w.change end, to_jsonb(d),
        to_jsonb(w) - array['request_no', 'canonical_symbol', 'timeframe', 'ts_utc', 'ends_utc', 'change', 'was_bar']
      )::agg.difference
      from agg.compare_windows(p_requests) as w
      left join public.derived_data_bars as d
        on d.canonical_symbol = w.canonical_symbol and d.timeframe = w.timeframe and d.ts_utc = w.ts_utc
        -- A row that is no bar says nothing where there should be one.
        and (w.was_bar or w.quality_score is null)
      where w.change is not null
      union all
      select row(
        m.canonical_symbol, m.timeframe, m.ts_utc, m.change, to_jsonb(d),
        jsonb_build_object(
          'open', m.open, 'high', m.high, 'low', m.low, 'close', m.close, 'vol', 0, 'vwap', null, 'trade_count', 0,
          'is_partial', false, 'source', 'synthetic', 'raw', m.raw
        )
      )::agg.difference
      from agg.compare_synthetic(p_requests) as m
      left join public.data_bars as d
        on d.canonical_symbol = m.canonical_symbol and d.timeframe = m.timeframe and d.ts_utc = m.ts_utc
      where m.change is not null
    );
  exception when others then
    v_error := format('%s (%s)', sqlerrm, sqlstate);
  end;

  if v_error is null then
    return query select d.* from unnest(v_differences) as d;
  elsif v_half > 0 then
    return query
    select d.* from agg.find_differences(p_requests[:v_half]) as d
    union all
    select d.* from agg.find_differences(p_requests[v_half + 1:]) as d;
  elsif v_symbols > 0 then
    v_first.symbols := v_first.symbols[:v_symbols];
    v_second.symbols := v_second.symbols[v_symbols + 1:];
    return query
    select d.* from agg.find_differences(array[v_first]) as d
    union all
    select d.* from agg.find_differences(array[v_second]) as d;
  else
    return query
    select
      v_request.symbols[1], v_request.timeframe, v_request.from_utc, 'failed', null::jsonb,
      jsonb_build_object('error', v_error, 'to_utc', v_request.to_utc);
  end if;
end;
$$;

comment on function agg.find_differences is
'Says how what is stored differs from what requests make. A task that cannot be computed is listed as failed, and the others go on.';

-- 90_api/get_bars.sql
create function public.get_bars(
  p_symbols text[],
  p_timeframe text,
  p_from timestamptz default null,
  p_to timestamptz default null,
  p_limit integer default 1000,
  p_after jsonb default null,
  p_fill boolean default false,
  p_forming boolean default false,
  p_as_of timestamptz default null
)
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  quality_score smallint,
  covered_minutes integer,
  expected_minutes integer,
  is_partial boolean,
  is_filled boolean,
  is_forming boolean,
  updated_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Every access is a range of a key for each symbol, read in its order, whatever the planner assumes about the tables.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_is_minute constant boolean := p_timeframe = '1m';
  v_to constant timestamptz := coalesce(p_to, 'infinity');
  v_after_symbol text;
  v_after_utc timestamptz;
  v_forgotten text;
begin
  if p_symbols is null or array_position(p_symbols, null) is not null then
    raise exception 'p_symbols must be an array of symbols, not %', coalesce(p_symbols::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Give canonical symbols, such as array[''EURUSD'', ''DXY''].';
  end if;
  if p_timeframe is null or p_timeframe !~ '^[1-9][0-9]{0,3}[mhdw]$' then
    raise exception 'p_timeframe must be a timeframe such as 1m, 5m or 1d, not %', coalesce(p_timeframe, 'null')
      using errcode = 'invalid_parameter_value', hint = 'A number of minutes (m), hours (h), days (d) or weeks (w).';
  end if;
  if p_from >= v_to then
    raise exception '[%, %) is not a range of time', p_from, v_to
      using errcode = 'invalid_parameter_value', hint = 'p_to is the end: windows that start there or later are left out.';
  end if;
  if p_limit < 1 then
    raise exception 'p_limit must be a number of bars above 0, not %', p_limit
      using errcode = 'invalid_parameter_value', hint = 'null means all.';
  end if;
  if p_after is not null then
    begin
      if p_after ->> 'ts_utc' ~* '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$' then
        v_after_utc := (p_after ->> 'ts_utc')::timestamptz;
      end if;
    exception when data_exception then
      -- Refused below.
    end;
    v_after_symbol := p_after ->> 'canonical_symbol';
    if v_after_utc is null or v_after_symbol is null then
      raise exception 'p_after must be an object with canonical_symbol and ts_utc (an instant with its zone), not %', left(p_after::text, 200)
        using errcode = 'invalid_parameter_value', hint = 'Give the last row of the page before.';
    end if;
  end if;
  if p_as_of is not null then
    if v_is_minute or p_forming then
      raise exception 'p_as_of cannot be had with %: data_bars keeps no revisions', case when v_is_minute then '1m' else 'p_forming' end
        using errcode = 'invalid_parameter_value', hint = 'Longer bars keep what they were before they changed.';
    end if;
    select r.canonical_symbol into v_forgotten
    from agg.readable_series as r
    where r.canonical_symbol = any (p_symbols) and r.timeframe = p_timeframe and p_as_of < now() - agg.revision_age(r.revisions)
    order by 1
    limit 1;
    if v_forgotten is not null then
      raise exception '% keeps no revisions from before %', v_forgotten, (
        select now() - agg.revision_age(r.revisions)
        from agg.readable_series as r
        where r.canonical_symbol = v_forgotten and r.timeframe = p_timeframe
      ) using errcode = 'invalid_parameter_value',
        hint = 'Give a later p_as_of. metadata.agg.revisions of the asset says for how long revisions are kept.';
    end if;
  end if;

  if (p_fill or p_forming and not v_is_minute) is true then
    return query
    select
      y.symbol, p_timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.quality_score,
      b.covered_minutes, b.expected_minutes, b.is_partial, b.is_filled, b.is_forming, b.updated_at
    from (
      select distinct y.symbol from unnest(p_symbols) as y (symbol) where v_after_symbol is null or y.symbol >= v_after_symbol order by 1
    ) as y
    cross join lateral agg.filled_bars(
      y.symbol, p_timeframe,
      case when y.symbol = v_after_symbol and p_from is not null then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end,
      v_to, p_limit, p_from is null, p_fill, p_forming, p_as_of
    ) as b
    where v_after_symbol is null or (y.symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by y.symbol, b.ts_utc
    limit case when p_from is not null then p_limit end;
    return;
  end if;

  if p_from is null then
    return query
    select b.*
    from (select distinct y.symbol from unnest(p_symbols) as y (symbol) order by 1) as y
    cross join lateral (
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
        from public.derived_data_bars as d
        where not v_is_minute and d.canonical_symbol = y.symbol and d.timeframe = p_timeframe
          and d.ts_utc < v_to and d.deleted_at is null and (p_as_of is null or d.updated_at <= p_as_of)
        order by d.ts_utc desc
        limit p_limit
      )
      union all
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          null, 1, 1, d.is_partial, false, false, d.updated_at
        from public.data_bars as d
        where v_is_minute and d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
        order by d.ts_utc desc
        limit p_limit
      )
      union all
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.written_at
        from public.derived_data_bars_revision as d
        where p_as_of is not null and d.canonical_symbol = y.symbol and d.timeframe = p_timeframe
          and d.ts_utc < v_to and d.deleted_at is null and d.written_at <= p_as_of and d.replaced_at > p_as_of
        order by d.ts_utc desc
        limit p_limit
      )
      order by ts_utc desc
      limit p_limit
    ) as b
    where v_after_symbol is null or (b.canonical_symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by y.symbol, b.ts_utc;
    return;
  end if;

  -- Most calls ask for one symbol, whose bars need neither a join nor a sort.
  if cardinality(p_symbols) = 1 and not v_is_minute and p_as_of is null and p_after is null then
    return query
    select
      d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe
      and d.ts_utc >= p_from and d.ts_utc < v_to and d.deleted_at is null
    order by d.ts_utc
    limit p_limit;
    return;
  end if;

  return query
  select b.*
  from (
    select
      y.symbol, case when y.symbol = v_after_symbol then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end as from_utc
    from (select distinct u.symbol from unnest(p_symbols) as u (symbol)) as y
    where v_after_symbol is null or y.symbol >= v_after_symbol
    order by 1
  ) as y
  cross join lateral (
    (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
      from public.derived_data_bars as d
      where not v_is_minute and d.canonical_symbol = y.symbol and d.timeframe = p_timeframe
        and d.ts_utc >= y.from_utc and d.ts_utc < v_to and d.deleted_at is null and (p_as_of is null or d.updated_at <= p_as_of)
      order by d.ts_utc
      limit p_limit
    )
    union all
    (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        null, 1, 1, d.is_partial, false, false, d.updated_at
      from public.data_bars as d
      where v_is_minute and d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= y.from_utc and d.ts_utc < v_to
      order by d.ts_utc
      limit p_limit
    )
    union all
    (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.written_at
      from public.derived_data_bars_revision as d
      where p_as_of is not null and d.canonical_symbol = y.symbol and d.timeframe = p_timeframe
        and d.ts_utc >= y.from_utc and d.ts_utc < v_to and d.deleted_at is null and d.written_at <= p_as_of and d.replaced_at > p_as_of
      order by d.ts_utc
      limit p_limit
    )
    order by ts_utc
    limit p_limit
  ) as b
  order by y.symbol, b.ts_utc
  limit p_limit;
end;
$$;

comment on function public.get_bars is
'Reads bars of any timeframe, 1m included, by symbol and time.
p_symbols: in any order. A symbol or a timeframe that is not known has no bars. p_from, p_to: windows that start in [p_from, p_to); p_to null: without end.
p_from null: of each symbol the latest p_limit bars before p_to. Otherwise p_limit is the number of rows of a page. Null: all.
p_after: the last row of the page before, an object with canonical_symbol and ts_utc; the page begins after it.
p_fill: windows without a bar in which the market is open, after the first bar and up to what is decided (1m and p_as_of: up to the last bar), with the last close as all prices, vol and trade_count 0, and is_filled.
p_forming: windows that are not decided yet, from the minutes so far, with is_forming and is_partial. Their quality_score is null. 1m has none.
p_as_of: the bars as they were stored at that time, from derived_data_bars_revision. A change counts from the begin of the transaction that wrote it, and a reader saw it when that committed, a moment later.
covered_minutes and expected_minutes say what quality_score is made of. updated_at: since when the bar is so.
Runs with the rights of the caller: whose bars it may read, grant_read_access or a policy says.
Raises invalid_parameter_value for what makes no sense: p_as_of with 1m or p_forming (minutes keep no revisions), or further back than revisions of a symbol are kept.';

-- 90_api/grant_operations_access.sql
create function public.grant_operations_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  if not has_schema_privilege(p_role, 'public', 'usage') then
    execute format('grant usage on schema public to %I', p_role);
  end if;
  execute format(
    'grant execute on function %s to %I',
    (select string_agg(format('public.%I', f.name), ', ') from unnest(agg.operations_functions()) as f (name)), p_role
  );
  return jsonb_build_object('success', true, 'role', p_role, 'functions', to_jsonb(agg.operations_functions()));
end;
$$;

comment on function public.grant_operations_access is
'Lets a role see how the database does, over the Data API and directly: it may call agg_alerts, agg_check, agg_health, agg_pending, agg_runs and agg_size, and nothing else.
p_role is authenticated, anon or a role of your own. These functions name symbols, tasks and errors; they show no bar, and change nothing.
Returns success, role and functions. For the owner of the functions. Repeating it changes nothing. Raises undefined_object for an unknown role.';

-- 90_api/grant_read_access.sql
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
    'grant execute on function public.get_bars, public.agg_changes, agg.filled_bars, agg.open_windows, agg.revision_age to %I', p_role
  );
  return jsonb_build_object(
    'success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars', 'derived_data_bars_revision'),
    'functions', jsonb_build_array('get_bars', 'agg_changes')
  );
end;
$$;

comment on function public.grant_read_access is
  'Lets a role read bars, over the Data API and directly.
p_role is authenticated, anon or a role of your own. It gets select on data_bars, on the bars of derived_data_bars that are not deleted and on their revisions, may call get_bars and agg_changes, and nothing else.
Returns success, role, tables and functions. For the owner of the tables. Repeating it changes nothing.
Raises undefined_object for an unknown role, invalid_parameter_value for one that reads all bars anyway, lock_not_available where a reader holds a table for more than five seconds.';

-- 90_api/install_webhooks.sql
create function public.install_webhooks(
  p_url_secret text default 'pgbars_registry_sync_url', p_key_secret text default 'pgbars_registry_sync_key'
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_missing jsonb;
  v_event text;
begin
  if p_url_secret is null or p_key_secret is null then
    raise exception 'p_url_secret and p_key_secret must be names of secrets' using errcode = 'invalid_parameter_value';
  end if;
  select jsonb_agg(jsonb_build_object('what', p.what, 'remedy', p.remedy)) into v_missing
  from agg.webhook_problems(p_url_secret, p_key_secret) as p;
  if v_missing is not null then
    raise notice 'nothing was set up: %', (select string_agg(m.item ->> 'what', '; ') from jsonb_array_elements(v_missing) as m (item))
      using hint = (select string_agg(m.item ->> 'remedy', ' ') from jsonb_array_elements(v_missing) as m (item));
    return jsonb_build_object(
      'success', false, 'missing', v_missing, 'message', 'nothing was set up: do what missing says, and call again'
    );
  end if;

  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create or replace trigger %I after %s on public.core_asset_registry_all referencing %s '
        'for each statement execute function agg.send_webhook(%L, %L)',
      'send_webhook_' || v_event,
      v_event,
      case v_event
        when 'insert' then 'new table as new_rows'
        when 'update' then 'new table as new_rows old table as old_rows'
        else 'old table as old_rows'
      end,
      p_url_secret,
      p_key_secret
    );
  end loop;
  return jsonb_build_object(
    'success', true, 'missing', '[]'::jsonb,
    'message', format('changes of core_asset_registry_all are posted to the URL in %s with the key in %s', p_url_secret, p_key_secret)
  );
end;
$$;

comment on function public.install_webhooks is
  'Posts every insert, update and delete of core_asset_registry_all to the Edge Function registry-sync, through pg_net.
p_url_secret and p_key_secret name the secrets in Vault that hold its URL and key. They are read for each post, so that a change of a secret takes effect with the next one.
Returns success, missing and message. Where an extension or a secret is missing it changes nothing, and missing lists what is missing and the SQL that helps.
For the owner of the database. It may be repeated; other names replace those before. Raises invalid_parameter_value for null.';

-- 90_api/minute_runs.sql
create function agg.minute_runs(p_minutes timestamptz[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
  with run as (
    select min(m.ts_utc) as first_utc, max(m.ts_utc) as last_utc, count(*) as minutes, row_number() over (order by min(m.ts_utc)) as run_no
    from (
      -- Minutes in a row are as far from their rank as their first.
      select u.ts_utc, u.ts_utc - row_number() over (order by u.ts_utc) * interval '1 minute' as run
      from unnest(p_minutes) as u (ts_utc)
    ) as m
    group by m.run
  )
  select
    string_agg(
      to_char(r.first_utc, 'YYYY-MM-DD HH24:MI') || case when r.minutes > 1 then format(
        ' to %s (%s)', to_char(r.last_utc, case when r.first_utc::date = r.last_utc::date then 'HH24:MI' else 'YYYY-MM-DD HH24:MI' end), r.minutes
      ) else '' end,
      ', ' order by r.run_no
    ) filter (where r.run_no <= 10)
    || coalesce(', and ' || sum(r.minutes) filter (where r.run_no > 10) || ' more', '')
  from run as r;
$$;

comment on function agg.minute_runs is
  'Minutes as text, those in a row as a run: the first ten runs, and how many more minutes there are. Null for none.';

-- 90_api/open_windows.sql
create function agg.open_windows(
  p_length interval,
  p_time_zone text,
  p_origin timestamp,
  p_session_time_zone text,
  p_session_minutes int4multirange,
  p_calendar text,
  p_from timestamptz,
  p_to timestamptz,
  p_limit integer default null,
  p_is_newest boolean default false
)
returns table (starts_utc timestamptz, ends_utc timestamptz, open tstzmultirange)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_has_session constant boolean := p_session_minutes is not null or p_calendar is not null;
  v_from timestamptz;
  v_to timestamptz;
  v_part tstzrange;
  v_step interval := p_length * (1 + least(coalesce(p_limit, 1000), 100000))::double precision;
  v_left integer := p_limit;
  v_found integer;
begin
  select greatest(p_from, d.least_utc), least(p_to, d.end_utc) into v_from, v_to from agg.defaults as d;
  -- Part by part, each twice as long as the one before: a market may be closed for most of the time.
  while v_from < v_to and (v_left > 0 or p_limit is null) loop
    v_part := case
      when p_is_newest then tstzrange(greatest(v_from, v_to - v_step), v_to)
      else tstzrange(v_from, least(v_to, v_from + v_step))
    end;
    return query
    select w.starts_utc, w.ends_utc, case when v_has_session then o.spans * tstzmultirange(tstzrange(w.starts_utc, w.ends_utc)) end
    from (
      select case when v_has_session then
        agg.open_spans(
          p_session_time_zone, p_session_minutes, p_calendar, lower(v_part), agg.window_end(upper(v_part), p_length, p_time_zone, p_origin)
        )
      end
      offset 0
    ) as o (spans)
    cross join agg.windows_between(lower(v_part), upper(v_part), p_length, p_time_zone, p_origin) as w
    where w.starts_utc >= lower(v_part) and w.starts_utc < upper(v_part)
      and (not v_has_session or o.spans && tstzrange(w.starts_utc, w.ends_utc))
    order by case when p_is_newest then w.starts_utc end desc, w.starts_utc
    limit v_left;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    if p_is_newest then
      v_to := lower(v_part);
    else
      v_from := upper(v_part);
    end if;
    v_step := v_step * 2;
  end loop;
end;
$$;

comment on function agg.open_windows is
  'The windows that start in [p_from, p_to) and have a minute in which session and calendar are open, in order, with what is open of them (null: all); with p_limit the first, or with p_is_newest the last, that many. It reads calendars with the rights of its owner, and nothing else: readers of bars may call it.';

-- 90_api/operations_functions.sql
create function agg.operations_functions()
returns text[]
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array['agg_alerts', 'agg_check', 'agg_health', 'agg_pending', 'agg_runs', 'agg_size'];
$$;

comment on function agg.operations_functions is 'The functions that say how the database does, and show no bar: what grant_operations_access lets a role call.';

-- 90_api/read_policy_name.sql
create function agg.read_policy_name(p_role text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Names end at 63 bytes.
  select 'pgbars_read_' || case when octet_length(p_role) <= 51 then p_role else md5(p_role) end;
$$;

comment on function agg.read_policy_name is 'The name of the policy that lets a role read bars.';

-- 90_api/read_secret.sql
create function agg.read_secret(p_name text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret text;
begin
  execute format('select s.decrypted_secret from vault.decrypted_secrets as s where s.name = %L', p_name) into v_secret;
  return v_secret;
end;
$$;

comment on function agg.read_secret is
  'The value that Vault holds under this name; null for a name that it does not hold. Raises undefined_table without Vault.';

-- 90_api/readable_table.sql
create function agg.readable_table(p_role text)
returns table (table_name text, policy_name text, is_open boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  if (select r.rolsuper or r.rolbypassrls from pg_catalog.pg_roles as r where r.rolname = p_role)
    or exists (
      select from pg_catalog.pg_class as c where c.oid = 'public.data_bars'::regclass and pg_get_userbyid(c.relowner) = p_role
    )
  then
    raise exception '% reads all bars by itself', p_role
      using errcode = 'invalid_parameter_value', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  return query
  select
    t.name, n.policy_name,
    exists (
      select from pg_catalog.pg_policies as p where p.schemaname = 'public' and p.tablename = t.name and p.policyname = n.policy_name
    )
  from (values ('data_bars'), ('derived_data_bars'), ('derived_data_bars_revision')) as t (name)
  cross join (select agg.read_policy_name(p_role)) as n (policy_name);
end;
$$;

comment on function agg.readable_table is
  'The tables of bars, with the policy that lets the role read each, and whether that policy exists. Raises undefined_object for a role that does not exist, invalid_parameter_value for one that policies do not bind: the owner of the tables, a superuser, a role with bypassrls such as service_role.';

-- 90_api/remove_webhooks.sql
create function public.remove_webhooks()
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_removed constant text[] := array(
    select t.tgname::text
    from pg_catalog.pg_trigger as t
    where t.tgrelid = 'public.core_asset_registry_all'::regclass and t.tgfoid = 'agg.send_webhook'::regproc
    order by 1
  );
  v_name text;
begin
  foreach v_name in array v_removed loop
    execute format('drop trigger %I on public.core_asset_registry_all', v_name);
  end loop;
  return jsonb_build_object('success', true, 'removed', to_jsonb(v_removed));
end;
$$;

comment on function public.remove_webhooks is
  'Removes what install_webhooks made.
Returns success and removed, the names of the triggers that are gone. For the owner of the database. It may be repeated.';

-- 90_api/revoke_operations_access.sql
create function public.revoke_operations_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  execute format(
    'revoke execute on function %s from %I',
    (select string_agg(format('public.%I', f.name), ', ') from unnest(agg.operations_functions()) as f (name)), p_role
  );
  return jsonb_build_object('success', true, 'role', p_role, 'functions', to_jsonb(agg.operations_functions()));
end;
$$;

comment on function public.revoke_operations_access is
'Takes from a role what grant_operations_access gave it.
Returns success, role and functions. For the owner of the functions. It may be repeated. Raises undefined_object for an unknown role.';

-- 90_api/revoke_read_access.sql
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
      'revoke execute on function public.get_bars, public.agg_changes, agg.filled_bars, agg.open_windows, agg.revision_age from %I', p_role
    );
    execute format('revoke select on table agg.readable_series from %I', p_role);
    execute format('revoke usage on schema agg from %I', p_role);
  end if;
  return jsonb_build_object(
    'success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars', 'derived_data_bars_revision'),
    'functions', jsonb_build_array('get_bars', 'agg_changes')
  );
end;
$$;

comment on function public.revoke_read_access is
  'Takes from a role what grant_read_access gave it: its policies, select on their tables, and the call of get_bars and agg_changes.
Returns success, role, tables and functions. Changes nothing where there are no such policies. For the owner of the tables. It may be repeated. Raises what grant_read_access raises.';

-- 90_api/send_webhook.sql
-- Supabase's own supabase_functions.http_request needs pg_net as well, posts once a row, and takes URL and headers as
-- arguments of the trigger: every role could read the key in the catalog.
create function agg.send_webhook()
returns trigger
language plpgsql
volatile
-- Writers of the registry have no rights on secrets.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_record jsonb;
  v_old_record jsonb;
  v_problems text;
begin
  if tg_op = 'INSERT' then
    select to_jsonb(n) into v_record from new_rows as n order by n.canonical_symbol limit 1;
  elsif tg_op = 'DELETE' then
    select to_jsonb(o) into v_old_record from old_rows as o order by o.canonical_symbol limit 1;
  else
    with changed as materialized (
      select to_jsonb(n) as record, to_jsonb(o) as old_record
      from new_rows as n
      full join old_rows as o on o.canonical_symbol = n.canonical_symbol
      where to_jsonb(n) - 'updated_at' is distinct from to_jsonb(o) - 'updated_at'
    )
    select
      c.record,
      -- A renamed asset has its old row under another symbol.
      coalesce(c.old_record, (
        select d.old_record from changed as d where d.record is null order by d.old_record ->> 'canonical_symbol' limit 1
      ))
    into v_record, v_old_record
    from changed as c
    where c.record is not null
    order by c.record ->> 'canonical_symbol'
    limit 1;
  end if;
  if v_record is null and v_old_record is null then
    return null;
  end if;

  begin
    select string_agg(format('%s: %s', p.what, p.remedy), ' ') into v_problems
    from agg.webhook_problems(tg_argv[0], tg_argv[1]) as p;
    if v_problems is not null then
      raise warning 'a change of % was not sent: %', tg_table_name, v_problems;
      return null;
    end if;
    execute format(
      'select net.http_post(url => %L, body => $1, headers => $2, timeout_milliseconds => 10000)', agg.read_secret(tg_argv[0])
    ) using
      jsonb_build_object(
        'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema, 'record', v_record, 'old_record', v_old_record
      ),
      jsonb_build_object('content-type', 'application/json', 'apikey', agg.read_secret(tg_argv[1]));
  exception when others then
    raise warning 'a change of % was not sent: % (%)', tg_table_name, sqlerrm, sqlstate;
  end;
  return null;
end;
$$;

comment on function agg.send_webhook is
  'Posts the payload of a Supabase database webhook through pg_net, which sends it after commit.
It posts once a statement, with the first changed asset by symbol: registry-sync syncs all of them, and a load of 10,000 assets must not post 10,000 times. insert ... on conflict counts as an insert and an update. An update that changes updated_at only posts nothing.
Its arguments are the names of the secrets in Vault that hold URL and key; it reads them each time. Errors become warnings: delivery is at most once, and the registry does not depend on it.';

-- 90_api/slowest_component.sql
create function agg.slowest_component(p_symbol text, p_now timestamptz)
returns table (component text, last_utc timestamptz)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select k.component, l.ts_utc
  from agg.synthetic_component as k
  left join lateral (
    select b.ts_utc
    from public.data_bars as b
    where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
    order by b.ts_utc desc
    limit 1
  ) as l on true
  where k.canonical_symbol = p_symbol
  order by l.ts_utc nulls first, k.component_no
  limit 1;
$$;

comment on function agg.slowest_component is
  'The component of a basket that ends first at p_now, with its last 1m bar (null: it has none); no row for what is not a basket. Where it ends, the series does.';

-- 90_api/verify_spans.sql
create function agg.verify_spans(p_spans agg.changed_span[])
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  ends_utc timestamptz,
  problem text,
  stored jsonb,
  expected jsonb,
  is_pending boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_pending constant agg.changed_span[] := array(select c from agg.waiting_changes() as c);
  v_requests constant agg.build_request[] := array(select q from agg.rebuild_requests(p_spans) as q);
begin
  return query
  select
    d.canonical_symbol, d.timeframe, d.ts_utc, e.ends_utc,
    case
      when d.change = 'failed' then 'failed'
      when d.change = 'remove' then 'stale'
      when d.stored is null then 'missing'
      else 'different'
    end,
    (
      select jsonb_object_agg(e.key, d.stored -> e.key)
      from jsonb_each(d.expected) as e
      where d.change = 'remove' or d.stored -> e.key <> e.value
    ),
    (
      select jsonb_object_agg(e.key, e.value)
      from jsonb_each(d.expected) as e
      where d.change <> 'remove' and (d.stored is null or d.stored -> e.key <> e.value)
    ),
    exists (
      select from unnest(v_pending) as c
      where c.canonical_symbol = d.canonical_symbol and c.timeframe = d.timeframe and c.spans && tstzrange(d.ts_utc, e.ends_utc)
    )
  from agg.find_differences(v_requests) as d
  join agg.timeframe as t on t.timeframe = d.timeframe
  cross join lateral (
    select case d.change when 'failed' then (d.expected ->> 'to_utc')::timestamptz else d.ts_utc + t.duration end
  ) as e (ends_utc);
end;
$$;

comment on function agg.verify_spans is
'Computes decided windows of tasks again, whole where the spans cut them, and lists every difference to what is stored: see agg_verify. ends_utc is the end of the window, or of what failed.';

-- 90_api/webhook_problems.sql
create function agg.webhook_problems(p_url_secret text, p_key_secret text)
returns table (what text, remedy text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_vault constant boolean := to_regclass('vault.decrypted_secrets') is not null;
  v_name text;
  v_kind text;
  v_pattern text;
  v_example text;
  v_value text;
begin
  if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
    return query values ('the extension pg_net is missing', 'create extension pg_net;');
  end if;
  if not v_has_vault then
    return query values ('the extension supabase_vault is missing', 'create extension supabase_vault cascade;');
  end if;

  for v_name, v_kind, v_pattern, v_example in
    values
      (p_url_secret, 'an http(s) URL', '^https?://[^[:space:]/?#]+([/?#][^[:space:]]*)?$', 'https://YOUR_PROJECT.supabase.co/functions/v1/registry-sync'),
      (p_key_secret, 'an API key', '^[!-~]+$', 'sb_secret_...')
  loop
    v_value := case when v_has_vault then agg.read_secret(v_name) end;
    if v_value is null then
      return query values (
        format('the secret %s is missing', v_name), format('select vault.create_secret(%L, %L);', v_example, v_name)
      );
    elsif v_value !~ v_pattern then
      return query values (
        format('the secret %s is not %s', v_name, v_kind),
        format('select vault.update_secret((select s.id from vault.secrets as s where s.name = %L), %L);', v_name, v_example)
      );
    end if;
  end loop;
end;
$$;

comment on function agg.webhook_problems is
  'What keeps a webhook with URL and key in these secrets from being sent, and the SQL that helps. No row where all is there. Never shows the value of a secret.';

-- 10_foundation/defaults.view.sql
create view agg.defaults with (security_invoker = true) as
select
  timestamptz '2025-07-01 00:00:00+00' as start_utc,
  300 as delay_seconds,
  80::smallint as good_percent,
  60::smallint as poor_percent,
  -- Hard failures in a row that disable an optional task and mark a mandatory one.
  3 as hard_failures,
  -- A claim, a due task or an unread change that has waited this long is overdue.
  interval '15 minutes' as overdue_after,
  -- Bars and starts lie in [least_utc, end_utc).
  timestamptz '1900-01-01 00:00:00+00' as least_utc,
  timestamptz '2200-01-01 00:00:00+00' as end_utc;

comment on view agg.defaults is
  'The numbers that functions share, in one row. Defaults of columns and bounds in checks repeat some of them, and a test compares. The planner folds the view into constants.';

-- 20_registry/active_asset.view.sql
create view agg.active_asset with (security_invoker = true) as
select r.canonical_symbol, e.is_test
from public.core_asset_registry_all as r
cross join lateral (values (false, r.active), (true, r.test_active)) as e (is_test, is_active)
where e.is_active;

comment on view agg.active_asset is 'Assets that are active in an environment: by test_active where is_test (see agg.is_test), otherwise by active. The one place that says so.';

-- 20_registry/basket.view.sql
create view agg.basket with (security_invoker = true) as
select
  r.canonical_symbol,
  m.metadata -> 'components' as components,
  m.metadata -> 'component_weights' as component_weights,
  m.metadata -> 'formula_base' as formula_base,
  coalesce(m.metadata -> 'derivation_version', '1') as derivation_version
from public.core_asset_registry_all as r
cross join lateral (
  select coalesce(agg.implied_basket(r.metadata ->> 'derivation_method'), '{}') || r.metadata
  -- Once an asset, not once a column.
  offset 0
) as m (metadata)
where r.metadata -> 'is_synthetic' = 'true';

comment on view agg.basket is
  'The baskets of the registry, good or bad, with what metadata.derivation_method implies where metadata say nothing.';

-- 20_registry/calendar_day_span.view.sql
create view agg.calendar_day_span with (security_invoker = true) as
select
  d.calendar, c.time_zone, d.day, d.kind <> 'special_opening' as is_closed,
  b.day_from + case d.kind
    when 'early_close' then e.closes
    when 'special_opening' then agg.time_into_day(d.opens_at, c.day_start)
    else interval '0'
  end as from_wall,
  b.day_from + case d.kind
    when 'late_opening' then agg.time_into_day(d.opens_at, c.day_start)
    when 'special_opening' then e.closes
    else interval '24 hours'
  end as to_wall
from agg.calendar_day as d
join agg.calendar as c on c.name = d.calendar
cross join lateral (
  select d.day + c.day_start - case when c.day_start >= '12:00' then interval '24 hours' else interval '0' end
) as b (day_from)
cross join lateral (
  select coalesce(nullif(agg.time_into_day(d.closes_at, c.day_start), interval '0'), interval '24 hours')
) as e (closes);

comment on view agg.calendar_day_span is
  'The rows of agg.calendar_day as spans of the wall clock: of the trading day what is closed, or what a special opening opens.';

-- 20_registry/session_preset.view.sql
create view agg.session_preset with (security_invoker = true) as
select p.name, jsonb_build_object('time_zone', p.time_zone, 'weekly', p.weekly) as session
from (
  values
    ('fx', 'America/New_York', jsonb '[{"open": "Sun 17:00", "close": "Fri 17:00"}]'),
    ('us_equity', 'America/New_York', jsonb '[
      {"open": "Mon 09:30", "close": "Mon 16:00"}, {"open": "Tue 09:30", "close": "Tue 16:00"},
      {"open": "Wed 09:30", "close": "Wed 16:00"}, {"open": "Thu 09:30", "close": "Thu 16:00"},
      {"open": "Fri 09:30", "close": "Fri 16:00"}
    ]'),
    ('us_equity_extended', 'America/New_York', jsonb '[
      {"open": "Mon 04:00", "close": "Mon 20:00"}, {"open": "Tue 04:00", "close": "Tue 20:00"},
      {"open": "Wed 04:00", "close": "Wed 20:00"}, {"open": "Thu 04:00", "close": "Thu 20:00"},
      {"open": "Fri 04:00", "close": "Fri 20:00"}
    ]'),
    ('cme_globex', 'America/Chicago', jsonb '[
      {"open": "Sun 17:00", "close": "Mon 16:00"}, {"open": "Mon 17:00", "close": "Tue 16:00"},
      {"open": "Tue 17:00", "close": "Wed 16:00"}, {"open": "Wed 17:00", "close": "Thu 16:00"},
      {"open": "Thu 17:00", "close": "Fri 16:00"}
    ]')
) as p (name, time_zone, weekly);

comment on view agg.session_preset is
  'The sessions that metadata.agg.session may name, each as the weekly session that it stands for.';

-- 20_registry/synthetic_component.view.sql
create view agg.synthetic_component with (security_invoker = true) as
select
  b.canonical_symbol,
  k.component_no,
  k.component,
  case jsonb_typeof(b.component_weights -> k.component)
    when 'number' then (b.component_weights ->> k.component)::double precision
  end as weight,
  jsonb_array_length(c.components) as component_count,
  case jsonb_typeof(b.formula_base) when 'number' then (b.formula_base #>> '{}')::double precision end as formula_base,
  case b.derivation_version when '2' then 2 else 1 end as derivation_version
from agg.basket as b
cross join lateral (
  select case jsonb_typeof(b.components) when 'array' then b.components else '[]' end
) as c (components)
cross join lateral jsonb_array_elements_text(c.components) with ordinality as k (component, component_no);

comment on view agg.synthetic_component is
  'The baskets of the registry, a row for each component. weight and formula_base are null where the registry holds no number.';

-- 30_bars/computed_series.view.sql
create view agg.computed_series with (security_invoker = true) as
select
  r.canonical_symbol,
  format('%s is computed from other series (metadata.is_synthetic) and takes no bars from outside', r.canonical_symbol) as problem
from public.core_asset_registry_all as r
-- The condition of the index core_asset_registry_all_synthetic_idx.
where r.metadata -> 'is_synthetic' = 'true';

comment on view agg.computed_series is
  'Symbols of the registry that are computed from other series (metadata.is_synthetic) and take no bars from outside, with the reason in words.';

-- 30_bars/minute_floor.view.sql
create view agg.minute_floor with (security_invoker = true) as
select
  f.canonical_symbol, f.floor_utc,
  format(
    '%s keeps 1m bars from %s UTC on (metadata.agg.keep) and takes none before', f.canonical_symbol,
    to_char(f.floor_utc at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
  ) as problem
from agg.floor as f
where f.timeframe = '1m';

comment on view agg.minute_floor is
  'From when on 1m bars of a symbol are kept (metadata.agg.keep), and in words why earlier ones are refused.';

-- 30_bars/source_bar.view.sql
create view agg.source_bar with (security_invoker = true) as
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  case when d.vol > 0 and d.vwap is not null then d.vol end as vwap_vol,
  1 as covered_minutes, d.is_partial, true as is_bar, false as is_derived
from public.data_bars as d
union all
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  d.vwap_vol, d.covered_minutes, d.is_partial, d.deleted_at is null as is_bar, true as is_derived
from public.derived_data_bars as d;

comment on view agg.source_bar is
  'What longer bars are built from: 1m from data_bars, all longer from derived_data_bars, with the windows that have too few minutes for a bar. Ask for covered_minutes > 0: that condition is not in here because both halves must stay plain for their keys to give ordered ranges. Ask for is_derived as well where that is known: then the half that cannot match costs nothing, otherwise one index descent.';

-- 40_tasks/task.view.sql
-- Windows in UTC need no call.
create view agg.task with (security_invoker = true) as
select
  make_interval(mins => s.run_interval_minutes) as window_length,
  case
    when s.window_time_zone is null then s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes)
    else agg.window_end(
      s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
    )
  end as decided_to_utc,
  greatest(
    case
      when s.window_time_zone is null then s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes)
      else agg.window_end(
        s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
      )
    end,
    s.built_to_utc
  ) as followed_to_utc,
  case
    when s.window_time_zone is null
      then s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes, secs => s.aggregation_delay_seconds)
    else agg.due_at(
      s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds,
      s.window_time_zone, s.window_origin
    )
  end as due_at,
  s.*
from public.data_agg_state as s;

create view agg.runnable_task with (security_invoker = true) as
select t.*
from agg.task as t
where t.enabled and t.status in ('idle', 'hard_failed');

comment on view agg.task is
'Tasks, with what follows from their cursors: the length of their windows, the end of what is decided, the end of what was built (changes of the source are followed up to there), and when the next window may be decided.';
comment on view agg.runnable_task is
'Tasks that may be claimed once their next_run_at has come: mandatory ones even after hard failures.';

-- 40_tasks/task_queue.view.sql
create view agg.task_queue with (security_invoker = true) as
with recursive queue as (
  (
    select s.is_mandatory, s.run_interval_minutes, s.task_priority
    from agg.runnable_task as s
    order by s.is_mandatory, s.run_interval_minutes, s.task_priority
    limit 1
  )
  union all
  select n.is_mandatory, n.run_interval_minutes, n.task_priority
  from queue as q
  cross join lateral (
    select s.is_mandatory, s.run_interval_minutes, s.task_priority
    from agg.runnable_task as s
    where (s.is_mandatory, s.run_interval_minutes, s.task_priority) > (q.is_mandatory, q.run_interval_minutes, q.task_priority)
    order by s.is_mandatory, s.run_interval_minutes, s.task_priority
    limit 1
  ) as n
)
select q.is_mandatory, q.run_interval_minutes, q.task_priority from queue as q;

comment on view agg.task_queue is
'The queues of runnable tasks: those with the same is_mandatory, interval and task_priority. One probe of data_agg_state_queue_idx a queue, however many tasks it holds.';

-- 50_changes/task_component.view.sql
create view agg.task_component with (security_invoker = true) as
select s.canonical_symbol, k.component
from public.data_agg_state as s
cross join lateral jsonb_array_elements_text(s.basket -> 'components') as k (component)
where s.basket is not null;

comment on view agg.task_component is
  'The baskets of synthetic tasks as the last sync stored them, a row a component; also while the registry holds a basket that cannot be.';

-- 60_sync/wanted_task.view.sql
create view agg.wanted_task with (security_invoker = true) as
select
  r.canonical_symbol,
  t.timeframe,
  t.duration,
  coalesce(t.source_timeframe, t.timeframe) as source_timeframe,
  case when t.duration > interval '1 hour' then (
    select s.source_timeframe from agg.timeframe as s where s.timeframe = t.source_timeframe
  ) end as fallback_source_timeframe,
  (extract(epoch from t.duration) / 60)::integer as run_interval_minutes,
  -- A minute that arrives later is a correction of a synthetic bar. To wait for it would make every synthetic bar late.
  case when t.source_timeframe is null then 0 else f.delay_seconds end as aggregation_delay_seconds,
  t.source_timeframe is null or t.is_mandatory or coalesce(a.mandatory @> to_jsonb(t.timeframe), false) as is_mandatory,
  case when a.start_utc >= f.least_utc and a.start_utc < f.end_utc then a.start_utc end as agg_start_utc,
  coalesce(a.good_percent, f.good_percent) as good_percent,
  case when a.sparse = 'true' then 0 else coalesce(a.poor_percent, f.poor_percent) end as poor_percent,
  a.session,
  a.calendar,
  a.day_close,
  case when t.source_timeframe is null then (
    select to_jsonb(b) - 'canonical_symbol' from agg.basket as b where b.canonical_symbol = r.canonical_symbol
  ) end as basket
from public.core_asset_registry_all as r
cross join lateral (
  select
    r.metadata -> 'agg' -> 'mandatory' as mandatory,
    r.metadata -> 'agg' -> 'optional' as optional,
    r.metadata -> 'agg' -> 'session' as session,
    r.metadata -> 'agg' ->> 'calendar' as calendar,
    r.metadata -> 'agg' -> 'day_close' as day_close,
    r.metadata -> 'agg' -> 'sparse' as sparse,
    agg.utc_instant(r.metadata -> 'agg' ->> 'start_utc') as start_utc,
    substring(r.metadata -> 'agg' -> 'quality' ->> 'good' from '^[0-9]{1,3}$')::smallint as good_percent,
    substring(r.metadata -> 'agg' -> 'quality' ->> 'poor' from '^[0-9]{1,3}$')::smallint as poor_percent
  -- Once an asset, not once a task.
  offset 0
) as a
cross join agg.defaults as f
join agg.timeframe as t
  on t.is_mandatory
  or (t.source_timeframe is null and r.metadata -> 'is_synthetic' = 'true')
  or (t.source_timeframe is not null and (a.mandatory @> to_jsonb(t.timeframe) or a.optional @> to_jsonb(t.timeframe)))
where r.metadata -> 'agg' -> 'enabled' is distinct from 'false';

comment on view agg.wanted_task is
  'The tasks that the metadata of each asset ask for, active or not, as far as metadata are understood; none where metadata.agg.enabled is false. agg_start_utc is null where metadata do not say it. fallback_source_timeframe is the source where days do not hold whole hours (see agg.begins_on_hours).';

-- 80_dispatch/watched_series.view.sql
create view agg.watched_series with (security_invoker = true) as
select distinct on (w.canonical_symbol) w.canonical_symbol, w.session_time_zone, w.session_minutes, w.calendar
from (
  select s.canonical_symbol, s.session_time_zone, s.session_minutes, s.calendar, 1 as rank
  from public.data_agg_state as s
  where s.enabled and s.source_timeframe = '1m' and s.timeframe <> '1m'
  union all
  -- A component without tasks has the session of its basket.
  select k.component, s.session_time_zone, s.session_minutes, s.calendar, 2
  from public.data_agg_state as s
  join agg.synthetic_component as k on k.canonical_symbol = s.canonical_symbol
  where s.enabled and s.basket is not null
) as w
where not exists (select from public.data_agg_state as b where b.canonical_symbol = w.canonical_symbol and b.basket is not null)
order by w.canonical_symbol, w.rank;

comment on view agg.watched_series is
  'The series of 1m bars from which enabled tasks build, with their session and calendar: assets, and components of baskets. No computed series: it is silent when a component is.';

-- 85_move/public_function.view.sql
create view agg.public_function with (security_invoker = true) as
select p.oid as function_id, p.proname::text as name
from pg_catalog.pg_proc as p
where p.pronamespace = 'public'::regnamespace
  and p.proname = any (array[
    'agg_add_change_note', 'agg_alerts', 'agg_backfill', 'agg_bootstrap_cursor', 'agg_cancel_backfill', 'agg_changes', 'agg_check',
    'agg_explain', 'agg_finish', 'agg_gaps', 'agg_get_due_tasks', 'agg_health', 'agg_maintain', 'agg_pause', 'agg_pending',
    'agg_repair', 'agg_resume', 'agg_run_due', 'agg_runs', 'agg_size', 'agg_start', 'agg_verify', 'aggregate_1m_to_5m_window', 'aggregate_5m_to_1h_window',
    'aggregate_window', 'calc_dxy_range_1m', 'calc_dxy_range_derived', 'catchup_aggregation_range', 'derive_synthetic_range',
    'finish_move', 'get_bars', 'grant_operations_access', 'grant_read_access', 'import_calendar', 'install_webhooks', 'move_status', 'remove_webhooks',
    'revoke_operations_access', 'revoke_read_access', 'schedule_jobs', 'sync_agg_state_from_registry', 'undo_move', 'upsert_bars'
  ])
  and not exists (
    select from pg_catalog.pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
  );

comment on view agg.public_function is
  'The functions of pgbars in public, by their names: for what takes them away.';

-- 90_api/readable_series.view.sql
create view agg.readable_series as
select
  s.canonical_symbol, s.timeframe, s.run_interval_minutes, s.window_time_zone, s.window_origin,
  s.session_time_zone, s.session_minutes, s.calendar, s.last_agg_bar_ts_utc as cursor_utc,
  (
    select r.metadata #> '{agg,revisions}' from public.core_asset_registry_all as r where r.canonical_symbol = s.canonical_symbol
  ) as revisions
from public.data_agg_state as s
where exists (
  select from agg.source_bar as b where b.canonical_symbol = s.canonical_symbol and b.timeframe in ('1m', s.timeframe)
);

comment on view agg.readable_series is
  'Where the windows of a series begin, when its market is open, how far it is decided, and how long its revisions are kept: for get_bars. It reads with the rights of its owner, and holds only the series of which its reader may read a bar: agg.source_bar asks with the rights of the reader.';

-- 99_grants.sql
-- Who may do what. Projects made before November 2026 give anon, authenticated and service_role all rights on whatever is
-- new in public, so that everything is revoked first. The functions of public are named one by one: a project has its own.
revoke all on schema agg from public;
grant usage on schema agg to service_role;
revoke all on all tables in schema agg from public, anon, authenticated, service_role;
grant select on all tables in schema agg to service_role;
revoke execute on all functions in schema agg from public, anon, authenticated, service_role;
-- What get_bars asks with the rights of its caller.
grant execute on function agg.filled_bars, agg.open_windows, agg.revision_age to service_role;

revoke all on table
  public.core_asset_registry_all,
  public.data_agg_state,
  public.data_bars,
  public.derived_data_bars,
  public.derived_data_bars_revision
from public, anon, authenticated, service_role;
grant select, insert, update, delete on table
  public.core_asset_registry_all,
  public.data_agg_state,
  public.data_bars,
  public.derived_data_bars
to service_role;
grant select on table public.derived_data_bars_revision to service_role;

-- Callable by service_role.
revoke execute on function
  public.agg_add_change_note,
  public.agg_alerts,
  public.agg_backfill,
  public.agg_bootstrap_cursor,
  public.agg_cancel_backfill,
  public.agg_changes,
  public.agg_check,
  public.agg_explain,
  public.agg_finish,
  public.agg_gaps,
  public.agg_get_due_tasks,
  public.agg_health,
  public.agg_maintain,
  public.agg_pause,
  public.agg_pending,
  public.agg_repair,
  public.agg_resume,
  public.agg_run_due,
  public.agg_runs,
  public.agg_size,
  public.agg_start,
  public.agg_verify,
  public.aggregate_1m_to_5m_window,
  public.aggregate_5m_to_1h_window,
  public.aggregate_window,
  public.calc_dxy_range_1m,
  public.catchup_aggregation_range,
  public.derive_synthetic_range,
  public.get_bars,
  public.import_calendar,
  public.move_status,
  public.sync_agg_state_from_registry,
  public.upsert_bars
from public, anon, authenticated, service_role;
grant execute on function
  public.agg_add_change_note,
  public.agg_alerts,
  public.agg_backfill,
  public.agg_bootstrap_cursor,
  public.agg_cancel_backfill,
  public.agg_changes,
  public.agg_check,
  public.agg_explain,
  public.agg_finish,
  public.agg_gaps,
  public.agg_get_due_tasks,
  public.agg_health,
  public.agg_maintain,
  public.agg_pause,
  public.agg_pending,
  public.agg_repair,
  public.agg_resume,
  public.agg_run_due,
  public.agg_runs,
  public.agg_size,
  public.agg_start,
  public.agg_verify,
  public.aggregate_1m_to_5m_window,
  public.aggregate_5m_to_1h_window,
  public.aggregate_window,
  public.calc_dxy_range_1m,
  public.catchup_aggregation_range,
  public.derive_synthetic_range,
  public.get_bars,
  public.import_calendar,
  public.move_status,
  public.sync_agg_state_from_registry,
  public.upsert_bars
to service_role;

-- Callable by the owner of the database only.
revoke execute on function
  public.finish_move,
  public.grant_operations_access,
  public.grant_read_access,
  public.install_webhooks,
  public.remove_webhooks,
  public.revoke_operations_access,
  public.revoke_read_access,
  public.schedule_jobs,
  public.undo_move
from public, anon, authenticated, service_role;

-- 99_install.sql
-- What an installation does once, after everything is there.
insert into public.core_asset_registry_all as r (canonical_symbol, asset_class, description, active, test_active, metadata)
values (
  'DXY',
  'currency_index',
  'US Dollar Index, a synthetic series derived from six FX pairs; not an official print',
  true,
  true,
  '{
    "is_synthetic": true,
    "components": ["EURUSD", "USDJPY", "GBPUSD", "USDCAD", "USDSEK", "USDCHF"],
    "component_weights": {
      "EURUSD": -0.576, "USDJPY": 0.136, "GBPUSD": -0.119, "USDCAD": 0.091, "USDSEK": 0.042, "USDCHF": 0.036
    },
    "formula_base": 50.14348112,
    "derivation_version": 1
  }'
)
on conflict (canonical_symbol) do update set
  description = excluded.description,
  metadata = r.metadata || excluded.metadata,
  updated_at = now();

-- Calendars that are there already stay as they are.
with made as (
  insert into agg.calendar (name, time_zone, day_start)
  values ('XNYS', 'America/New_York', '00:00'), ('FX', 'America/New_York', '17:00')
  on conflict (name) do nothing
  returning name
)
insert into agg.calendar_day (calendar, day, kind, closes_at)
select m.name, d.day, d.kind, d.closes_at
from made as m
cross join lateral (
  select x.day, x.kind, x.closes_at from agg.xnys_days(2000, 2040) as x where m.name = 'XNYS'
  union all
  select x.day, 'closed', null from agg.fx_days(2000, 2040) as x (day) where m.name = 'FX'
) as d;

-- On Supabase pg_cron is available. Elsewhere it may be missing, or belong to another database.
do $$
begin
  if exists (select from pg_catalog.pg_available_extensions as a where a.name = 'pg_cron' and a.installed_version is null) then
    -- Its tables are in the schema cron; without this the extension itself would be in public.
    create extension pg_cron with schema pg_catalog;
  end if;
exception when others then
  raise notice 'pg_cron could not be enabled: %', sqlerrm;
end;
$$;

select public.schedule_jobs();

select public.sync_agg_state_from_registry();

-- 99_move.sql
-- Copies the rows of an older deployment, which 00_before.sql has set aside. Each statement does nothing on other databases.
-- SQL for a column of an old table o, as p_type; p_default where the table has no such column.
create function pg_temp.before_column(p_table text, p_column text, p_type text, p_default text default 'null')
returns text
language plpgsql
stable
as $$
declare
  v_name constant text := format('o.%I', p_column);
  v_type text;
  v_is_bounded boolean;
  v_sql text;
begin
  select coalesce(nullif(t.typbasetype, 0), t.oid)::regtype, a.atttypmod >= 0
  into v_type, v_is_bounded
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_type as t on t.oid = a.atttypid
  where a.attrelid = format('pgbars_before.%I', p_table)::regclass and a.attname = p_column and a.attnum > 0 and not a.attisdropped;
  if v_type is null then
    return format('(%s)::%s', p_default, p_type);
  end if;

  v_sql := case p_type
    when 'text' then format('%s::text', v_name)
    when 'timestamptz' then case v_type
      when 'timestamp with time zone' then v_name
      -- Without a zone it is UTC.
      when 'timestamp without time zone' then format('(%s at time zone ''UTC'')', v_name)
      when 'date' then format('(%s::timestamp at time zone ''UTC'')', v_name)
    end
    when 'boolean' then case
      when v_type = 'boolean' then v_name
      when v_type in ('smallint', 'integer', 'bigint') then format('(%s <> 0)', v_name)
      when v_type in ('text', 'character varying') then format('(lower(%s) in (''t'', ''true'', ''1'', ''y'', ''yes'', ''on''))', v_name)
    end
    when 'jsonb' then case
      when v_type = 'jsonb' then v_name
      when v_type in ('json', 'text', 'character varying') then format('pg_temp.before_json(%s::text)', v_name)
    end
    when 'double precision' then case
      when v_type = 'double precision' then v_name
      when v_type in ('smallint', 'integer', 'bigint') then format('%s::double precision', v_name)
      -- By the digits that it shows.
      when v_type = 'real' then format('%s::text::double precision', v_name)
      when v_type = 'numeric' and v_is_bounded then format('%s::double precision', v_name)
      -- What double precision cannot hold would raise.
      when v_type = 'numeric' then format(
        'case when %1$s = 0 or abs(%1$s) between 1e-300 and 1e300 then %1$s::double precision when %1$s is not null then ''NaN'' end', v_name
      )
    end
    when 'bigint' then case
      when v_type in ('smallint', 'integer', 'bigint') then format('%s::bigint', v_name)
      when v_type in ('numeric', 'real', 'double precision')
        then format('case when %1$s between -9e15 and 9e15 then %1$s::bigint when %1$s is not null then -1 end', v_name)
    end
  end;
  if v_sql is null then
    raise exception '%.% of the older deployment is %, which cannot be read as %', p_table, p_column, v_type, p_type
      using errcode = 'datatype_mismatch', hint = 'Change the type of the column first.';
  end if;
  return format('(%s)', v_sql);
end;
$$;

-- Null for a text that is not JSON, or not such that jsonb takes it.
create function pg_temp.before_json(p_text text)
returns jsonb
language plpgsql
immutable
as $$
begin
  return p_text::jsonb;
exception when data_exception or program_limit_exceeded then
  return null;
end;
$$;

-- SQL for what a row with the columns of a table of public breaks: null, or the words of the first rule.
create function pg_temp.before_problem(p_table regclass)
returns text
language sql
stable
as $$
  select format('case %s end', string_agg(format('when %s then %L', r.is_broken, r.problem), ' ' order by r.kind, r.name))
  from (
    select 1 as kind, a.attname as name, format('%I is null', a.attname) as is_broken, format('%s is null', a.attname) as problem
    from pg_catalog.pg_attribute as a
    where a.attrelid = p_table and a.attname in ('canonical_symbol', 'ts_utc', 'open', 'high', 'low', 'close')
    union all
    select
      2, c.conname, format('(%s) is false', pg_catalog.pg_get_expr(c.conbin, c.conrelid)),
      coalesce(pg_catalog.obj_description(c.oid, 'pg_constraint'), c.conname)
    from pg_catalog.pg_constraint as c
    where c.conrelid = p_table and c.contype = 'c'
  ) as r;
$$;

-- SQL for the rank of a row among those with its key, 1 being the newest; 1 where the old table keeps keys apart by itself.
create function pg_temp.before_rank(p_table text, p_key text[])
returns text
language sql
stable
as $$
  select case
    when exists (
      select
      from pg_catalog.pg_index as i
      where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indexprs is null
        and (i.indpred is null or pg_catalog.pg_get_expr(i.indpred, i.indrelid) = '(deleted_at IS NULL)')
        and p_key @> array(
          select a.attname::text
          from pg_catalog.pg_attribute as a
          where a.attrelid = c.oid and a.attnum = any ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
        )
    ) then '1'
    else format(
      'row_number() over (partition by %s, is_live order by updated_at desc nulls last, created_at desc nulls last, place desc)',
      array_to_string(p_key, ', ')
    )
  end
  from pg_catalog.pg_class as c
  where c.oid = format('pgbars_before.%I', p_table)::regclass;
$$;

-- SQL for what orders the rows of an old table where no time does: their numbers, or else their places.
create function pg_temp.before_place(p_table text)
returns text
language sql
stable
as $$
  select case
    when exists (
      select
      from pg_catalog.pg_attribute as a
      where a.attrelid = c.oid and a.attname = 'id' and a.atttypid in ('integer'::regtype, 'bigint'::regtype) and not a.attisdropped
    ) then 'o.id::bigint'
    when c.relkind = 'r' then '(o.ctid::text::point)[0]::bigint * 65536 + (o.ctid::text::point)[1]::bigint'
    else 'null::bigint'
  end
  from pg_catalog.pg_class as c
  where c.oid = format('pgbars_before.%I', p_table)::regclass;
$$;

create function pg_temp.is_set_aside(p_table text)
returns boolean
language sql
stable
as $$
  select to_regclass(format('pgbars_before.%I', p_table)) is not null;
$$;

-- What default privileges give on new schemas.
do $$
begin
  if to_regnamespace('pgbars_before') is not null then
    revoke all on schema pgbars_before from public, anon, authenticated, service_role;
  end if;
end;
$$;

-- The registry. Its triggers would refuse metadata that are not understood; the sync below takes what it understands.
do $$
begin
  if not pg_temp.is_set_aside('core_asset_registry_all') then
    return;
  end if;
  execute format(
    $sql$
      create temporary view before_asset as
      select a.*, case
        when a.problem is not null then a.problem
        when a.rank > 1 then 'a newer row has the symbol'
      end as reason
      from (
        select j.*, %7$s as rank
        from (
          select n.*, %8$s as problem, (%8$s) is null as is_live
          from (
            select
              %1$s as canonical_symbol, %2$s as asset_class, %3$s as description, coalesce(%4$s, false) as active,
              coalesce(%5$s, %4$s, false) as test_active,
              case when jsonb_typeof(m.metadata) = 'object' then m.metadata else '{}' end as metadata,
              coalesce(jsonb_typeof(m.metadata) <> 'object', m.is_given) as is_broken,
              %9$s as created_at, %10$s as updated_at, %11$s as place
            from pgbars_before.core_asset_registry_all as o
            cross join lateral (select %6$s, %12$s) as m (metadata, is_given)
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_column('core_asset_registry_all', 'canonical_symbol', 'text'),
    pg_temp.before_column('core_asset_registry_all', 'asset_class', 'text'),
    pg_temp.before_column('core_asset_registry_all', 'description', 'text'),
    pg_temp.before_column(
      'core_asset_registry_all', 'active', 'boolean', pg_temp.before_column('core_asset_registry_all', 'is_active', 'boolean', 'true')
    ),
    pg_temp.before_column('core_asset_registry_all', 'test_active', 'boolean'),
    pg_temp.before_column('core_asset_registry_all', 'metadata', 'jsonb'),
    pg_temp.before_rank('core_asset_registry_all', array['canonical_symbol']),
    pg_temp.before_problem('public.core_asset_registry_all'),
    pg_temp.before_column('core_asset_registry_all', 'created_at', 'timestamptz'),
    pg_temp.before_column('core_asset_registry_all', 'updated_at', 'timestamptz'),
    pg_temp.before_place('core_asset_registry_all'),
    case when pg_temp.before_column('core_asset_registry_all', 'metadata', 'text') like '%o.%'
      then 'o.metadata is not null' else 'false' end
  );

  alter table public.core_asset_registry_all disable trigger follow_insert;
  alter table public.core_asset_registry_all disable trigger follow_update;
  insert into public.core_asset_registry_all as r (
    canonical_symbol, asset_class, description, active, test_active, metadata, created_at, updated_at
  )
  select
    b.canonical_symbol, b.asset_class, b.description, b.active, b.test_active, b.metadata,
    coalesce(b.created_at, b.updated_at, now()), least(coalesce(b.updated_at, b.created_at, now()), now())
  from before_asset as b
  where b.reason is null
  -- DXY, which an installation brings: its basket is that of pgbars.
  on conflict (canonical_symbol) do update set
    asset_class = coalesce(excluded.asset_class, r.asset_class),
    description = coalesce(excluded.description, r.description),
    active = excluded.active,
    test_active = excluded.test_active,
    metadata = excluded.metadata || r.metadata,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at;
  alter table public.core_asset_registry_all enable trigger follow_insert;
  alter table public.core_asset_registry_all enable trigger follow_update;

  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select 'core_asset_registry_all', b.reason is null, count(*), coalesce(b.reason, case
    when b.is_broken then 'to core_asset_registry_all; metadata were no JSON object and are {} now'
    else 'to core_asset_registry_all'
  end)
  from before_asset as b
  group by b.reason is null, 4
  order by b.reason is null desc, 3 desc, 4;
end;
$$;

-- 1m bars.
do $$
declare
  v_rows bigint;
begin
  if not pg_temp.is_set_aside('data_bars') then
    return;
  end if;
  execute format(
    $sql$
      create temporary view before_bar as
      select a.*, case
        when a.deleted_at is not null then 'deleted'
        when a.timeframe = '1m' then coalesce(a.problem, case when a.rank > 1 then 'a newer row has the key' end)
        when exists (select from agg.timeframe as t where t.timeframe = a.timeframe)
          then format('%%s: longer bars are built from 1m', a.timeframe)
        else format('%%s is not a timeframe', coalesce(a.timeframe, 'null'))
      end as reason
      from (
        select j.*, %1$s as rank
        from (
          select n.*, %2$s as problem, n.deleted_at is null and coalesce(n.timeframe, '') = '1m' and (%2$s) is null as is_live
          from (
            select
              %3$s as canonical_symbol, %4$s as timeframe, %5$s as ts_utc, %6$s as open, %7$s as high, %8$s as low, %9$s as close,
              %10$s as vol, %11$s as vwap, %12$s as trade_count, coalesce(%13$s, false) as is_partial,
              case when w.source in ('massive_api', 'ingest', 'synthetic') then w.source else 'ingest' end as source,
              coalesce(w.raw, '{}') || case
                when w.source in ('massive_api', 'ingest') or w.source is null or jsonb_typeof(w.raw) <> 'object' then '{}'
                when w.source = 'synthetic' then '{"migrated_from": "data_bars"}'
                else jsonb_build_object('source', w.source)
              end as raw,
              coalesce(%16$s, %17$s) as ingested_at, coalesce(%17$s, %16$s) as created_at, coalesce(%18$s, %16$s, %17$s) as updated_at,
              %19$s as deleted_at, %20$s as place
            from pgbars_before.data_bars as o
            cross join lateral (select %14$s, %15$s) as w (source, raw)
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_rank('data_bars', array['canonical_symbol', 'timeframe', 'ts_utc']),
    pg_temp.before_problem('public.data_bars'),
    pg_temp.before_column('data_bars', 'canonical_symbol', 'text'),
    pg_temp.before_column('data_bars', 'timeframe', 'text', $d$'1m'$d$),
    pg_temp.before_column('data_bars', 'ts_utc', 'timestamptz'),
    pg_temp.before_column('data_bars', 'open', 'double precision'),
    pg_temp.before_column('data_bars', 'high', 'double precision'),
    pg_temp.before_column('data_bars', 'low', 'double precision'),
    pg_temp.before_column('data_bars', 'close', 'double precision'),
    pg_temp.before_column('data_bars', 'vol', 'double precision'),
    pg_temp.before_column('data_bars', 'vwap', 'double precision'),
    pg_temp.before_column('data_bars', 'trade_count', 'bigint'),
    pg_temp.before_column('data_bars', 'is_partial', 'boolean'),
    pg_temp.before_column('data_bars', 'source', 'text'),
    pg_temp.before_column('data_bars', 'raw', 'jsonb'),
    pg_temp.before_column('data_bars', 'ingested_at', 'timestamptz'),
    pg_temp.before_column('data_bars', 'created_at', 'timestamptz'),
    pg_temp.before_column('data_bars', 'updated_at', 'timestamptz'),
    pg_temp.before_column('data_bars', 'deleted_at', 'timestamptz'),
    pg_temp.before_place('data_bars')
  );

  -- One note for all, below.
  alter table public.data_bars disable trigger note_insert;
  insert into public.data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw,
    ingested_at, created_at, updated_at
  )
  select
    b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw,
    coalesce(b.ingested_at, now()), coalesce(b.created_at, now()), least(coalesce(b.updated_at, now()), now())
  from before_bar as b
  where b.reason is null;
  get diagnostics v_rows = row_count;
  alter table public.data_bars enable trigger note_insert;

  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select 'data_bars', true, v_rows, 'to data_bars'
  where v_rows > 0;
  -- To look for reasons takes as long as the copy.
  if v_rows < (select count(*) from before_bar) then
    insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
    select 'data_bars', false, count(*), b.reason
    from before_bar as b
    where b.reason is not null
    group by b.reason
    order by 3 desc, 4;
  end if;
end;
$$;

-- Bars of the derived table: the minutes of computed series, and longer ones.
do $$
declare
  v_rows bigint;
begin
  if not pg_temp.is_set_aside('derived_data_bars') then
    return;
  end if;
  execute format(
    $sql$
      create temporary view before_any_derived as
      select
        %1$s as canonical_symbol, %2$s as timeframe, %3$s as ts_utc, %4$s as open, %5$s as high, %6$s as low, %7$s as close,
        %8$s as vol, %9$s as vwap, %10$s as trade_count, coalesce(%11$s, false) as is_partial, %12$s as source_timeframe,
        %13$s as source_candles, %14$s as expected_candles, %15$s as quality_score, %16$s as derivation_version,
        coalesce(case when jsonb_typeof(w.raw) = 'object' then w.raw end, '{}') || '{"migrated_from": "derived_data_bars"}' as raw,
        coalesce(%18$s, %19$s) as ingested_at, coalesce(%19$s, %18$s) as created_at, coalesce(%20$s, %18$s, %19$s) as updated_at,
        %21$s as deleted_at, %22$s as place
      from pgbars_before.derived_data_bars as o
      cross join lateral (select %17$s) as w (raw)
    $sql$,
    pg_temp.before_column('derived_data_bars', 'canonical_symbol', 'text'),
    pg_temp.before_column('derived_data_bars', 'timeframe', 'text'),
    pg_temp.before_column('derived_data_bars', 'ts_utc', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'open', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'high', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'low', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'close', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'vol', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'vwap', 'double precision'),
    pg_temp.before_column('derived_data_bars', 'trade_count', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'is_partial', 'boolean'),
    pg_temp.before_column('derived_data_bars', 'source_timeframe', 'text'),
    pg_temp.before_column('derived_data_bars', 'source_candles', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'expected_candles', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'quality_score', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'derivation_version', 'bigint'),
    pg_temp.before_column('derived_data_bars', 'raw', 'jsonb'),
    pg_temp.before_column('derived_data_bars', 'ingested_at', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'created_at', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'updated_at', 'timestamptz'),
    pg_temp.before_column('derived_data_bars', 'deleted_at', 'timestamptz'),
    pg_temp.before_place('derived_data_bars')
  );

  execute format(
    $sql$
      create temporary view before_minute as
      select a.*, case
        when a.deleted_at is not null then 'deleted'
        when not a.is_computed then '1m of a series that is not computed'
        when a.problem is not null then a.problem
        when a.rank > 1 then 'a newer row has the key'
        when a.other_close is null then null
        when abs(a.other_close - a.close) <= 1e-9 * abs(a.close) then 'data_bars has the minute already'
        else 'data_bars has the minute already, at another price'
      end as reason
      from (
        select j.*, %1$s as rank
        from (
          select n.*, %2$s as problem, n.deleted_at is null and n.is_computed and (%2$s) is null as is_live
          from (
            select
              o.canonical_symbol, o.timeframe, o.ts_utc, o.open, o.high, o.low, o.close, o.vol, o.vwap, o.trade_count, o.is_partial,
              'synthetic'::text as source, o.raw, o.ingested_at, o.created_at, o.updated_at, o.deleted_at, o.place,
              o.canonical_symbol in (select s.canonical_symbol from agg.computed_series as s) as is_computed,
              b.close as other_close
            from before_any_derived as o
            left join public.data_bars as b
              on b.canonical_symbol = o.canonical_symbol and b.timeframe = o.timeframe and b.ts_utc = o.ts_utc
            where o.timeframe = '1m'
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_rank('derived_data_bars', array['canonical_symbol', 'timeframe', 'ts_utc']),
    pg_temp.before_problem('public.data_bars')
  );
  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select
    'derived_data_bars', b.reason is null, count(*), coalesce('1m: ' || b.reason, '1m of computed series, to data_bars')
  from before_minute as b
  group by b.reason
  order by b.reason is null desc, 3 desc, 4;
  alter table public.data_bars disable trigger note_insert;
  insert into public.data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw,
    ingested_at, created_at, updated_at
  )
  select
    b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw,
    coalesce(b.ingested_at, now()), coalesce(b.created_at, now()), least(coalesce(b.updated_at, now()), now())
  from before_minute as b
  where b.reason is null;
  alter table public.data_bars enable trigger note_insert;

  execute format(
    $sql$
      create temporary view before_derived as
      select a.*, case
        when a.deleted_at is not null then 'deleted'
        when a.window_minutes is null then format('%%s is not a timeframe', coalesce(a.timeframe, 'null'))
        else coalesce(a.problem, case when a.rank > 1 then 'a newer row has the key' end)
      end as reason
      from (
        select j.*, %1$s as rank
        from (
          select n.*, %2$s as problem, n.deleted_at is null and n.window_minutes is not null and (%2$s) is null as is_live
          from (
            select
              o.canonical_symbol, o.timeframe, o.ts_utc, o.open, o.high, o.low, o.close, o.vol, o.vwap,
              case when o.vol > 0 and o.vwap is not null then o.vol end as vwap_vol, o.trade_count, o.is_partial,
              s.timeframe as source_timeframe, c.source_candles, c.expected_candles,
              least(greatest(c.source_candles * s.minutes, 1), t.minutes) as covered_minutes, t.minutes as expected_minutes,
              case when o.quality_score between 0 and 2 then o.quality_score else 0 end::smallint as quality_score,
              case when o.derivation_version between 1 and 1000000 then o.derivation_version else 1 end::integer as derivation_version,
              o.raw, o.created_at, o.updated_at, o.deleted_at, o.place, t.minutes as window_minutes
            from before_any_derived as o
            left join (
              select l.timeframe, l.source_timeframe, (extract(epoch from l.duration) / 60)::integer as minutes
              from agg.timeframe as l
              where l.source_timeframe is not null
            ) as t on t.timeframe = o.timeframe
            left join (
              select l.timeframe, (extract(epoch from l.duration) / 60)::integer as minutes from agg.timeframe as l
            ) as s on s.timeframe = t.source_timeframe
            cross join lateral (
              select
                case when o.source_candles between 1 and 1000000 then o.source_candles else 1 end::integer as source_candles,
                case when o.expected_candles between 1 and 1000000 then o.expected_candles else t.minutes / s.minutes end::integer
                  as expected_candles
            ) as c
            where o.timeframe is distinct from '1m'
          ) as n
        ) as j
      ) as a
    $sql$,
    pg_temp.before_rank('derived_data_bars', array['canonical_symbol', 'timeframe', 'ts_utc']),
    pg_temp.before_problem('public.derived_data_bars')
  );
  insert into public.derived_data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count, source_timeframe, source_candles,
    expected_candles, covered_minutes, expected_minutes, quality_score, derivation_version, raw, is_partial, created_at, updated_at
  )
  select
    b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.vwap_vol, b.trade_count,
    b.source_timeframe, b.source_candles, b.expected_candles, b.covered_minutes, b.expected_minutes, b.quality_score,
    b.derivation_version, b.raw, b.is_partial, coalesce(b.created_at, now()), least(coalesce(b.updated_at, now()), now())
  from before_derived as b
  where b.reason is null;
  get diagnostics v_rows = row_count;
  insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
  select 'derived_data_bars', true, v_rows, 'longer bars, to derived_data_bars'
  where v_rows > 0;
  if v_rows < (select count(*) from before_derived) then
    insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
    select 'derived_data_bars', false, count(*), b.reason
    from before_derived as b
    where b.reason is not null
    group by b.reason
    order by 3 desc, 4;
  end if;
end;
$$;

-- Tasks: the registry says which, the old rows how they are set, and the bars where they stand.
do $$
declare
  v_timeframe text;
begin
  if to_regnamespace('pgbars_before') is null then
    return;
  end if;
  analyze public.data_bars, public.derived_data_bars;
  perform public.sync_agg_state_from_registry();

  if pg_temp.is_set_aside('data_agg_state') then
    execute format(
      $sql$
        create temporary view before_task as
        select a.*, case
          when a.rank > 1 then 'a newer row has the key'
          when s.canonical_symbol is not null then null
          when r.canonical_symbol is null then 'the registry does not have the asset'
          when not r.active then 'the asset is not active'
          else format('metadata.agg of the asset do not ask for %%s', coalesce(a.timeframe, 'null'))
        end as reason
        from (
          select j.*, %1$s as rank
          from (
            select
              %2$s as canonical_symbol, %3$s as timeframe, %4$s as aggregation_delay_seconds, %5$s as task_priority,
              %6$s as agg_start_utc, %7$s as total_runs, %8$s as total_bars_created, %9$s as total_bars_quality_poor,
              %10$s as last_attempted_at_utc, %11$s as last_successful_at_utc, %12$s as created_at, %13$s as updated_at,
              true as is_live, %14$s as place
            from pgbars_before.data_agg_state as o
          ) as j
        ) as a
        left join public.data_agg_state as s on s.canonical_symbol = a.canonical_symbol and s.timeframe = a.timeframe
        left join public.core_asset_registry_all as r on r.canonical_symbol = a.canonical_symbol
      $sql$,
      pg_temp.before_rank('data_agg_state', array['canonical_symbol', 'timeframe']),
      pg_temp.before_column('data_agg_state', 'canonical_symbol', 'text'),
      pg_temp.before_column('data_agg_state', 'timeframe', 'text'),
      pg_temp.before_column('data_agg_state', 'aggregation_delay_seconds', 'bigint'),
      pg_temp.before_column('data_agg_state', 'task_priority', 'bigint'),
      pg_temp.before_column('data_agg_state', 'agg_start_utc', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'total_runs', 'bigint'),
      pg_temp.before_column('data_agg_state', 'total_bars_created', 'bigint'),
      pg_temp.before_column('data_agg_state', 'total_bars_quality_poor', 'bigint'),
      pg_temp.before_column('data_agg_state', 'last_attempted_at_utc', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'last_successful_at_utc', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'created_at', 'timestamptz'),
      pg_temp.before_column('data_agg_state', 'updated_at', 'timestamptz'),
      pg_temp.before_place('data_agg_state')
    );
    update public.data_agg_state as s
    set
      -- Minutes of a computed series do not wait: a late component is a correction.
      aggregation_delay_seconds = case
        when b.aggregation_delay_seconds between 0 and 86400 and s.source_timeframe <> s.timeframe then b.aggregation_delay_seconds
        else s.aggregation_delay_seconds
      end,
      task_priority = case when abs(b.task_priority) <= 1000000 then b.task_priority else s.task_priority end,
      agg_start_utc = n.agg_start_utc,
      last_agg_bar_ts_utc = case
        when n.agg_start_utc = s.agg_start_utc then s.last_agg_bar_ts_utc
        else agg.bootstrap_cursor(n.agg_start_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin)
      end,
      total_runs = case when b.total_runs between 0 and 1000000000000000 then b.total_runs else 0 end,
      total_bars_created = case when b.total_bars_created between 0 and 1000000000000000 then b.total_bars_created else 0 end,
      total_bars_quality_poor = case
        when b.total_bars_quality_poor between 0 and 1000000000000000 then b.total_bars_quality_poor else 0
      end,
      last_attempted_at_utc = least(b.last_attempted_at_utc, now()),
      last_successful_at_utc = least(b.last_successful_at_utc, now()),
      created_at = coalesce(b.created_at, s.created_at)
    from before_task as b
    cross join agg.defaults as f
    join agg.wanted_task as w on w.canonical_symbol = b.canonical_symbol and w.timeframe = b.timeframe
    cross join lateral (
      select coalesce(
        w.agg_start_utc, case when b.agg_start_utc >= f.least_utc and b.agg_start_utc < f.end_utc then b.agg_start_utc end, f.start_utc
      ) as agg_start_utc
    ) as n
    where b.reason is null and s.canonical_symbol = b.canonical_symbol and s.timeframe = b.timeframe;
    insert into agg.moved_row (table_name, is_taken_over, rows, explanation)
    select 'data_agg_state', b.reason is null, count(*), coalesce(b.reason, 'to data_agg_state; cursors are the last bars')
    from before_task as b
    group by b.reason
    order by b.reason is null desc, 3 desc, 4;
  end if;

  -- The last bar, but for one that is ahead of the clock or of what it is built from. Bottom-up: a task follows its source task.
  for v_timeframe in select t.timeframe from agg.timeframe as t order by t.duration loop
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = n.cursor_utc,
      next_run_at = agg.due_at(n.cursor_utc, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin)
    from agg.task as t
    left join agg.task as u
      on u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe and u.enabled
    cross join lateral (
      select b.ts_utc + interval '1 minute' as source_end_utc
      from public.data_bars as b
      where b.canonical_symbol = t.canonical_symbol and b.timeframe = '1m'
      order by b.ts_utc desc
      limit 1
    ) as m
    cross join lateral (
      select agg.bootstrap_cursor(
        agg.window_start(
          greatest(t.agg_start_utc, least(
            now() - make_interval(secs => t.aggregation_delay_seconds),
            coalesce(u.decided_to_utc, m.source_end_utc)
          )),
          t.window_length, t.window_time_zone, t.window_origin
        ),
        t.window_length, t.window_time_zone, t.window_origin
      ) as last_utc
    ) as l
    cross join lateral (
      select b.ts_utc
      from agg.source_bar as b
      where b.canonical_symbol = t.canonical_symbol and b.timeframe = t.timeframe and b.ts_utc <= l.last_utc and b.is_bar
      order by b.ts_utc desc
      limit 1
    ) as b
    cross join lateral (
      select agg.window_start(b.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as cursor_utc
    ) as n
    where t.timeframe = v_timeframe and s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe
      and n.cursor_utc > t.last_agg_bar_ts_utc;
  end loop;
  analyze public.data_agg_state;

  insert into agg.moved_object (kind, name, is_taken_over, explanation)
  select
    'bars of', string_agg(h.canonical_symbol, ', ' order by h.canonical_symbol), true,
    'the registry does not have these symbols: nothing is built of their bars'
  from public.agg_health() as h
  where h.state = 'unregistered'
  having count(*) > 0;

  -- Everything that is decided is built again, by the rules of pgbars, newest first.
  perform public.agg_add_change_note();
  insert into agg.moved_object (kind, name, is_taken_over, explanation)
  select 'asset', p.canonical_symbol, true, format('metadata are understood in part: %s (left out: %s)', p.problem, p.leaves_out)
  from agg.asset_problems(array(select a.canonical_symbol from agg.active_asset as a where not a.is_test)) as p
  order by p.canonical_symbol, p.problem;
end;
$$;

-- What reads or feeds the old tables from outside goes over to the new ones, where these allow it.
do $$
declare
  v_object record;
  v_commands text[];
  v_error text;
begin
  if to_regnamespace('pgbars_before') is null then
    return;
  end if;
  insert into agg.move (moved_at, moved_xid) values (now(), pg_current_xact_id()::xid);
  insert into agg.moved_object (kind, parent, name, definition, is_taken_over, explanation)
  select o.kind, o.parent, o.name, o.definition, o.is_taken_over, coalesce(o.explanation, '') from before_object as o order by o.object_no;
  for v_object in
    select o.*
    from agg.moved_object as o
    where o.kind in ('reading view', 'foreign key', 'publication')
    order by o.moved_object_id
  loop
    v_commands := array[
      case v_object.kind
        when 'foreign key' then format('alter table %s drop constraint %s', v_object.parent, v_object.name)
        when 'publication' then format(
          'alter publication %s drop table %s', v_object.name, replace(v_object.parent, 'public.', 'pgbars_before.')
        )
      end,
      v_object.definition
    ];
    begin
      for i in 1 .. 2 loop
        if v_commands[i] is not null then
          execute v_commands[i];
        end if;
      end loop;
      v_error := null;
    exception when others then
      v_error := sqlerrm;
    end;
    update agg.moved_object as o
    set
      is_taken_over = v_error is null,
      explanation = case
        when v_error is not null then format('stays with the table that was set aside: %s', v_error)
        when o.kind = 'publication' then 'publishes the new table'
        else 'goes by the new tables'
      end
    where o.moved_object_id = v_object.moved_object_id;
  end loop;
end;
$$;

-- Who read the old tables reads the new ones, and no more than that: by the policies there were, or where there was no row level
-- security by one of its own.
do $$
declare
  v_search_path constant text := current_setting('search_path');
  v_reader record;
  v_error text;
begin
  if to_regnamespace('pgbars_before') is null then
    return;
  end if;
  perform set_config('search_path', 'pg_catalog', true);
  for v_reader in
    select
      c.relname as table_name, r.rolname as role_name, c.relrowsecurity as has_policies,
      case when not c.relrowsecurity then agg.read_policy_name(r.rolname) else p.polname end as policy_name,
      concat_ws(
        ' and ', case when c.relrowsecurity and p.polqual is not null then '(' || pg_get_expr(p.polqual, p.polrelid) || ')' end,
        case when c.relname = 'derived_data_bars' then 'deleted_at is null' end
      ) as condition,
      array(
        select distinct a.privilege_type
        from aclexplode(c.relacl) as a
        where a.grantee in (0, g.grantee) and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
        order by 1
      ) as writes
    from pg_class as c
    cross join lateral (
      -- Public are the roles of the Data API.
      select distinct e.grantee
      from aclexplode(c.relacl) as a
      cross join lateral unnest(
        case when a.grantee = 0 then array['anon'::regrole::oid, 'authenticated'::regrole::oid] else array[a.grantee] end
      ) as e (grantee)
      where a.privilege_type = 'SELECT'
    ) as g
    join pg_roles as r on r.oid = g.grantee and not r.rolsuper and not r.rolbypassrls and r.oid <> c.relowner
    left join pg_policy as p
      on c.relrowsecurity and p.polrelid = c.oid and p.polcmd in ('r', '*') and p.polpermissive
      and p.polroles && array[0::oid, r.oid]
    where c.relnamespace = to_regnamespace('pgbars_before') and c.relkind in ('r', 'p', 'v')
      and c.relname in ('core_asset_registry_all', 'data_bars', 'derived_data_bars', 'data_agg_state')
      and (p.oid is not null or not c.relrowsecurity)
    order by 1, 2, 4
  loop
    begin
      execute format('grant select on table public.%I to %I', v_reader.table_name, v_reader.role_name);
      if not exists (
        select from pg_policies as p
        where p.schemaname = 'public' and p.tablename = v_reader.table_name and p.policyname = v_reader.policy_name
          and v_reader.role_name = any (p.roles)
      ) then
        execute format(
          'create policy %I on public.%I for select to %I using (%s)',
          case when exists (
            select from pg_policies as p
            where p.schemaname = 'public' and p.tablename = v_reader.table_name and p.policyname = v_reader.policy_name
          ) then left(v_reader.policy_name || ' ' || v_reader.role_name, 63) else v_reader.policy_name end,
          v_reader.table_name, v_reader.role_name, coalesce(nullif(v_reader.condition, ''), 'true')
        );
      end if;
      v_error := null;
    exception when others then
      v_error := sqlerrm;
    end;
    insert into agg.moved_object (kind, parent, name, is_taken_over, explanation)
    values (
      'reader', format('public.%I', v_reader.table_name), v_reader.role_name, v_error is null,
      case
        when v_error is not null then format('does not read the new table: %s', v_error)
        else format('reads the new table, by the policy %s', v_reader.policy_name)
      end || case
        when v_reader.writes <> '{}' then format('; its rights to %s stay with the old one', lower(array_to_string(v_reader.writes, ', ')))
        else ''
      end
    );
  end loop;
  perform set_config('search_path', v_search_path, true);
end;
$$;

-- Jobs that call an old function do what the jobs of pgbars do.
do $$
declare
  v_names text;
  v_job record;
  v_error text;
begin
  if to_regnamespace('pgbars_before') is null or not exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    return;
  end if;
  select string_agg(distinct p.proname, '|') into v_names
  from pg_catalog.pg_proc as p
  where p.pronamespace = to_regnamespace('pgbars_before');
  if v_names is null then
    return;
  end if;
  for v_job in execute format(
    $sql$
      select j.jobid, coalesce(j.jobname, j.jobid::text) as name
      from cron.job as j
      where j.active and j.database = current_database() and coalesce(j.jobname, '') not like 'pgbars:%%' and j.command ~ %L
      order by j.jobid
    $sql$,
    format('\m(%s)\M', v_names)
  ) loop
    begin
      perform cron.alter_job(v_job.jobid, active => false);
      v_error := null;
    exception when others then
      v_error := sqlerrm;
    end;
    insert into agg.moved_object (kind, parent, name, is_taken_over, explanation)
    values (
      'job', v_job.jobid::text, v_job.name, v_error is null,
      case
        when v_error is null then 'is inactive: the jobs of pgbars do its work'
        else format('calls an old function, and could not be made inactive: %s', v_error)
      end
    );
  end loop;
end;
$$;

-- Callers of the older function are served until finish_move.
do $$
begin
  if to_regnamespace('pgbars_before') is null
    or not exists (
      select from pg_catalog.pg_proc as p
      where p.pronamespace = to_regnamespace('pgbars_before') and p.proname = 'calc_dxy_range_derived'
    )
  then
    return;
  end if;
  execute $sql$
    create function public.calc_dxy_range_derived(
      p_from_utc timestamptz, p_to_utc timestamptz, p_tf text default '1m', p_derivation_version integer default 1
    )
    returns jsonb
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    set statement_timeout = '120s'
    as $body$
    begin
      if not exists (select from agg.timeframe as t where t.timeframe = p_tf) then
        raise exception '% is not a timeframe', coalesce(p_tf, 'null')
          using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
      end if;
      if p_tf <> '1m' then
        return jsonb_build_object('success', true, 'inserted', 0, 'updated', 0, 'message', 'the dispatcher builds longer bars');
      end if;
      return public.calc_dxy_range_1m(p_from_utc, p_to_utc, p_derivation_version);
    end;
    $body$
  $sql$;
  comment on function public.calc_dxy_range_derived is
    'calc_dxy_range_1m, for callers of an older deployment. For longer timeframes it does nothing, since the dispatcher builds them. finish_move drops it.';
  revoke execute on function public.calc_dxy_range_derived from public, anon, authenticated, service_role;
  grant execute on function public.calc_dxy_range_derived to service_role;
end;
$$;

-- Workers of the older deployment may write cursors, until finish_move: to them a cursor is where the next window begins.
do $$
begin
  if not pg_temp.is_set_aside('data_agg_state') then
    return;
  end if;
  execute $sql$
    create function agg.follow_old_worker()
    returns trigger
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    as $body$
    declare
      v_length constant interval := make_interval(mins => new.run_interval_minutes);
    begin
      new.last_agg_bar_ts_utc := agg.window_start(new.last_agg_bar_ts_utc, v_length, new.window_time_zone, new.window_origin);
      if new.last_agg_bar_ts_utc > old.last_agg_bar_ts_utc then
        insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
        values (new.canonical_symbol, new.timeframe, tstzmultirange(tstzrange(
          agg.window_end(old.last_agg_bar_ts_utc, v_length, new.window_time_zone, new.window_origin),
          agg.window_end(new.last_agg_bar_ts_utc, v_length, new.window_time_zone, new.window_origin)
        )), now());
      end if;
      return new;
    end;
    $body$
  $sql$;
  comment on function agg.follow_old_worker is
    'Aligns a cursor that a worker of an older deployment writes, and has the windows built that it passes over. finish_move drops it.';
  revoke execute on function agg.follow_old_worker from public, anon, authenticated, service_role;
  -- The functions of pgbars write cursors as their owner.
  execute format(
    $sql$
      create trigger follow_old_worker before update of last_agg_bar_ts_utc on public.data_agg_state
        for each row when (new.last_agg_bar_ts_utc <> old.last_agg_bar_ts_utc and current_user <> %L)
        execute function agg.follow_old_worker()
    $sql$,
    current_user
  );
end;
$$;

-- No view of this session may keep the old tables from being dropped.
do $$
declare
  v_name text;
begin
  for v_name in
    select format('view pg_temp.%I', v.name)
    from unnest(array['before_asset', 'before_bar', 'before_minute', 'before_derived', 'before_any_derived', 'before_task']) as v (name)
    where to_regclass('pg_temp.' || v.name) is not null
  loop
    execute 'drop ' || v_name;
  end loop;
  drop table if exists pg_temp.before_object;
  if to_regnamespace('pgbars_before') is not null then
    notify pgrst, 'reload schema';
  end if;
end;
$$;
drop function
  pg_temp.before_column(text, text, text, text), pg_temp.before_json(text), pg_temp.before_problem(regclass),
  pg_temp.before_rank(text, text[]), pg_temp.before_place(text), pg_temp.is_set_aside(text);

reset check_function_bodies;
