comment on function agg.add_replicated_note is
  'Leaves a note of a row that logical replication, or a session with session_replication_role = replica, has written. The first row of a symbol in a transaction is noted as its minute, each later one as its whole UTC day, once: a large copy leaves a note a day and symbol.';

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
