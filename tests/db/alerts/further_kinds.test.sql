begin;
select plan(19);

call tests.clear();
call tests.add_asset('ACME', '{"optional": ["15m"]}');
create function pg_temp.refresh(p_now timestamptz) returns text
language plpgsql as $$
begin
  perform agg.refresh_alerts(p_now, null, true);
  return coalesce((
    select string_agg(concat_ws(' ', a.kind, a.canonical_symbol, a.timeframe, a.severity), ', ' order by a.kind, a.canonical_symbol, a.timeframe)
    from agg.alert as a
    where a.resolved_at is null
  ), 'none');
end;
$$;
create function pg_temp.message() returns text
language sql as $$ select a.message from agg.alert as a where a.resolved_at is null $$;

-- poor_quality: 24 windows, all of five minutes but the last two.
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:50+00');
call tests.add_minutes('ACME', '2025-07-01 01:50+00', '2025-07-01 01:53+00');
call tests.run('2025-07-01 02:05+00');
select is(pg_temp.refresh('2025-07-01 03:00+00'), 'none', 'one poor bar of 23 is not too many');
call tests.add_minutes('ACME', '2025-07-01 01:55+00', '2025-07-01 01:56+00');
call tests.run('2025-07-01 03:01+00');
select is(pg_temp.refresh('2025-07-01 03:05+00'), 'none', 'quality is asked once an hour');
select is(pg_temp.refresh('2025-07-01 04:00+00'), 'poor_quality ACME 5m warning', 'less than 95 % good bars of a day raise an alert');
select is(pg_temp.message(), '2 of the 24 windows of the last day that have a minute have no good bar', 'a window with too few minutes for a bar counts');
select is(pg_temp.refresh('2025-07-01 04:05+00'), 'poor_quality ACME 5m warning', 'it stays open between two looks');
call tests.add_minutes('ACME', '2025-07-01 01:56+00', '2025-07-01 02:00+00');
call tests.run('2025-07-01 04:06+00');
select is(pg_temp.refresh('2025-07-01 05:00+00'), 'none', 'and is resolved when the minutes have come');

-- unregistered.
call tests.add_minute('NEW', '2025-07-01 05:00+00');
call tests.add_minute('GONE', '2025-06-30 05:00+00');
call tests.add_basket('PAIR', '{"ACME": 1, "PART": 1}');
call tests.add_minute('PART', '2025-07-01 05:00+00');
select is(pg_temp.refresh('2025-07-01 05:01+00'), 'unregistered * * warning', 'bars that arrive of a symbol that the registry does not have raise an alert');
select is(
  pg_temp.message(), 'bars arrive of 1 symbols that the registry does not have: NEW', 'old bars do not, nor those of a component of a basket'
);
call tests.add_minute('NEWER', '2025-07-01 05:00+00');
select is(pg_temp.refresh('2025-07-01 05:02+00'), 'unregistered * * warning', 'there is one alert for all symbols');
select is(pg_temp.message(), 'bars arrive of 2 symbols that the registry does not have: NEW, NEWER', 'which follows what arrives');
select is(pg_temp.refresh('2025-07-02 05:01+00'), 'none', 'and ends a day after the last bar');

-- failing, of an optional task.
update public.data_agg_state as s
set failing_since_utc = '2025-07-01 05:00+00', fail_streak = 1, last_error = 'broken'
where s.canonical_symbol = 'ACME' and s.timeframe in ('15m', '1h');
select is(pg_temp.refresh('2025-07-01 05:14:59+00'), 'unregistered * * warning', 'tasks that have failed for less than 15 minutes');
select is(
  pg_temp.refresh('2025-07-01 05:15+00'), 'failing ACME 15m warning, failing ACME 1h critical, unregistered * * warning',
  'any task that fails for 15 minutes raises an alert; that of a mandatory one is critical'
);
update public.data_agg_state as s
set hard_fail_streak = 3, fail_streak = 3 where s.canonical_symbol = 'ACME' and s.timeframe = '15m';
select is(
  pg_temp.refresh('2025-07-01 05:16+00'), 'disabled ACME 15m warning, failing ACME 1h critical, unregistered * * warning',
  'three hard failures take its place'
);
update public.data_agg_state as s set hard_fail_streak = 0, fail_streak = 0, failing_since_utc = null;
delete from public.data_bars as b where b.canonical_symbol like 'NEW%';
select is(pg_temp.refresh('2025-07-01 05:17+00'), 'none', 'a success ends it');

-- slow: a run a minute, and that of the last minute goes on.
insert into agg.run_log (started_at, finished_at, env, lane, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason)
select
  g.at_utc, g.at_utc + case when g.at_utc >= timestamptz '2025-07-01 06:05+00' then interval '45 seconds' else interval '2 seconds' end,
  'prod', 1, 1, 1, 1, 1, 0, 0, 0, case when g.at_utc >= timestamptz '2025-07-01 06:05+00' then 'one_batch' else 'idle' end
from generate_series(timestamptz '2025-07-01 06:00+00', '2025-07-01 06:25+00', interval '1 minute') as g (at_utc);
select is(pg_temp.refresh('2025-07-01 06:19+00'), 'none', 'a quarter of an hour in which one run had time to spare');
select is(pg_temp.refresh('2025-07-01 06:20+00'), 'slow * * warning', 'one in which all runs took their whole time raises an alert');
insert into agg.run_log (started_at, finished_at, env, lane, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason)
values ('2025-07-01 06:26+00', '2025-07-01 06:26:30+00', 'prod', 1, 1, 1, 1, 1, 0, 0, 0, 'idle');
select is(pg_temp.refresh('2025-07-01 06:27+00'), 'none', 'the first run that had enough time resolves it');
do $$ begin perform public.agg_pause('upgrade', '2025-07-01 07:00+00', '2025-07-01 06:20+00'); end; $$;
delete from agg.run_log as l where l.started_at = '2025-07-01 06:26+00';
select is(pg_temp.refresh('2025-07-01 06:27+00'), 'none', 'in a pause none is raised');

select * from finish();
rollback;
