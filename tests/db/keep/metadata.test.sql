begin;
select plan(5);

call tests.clear();
create function pg_temp.keep(p_keep jsonb) returns text
language plpgsql as $$
begin
  call tests.add_asset('ACME', jsonb_build_object('keep', p_keep));
  delete from public.core_asset_registry_all as r where r.canonical_symbol = 'ACME';
  return 'taken';
exception when invalid_parameter_value then
  return sqlerrm;
end;
$$;
select is(
  pg_temp.keep('{"1m": "400 days", "5m": "10 years", "1h": "1 month", "1w": "52 weeks"}'), 'taken',
  'metadata.agg.keep takes days, weeks, months and years'
);
select is(
  pg_temp.keep('{"1m": "soon"}'),
  'metadata of ACME: agg.keep must be an object of timeframes out of 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w, each with a number of days, weeks, months or years'
    ' such as "400 days", not {"1m": "soon"}',
  'anything else is refused, with what is right'
);
select is_empty(
  $$
    select k.value
    from unnest(array['[]', '"400 days"', 'null', '{"1m": 400}', '{"1m": "0 days"}', '{"1m": "-1 day"}', '{"1m": "1 hour"}', '{"1m": null}',
      '{"1m": "10000 days"}', '{"1m": "1 day 1 hour"}', '{"2m": "1 day"}']::jsonb[]) as k (value)
    where pg_temp.keep(k.value) = 'taken'
  $$,
  'so are other values, times and timeframes'
);
-- Readers may not call agg.kept_for, so that the rule stands twice.
select is_empty(
  $$
    select k.value
    from unnest(array['"1 day"', '"9999 days"', '"10000 days"', '"52 weeks"', '"999 years"', '"1000 years"', '"0 days"', '"1 hour"', '1', 'null']::jsonb[]) as k (value)
    where agg.revision_age(k.value) <> coalesce(agg.kept_for(k.value), '400 days')
  $$,
  'metadata.agg.revisions takes the same times'
);
-- Stored already: what is understood is followed.
call tests.add_asset('ACME');
alter table public.core_asset_registry_all disable trigger user;
call tests.set_metadata('ACME', '{agg,keep}', '{"1m": "1 day", "5m": "soon"}');
do $$ begin perform agg.raise_floors('2025-08-01 00:00+00'); end; $$;
select results_eq(
  'select f.timeframe from agg.floor as f', $$ values ('1m') $$, 'of metadata that were stored before, what is understood is followed'
);

select * from finish();
rollback;
