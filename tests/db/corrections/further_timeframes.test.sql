begin;
select plan(2);

insert into agg.timeframe (timeframe, duration, source_timeframe, is_mandatory) values
  ('10m', interval '10 minutes', '5m', false), ('2h', interval '2 hours', '1h', false);
call tests.clear();
call tests.add_asset('ACME', '{"optional": ["10m", "15m", "30m", "2h", "4h"]}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:31+00';
select is(b.bars_corrected, 7::bigint, 'agg.run_batch() corrects a bar of every level in one batch')
from agg.run_batch(p_now => '2025-07-01 05:00+00') as b;
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 3 order by 1',
  $$
    values
      ('10m', timestamptz '2025-07-01 02:30+00'), ('15m', '2025-07-01 02:30+00'), ('1h', '2025-07-01 02:00+00'),
      ('2h', '2025-07-01 02:00+00'), ('30m', '2025-07-01 02:30+00'), ('4h', '2025-07-01 00:00+00'), ('5m', '2025-07-01 02:30+00')
  $$,
  'agg.run_batch() passes a change on to every timeframe that is built from another'
);

select * from finish();
rollback;
