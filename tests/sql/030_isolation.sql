-- What isolation specs print: a step shows what decides, in a line or two. isolationtester prints a notice before the line of the
-- step that raised it.

-- Prepares an asset A with the minutes from 00:00 to 01:00 but for 00:22, without notes. Most specs then add 00:22 as a late minute.
create procedure tests.prepare_hour()
language sql as $$
  call tests.clear();
  call tests.add_asset('A');
  call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 01:00+00', p_without => array[timestamptz '2025-07-01 00:22+00']);
  truncate agg.change_note;
$$;

-- Stores 5m bars of A as a worker that computes them itself: only its claim shows that it has.
create procedure tests.compute_bars()
language sql as $$
  insert into public.derived_data_bars (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe,
    source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
  )
  select
    'A', '5m', date_bin('5 minutes', d.ts_utc, '2025-07-01 00:00+00'), 1, max(d.high), 1, 1, '1m',
    count(*), 5, count(*), 5, count(*) - 3
  from public.data_bars as d
  group by 3;
$$;

-- Prints fields of a result as one line, a notice: "bars_created 12, bars_corrected 0".
create procedure tests.show(p_result jsonb, variadic p_fields text[])
language plpgsql as $$
begin
  raise notice '%', (
    select string_agg(f.name || ' ' || coalesce(p_result ->> f.name, 'null'), ', ' order by f.place)
    from unnest(p_fields) with ordinality as f (name, place)
  );
end;
$$;

-- The tasks of each symbol, one line a symbol: "A: 5m idle at 00:55, 1h running at 23:00".
create view tests.tasks as
select
  s.canonical_symbol || ': ' || string_agg(
    format('%s %s at %s', s.timeframe, s.status, to_char(s.last_agg_bar_ts_utc at time zone 'UTC', 'HH24:MI')), ', '
    order by s.run_interval_minutes
  ) as tasks
from public.data_agg_state as s
group by s.canonical_symbol
order by s.canonical_symbol;

-- The bars of each symbol that are not deleted, one line a symbol: "A: 5m bars 12, minutes 60, high 9; 1h bars 1, ...".
create view tests.bars as
select b.canonical_symbol || ': ' || string_agg(b.line, '; ' order by b.duration) as outcome
from (
  select
    d.canonical_symbol, t.duration,
    format('%s bars %s, minutes %s, high %s', d.timeframe, count(*), sum(d.covered_minutes), max(d.high)) as line
  from public.derived_data_bars as d
  join agg.timeframe as t using (timeframe)
  where d.deleted_at is null
  group by d.canonical_symbol, d.timeframe, t.duration
) as b
group by b.canonical_symbol
order by b.canonical_symbol;

-- Wrong bars that no note and no correction covers: nothing will fix them.
create view tests.lost as
select format('LOST %s %s %s: %s', v.canonical_symbol, v.timeframe, v.ts_utc, v.problem) as outcome
from public.agg_verify() as v
where not v.is_pending;

-- What waits to be built again: notes that are not read, corrections, and the windows of each task that they cover. Windows
-- ahead of the stored cursor do not count.
create view tests.waiting as
select
  (select count(*) from agg.change_note) as notes,
  (select count(*) from agg.correction) as corrections,
  (
    select coalesce(string_agg(format('%s %s: %s', p.canonical_symbol, p.timeframe, p.windows), ', '), 'none')
    from public.agg_pending() as p
  ) as windows;

-- The notes of symbol A, one line: "note 1 of 00:22; note 2 of 00:33".
create view tests.notes as
select string_agg(format('note %s of %s', n.note_id, n.minutes), '; ' order by n.note_id) as notes
from (
  select c.note_id, string_agg(to_char(u.from_utc at time zone 'UTC', 'HH24:MI'), ' ' order by u.from_utc) as minutes
  from agg.change_note as c
  cross join lateral unnest(c.symbols, c.from_utc) as u (symbol, from_utc)
  where u.symbol = 'A'
  group by c.note_id
) as n;

-- Tasks that sleep although they have something to do, and that no note and no correction will wake: only agg_maintain, within
-- an hour.
create view tests.overslept as
select format('LOST %s %s sleeps through %s', s.canonical_symbol, s.timeframe, s.last_stopped_reason) as outcome
from agg.task as s
where s.next_run_at = 'infinity'
  and not exists (select from agg.change_note)
  and not exists (select from agg.correction as k where k.canonical_symbol = s.canonical_symbol and k.timeframe = s.timeframe)
  and case s.last_stopped_reason
    when 'no_source_data' then agg.has_source_bar(s.canonical_symbol, s.timeframe, s.decided_to_utc, 'infinity')
    else not exists (
      select
      from agg.task as u
      where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
        and u.decided_to_utc < s.decided_to_utc + s.window_length
    )
  end;
