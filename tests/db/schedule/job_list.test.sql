begin;
select plan(7);

select results_eq(
  'select j.job_name, j.schedule from agg.job_list() as j order by j.job_name',
  $$ values ('pgbars:dispatch', '* * * * *'), ('pgbars:maintain', '*/5 * * * *') $$,
  'job_list() lists a dispatcher each minute and maintenance'
);
select cmp_ok((select count(*) from agg.job_list()), '<=', 8::bigint, 'job_list() stays within eight jobs');
select is_empty(
  $$ select j.job_name from agg.job_list() as j where j.command !~ 'p_now => now\(\)' or j.command ~ 'p_env' $$,
  'job_list() runs at now(), in the environment of the database'
);
select is_empty(
  $$
    select j.job_name
    from agg.job_list('2025-07-01 00:00+00') as j
    where j.command ~ 'now\(\)' or j.command !~ 'p_now => ''2025-07-01 00:00:00\+00''::timestamptz'
  $$,
  'job_list() puts a given instant in as a literal'
);

create function pg_temp.run_job(p_name text, p_now timestamptz) returns void
language plpgsql as $$
begin
  execute (select j.command from agg.job_list(p_now) as j where j.job_name = p_name);
end;
$$;
-- A change that the registry's triggers do not see.
alter table public.core_asset_registry_all disable trigger user;
call tests.add_asset('ACME');
select lives_ok(
  $$ select pg_temp.run_job('pgbars:maintain', '2025-07-01 00:10+00') $$, 'the command of pgbars:maintain runs'
);
select is(
  (select count(*) from public.data_agg_state as s where s.canonical_symbol = 'ACME'), 2::bigint,
  'pgbars:maintain makes tasks follow the registry'
);
-- The procedure commits after each batch, which a transaction block does not allow: 2D000 shows that it got there.
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
select throws_ok(
  $$ select pg_temp.run_job('pgbars:dispatch', '2025-07-01 00:10+00') $$, '2D000', null,
  'the command of pgbars:dispatch commits between batches'
);

select * from finish();
rollback;
