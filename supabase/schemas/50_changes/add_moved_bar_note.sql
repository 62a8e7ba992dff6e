comment on function agg.add_moved_bar_note is
  'Leaves a note of the minute that an update of symbol or ts_utc took a bar away from: a note a bar.';

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
