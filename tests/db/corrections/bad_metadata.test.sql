begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_basket('DXY', '{"A": 1}');
create temporary table good as select r.metadata from public.core_asset_registry_all as r where r.canonical_symbol = 'DXY';
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.run('2025-07-01 02:05+00');

-- Makes the basket unreadable, changes a minute of A, runs the dispatcher, and restores the basket. Returns what is wrong then.
create function pg_temp.play(p_metadata jsonb, p_hour integer) returns text
language plpgsql as $$
declare
  v_now constant timestamptz := timestamptz '2025-07-01 03:00+00' + p_hour * interval '3 hours';
begin
  update public.core_asset_registry_all as r set metadata = p_metadata where r.canonical_symbol = 'DXY';
  perform public.sync_agg_state_from_registry();
  update public.data_bars as b set high = 2 + p_hour, close = 2 + p_hour
  where b.canonical_symbol = 'A' and b.ts_utc = timestamptz '2025-07-01 00:31+00' + p_hour * interval '1 minute';
  perform public.agg_run_due(p_now => v_now);
  if exists (select from agg.change_note) then
    return 'a note is not read';
  end if;
  update public.core_asset_registry_all as r set metadata = g.metadata from good as g where r.canonical_symbol = 'DXY';
  perform public.sync_agg_state_from_registry();
  perform public.agg_run_due(p_now => v_now + interval '1 hour');
  return (
    select string_agg(format('%s %s %s', v.timeframe, v.ts_utc, v.problem), '; ')
    from public.agg_verify() as v
  );
end;
$$;
select is(
  (select pg_temp.play(g.metadata || '{"components": "A"}', 0) from good as g), null,
  'a change of a component is kept while the registry holds no list of components'
);
select is(
  (select pg_temp.play(g.metadata || '{"components": ["B"]}', 1) from good as g), null,
  'a change is kept while the components have no weights'
);
select is(
  (select pg_temp.play(g.metadata || '{"is_synthetic": "true"}', 2) from good as g), null, 'a change is kept while is_synthetic is not a boolean'
);
select is((select pg_temp.play(g.metadata - 'is_synthetic', 3) from good as g), null, 'a change is kept while the asset is not a basket');
select results_eq(
  $$ select d.ts_utc, d.high from public.data_bars as d where d.canonical_symbol = 'DXY' and d.high > 1 order by 1 $$,
  $$
    values
      (timestamptz '2025-07-01 00:31+00', 2::double precision), ('2025-07-01 00:32+00', 3), ('2025-07-01 00:33+00', 4),
      ('2025-07-01 00:34+00', 5)
  $$,
  'agg_run_due() makes each of these corrections once the registry is fixed'
);

select * from finish();
rollback;
