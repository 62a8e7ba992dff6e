comment on function public.sync_agg_state_from_registry is
  'Makes tasks follow the registry: every active asset gets its mandatory and optional timeframes, a synthetic one its 1m as well.
p_env is the environment whose flag says which assets are active; null is the environment of the database (see schedule_jobs). p_default_start_utc is the start of new tasks of assets without metadata.agg.start_utc. p_symbols are the assets that follow; null is all.
A new task begins with a bootstrapped cursor and waits 300 seconds after the end of a window (aggregation_delay_seconds); a 1m task does not wait, since a late component is a correction. Cursors, delays and priorities of tasks that are there stay.
What differs is updated. Another session, other thresholds and another basket become corrections of all that is decided, an earlier start of what lies before the former one. Tasks that are not wanted are switched off, and switched on again when they are. An optional task that three hard failures disabled stays so until its asset is switched off and on.
Metadata that are not understood are listed under refused, each with what is left out: key (the key is ignored), series (the 1m bars of the basket are not computed) or asset (its tasks stay as they are). All of them are named in a warning.
Returns success, env, inserted, updated, reenabled, disabled (tasks), inserted_or_updated, symbols (assets whose tasks it changed), refused and default_start_utc.
Syncs and changes of the registry wait for each other. A sync locks only the task rows it changes. One that makes new tasks waits for a dispatcher that has read change notes. Repeating it changes nothing. Raises invalid_parameter_value where p_default_start_utc is null.';

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
  update agg.environment as e
  set has_foreign_tasks = f.is_foreign
  from (select agg.is_test(v_env) <> agg.is_test(agg.current_env(null))) as f (is_foreign)
  where e.has_foreign_tasks <> f.is_foreign and (f.is_foreign or p_symbols is null);
  insert into agg.queue (is_mandatory, run_interval_minutes, task_priority)
  select q.is_mandatory, q.run_interval_minutes, q.task_priority
  from agg.task_queue as q
  on conflict do nothing;

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
