begin;
select plan(9);

-- FX closes on Friday 4 July 2025 at 17:00 New York (21:00 UTC), and opens again on Sunday 6 July at 21:00 UTC.
call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select r.symbol, true, '{"agg": {"start_utc": "2025-07-04T18:00:00Z", "session": "fx"}}' from unnest(tests.rates()) as r (symbol);
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('DXY', true, '{"is_synthetic": true, "derivation_method": "calc_dxy_range_1m", "agg": {"start_utc": "2025-07-04T18:00:00Z", "session": "fx"}}');
call tests.add_rates('2025-07-04 18:00+00', '2025-07-04 21:00+00');
call tests.run('2025-07-04 21:06+00');
update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
create function pg_temp.found(p_check text, p_now timestamptz) returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.subject), '; ' order by c.subject) from public.agg_check(p_now, true) as c where c."check" = p_check
$$;
create function pg_temp.value(p_check text, p_now timestamptz) returns text
language sql as $$ select string_agg(c.value, '; ' order by c.subject) from public.agg_check(p_now, true) as c where c."check" = p_check $$;

select is(pg_temp.value('series', '2025-07-04 20:59+00'), '1 series up to date, 0 closed', 'the index is up to date while the market is open');
select is(pg_temp.value('series', '2025-07-05 12:00+00'), '0 series up to date, 1 closed', 'on Saturday no minute of it is missed');
select is(pg_temp.value('components', '2025-07-05 12:00+00'), 'DXY: closed', 'nor of its components');
select is(
  pg_temp.value('bars', '2025-07-05 12:00+00'), '0 tasks up to date, the market of 14 is closed', 'nor any longer bar'
);
select is(pg_temp.found('cursors', '2025-07-05 12:00+00'), 'PASS *', 'windows in which the market is closed may be decided before they end');
select is(pg_temp.found('series', '2025-07-06 21:04+00'), 'PASS *', 'nor in the first five minutes after the opening');
select is(pg_temp.found('series', '2025-07-06 21:05+00'), 'FAIL DXY', 'then they are');
select is(pg_temp.found('components', '2025-07-06 21:05+00'), 'WARN DXY', 'and so are those of the components');
call tests.set_metadata('DXY', '{agg}', '{"start_utc": "2025-07-04T18:00:00Z"}');
select is(
  pg_temp.found('series', '2025-07-05 12:00+00'), 'PASS *', 'a series that says nothing of a session is closed while a component is'
);

select * from finish();
rollback;
