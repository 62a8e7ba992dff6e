comment on function agg.add_change_notes is
  'Leaves notes of what a statement changed, from its transition table: minute by minute up to 1,000 rows, beyond that as runs of minutes, 1,000 to a note. Refuses bars of a computed series that its builder has not written, and bars behind the floor of their symbol (agg.floor).';

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
      using errcode = 'integrity_constraint_violation', constraint = 'data_bars_not_computed',
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
        using errcode = 'integrity_constraint_violation', constraint = 'data_bars_kept',
          hint = 'Leave these bars out; upsert_bars refuses them one by one. A floor once raised stays.';
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
