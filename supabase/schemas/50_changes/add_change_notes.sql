comment on function agg.add_change_notes is
  'Notes what a statement changed, from its transition table: minute by minute up to 1,000 rows, beyond that as runs of minutes, 1,000 to a note.';

create function agg.add_change_notes()
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

create trigger note_insert after insert on public.data_bars
  referencing new table as changed_rows for each statement execute function agg.add_change_notes();

create trigger note_update after update on public.data_bars
  referencing new table as changed_rows for each statement execute function agg.add_change_notes();

create trigger note_delete after delete on public.data_bars
  referencing old table as changed_rows for each statement execute function agg.add_change_notes();
