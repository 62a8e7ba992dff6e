begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:30+00');
call tests.run('2025-07-01 00:21+00');
create function pg_temp.highs() returns text
language sql as $$
  select string_agg(to_char(d.ts_utc, 'HH24:MI') || ' ' || d.high, ', ' order by d.ts_utc)
  from public.derived_data_bars as d
  where d.timeframe = '5m'
$$;

create temporary table claim as select public.agg_start('ACME', '5m', '2025-07-01 00:31+00') as result;
-- The worker computes 00:15 and 00:20 itself, then a minute of 00:00 and one of 00:20 change.
insert into public.derived_data_bars
select (jsonb_populate_record(d, jsonb_build_object('ts_utc', d.ts_utc + interval '10 minutes'))).*
from public.derived_data_bars as d
where d.ts_utc in ('2025-07-01 00:05+00', '2025-07-01 00:10+00');
update public.data_bars as b set high = 2 where b.ts_utc in ('2025-07-01 00:01+00', '2025-07-01 00:22+00');
call tests.run('2025-07-01 00:31+00');
select is(
  pg_temp.highs(), '00:00 1, 00:05 1, 00:10 1, 00:15 1, 00:20 1', 'agg_run_due() leaves a task to the worker that has claimed it'
);
select is_empty('select n.note_id from agg.change_note as n', 'agg_run_due() reads the notes nevertheless');
select is(
  (select k.spans from agg.correction as k),
  tstzmultirange(
    tstzrange('2025-07-01 00:01+00', '2025-07-01 00:02+00'), tstzrange('2025-07-01 00:22+00', '2025-07-01 00:23+00')
  ),
  'agg_run_due() keeps all changes, also those ahead of the stored cursor: the worker may not have seen them'
);

do $$
begin
  perform public.agg_finish(
    'ACME', '5m', true, '2025-07-01 00:20+00', p_now => '2025-07-01 00:31+00', p_claimed_at => (c.result ->> 'claimed_at')::timestamptz
  )
  from claim as c;
end;
$$;
select is(
  (select k.spans from agg.correction as k),
  tstzmultirange(
    tstzrange('2025-07-01 00:01+00', '2025-07-01 00:02+00'), tstzrange('2025-07-01 00:22+00', '2025-07-01 00:23+00')
  ),
  'agg_finish() with p_claimed_at adds no correction'
);
call tests.run('2025-07-01 00:31+00');
select is(
  pg_temp.highs(), '00:00 2, 00:05 1, 00:10 1, 00:15 1, 00:20 2', 'agg_run_due() makes the corrections once the claim is over'
);
select is_empty('select k.correction_id from agg.correction as k', 'agg_run_due() leaves no correction then');

select * from finish();
rollback;
