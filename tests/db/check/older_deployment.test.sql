begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME');
create function pg_temp.found(p_check text) returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.subject, c.value), '; ' order by c.subject)
  from public.agg_check(p_all => true) as c
  where c."check" = p_check
$$;

select is(pg_temp.found('derived_1m'), 'PASS * no 1m bar in derived_data_bars', 'derived_data_bars has no 1m bars');
-- Its check makes that so.
alter table public.derived_data_bars drop constraint derived_data_bars_timeframe_check;
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe,
  source_candles, expected_candles, covered_minutes, expected_minutes, quality_score, deleted_at
)
values
  ('ACME', '1m', '2025-07-01 00:00+00', 1, 1, 1, 1, '1m', 1, 1, 1, 1, 2, now()),
  ('ACME', '1m', '2025-07-01 00:01+00', 1, 1, 1, 1, '1m', 1, 1, 1, 1, 2, null);
select is(
  pg_temp.found('derived_1m'), 'FAIL ACME derived_data_bars has 1m bars, the first of 2025-07-01 00:01:00+00', 'one that is not deleted is a failure'
);

select is(pg_temp.found('set_aside_readers'), 'PASS * no older deployment', 'nothing was set aside');
select is(pg_temp.found('rows_left'), 'PASS * no older deployment', 'so that no row was left');
create schema pgbars_before;
create table pgbars_before.derived_data_bars (canonical_symbol text, timeframe text, ts_utc timestamptz, id bigint primary key);
create function pgbars_before.is_ours(p_symbol text) returns boolean language sql as $$ select true $$;
create view pgbars_before.own as select d.id from pgbars_before.derived_data_bars as d;
create index on pgbars_before.derived_data_bars (ts_utc);
select is(pg_temp.found('set_aside_readers'), 'PASS * nothing reads what was set aside', 'what was set aside may read itself');
create schema app;
create view app.latest as
select d.canonical_symbol, max(d.ts_utc) as latest from pgbars_before.derived_data_bars as d group by 1;
create view app.over_it as select l.latest from app.latest as l;
create table app.signal (
  bar_id bigint constraint signal_bar_fkey references pgbars_before.derived_data_bars (id), canonical_symbol text
);
create policy ours on app.signal for select using (pgbars_before.is_ours(canonical_symbol));
select results_eq(
  $$ select c.status, c.subject, c.value from public.agg_check(p_all => true) as c where c."check" = 'set_aside_readers' order by c.subject $$,
  $$
    values
      ('FAIL', 'constraint signal_bar_fkey on table app.signal', 'reads what was set aside, which no longer changes'),
      ('FAIL', 'policy ours on table app.signal', 'reads what was set aside, which no longer changes'),
      ('FAIL', 'view app.latest', 'reads what was set aside, which no longer changes')
  $$,
  'views, foreign keys and policies that read it are listed'
);
create or replace view app.latest as
select d.canonical_symbol, max(d.ts_utc) as latest from public.derived_data_bars as d group by 1;
drop table app.signal;
select is(pg_temp.found('set_aside_readers'), 'PASS * nothing reads what was set aside', 'until they read the new tables');

select is(pg_temp.found('rows_left'), 'PASS * every row was taken over', 'no row was left');
insert into agg.moved_row (table_name, is_taken_over, rows, explanation) values
  ('data_bars', true, 1000, 'are in data_bars'), ('data_bars', false, 3, 'break a check'), ('data_bars', false, 0, 'of no timeframe'),
  ('derived_data_bars', false, 40, 'deleted'), ('derived_data_bars', false, 600, 'doubles');
select is(
  pg_temp.found('rows_left'), 'WARN data_bars 3: break a check; WARN derived_data_bars 600: doubles; 40: deleted', 'rows that were are counted by reason'
);

select * from finish();
rollback;
