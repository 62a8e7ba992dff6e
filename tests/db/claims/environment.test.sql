begin;
select plan(1);

-- A sync may be asked for another environment than the database's: its tasks are no work for the latter.
call tests.clear();
call tests.add_asset('ACME');
update public.core_asset_registry_all set active = false, test_active = true where canonical_symbol = 'ACME';
select public.sync_agg_state_from_registry('dev');
select is(
  (select array_to_string(c.symbols, ',') from agg.claim_due_tasks('prod', 10, '2025-07-02 00:00+00') as c), '',
  'claim_due_tasks() takes no asset that is active in another environment alone'
);

select * from finish();
rollback;
