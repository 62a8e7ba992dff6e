begin;
select plan(7);

create function pg_temp.bar(p_changes jsonb) returns jsonb
language sql as $$
  select jsonb_build_array(
    '{"canonical_symbol": "ACME", "ts_utc": "2026-01-02T10:00:00Z", "open": 1.1, "high": 1.1, "low": 1.1, "close": 1.1}'::jsonb || p_changes
  );
$$;
create temporary table given (changes jsonb, high double precision, low double precision);
insert into given (changes, high, low) values
  ('{"close": 1.1000000000000003}', 1.1000000000000003, 1.1), ('{"open": 1.1000000000000003}', 1.1000000000000003, 1.1),
  ('{"close": 1.0999999999999999}', 1.1, 1.0999999999999999), ('{"low": 1.1000000000000003}', 1.1, 1.1),
  ('{"high": 1.0999999999999999}', 1.1, 1.1), ('{"close": 1.1000000001}', 1.1000000001, 1.1),
  ('{"open": -37.63, "high": -37.63, "low": -37.63, "close": -37.629999999999995}', -37.629999999999995, -37.63);

select is_empty(
  $$
    select g.changes, r.refusal
    from given as g
    cross join lateral (select public.upsert_bars(pg_temp.bar(g.changes)) #> '{refused,0}') as r (refusal)
    where (r.refusal ->> 'constraint' in ('data_bars_high_covers', 'data_bars_low_covers')) is not true
      or (r.refusal ->> 'problem' like '%by rounding only%p_clamp => true%') is not true
  $$,
  'a price that is outside by rounding is refused, and the answer says so'
);
create function pg_temp.clamped(p_bars jsonb, out high double precision, out low double precision)
language plpgsql as $$
begin
  perform public.upsert_bars(p_bars, p_clamp => true);
  delete from public.data_bars as b where b.canonical_symbol = 'ACME' returning b.high, b.low into high, low;
end;
$$;
select is_empty(
  $$
    select g.*, c.*
    from given as g
    cross join lateral pg_temp.clamped(pg_temp.bar(g.changes)) as c
    where (c.high, c.low) is distinct from (g.high, g.low)
  $$,
  'p_clamp widens high and low to cover open and close'
);

create temporary table bad (changes jsonb);
insert into bad (changes) values
  ('{"close": 1.1000001}'), ('{"open": 1.05}'), ('{"low": 1.2}'), ('{"high": 0, "low": 0}'), ('{"high": -1.1}'),
  ('{"high": 1e60, "close": 1.0000000000000002e60}'), ('{"open": 1e308, "high": -1e308, "low": -1e308, "close": -1e308}');
select is_empty(
  $$
    select b.changes, r.refusal
    from bad as b
    cross join lateral (select public.upsert_bars(pg_temp.bar(b.changes), true) #> '{refused,0}') as r (refusal)
    where r.refusal ->> 'code' is distinct from '23514' or r.refusal ->> 'problem' like '%rounding%'
  $$,
  'p_clamp does not hide a price that is outside by more, or out of range'
);
select is(
  public.upsert_bars(pg_temp.bar('{"close": "NaN"}'), true) #>> '{refused,0,constraint}', 'data_bars_finite_prices', 'nor a NaN'
);
select is(
  public.upsert_bars(pg_temp.bar('{"close": 1.05}')) #>> '{refused,0,problem}', 'low must not be above open, close or high.',
  'the answer does not speak of rounding where it is none'
);
select is(public.upsert_bars(pg_temp.bar('{}'), null) -> 'inserted', '1', 'a null p_clamp is false');
select is(
  public.upsert_bars(pg_temp.bar('{}'), true) -> 'unchanged', '1', 'p_clamp leaves a good bar as it is'
);

select * from finish();
rollback;
