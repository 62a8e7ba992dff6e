comment on function agg.add_broadcast_notes is
  'Leaves notes of the bars that a statement made, changed or took away, of the timeframes in agg.broadcast. enable_broadcast makes its triggers. Rows that are no bar, and were none, leave none; nor does the removal of bars that are not kept.';

create function agg.add_broadcast_notes()
returns trigger
language plpgsql
volatile
-- Writers of derived_data_bars have no rights on the notes.
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if tg_op = 'INSERT' then
    insert into agg.broadcast_note (timeframe, symbols, starts_utc)
    select b.timeframe, array_agg(b.canonical_symbol), array_agg(b.ts_utc)
    from new_rows as b
    where b.deleted_at is null and b.timeframe in (select c.timeframe from agg.broadcast as c)
    group by b.timeframe;
  elsif tg_op = 'UPDATE' then
    insert into agg.broadcast_note (timeframe, symbols, starts_utc)
    select b.timeframe, array_agg(b.canonical_symbol), array_agg(b.ts_utc)
    from (
      select n.canonical_symbol, n.timeframe, n.ts_utc from new_rows as n where n.deleted_at is null
      union
      select o.canonical_symbol, o.timeframe, o.ts_utc from old_rows as o where o.deleted_at is null
    ) as b
    where b.timeframe in (select c.timeframe from agg.broadcast as c)
    group by b.timeframe;
  elsif coalesce(current_setting('pgbars.is_building', true), '') <> 'removing' then
    insert into agg.broadcast_note (timeframe, symbols, starts_utc)
    select b.timeframe, array_agg(b.canonical_symbol), array_agg(b.ts_utc)
    from old_rows as b
    where b.deleted_at is null and b.timeframe in (select c.timeframe from agg.broadcast as c)
    group by b.timeframe;
  end if;
  return null;
end;
$$;
