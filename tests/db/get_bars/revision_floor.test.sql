-- What was not kept stays unknown, whatever becomes of the asset: p_as_of refuses it.
begin;
select plan(17);

call tests.clear();
call tests.add_asset('LONGER', '{"revisions": "30 days"}');
call tests.add_asset('SHORTER', '{"revisions": "60 days"}');
call tests.add_asset('YEARS', '{"revisions": "10 years"}');
call tests.add_asset('AGAIN', '{"revisions": false}');
call tests.add_asset('GONE', '{"revisions": false}');
call tests.add_asset('BACK', '{"revisions": false}');
call tests.add_asset('NAMED', '{"revisions": false}');
call tests.add_asset('CUT', '{"revisions": false}');
call tests.add_asset('PLAIN');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select r.canonical_symbol, '2025-07-01 00:00+00', 1, 1, 1, 1 from public.core_asset_registry_all as r where r.canonical_symbol <> 'DXY';

create function pg_temp.revise(p_symbol text, p_revisions jsonb) returns void language sql as $$
  update public.core_asset_registry_all as r
  set metadata = case when p_revisions is null then r.metadata #- '{agg,revisions}' else jsonb_set(r.metadata, '{agg,revisions}', p_revisions) end
  where r.canonical_symbol = p_symbol;
$$;
-- How many days back p_as_of goes: the first of these that is refused.
create function pg_temp.reach(p_symbol text) returns text language plpgsql as $$
declare
  v_days integer;
begin
  foreach v_days in array array[0, 29, 31, 59, 61, 399, 401, 3600] loop
    begin
      perform public.get_bars(array[p_symbol], '5m', p_as_of => clock_timestamp() - v_days * interval '1 day' - interval '1 second');
    exception when invalid_parameter_value then
      return format('under %s days: %s', v_days, sqlerrm ~ format('^%s keeps no revisions from before 2', p_symbol));
    end;
  end loop;
  return 'all';
end;
$$;

select is(pg_temp.reach('PLAIN'), 'under 401 days: t', 'an asset without the setting');
select is(pg_temp.reach('YEARS'), 'under 401 days: t', 'years, since it was registered');
select is(pg_temp.reach('AGAIN'), 'under 0 days: t', 'no revisions');

select pg_temp.revise('LONGER', '"400 days"');
select is(pg_temp.reach('LONGER'), 'under 31 days: t', 'kept for longer: what was let go stays unknown');
select pg_temp.revise('LONGER', '"10 years"');
select is(pg_temp.reach('LONGER'), 'under 31 days: t', 'and longer still');
select pg_temp.revise('SHORTER', '"30 days"');
select is(pg_temp.reach('SHORTER'), 'under 31 days: t', 'kept for a shorter time');
select pg_temp.revise('SHORTER', null);
select is(pg_temp.reach('SHORTER'), 'under 31 days: t', 'and for longer again');
select pg_temp.revise('AGAIN', 'true');
select is(pg_temp.reach('AGAIN'), 'under 0 days: t', 'kept again');
select pg_temp.revise('AGAIN', '"90 days"');
select is(pg_temp.reach('AGAIN'), 'under 0 days: t', 'and for another time');

delete from public.core_asset_registry_all as r where r.canonical_symbol in ('GONE', 'BACK', 'YEARS');
select is(pg_temp.reach('GONE'), 'under 0 days: t', 'an asset that has left the registry');
select is(pg_temp.reach('YEARS'), 'under 401 days: t', 'without the registry revisions are kept for 400 days');
call tests.add_asset('BACK');
call tests.add_asset('YEARS', '{"revisions": "10 years"}');
select is(pg_temp.reach('BACK'), 'under 0 days: t', 'one that has come back');
select is(pg_temp.reach('YEARS'), 'under 401 days: t', 'one that has come back and keeps revisions for years');

update public.core_asset_registry_all as r set canonical_symbol = 'RENAMED' where r.canonical_symbol = 'NAMED';
select is(pg_temp.reach('NAMED'), 'under 0 days: t', 'the former name of an asset');

insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ('PLAIN', true, '{}')
on conflict (canonical_symbol) do update set metadata = excluded.metadata;
update public.core_asset_registry_all as r set description = 'the same' where r.canonical_symbol = 'CUT';
select is_empty(
  $$ select f.canonical_symbol from agg.revision_floor as f where f.canonical_symbol in ('PLAIN', 'CUT') $$, 'other changes raise no floor'
);
truncate public.core_asset_registry_all;
select is(pg_temp.reach('CUT'), 'under 0 days: t', 'a registry that was emptied');
select is(pg_temp.reach('PLAIN'), 'under 401 days: t', 'and an asset of it that kept revisions');

select * from finish();
rollback;
