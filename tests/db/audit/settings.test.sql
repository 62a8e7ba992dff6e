begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 06:00+00');
call tests.run('2025-07-01 07:00+00');

do $$ begin perform public.schedule_jobs(p_audit_percent => 0); end; $$;
select is(
  public.agg_maintain(p_now => '2025-07-01 07:00+00') -> 'slices_audited', '0', 'an audit of 0 percent verifies nothing'
);
select is(
  (select c.value from public.agg_check('2025-07-01 07:00+00', true) as c where c."check" = 'audit'),
  'off; the bar verified longest ago was verified 00:00:00 ago; 1 of 1 assets have had no complete round',
  'agg_check() says that it is off'
);
select is(public.schedule_jobs(p_audit_percent => 5) ->> 'audit_percent', '5', 'schedule_jobs() sets the share');
select throws_ok(
  'select public.schedule_jobs(p_audit_percent => 11)', '22023', 'p_audit_percent must be from 0 to 10, not 11',
  'schedule_jobs() refuses a share above 10 percent'
);
select is(
  public.agg_maintain(p_now => '2025-07-01 07:05+00') -> 'slices_audited', '1', 'an audit that is on verifies'
);
select is(
  public.agg_maintain(p_now => '2025-07-01 07:05+00') -> 'slices_audited', '0', 'a second call at the same time has no time to spend'
);
select results_eq(
  $$ select c.status, c.value from public.agg_check('2025-07-02 08:06+00', true) as c where c."check" = 'audit' $$,
  $$ values ('PASS', 'the bar verified longest ago was verified 1 day 01:01:00 ago') $$,
  'agg_check() says since when every bar has been verified'
);
select results_eq(
  $$ select c.status from public.agg_check('2025-07-31 07:06+00') as c where c."check" = 'audit' $$, $$ values ('WARN') $$,
  'and warns after 30 days'
);

update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
do $$ begin perform public.agg_maintain(p_now => '2025-07-01 09:00+00'); end; $$;
select is_empty('select a.canonical_symbol from agg.audit as a', 'assets without tasks to run are not audited');

select * from finish();
rollback;
