begin;
select plan(4);

grant truncate on table public.data_bars to service_role;
select throws_ok(
  $$ set local role service_role; insert into agg.change_note (symbols, from_utc) values ('{ACME}', '{2025-07-01 00:00+00}') $$,
  '42501', null, 'service_role may not write notes'
);

set local role service_role;
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:02+00');
update public.data_bars as b set ts_utc = '2025-07-01 00:05+00' where b.ts_utc = '2025-07-01 00:01+00';
delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:05+00';
reset role;
select results_eq(
  $$
    select n.symbols, n.from_utc
    from agg.change_note as n
    order by cardinality(n.symbols) desc, n.from_utc
  $$,
  $$
    values
      ('{ACME,ACME}'::text[], '{2025-07-01 00:00+00,2025-07-01 00:01+00}'::timestamptz[]),
      ('{ACME}', '{2025-07-01 00:01+00}'), ('{ACME}', '{2025-07-01 00:05+00}'), ('{ACME}', '{2025-07-01 00:05+00}')
  $$,
  'writes of service_role leave notes'
);

set local role service_role;
truncate public.data_bars;
reset role;
select is(
  (select count(*) from agg.change_note as n where n.symbols is null), 1::bigint, 'a truncate by service_role leaves a note'
);

set local role service_role;
create temporary table called as select public.agg_add_change_note(array['ACME']) as result;
reset role;
select is((select c.result -> 'symbols' from called as c), '1', 'service_role may call agg_add_change_note()');

select * from finish();
rollback;
