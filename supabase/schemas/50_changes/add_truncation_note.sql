comment on function agg.add_truncation_note is 'Leaves a note that every symbol changed at every time.';

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
