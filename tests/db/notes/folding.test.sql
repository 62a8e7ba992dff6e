begin;
select plan(8);

create function pg_temp.write_each(p_from integer, p_to integer) returns void
language plpgsql as $$
begin
  for v_minute in p_from..p_to loop
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    -- Two symbols in turn, with a hole after every tenth minute.
    values ('S' || v_minute % 2, timestamptz '2025-07-01 00:00+00' + (v_minute / 2 + v_minute / 20) * interval '1 minute', 1, 1, 1, 1);
  end loop;
end;
$$;
create function pg_temp.spans_of_notes() returns table (symbol text, spans tstzmultirange)
language sql as $$
  select u.symbol, range_agg(tstzrange(u.from_utc, coalesce(u.to_utc, u.from_utc + interval '1 minute')))
  from agg.change_note as n
  cross join lateral unnest(coalesce(n.symbols, array[null]), n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
  group by u.symbol
  order by u.symbol
$$;
create function pg_temp.written() returns table (symbol text, spans tstzmultirange)
language sql as $$
  select b.canonical_symbol, range_agg(tstzrange(b.ts_utc, b.ts_utc + interval '1 minute'))
  from public.data_bars as b
  group by b.canonical_symbol
  order by b.canonical_symbol
$$;

-- Folding begins with 1,000 notes that are not folded.
create function pg_temp.make_due() returns void
language sql as $$
  insert into agg.change_note (symbols, from_utc, changed_at)
  select array['S0'], array[timestamptz '2025-07-01 00:01+00'], now() from generate_series(1, 1000)
$$;

do $$ begin perform pg_temp.write_each(1, 2500); end; $$;
select is((select count(*) from agg.change_note as n), 2500::bigint, 'notes younger than ten minutes are left as they are');
do $$ begin perform agg.fold_notes(); end; $$;
select is((select count(*) from agg.change_note as n), 2500::bigint, 'agg.fold_notes() leaves them, too');

-- Only time makes a note old, so its age is set here.
update agg.change_note as n set changed_at = now() - interval '11 minutes'
where n.note_id = (select max(o.note_id) from agg.change_note as o);
do $$ begin perform pg_temp.write_each(2501, 6000); end; $$;
select cmp_ok(
  (select count(*) from agg.change_note as n), '<=', 1100::bigint, 'thousands of statements that no dispatcher reads fold into few notes'
);
select results_eq(
  'select n.symbol, n.spans from pg_temp.spans_of_notes() as n', 'select w.symbol, w.spans from pg_temp.written() as w',
  'folded notes are what was written, no more and no less'
);
select is(
  (select min(n.changed_at) from agg.change_note as n), now() - interval '11 minutes', 'agg.fold_notes() keeps the oldest time'
);

do $$
begin
  perform public.agg_add_change_note(null, p_to => '2025-07-01 00:00+00');
  perform public.agg_add_change_note(null, '2025-07-02 00:00+00', '2025-07-03 00:00+00');
  perform pg_temp.make_due();
  perform agg.fold_notes();
end;
$$;
select results_eq(
  $$
    select n.from_utc, n.to_utc
    from agg.change_note as n
    where n.symbols is null
    order by 1
  $$,
  $$
    values
      ('{-infinity}'::timestamptz[], '{2025-07-01 00:00+00}'::timestamptz[]),
      ('{2025-07-02 00:00+00}', '{2025-07-03 00:00+00}')
  $$,
  'agg.fold_notes() keeps notes of every symbol apart, a row a span'
);
select is((select count(*) from agg.change_note as n), 3::bigint, 'agg.fold_notes() makes one note of all others');
do $$ begin perform public.agg_add_change_note(null); perform pg_temp.make_due(); perform agg.fold_notes(); end; $$;
select results_eq(
  'select n.from_utc, n.to_utc from agg.change_note as n where n.symbols is null order by 1',
  $$ values ('{-infinity}'::timestamptz[], '{infinity}'::timestamptz[]) $$,
  'agg.fold_notes() keeps a span without bounds without bounds'
);

select * from finish();
rollback;
