begin;
select plan(3);

-- A data_bars that is partitioned by time.
alter table public.data_bars rename to data_bars_before;
create table public.data_bars (like public.data_bars_before including all) partition by range (ts_utc);
create table public.data_bars_january partition of public.data_bars for values from ('2026-01-01 00:00+00') to ('2026-02-01 00:00+00');
create table public.data_bars_february partition of public.data_bars for values from ('2026-02-01 00:00+00') to ('2026-03-01 00:00+00');

create function pg_temp.bars(p_close double precision) returns jsonb
language sql as $$
  select jsonb_agg(jsonb_build_object('canonical_symbol', 'ACME', 'ts_utc', t.ts, 'open', 1, 'high', 9, 'low', 1, 'close', p_close))
  from unnest(array['2026-01-31T23:59:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z']) as t (ts);
$$;

select is(
  public.upsert_bars(pg_temp.bars(2)) #- '{refused,0,problem}' #- '{unregistered}',
  '{"success": true, "inserted": 2, "updated": 0, "unchanged": 0, "superseded": 0, "refused": [
    {"index": 2, "canonical_symbol": "ACME", "ts_utc": "2026-03-01T00:00:00Z", "code": "23514", "constraint": null}
  ]}',
  'upsert_bars() stores bars in partitions, and refuses one that no partition takes'
);
select is(
  public.upsert_bars(pg_temp.bars(3)) - 'refused' - 'unregistered',
  '{"success": true, "inserted": 0, "updated": 2, "unchanged": 0, "superseded": 0}', 'upsert_bars() counts what it updated in partitions'
);
select is(
  public.upsert_bars(pg_temp.bars(3)) - 'refused' - 'unregistered',
  '{"success": true, "inserted": 0, "updated": 0, "unchanged": 2, "superseded": 0}', 'and what it left alone'
);

select * from finish();
rollback;
