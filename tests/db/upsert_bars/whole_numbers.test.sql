begin;
select plan(3);

create function pg_temp.bar(p_trade_count jsonb) returns jsonb
language sql as $$
  select jsonb_build_object(
    'canonical_symbol', 'ACME', 'ts_utc', '2026-01-02T10:00:00Z', 'open', 1, 'high', 1, 'low', 1, 'close', 1, 'trade_count', p_trade_count
  );
$$;
create function pg_temp.stored(p_trade_count jsonb) returns bigint
language plpgsql as $$
begin
  perform public.upsert_bars(jsonb_build_array(pg_temp.bar(p_trade_count)));
  return (select b.trade_count from public.data_bars as b where b.canonical_symbol = 'ACME');
end;
$$;
create temporary table given (trade_count jsonb, expected bigint);
insert into given (trade_count, expected) values
  ('12', 12), ('12.0', 12), ('12.000000', 12), ('1.2e3', 1200), ('"12"', 12), ('"12.0"', 12), ('"1.2e3"', 1200), ('"1.2E+3"', 1200),
  ('"12."', 12), ('0', 0), ('-0.0', 0), ('"-0"', 0), ('1e12', 1000000000000), ('1200e-2', 12), ('null', null);
select is_empty(
  $$ select g.trade_count, s.stored from given as g cross join lateral pg_temp.stored(g.trade_count) as s (stored)
     where s.stored is distinct from g.expected $$,
  'upsert_bars() takes a whole number in any spelling'
);

create temporary table bad (trade_count jsonb);
insert into bad (trade_count) values
  ('12.5'), ('"12.5"'), ('1e-1'), ('true'), ('[]'), ('{}'), ('""'), ('"twelve"'), ('"0x0c"'), ('"NaN"'), ('"Infinity"'), ('"1e400"'),
  ('1e18'), ('9223372036854775808'), ('"1_000"');
select is_empty(
  $$
    select b.trade_count, r.answer
    from bad as b
    cross join lateral (select public.upsert_bars(jsonb_build_array(pg_temp.bar(b.trade_count))) #> '{refused,0}') as r (answer)
    where r.answer ->> 'problem' is distinct from format('trade_count must be a whole number of at most 18 digits, not %s', b.trade_count)
      or r.answer ->> 'code' <> '22023'
  $$,
  'upsert_bars() refuses what is not one, with a sentence'
);
select is(
  public.upsert_bars(jsonb_build_array(pg_temp.bar('1000000000001'))) #>> '{refused,0,problem}',
  'trade_count must be from 0 to 1000000000000.', 'upsert_bars() refuses more trades than a minute has'
);

select * from finish();
rollback;
