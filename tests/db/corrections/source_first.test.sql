-- A longer bar is not built while the bars that it is made of wait to be built: none that is right goes away meanwhile.
begin;
select plan(3);

call tests.clear();
call tests.add_asset('ACME', '{"optional": ["15m", "4h"]}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-04 00:00+00');
call tests.run('2025-07-04 01:00+00');
set pgbars.keeps_deleted = off;
delete from public.derived_data_bars as d where d.timeframe = '5m';
reset pgbars.keeps_deleted;
do $$ begin perform public.agg_repair('ACME'); end; $$;
create temporary table gone (batch integer, bars bigint);
do $$
begin
  for i in 1..40 loop
    call tests.run_batch('2025-07-04 01:01+00', 100);
    insert into gone
    select i, count(*) from public.derived_data_bars as d where d.timeframe <> '5m' and (d.deleted_at is not null or d.covered_minutes = 0);
  end loop;
end;
$$;
select is((select max(g.bars) from gone as g), 0::bigint, 'no longer bar has gone while the 5m bars came back');
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '5m' and d.deleted_at is null), 864::bigint, 'and these have'
);
select is_empty('select * from public.agg_verify()', 'all is right in the end');

select * from finish();
rollback;
