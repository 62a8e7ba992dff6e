begin;
select plan(5);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
update public.core_asset_registry_all as r
set metadata = r.metadata || '{"components": ["A"], "component_weights": {"A": 1}, "formula_base": 1}'
where r.canonical_symbol = 'DXY';
create temporary table good as select r.metadata from public.core_asset_registry_all as r where r.canonical_symbol = 'DXY';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'A', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;

-- Each kind hides the basket in another way; the late minute and the note of everything come while it is hidden.
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
  'or one of components without weights'
);
select is(
  (select pg_temp.play(g.metadata || '{"is_synthetic": "true"}', 2) from good as g), null, 'or a basket that is not clearly one'
);
select is((select pg_temp.play(g.metadata - 'is_synthetic', 3) from good as g), null, 'or no basket for a while');
select results_eq(
  $$ select d.ts_utc, d.high from public.data_bars as d where d.canonical_symbol = 'DXY' and d.high > 1 order by 1 $$,
  $$
    values
      (timestamptz '2025-07-01 00:31+00', 2::double precision), ('2025-07-01 00:32+00', 3), ('2025-07-01 00:33+00', 4),
      ('2025-07-01 00:34+00', 5)
  $$,
  'agg_run_due() follows each of them once the registry is mended'
);

select * from finish();
rollback;
