begin;
select plan(6);

create function pg_temp.refusal(p_changes jsonb) returns jsonb
language sql as $$
  select public.upsert_bars(jsonb_build_array(
    '{"canonical_symbol": "ACME", "ts_utc": "2026-01-02T10:00:00Z", "open": 1, "high": 2, "low": 1, "close": 1.5}'::jsonb || p_changes
  )) #> '{refused,0}';
$$;

create function pg_temp.checks_without_sentence() returns setof text
language sql as $$
  select c.conname::text
  from pg_catalog.pg_constraint as c
  where c.conrelid in ('public.data_bars'::regclass, 'public.derived_data_bars'::regclass) and c.contype = 'c'
    and coalesce(obj_description(c.oid, 'pg_constraint'), '') !~ '^[a-z_]+.* must .*\.$'
$$;
select is_empty('select c.name from pg_temp.checks_without_sentence() as c (name)', 'every check of bars has a sentence');

create temporary table given (changes jsonb, constraint_name text, problem text);
insert into given (changes, constraint_name, problem) values
  ('{"ts_utc": "2026-01-02T10:00:30Z"}', 'data_bars_ts_aligned', 'ts_utc must be a whole minute.'),
  ('{"ts_utc": "1899-01-02T10:00:00Z"}', 'data_bars_ts_in_range', 'ts_utc must lie in the years 1900 to 2199.'),
  ('{"high": 1.4}', 'data_bars_high_covers', 'high must not be below open or close.'),
  ('{"low": 1.2}', 'data_bars_low_covers', 'low must not be above open, close or high.'),
  ('{"vol": -1}', 'data_bars_vol_in_range', 'vol must be 0, or from 1e-50 to 1e50.'),
  ('{"vwap": 1e60}', 'data_bars_vwap_in_range', 'vwap must be 0, or from 1e-50 to 1e50 above or below it.'),
  ('{"high": 1e60}', 'data_bars_finite_prices', 'open, high, low and close must be finite, between -1e50 and 1e50.'),
  ('{"trade_count": -1}', 'data_bars_trade_count_in_range', 'trade_count must be from 0 to 1000000000000.'),
  ('{"source": "rumour"}', 'data_bars_source_check', 'source must be massive_api, ingest or synthetic.'),
  ('{"timeframe": "5m"}', 'data_bars_timeframe_check', 'timeframe must be 1m.');
insert into given (changes, constraint_name, problem)
select jsonb_build_object(p.price, v.value), 'data_bars_finite_prices', 'open, high, low and close must be finite, between -1e50 and 1e50.'
from unnest(array['open', 'high', 'low', 'close']) as p (price)
cross join unnest(array['NaN', 'Infinity', '-Infinity']) as v (value);
select is_empty(
  $$
    select g.*, r.refusal
    from given as g
    cross join lateral pg_temp.refusal(g.changes) as r (refusal)
    where (r.refusal ->> 'code', r.refusal ->> 'constraint', r.refusal ->> 'problem')
      is distinct from ('23514', g.constraint_name, g.problem)
  $$,
  'upsert_bars() answers with the sentence of the check, and calls what is not finite so'
);
select throws_like(
  $$ insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', '2026-01-02 10:00+00', 'NaN', 1, 1, 1) $$,
  '%"data_bars_finite_prices"', 'an insert calls a price that is NaN not finite'
);
select throws_like(
  $$
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
    )
    values ('ACME', '5m', '2026-01-02 10:00+00', 1, 1, 'NaN', 1, '1m', 5, 5, 5, 5, 2)
  $$,
  '%"derived_data_bars_finite_prices"', 'so does an insert of a longer bar'
);

alter table public.data_bars add constraint even_close check (close <> 1.25);
select is(
  pg_temp.refusal('{"close": 1.25}') ->> 'problem', 'even_close requires (close <> (1.25)::double precision)',
  'a check without a sentence shows its expression'
);
select is(
  (select c.name from pg_temp.checks_without_sentence() as c (name)), 'even_close', 'a check without a sentence trips the rule'
);

select * from finish();
rollback;
