begin;
select plan(31);

create function pg_temp.bar(p_changes jsonb) returns jsonb
language sql as $$
  select '{"canonical_symbol": "ACME", "ts_utc": "2026-01-02T10:00:00Z", "open": 1, "high": 2, "low": 1, "close": 1.5}'::jsonb || p_changes;
$$;

-- Returns the refusal of a bar that stands between two good ones.
create function pg_temp.refusal(p_bar jsonb) returns jsonb
language sql as $$
  select public.upsert_bars(jsonb_build_array(
    pg_temp.bar('{"ts_utc": "2026-01-02T11:00:00Z"}'), p_bar, pg_temp.bar('{"ts_utc": "2026-01-02T11:01:00Z"}')
  )) #> '{refused,0}';
$$;

select is(
  public.upsert_bars(jsonb_build_array(
    pg_temp.bar('{"high": 0.5}'), pg_temp.bar('{"ts_utc": "2026-01-02T10:01:00Z"}'),
    pg_temp.bar('{"ts_utc": "2026-01-02T10:02:00Z", "vol": "NaN"}'), pg_temp.bar('{"ts_utc": "2026-01-02T10:03:00Z"}')
  )) - 'refused' - 'unregistered',
  '{"success": true, "inserted": 2, "updated": 0, "unchanged": 0, "superseded": 0}',
  'bad bars do not keep the good ones out'
);
select set_eq(
  $$ select b.ts_utc from public.data_bars as b where b.canonical_symbol = 'ACME' $$,
  array['2026-01-02 10:01+00', '2026-01-02 10:03+00']::timestamptz[],
  'exactly the good bars are stored'
);
select is(
  pg_temp.refusal(pg_temp.bar('{"high": 0.5}')),
  '{"index": 1, "canonical_symbol": "ACME", "ts_utc": "2026-01-02T10:00:00Z", "code": "23514", "constraint": "data_bars_high_covers",
    "problem": "high must not be below open or close."}',
  'a refusal says which bar, which constraint and why'
);

select is(pg_temp.refusal(pg_temp.bar(c.changes)) ->> 'constraint', c.name, c.name)
from (
  values
    ('{"vol": "NaN"}'::jsonb, 'data_bars_vol_in_range'),
    ('{"high": "Infinity"}', 'data_bars_finite_prices'),
    ('{"ts_utc": "2026-01-02T10:00:30Z"}', 'data_bars_ts_aligned'),
    ('{"source": "rumour"}', 'data_bars_source_check'),
    ('{"timeframe": "5m"}', 'data_bars_timeframe_check')
) as c (changes, name);
select ok(pg_temp.refusal(c.bar) ->> 'problem' like c.problem, c.problem)
from (
  values
    ('7'::jsonb, 'a bar must be an object, not number'),
    (pg_temp.bar('{"volume": 7}'), 'volume is not known; known are canonical_symbol, %'),
    (pg_temp.bar('{"ts_utc": "2026-01-02T10:00:00"}'), 'ts_utc must be an instant with its zone %, not "2026-01-02T10:00:00"'),
    (pg_temp.bar('{"ts_utc": "2026-02-30T10:00:00Z"}'), 'date/time field value out of range: %'),
    (pg_temp.bar('{"trade_count": 1.5}'), 'trade_count must be a whole number of at most 18 digits, not 1.5'),
    (pg_temp.bar('{}') - 'close', 'close must not be null'),
    (pg_temp.bar('{"vol": 1e400}'), '%is out of range for type double precision'),
    (pg_temp.bar('{"ts_utc": "2026-01-02T10:00:00 UTC+05"}'), 'ts_utc must be an instant %'),
    (pg_temp.bar('{"ts_utc": "2026-01-02T10:00:00Z+03"}'), 'ts_utc must be an instant %'),
    (pg_temp.bar('{"ts_utc": "2026-01-02T10:00:00 PM Z"}'), 'ts_utc must be an instant %'),
    (pg_temp.bar('{"ts_utc": "2026-01-02T23:59:60Z"}'), 'ts_utc must be an instant %'),
    (pg_temp.bar('{"ts_utc": "2026-01-02T10:00:59.9999999Z"}'), 'ts_utc must be an instant %'),
    (pg_temp.bar('{"ts_utc": 1767348000}'), 'ts_utc must be an instant %, not 1767348000'),
    (pg_temp.bar('{"ts_utc": null}'), 'ts_utc must be an instant %, not null'),
    (pg_temp.bar('{"canonical_symbol": ""}'), 'canonical_symbol must be a text of 1 to 200 characters, %, not ""'),
    (pg_temp.bar('{"canonical_symbol": "AC\nME"}'), 'canonical_symbol must be a text %'),
    (pg_temp.bar('{"canonical_symbol": " ACME"}'), 'canonical_symbol must be a text %'),
    (pg_temp.bar('{"canonical_symbol": {"a": 1}}'), 'canonical_symbol must be a text %, not {"a": 1}'),
    (pg_temp.bar('{}') - 'canonical_symbol', 'canonical_symbol must be a text %, not null'),
    (pg_temp.bar('{"is_partial": "yes"}'), 'is_partial must be true or false, not "yes"')
) as c (bar, problem);

delete from agg.change_note;
do $$
begin
  perform public.upsert_bars((
    select jsonb_agg(pg_temp.bar(jsonb_build_object(
      'ts_utc', timestamptz '2026-01-04 00:00+00' + m.n * interval '1 minute', 'close', m.n % 2
    )))
    from generate_series(0, 99) as m (n)
  ));
end;
$$;
select is((select count(*) from agg.change_note as n), 1::bigint, 'a call leaves one note, however many bars are refused');
select is(
  (
    select array_agg(r.refusal -> 'index' order by r.nr)
    from jsonb_array_elements(public.upsert_bars((
      select jsonb_agg(
        pg_temp.bar(jsonb_build_object(
          'ts_utc', timestamptz '2026-01-03 00:00+00' + m.n * interval '1 minute', 'close', case when m.n in (0, 7, 499, 500, 999) then -1 else 1 end
        )) order by m.n
      )
      from generate_series(0, 999) as m (n)
    )) -> 'refused') with ordinality as r (refusal, nr)
  ),
  array['0', '7', '499', '500', '999']::jsonb[],
  'each bad bar among many is found, in order'
);
select throws_ok(
  $$ select public.upsert_bars('{}') $$, '22023', 'p_bars must be an array of bars, not object', 'an argument that is not an array is an error'
);

select * from finish();
rollback;
