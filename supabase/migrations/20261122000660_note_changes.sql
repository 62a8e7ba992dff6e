create function agg.fold_notes()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_is_due boolean;
begin
  -- In a transaction that keeps one snapshot, a note that a dispatcher has deleted since would fail the writer.
  if current_setting('transaction_isolation') <> 'read committed'
    or not exists (select from agg.change_note as n where n.noted_at < clock_timestamp() - interval '10 minutes')
  then
    return;
  end if;
  -- As much again as there is already, so that folding costs each note no more than a few times.
  select
    count(*) filter (where not n.is_folded) >= greatest(1000, 10 * count(*) filter (where n.is_folded))
    or coalesce(sum(cardinality(n.from_utc)) filter (where not n.is_folded), 0)
      >= greatest(100000, sum(cardinality(n.from_utc)) filter (where n.is_folded))
  into v_is_due
  from agg.change_note as n;
  if not v_is_due then
    return;
  end if;

  with folded as (
    delete from agg.change_note as n
    where n.note_id in (
      select f.note_id from agg.change_note as f order by f.is_folded, f.note_id limit 10000 for update skip locked
    )
    returning n.symbols, n.from_utc, n.to_utc, n.noted_at, n.is_built
  ),
  merged as (
    select
      c.symbol, f.is_built,
      range_agg(tstzrange(c.from_utc, coalesce(c.to_utc, c.from_utc + interval '1 minute'))) as spans,
      min(f.noted_at) as noted_at
    from folded as f
    cross join lateral unnest(coalesce(f.symbols, array[null]), f.from_utc, f.to_utc) as c (symbol, from_utc, to_utc)
    group by c.symbol, f.is_built
  ),
  numbered as (
    select
      m.symbol, m.is_built, m.noted_at, lower(s.span) as from_utc, upper(s.span) as to_utc,
      (row_number() over (partition by m.is_built order by m.symbol, s.span) - 1) / 1000 as chunk
    from merged as m
    cross join lateral unnest(m.spans) as s (span)
  )
  insert into agg.change_note (noted_at, symbols, from_utc, to_utc, is_built, is_folded)
  select min(n.noted_at), array_agg(n.symbol), array_agg(n.from_utc), array_agg(n.to_utc), n.is_built, true
  from numbered as n
  where n.symbol is not null
  group by n.is_built, n.chunk
  union all
  select n.noted_at, null, array[n.from_utc], array[n.to_utc], n.is_built, true
  from numbered as n
  where n.symbol is null;
end;
$$;

create function agg.note_source_change()
returns trigger
language plpgsql
volatile
-- Whoever may write bars need not be allowed to write notes.
security definer
set search_path = pg_catalog, pg_temp
-- A plan made for a bulk load serves the small statements of the same session as well: without compiling it.
set jit = off
as $$
declare
  v_is_built constant boolean := coalesce(current_setting('pgbars.is_building', true), '') = 'on';
  v_rows bigint;
  v_note_id bigint;
begin
  select count(*) into v_rows from changed_rows;
  if v_rows between 1 and 1000 then
    insert into agg.change_note (symbols, from_utc, is_built)
    select array_agg(c.canonical_symbol), array_agg(c.ts_utc), v_is_built from changed_rows as c
    returning note_id into v_note_id;
    if v_note_id % 100 = 0 then
      perform agg.fold_notes();
    end if;
  elsif v_rows > 1000 then
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
    group by i.chunk;
    perform agg.fold_notes();
  end if;
  return null;
end;
$$;

create function agg.note_truncation()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into agg.change_note (from_utc, to_utc) values ('{-infinity}', '{infinity}');
  perform agg.fold_notes();
  return null;
end;
$$;

create function agg.note_moved_bar()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_note_id bigint;
begin
  insert into agg.change_note (symbols, from_utc) values (array[old.canonical_symbol], array[old.ts_utc])
  returning note_id into v_note_id;
  if v_note_id % 100 = 0 then
    perform agg.fold_notes();
  end if;
  return null;
end;
$$;

create trigger note_insert after insert on public.data_bars
  referencing new table as changed_rows for each statement execute function agg.note_source_change();
create trigger note_update after update on public.data_bars
  referencing new table as changed_rows for each statement execute function agg.note_source_change();
create trigger note_move after update on public.data_bars
  for each row
  when ((old.canonical_symbol, old.timeframe, old.ts_utc) is distinct from (new.canonical_symbol, new.timeframe, new.ts_utc))
  execute function agg.note_moved_bar();
create trigger note_delete after delete on public.data_bars
  referencing old table as changed_rows for each statement execute function agg.note_source_change();
create trigger note_truncate after truncate on public.data_bars
  for each statement execute function agg.note_truncation();

create function public.agg_note_change(
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

revoke execute on function agg.fold_notes() from public, anon, authenticated, service_role;
revoke execute on function agg.note_source_change() from public, anon, authenticated, service_role;
revoke execute on function agg.note_truncation() from public, anon, authenticated, service_role;
revoke execute on function agg.note_moved_bar() from public, anon, authenticated, service_role;
revoke execute on function public.agg_note_change(text[], timestamptz, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.agg_note_change(text[], timestamptz, timestamptz) to service_role;

comment on function agg.fold_notes() is
  'Merges notes into few, by symbol, once one of them is older than ten minutes: no dispatcher reads them, and they must not grow with every statement. Writers call it now and then; it does something only when there is as much to merge as was merged already. Never waits, and leaves alone what others hold; what it has merged is with the writer until that commits.';
comment on function agg.note_source_change() is
  'Notes what a statement changed, from its transition table: minute by minute up to 1,000 rows, beyond that as runs of minutes, 1,000 to a note.';
comment on function agg.note_truncation() is 'Notes that every symbol changed at every time.';
comment on function agg.note_moved_bar() is 'Notes the minute that an update of symbol or ts_utc took a bar away from: a note a bar.';
comment on function public.agg_note_change(text[], timestamptz, timestamptz) is
  'Notes by hand that source bars of p_symbols (null: all) changed in [p_from, p_to) (null: without bound), for loads that switch the triggers of data_bars off. Call it in the transaction of the load, or after its commit: a note committed before the bars may be read before them, and is lost. Too wide a range costs time and changes nothing else.';
