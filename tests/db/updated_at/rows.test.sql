begin;
select plan(12);

create function pg_temp.is_moved(p_table regclass) returns boolean
language plpgsql as $$
declare
  v_is_moved boolean;
begin
  execute format('select bool_and(t.updated_at = now()) from %s as t where t.canonical_symbol = ''ACME''', p_table) into v_is_moved;
  return v_is_moved;
end;
$$;
create function pg_temp.make_old(p_table regclass) returns void
language plpgsql as $$
begin
  execute format('update %s as t set updated_at = ''2020-01-01 00:00+00'' where t.canonical_symbol = ''ACME''', p_table);
end;
$$;

insert into public.core_asset_registry_all (canonical_symbol, updated_at) values ('ACME', '2020-01-01 00:00+00');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, updated_at)
values ('ACME', '2026-01-02 10:00+00', 1, 2, 1, 1, '2020-01-01 00:00+00');
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close,
  source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score, updated_at
)
values ('ACME', '5m', '2026-01-02 10:00+00', 1, 2, 1, 1, '1m', 5, 5, 5, 5, 2, '2020-01-01 00:00+00');
select is(
  array(
    select b.updated_at from public.data_bars as b
    union select d.updated_at from public.derived_data_bars as d
    union select r.updated_at from public.core_asset_registry_all as r where r.canonical_symbol = 'ACME'
  ),
  array['2020-01-01 00:00+00']::timestamptz[], 'inserts keep the updated_at that they give'
);

update public.data_bars as b set close = 1.5;
select ok(pg_temp.is_moved('public.data_bars'), 'an update of data_bars moves updated_at');
do $$ begin perform pg_temp.make_old('public.data_bars'); end; $$;
select ok(not pg_temp.is_moved('public.data_bars'), 'the updated_at that an update gives stays');
update public.data_bars as b set close = b.close;
select ok(not pg_temp.is_moved('public.data_bars'), 'an update that changes nothing leaves updated_at alone');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', '2026-01-02 10:00+00', 1, 2, 1, 2)
on conflict (canonical_symbol, timeframe, ts_utc) do update set close = excluded.close;
select ok(pg_temp.is_moved('public.data_bars'), 'an upsert moves updated_at');
do $$ begin perform pg_temp.make_old('public.data_bars'); end; $$;
do $$
begin
  perform public.upsert_bars('[{"canonical_symbol": "ACME", "ts_utc": "2026-01-02T10:00Z", "open": 1, "high": 3, "low": 1, "close": 1}]');
end;
$$;
select ok(pg_temp.is_moved('public.data_bars'), 'so does upsert_bars()');

-- json has no equality.
alter table public.data_bars add column own json default '{}';
do $$ begin perform pg_temp.make_old('public.data_bars'); end; $$;
update public.data_bars as b set own = '{"a": 1}';
select ok(pg_temp.is_moved('public.data_bars'), 'a column of one''s own counts');

update public.derived_data_bars as d set deleted_at = now();
select ok(pg_temp.is_moved('public.derived_data_bars'), 'an update of derived_data_bars moves updated_at');

update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'ACME';
select ok(pg_temp.is_moved('public.core_asset_registry_all'), 'an update of the registry moves updated_at');
do $$ begin perform pg_temp.make_old('public.core_asset_registry_all'); end; $$;
select ok(not pg_temp.is_moved('public.core_asset_registry_all'), 'the updated_at that an update of the registry gives stays');
update public.core_asset_registry_all as r set active = true, metadata = '{}' where r.canonical_symbol = 'ACME';
select ok(not pg_temp.is_moved('public.core_asset_registry_all'), 'an update of the registry that changes nothing leaves it alone');
update public.core_asset_registry_all as r set description = 'A' where r.canonical_symbol = 'ACME';
select ok(pg_temp.is_moved('public.core_asset_registry_all'), 'its generated column is no obstacle');

select * from finish();
rollback;
