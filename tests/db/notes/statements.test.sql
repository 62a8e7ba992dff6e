begin;
select plan(9);

create function pg_temp.take_notes(out notes bigint, out spans jsonb) language plpgsql as $$
begin
  select
    count(distinct n.note_id),
    jsonb_agg(jsonb_build_array(u.symbol, to_char(u.from_utc, 'HH24:MI'), to_char(u.to_utc, 'HH24:MI')) order by u.symbol, u.from_utc)
  into notes, spans
  from agg.change_note as n
  cross join lateral unnest(n.symbols, n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc);
  delete from agg.change_note as n;
end;
$$;

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values
  ('ACME', '2025-07-01 00:00+00', 1, 1, 1, 1), ('ACME', '2025-07-01 00:07+00', 1, 1, 1, 1),
  ('OTHER', '2025-07-01 00:03+00', 1, 1, 1, 1);
select results_eq(
  'select t.notes, t.spans from pg_temp.take_notes() as t',
  $$ values (1::bigint, '[["ACME", "00:00", null], ["ACME", "00:07", null], ["OTHER", "00:03", null]]'::jsonb) $$,
  'an insert leaves one note with every minute of every symbol'
);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values
  ('ACME', '2025-07-01 00:00+00', 2, 2, 2, 2), ('ACME', '2025-07-01 00:01+00', 2, 2, 2, 2)
on conflict (canonical_symbol, timeframe, ts_utc) do update set
  open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close;
select results_eq(
  'select t.notes, t.spans from pg_temp.take_notes() as t',
  $$ values (2::bigint, '[["ACME", "00:00", null], ["ACME", "00:01", null]]'::jsonb) $$,
  'an upsert leaves notes of the rows that it inserted and of those that it updated'
);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values
  ('ACME', '2025-07-01 00:00+00', 3, 3, 3, 3), ('ACME', '2025-07-01 00:02+00', 3, 3, 3, 3)
on conflict do nothing;
select results_eq(
  'select t.notes, t.spans from pg_temp.take_notes() as t',
  $$ values (1::bigint, '[["ACME", "00:02", null]]'::jsonb) $$,
  'an upsert that skips existing rows leaves a note of the inserted ones only'
);

update public.data_bars as b set close = b.close where b.canonical_symbol = 'ACME' and b.ts_utc < '2025-07-01 00:02+00';
select results_eq(
  'select t.notes, t.spans from pg_temp.take_notes() as t',
  $$ values (1::bigint, '[["ACME", "00:00", null], ["ACME", "00:01", null]]'::jsonb) $$,
  'an update leaves one note of its rows'
);
update public.data_bars as b set ts_utc = '2025-07-01 00:09+00' where b.canonical_symbol = 'OTHER';
select is(
  t.spans, '[["OTHER", "00:03", null], ["OTHER", "00:09", null]]', 'an update of ts_utc leaves a note of the old and of the new minute'
) from pg_temp.take_notes() as t;
update public.data_bars as b set canonical_symbol = 'RENAMED', close = b.close where b.canonical_symbol = 'OTHER';
select is(
  t.spans, '[["OTHER", "00:09", null], ["RENAMED", "00:09", null]]', 'an update of canonical_symbol leaves a note of both symbols'
) from pg_temp.take_notes() as t;

delete from public.data_bars as b where b.ts_utc >= '2025-07-01 00:07+00';
select results_eq(
  'select t.notes, t.spans from pg_temp.take_notes() as t',
  $$ values (1::bigint, '[["ACME", "00:07", null], ["RENAMED", "00:09", null]]'::jsonb) $$,
  'a delete leaves one note of the rows that are gone'
);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00', 1, 1, 1, 1 where false;
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
values ('ACME', '2025-07-01 00:00+00', 1, 1, 1, 1) on conflict do nothing;
update public.data_bars as b set close = 1 where b.canonical_symbol = 'NOBODY';
delete from public.data_bars as b where b.canonical_symbol = 'NOBODY';
select is(t.notes, 0::bigint, 'statements that touch no row leave no note') from pg_temp.take_notes() as t;

truncate public.data_bars;
select results_eq(
  'select n.symbols, n.from_utc, n.to_utc from agg.change_note as n order by n.note_id',
  $$ values (null::text[], array['-infinity'::timestamptz], array['infinity'::timestamptz]) $$,
  'a truncate leaves a note of every symbol at every time'
);

select * from finish();
rollback;
