begin;
select plan(7);

create function pg_temp.load(p_symbols integer, p_minutes integer, p_every integer) returns void
language plpgsql as $$
begin
  delete from public.data_bars as b;
  delete from agg.change_note as n;
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  select 'S' || lpad(s.n::text, 2, '0'), timestamptz '2025-07-01 00:00+00' + m.n * p_every * interval '1 minute', 1, 1, 1, 1
  from generate_series(1, p_symbols) as s (n)
  cross join generate_series(0, p_minutes - 1) as m (n)
  -- In random order, as a vendor may send them.
  order by md5(s.n || ' ' || m.n);
end;
$$;
-- Symbols whose notes differ from the bars that are there.
create function pg_temp.differences() returns setof text
language sql as $$
  with in_notes as (
    select u.symbol, range_agg(tstzrange(u.from_utc, coalesce(u.to_utc, u.from_utc + interval '1 minute'))) as spans
    from agg.change_note as n
    cross join lateral unnest(n.symbols, n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
    group by u.symbol
  ),
  written as (
    select b.canonical_symbol as symbol, range_agg(tstzrange(b.ts_utc, b.ts_utc + interval '1 minute')) as spans
    from public.data_bars as b
    group by b.canonical_symbol
  )
  select coalesce(w.symbol, n.symbol)
  from written as w
  full join in_notes as n on n.symbol = w.symbol
  where w.spans is distinct from n.spans
$$;
create function pg_temp.note_sizes() returns integer[]
language sql as $$ select array_agg(cardinality(n.from_utc) order by n.note_id) from agg.change_note as n $$;

do $$ begin perform pg_temp.load(2, 500, 1); end; $$;
select is(pg_temp.note_sizes(), array[1000], 'a statement of 1,000 rows leaves a note with every minute');
select is(
  (select count(*) from agg.change_note as n where n.to_utc is null), 1::bigint, 'such a note has no ends'
);

do $$ begin perform pg_temp.load(3, 600, 1); end; $$;
select is(pg_temp.note_sizes(), array[3], 'a larger statement of consecutive minutes leaves a note with one run per symbol');
select is_empty('select * from pg_temp.differences()', 'the runs are what was written');

do $$ begin perform pg_temp.load(11, 1000, 3); end; $$;
select is(pg_temp.note_sizes(), array_fill(1000, array[11]), 'a larger statement of scattered minutes leaves notes of at most 1,000 runs');
select is_empty('select * from pg_temp.differences()', 'the notes hold the scattered minutes and nothing between them');

delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:03+00';
delete from agg.change_note as n;
update public.data_bars as b set close = b.close;
select is_empty('select * from pg_temp.differences()', 'an update of thousands of rows leaves the notes of an insert');

select * from finish();
rollback;
