begin;
select plan(3);

create function pg_temp.bar(p_symbol text, p_close double precision default 1) returns jsonb
language sql as $$
  select jsonb_build_object('canonical_symbol', p_symbol, 'ts_utc', '2026-01-02T10:00:00Z', 'open', 1, 'high', 1, 'low', 1, 'close', p_close);
$$;
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ACTIVE', true), ('INACTIVE', false);

select is(
  public.upsert_bars(jsonb_build_array(
    pg_temp.bar('ZULU'), pg_temp.bar('ACTIVE'), pg_temp.bar('INACTIVE'), pg_temp.bar('ALPHA'), pg_temp.bar('ZULU'), pg_temp.bar('BROKEN', 7)
  )) -> 'unregistered',
  '["ALPHA", "ZULU"]', 'upsert_bars() lists the symbols of stored bars that the registry does not know, once each'
);
select is(
  public.upsert_bars(jsonb_build_array(pg_temp.bar('ZULU'))) - 'refused' - 'superseded' - 'success',
  '{"inserted": 0, "updated": 0, "unchanged": 1, "unregistered": ["ZULU"]}', 'also where the bars are there already'
);
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ZULU', true);
select is(
  public.upsert_bars(jsonb_build_array(pg_temp.bar('ZULU'))) -> 'unregistered', '[]', 'upsert_bars() lists no symbol that the registry knows'
);

select * from finish();
rollback;
