comment on function agg.fold_notes is
  'Merges notes into few, by symbol, once one of them is older than ten minutes: no dispatcher reads them, and they must not grow with every statement. Writers call it at every thousandth note. It merges at most 2,000 notes, those first that are not merged yet. Never waits, and leaves alone what other sessions hold; what it has merged stays locked by the writer until that commits.';

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
