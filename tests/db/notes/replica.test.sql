begin;
select plan(7);

create function pg_temp.noted() returns table (symbol text, from_utc text, to_utc text)
language sql as $$
  select u.symbol, to_char(u.from_utc, 'MM-DD HH24:MI'), to_char(u.to_utc, 'MM-DD HH24:MI')
  from agg.change_note as n
  cross join lateral unnest(n.symbols, n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
  order by n.note_id
$$;
-- A transaction of its own, as far as its settings go.
create procedure pg_temp.begin_again()
language plpgsql as $$
begin
  delete from agg.change_note;
  perform set_config('pgbars.replicated', '', true);
end;
$$;
create function pg_temp.add(p_symbol text, p_times text[]) returns void
language sql as $$
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  select p_symbol, t.ts::timestamptz, 1, 1, 1, 1 from unnest(p_times) as t (ts)
$$;

do $$ begin perform pg_temp.add('A', '{2025-07-01 00:00+00, 2025-07-01 00:01+00}'); end; $$;
select is((select count(*) from agg.change_note as n), 1::bigint, 'an ordinary session leaves a note a statement');

set local session_replication_role = replica;
call pg_temp.begin_again();
do $$ begin perform pg_temp.add('A', '{2025-07-02 00:00+00}'); perform pg_temp.add('B', '{2025-07-02 00:00+00}'); end; $$;
select results_eq(
  'select n.* from pg_temp.noted() as n',
  $$ values ('A', '07-02 00:00', '07-02 00:01'), ('B', '07-02 00:00', '07-02 00:01') $$,
  'the first row of a symbol in a transaction is noted as its minute'
);
do $$ begin perform pg_temp.add('A', '{2025-07-02 00:01+00, 2025-07-02 00:02+00, 2025-07-04 23:59+00, 2025-07-02 12:00+00}'); end; $$;
select results_eq(
  'select n.* from pg_temp.noted() as n offset 2',
  $$ values ('A', '07-02 00:00', '07-03 00:00'), ('A', '07-04 00:00', '07-05 00:00') $$,
  'later rows of it are noted as their days, once each'
);

call pg_temp.begin_again();
update public.data_bars as b set high = 2 where b.canonical_symbol = 'B';
delete from public.data_bars as b where b.canonical_symbol = 'A' and b.ts_utc = '2025-07-02 00:00+00';
update public.data_bars as b set canonical_symbol = 'C', ts_utc = '2025-07-09 00:00+00' where b.canonical_symbol = 'B';
select results_eq(
  'select n.* from pg_temp.noted() as n',
  $$
    values
      ('B', '07-02 00:00', '07-02 00:01'), ('A', '07-02 00:00', '07-02 00:01'), ('B', '07-02 00:00', null), ('C', '07-09 00:00', '07-09 00:01')
  $$,
  'updates and deletes are noted, and both ends of a move'
);

call pg_temp.begin_again();
do $$
begin
  perform pg_temp.add($q$A'|'B$q$, '{2025-08-01 00:00+00, 2025-08-01 00:01+00}');
  perform pg_temp.add('B', '{2025-08-01 00:00+00, 2025-08-01 00:01+00}');
  perform pg_temp.add($q$B'1754006400$q$, '{2025-08-01 00:00+00, 2025-08-01 00:01+00}');
end;
$$;
select is((select count(*) from pg_temp.noted() as n), 6::bigint, 'no symbol is taken for another');

call pg_temp.begin_again();
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'S' || s.n, timestamptz '2025-09-01 00:00+00' + m.n * interval '10 minutes', 1, 1, 1, 1
from generate_series(0, 287) as m (n)
cross join generate_series(1, 30) as s (n);
select is((select count(*) from agg.change_note as n), 90::bigint, 'a large copy leaves a note a symbol and day');

truncate public.data_bars;
select is((select count(*) from agg.change_note as n where n.symbols is null), 1::bigint, 'a truncate is noted');

select * from finish();
rollback;
