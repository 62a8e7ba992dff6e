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
  -- In no order, as a vendor may send them.
  order by md5(s.n || ' ' || m.n);
end;
$$;
-- What the notes say against what is there, a range a symbol.
create function pg_temp.differences() returns setof text
language sql as $$
  with noted as (
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
  full join noted as n on n.symbol = w.symbol
  where w.spans is distinct from n.spans
$$;
create function pg_temp.note_sizes() returns integer[]
language sql as $$ select array_agg(cardinality(n.from_utc) order by n.note_id) from agg.change_note as n $$;

do $$ begin perform pg_temp.load(2, 500, 1); end; $$;
select is(pg_temp.note_sizes(), array[1000], 'a statement of 1,000 rows is noted minute by minute');
select is(
  (select count(*) from agg.change_note as n where n.to_utc is null), 1::bigint, 'such a note does without ends'
);

do $$ begin perform pg_temp.load(3, 600, 1); end; $$;
select is(pg_temp.note_sizes(), array[3], 'a larger statement of minutes in a row is noted as a run a symbol');
select is_empty('select * from pg_temp.differences()', 'the runs are what was written');

do $$ begin perform pg_temp.load(11, 1000, 3); end; $$;
select is(pg_temp.note_sizes(), array_fill(1000, array[11]), 'a larger statement of scattered minutes is noted in notes of at most 1,000 runs');
select is_empty('select * from pg_temp.differences()', 'the scattered minutes are noted without what lies between them');

delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:03+00';
delete from agg.change_note as n;
update public.data_bars as b set close = b.close;
select is_empty('select * from pg_temp.differences()', 'an update of thousands of rows is noted like an insert');

select * from finish();
rollback;
