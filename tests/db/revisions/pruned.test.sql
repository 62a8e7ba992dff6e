begin;
select plan(4);

call tests.clear();
call tests.add_asset('PLAIN');
call tests.add_asset('SHORT', '{"revisions": "30 days"}');
call tests.add_asset('LONG', '{"revisions": "10 years"}');
call tests.add_asset('NONE', '{"revisions": false}');

insert into public.derived_data_bars_revision (
  canonical_symbol, timeframe, ts_utc, replaced_at, written_at, open, high, low, close, covered_minutes, expected_minutes, quality_score,
  is_partial, reason
)
select s.symbol, '5m', '2025-07-01 00:00+00', timestamptz '2026-07-01 00:00+00' - a.age, '2020-01-01 00:00+00', 1, 1, 1, 1, 5, 5, 2, false, 'by_hand'
from unnest(array['PLAIN', 'SHORT', 'LONG', 'NONE', 'GONE']) as s (symbol)
cross join unnest(array[interval '1 day', '29 days', '31 days', '399 days', '401 days']) as a (age);

select is(
  (public.agg_maintain(p_now => '2026-07-01 00:00+00') ->> 'revisions_pruned')::integer, 1 + 3 + 5 + 1,
  'agg_maintain() counts the revisions that it prunes'
);
select results_eq(
  $$ select v.canonical_symbol collate "default", count(*) from public.derived_data_bars_revision as v group by 1 order by 1 $$,
  $$ values ('GONE', 4::bigint), ('LONG', 5), ('PLAIN', 4), ('SHORT', 2) $$,
  'revisions are kept for 400 days, or as metadata.agg.revisions says'
);
select is(agg.prune_revisions('2030-01-01 00:00+00', 2), 4, 'a run prunes no more than its limit, of each kind');
select throws_ok(
  $$ update public.core_asset_registry_all as r set metadata = '{"agg": {"revisions": "long"}}' where r.canonical_symbol = 'PLAIN' $$,
  '22023', 'metadata of PLAIN: agg.revisions must be true, false, or how long they are kept such as "90 days" (days, weeks, months, years), not "long"',
  'metadata.agg.revisions is checked'
);

select * from finish();
rollback;
