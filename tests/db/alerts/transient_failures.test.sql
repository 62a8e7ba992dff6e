begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
-- As create index on derived_data_bars in another session.
create function pg_temp.refuse() returns trigger language plpgsql as
$$ begin raise exception 'canceling statement due to lock timeout' using errcode = '55P03'; end; $$;
create trigger refuse before insert on public.derived_data_bars for each row execute function pg_temp.refuse();
create function pg_temp.run(p_from timestamptz, p_to timestamptz) returns void language plpgsql as $$
begin
  for v_minutes in 0..(extract(epoch from p_to - p_from) / 60)::integer loop
    perform public.agg_run_due(p_now => p_from + v_minutes * interval '1 minute');
  end loop;
end;
$$;
create function pg_temp.open_alerts() returns setof text language sql as $$
  select a.kind || ' ' || a.timeframe from agg.alert as a where a.resolved_at is null order by 1
$$;

do $$ begin perform pg_temp.run('2025-07-01 01:05+00', '2025-07-01 01:19+00'); end; $$;
select is_empty('select * from pg_temp.open_alerts()', 'no alert within the first 15 minutes of transient failures');
do $$ begin perform pg_temp.run('2025-07-01 01:20+00', '2025-07-01 02:20+00'); end; $$;
select results_eq(
  'select * from pg_temp.open_alerts()', $$ values ('failing 5m') $$, 'agg_run_due() raises failing once a mandatory task has failed for 15 minutes'
);
select is(
  (select s.status from public.data_agg_state as s where s.timeframe = '5m'), 'idle', 'transient failures do not mark the task hard_failed'
);

drop trigger refuse on public.derived_data_bars;
do $$ begin perform pg_temp.run('2025-07-01 02:21+00', '2025-07-01 02:22+00'); end; $$;
select is(
  (select count(*) from public.derived_data_bars as d), 13::bigint, 'bars are back within two minutes of the end of what was in the way'
);
do $$ begin perform public.agg_maintain(p_now => '2025-07-01 02:25+00'); end; $$;
select is_empty('select * from pg_temp.open_alerts()', 'agg_maintain() resolves failing after a success');

select * from finish();
rollback;
