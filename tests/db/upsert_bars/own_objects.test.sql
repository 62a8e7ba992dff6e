begin;
select plan(10);

-- What a project may add to data_bars of its own.
create table public.venue (venue text primary key);
insert into public.venue (venue) values ('XNYS');
alter table public.data_bars
  add column venue text default 'XNYS' references public.venue (venue),
  add column note json,
  add constraint venue_is_known check (venue <> 'NOWHERE'),
  add constraint no_round_volume check (1 / (vol - 100) <> 7);
create unique index one_high_a_symbol on public.data_bars (canonical_symbol, high) where high > 1000;
create function pg_temp.own_rules() returns trigger
language plpgsql as $$
begin
  if new.close = 13 then
    raise exception 'no bar closes at 13';
  elsif new.close = 14 then
    raise exception 'not yours' using errcode = 'insufficient_privilege';
  elsif new.close = 15 then
    new.venue := 'ELSEWHERE';
  elsif new.close = 16 then
    new.venue := 'NOWHERE';
  elsif new.close = 18 then
    raise exception 'made to wait' using errcode = 'lock_not_available';
  elsif new.close = 19 then
    raise exception 'made to stop' using errcode = 'query_canceled';
  end if;
  return new;
end;
$$;
create trigger own_rules before insert on public.data_bars for each row execute function pg_temp.own_rules();

-- Minute by minute with these fields.
create function pg_temp.bars(variadic p_changes jsonb[]) returns jsonb
language sql as $$
  select jsonb_agg(
    jsonb_build_object(
      'canonical_symbol', 'ACME', 'ts_utc', to_char(timestamp '2026-01-02 10:00' + (c.nr - 1) * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI"Z"'),
      'open', 1, 'high', 20, 'low', 1, 'close', 2
    ) || c.changes order by c.nr
  )
  from unnest(p_changes) with ordinality as c (changes, nr);
$$;
create function pg_temp.refused(p_answer jsonb) returns table (index integer, code text, constraint_name text, problem text)
language sql as $$
  select (r.bar ->> 'index')::integer, r.bar ->> 'code', r.bar ->> 'constraint', r.bar ->> 'problem'
  from jsonb_array_elements(p_answer -> 'refused') as r (bar)
$$;

create temporary table answer as
select public.upsert_bars(pg_temp.bars(
  '{}', '{"close": 13}', '{"close": 14}', '{"close": 15}', '{"close": 16}', '{"vol": 100}', '{"close": -1}', '{"vol": 101}',
  '{"high": 2000}', '{"high": 2000}', '{}'
)) as answer;
select is((select a.answer -> 'inserted' from answer as a), '4', 'the good bars are stored');
select results_eq(
  'select r.index, r.code, r.constraint_name from answer as a cross join lateral pg_temp.refused(a.answer) as r order by 1',
  $$
    values
      (1, 'P0001', null::text), (2, '42501', null), (3, '23503', 'data_bars_venue_fkey'), (4, '23514', 'venue_is_known'), (5, '22012', null),
      (6, '23514', 'data_bars_low_covers'), (9, '23505', 'one_high_a_symbol')
  $$,
  'checks, foreign keys, indexes and triggers of a project cost the bars that they refuse'
);
select is(
  (select r.problem from answer as a cross join lateral pg_temp.refused(a.answer) as r where r.index = 1), 'no bar closes at 13',
  'the answer shows what a trigger says'
);
select throws_ok(
  $$ select public.upsert_bars(pg_temp.bars('{"vol": 7}', '{"close": 18}')) $$, '55P03', 'made to wait', 'what passes by itself raises'
);
create function pg_temp.is_cancelled(p_bars jsonb) returns boolean
language plpgsql as $$
begin
  perform public.upsert_bars(p_bars);
  return false;
exception when query_canceled then
  return true;
end;
$$;
select ok(pg_temp.is_cancelled(pg_temp.bars('{"vol": 7}', '{"close": 19}')), 'a cancelled statement raises');
select is(
  (select b.vol from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc = '2026-01-02 10:00+00'), null,
  'nothing is stored then'
);
-- A broken trigger is the fault of no bar.
create or replace function pg_temp.own_rules() returns trigger
language plpgsql as $$
begin
  return new.no_such_column;
end;
$$;
select throws_ok(
  $$ select public.upsert_bars(pg_temp.bars('{"ts_utc": "2026-01-04T00:00Z"}', '{"ts_utc": "2026-01-04T00:01Z"}')) $$,
  '42703', null, 'a trigger that is broken raises'
);
drop trigger own_rules on public.data_bars;

-- One bad bar among many.
select results_eq(
  $$
    select r.index, r.constraint_name
    from pg_temp.refused(public.upsert_bars((
      select jsonb_agg(jsonb_build_object(
        'canonical_symbol', 'MANY', 'ts_utc', to_char(timestamp '2026-01-02 10:00' + m.n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI"Z"'),
        'open', 1, 'high', case when m.n in (700, 701) then 5000 else 3 end, 'low', 1, 'close', 2
      ) order by m.n)
      from generate_series(0, 999) as m (n)
    ))) as r
  $$,
  $$ values (701, 'one_high_a_symbol') $$,
  'one bad bar among a thousand is found'
);
select is((select count(*) from public.data_bars as b where b.canonical_symbol = 'MANY'), 999::bigint, 'the others are stored');

drop index public.one_high_a_symbol;
alter table public.data_bars drop constraint no_round_volume, drop constraint venue_is_known;
delete from agg.change_note;
do $$ begin perform public.upsert_bars(pg_temp.bars('{"close": -1}', '{"vol": 3}', '{"high": 0}')); end; $$;
select is((select count(*) from agg.change_note as n), 1::bigint, 'bars that break the checks of data_bars cost no further statement');

select * from finish();
rollback;
