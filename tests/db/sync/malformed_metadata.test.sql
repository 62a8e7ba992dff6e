begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
create temporary table malformed (symbol text, names_key text, metadata jsonb);
insert into malformed (symbol, names_key, metadata)
select 'BAD' || lpad(row_number() over ()::text, 2, '0'), m.names_key, m.metadata::jsonb
from (
  values
    ('agg', '{"agg": null}'),
    ('agg', '{"agg": []}'),
    ('agg', '{"agg": "5m"}'),
    ('agg.enabld', '{"agg": {"enabld": true}}'),
    ('agg.enabled', '{"agg": {"enabled": "maybe"}}'),
    ('agg.enabled', '{"agg": {"enabled": 5}}'),
    ('agg.enabled', '{"agg": {"enabled": null}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "yesterday"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "2025-07-01"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "2025-07-01T00:00:00"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "2025-02-30T00:00:00Z"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "2025-07-01T00:00:00+99"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": 1751328000}}'),
    ('agg.start_utc', '{"agg": {"start_utc": null}}'),
    ('agg.mandatory', '{"agg": {"mandatory": "1h"}}'),
    ('agg.mandatory', '{"agg": {"mandatory": ["7m"]}}'),
    ('agg.optional', '{"agg": {"optional": ["1m"]}}'),
    ('agg.optional', '{"agg": {"optional": [5]}}'),
    ('agg.optional', '{"agg": {"optional": null}}'),
    ('agg.quality', '{"agg": {"quality": 80}}'),
    ('agg.quality', '{"agg": {"quality": {"good": 101}}}'),
    ('agg.quality', '{"agg": {"quality": {"good": 50}}}'),
    ('agg.quality', '{"agg": {"quality": {"poor": 0}}}'),
    ('agg.quality', '{"agg": {"quality": {"good": "80"}}}'),
    ('agg.quality', '{"agg": {"quality": {"fair": 80}}}'),
    ('agg.session', '{"agg": {"session": "always"}}'),
    ('agg.session', '{"agg": {"session": null}}'),
    ('agg.session.time_zone', '{"agg": {"session": {"time_zone": "Mars/Olympus", "weekly": [{"open": "Mon 09:30", "close": "Mon 16:00"}]}}}'),
    ('agg.session.time_zone', '{"agg": {"session": {"weekly": [{"open": "Mon 09:30", "close": "Mon 16:00"}]}}}'),
    ('agg.session.weekly', '{"agg": {"session": {"time_zone": "UTC"}}}'),
    ('agg.session.weekly', '{"agg": {"session": {"time_zone": "UTC", "weekly": []}}}'),
    ('agg.session.weekly', '{"agg": {"session": {"time_zone": "UTC", "weekly": ["Mon"]}}}'),
    ('agg.session.weekly', '{"agg": {"session": {"time_zone": "UTC", "weekly": [{"open": "Mon 24:00", "close": "Tue 16:00"}]}}}'),
    ('agg.session.weekly', '{"agg": {"session": {"time_zone": "UTC", "weekly": [{"open": "Mon 09:30", "close": "Mon 09:30"}]}}}'),
    ('agg.session.weekly', '{"agg": {"session": {"time_zone": "UTC", "weekly": [{"open": "Mon 09:30", "close": "Mon 16:00", "x": 1}]}}}'),
    ('agg.session.holidays', '{"agg": {"session": {"time_zone": "UTC", "holidays": [], "weekly": [{"open": "Mon 09:30", "close": "Mon 16:00"}]}}}'),
    ('is_synthetic', '{"is_synthetic": "true"}'),
    ('components', '{"is_synthetic": true, "component_weights": {"A": 1}, "formula_base": 1}'),
    ('components', '{"is_synthetic": true, "components": ["A", "A"], "component_weights": {"A": 1}, "formula_base": 1}'),
    ('component_weights.A', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": "1"}, "formula_base": 1}'),
    ('component_weights.A', '{"is_synthetic": true, "components": ["A"], "formula_base": 1}'),
    ('component_weights.A', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 0}, "formula_base": 1}'),
    ('component_weights.A', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1e-400}, "formula_base": 1}'),
    ('component_weights.A', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": -1001}, "formula_base": 1}'),
    ('components', '{"is_synthetic": true, "components": [["A"]], "component_weights": {"[\"A\"]": 1}, "formula_base": 1}'),
    ('components', '{"is_synthetic": true, "components": [" "], "component_weights": {" ": 1}, "formula_base": 1}'),
    ('agg.start_utc', '{"agg": {"start_utc": "1899-12-31T23:59:59Z"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "2200-01-01T00:00:00Z"}}'),
    ('agg.start_utc', '{"agg": {"start_utc": "2025-07-01T00:00:00Z+03"}}'),
    ('formula_base', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}}'),
    ('formula_base', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}, "formula_base": 0}'),
    ('formula_base', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}, "formula_base": "50"}'),
    ('formula_base', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}, "formula_base": [50]}'),
    ('derivation_version', '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}, "formula_base": 1, "derivation_version": 3}')
) as m (names_key, metadata);

-- Existing tasks of an asset whose metadata turns bad stay as they are.
insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ('TURNED', true, '{}');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
update public.core_asset_registry_all as r set metadata = '{"agg": {"quality": {"good": 1000}}}' where r.canonical_symbol = 'TURNED';

insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select m.symbol, true, m.metadata from malformed as m;
select results_eq(
  $$
    select m.symbol
    from malformed as m
    join agg.asset_problems(array(select f.symbol from malformed as f)) as p on p.canonical_symbol = m.symbol
    group by m.symbol, m.names_key
    having bool_or(starts_with(p.problem, m.names_key))
    order by 1
  $$,
  'select m.symbol from malformed as m order by 1',
  'asset_problems() names the key of every kind of malformed metadata'
);
insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
  ('GOOD', true, '{}'), ('ZZ_GOOD', true, '{"agg": {"quality": {"good": 90, "poor": 50}, "session": "24x7"}}');

create temporary table synced (result jsonb);
select lives_ok(
  'insert into synced (result) select public.sync_agg_state_from_registry()',
  'sync_agg_state_from_registry() survives malformed metadata'
);
select results_eq(
  $$
    select f.item ->> 'canonical_symbol'
    from synced as y
    cross join lateral jsonb_array_elements(y.result -> 'refused') as f (item)
    group by 1
    order by 1
  $$,
  $$ select m.symbol from malformed as m union all select 'TURNED' order by 1 $$,
  'sync_agg_state_from_registry() lists every asset whose metadata it does not understand'
);
select results_eq(
  $$
    select s.canonical_symbol, string_agg(s.timeframe, ' ' order by s.timeframe), bool_and(s.enabled)
    from public.data_agg_state as s
    where s.canonical_symbol not in (
      select f.canonical_symbol from malformed as m join agg.asset_problems(array[m.symbol]) as f on f.leaves_out <> 'asset'
    )
    group by 1
    order by 1
  $$,
  $$ values ('GOOD', '1h 5m', true), ('TURNED', '1h 5m', true), ('ZZ_GOOD', '1h 5m', true) $$,
  'sync_agg_state_from_registry() syncs the other assets, and leaves the tasks of an asset alone that it cannot understand'
);
insert into public.core_asset_registry_all (canonical_symbol, metadata)
select 'WELL' || s.nr, s.item
from unnest(array[
  '{}', '{"agg": {}}', '{"agg": {"session": "24x7"}}', '{"agg": {"quality": {}}}', '{"agg": {"optional": [], "mandatory": ["1h"]}}',
  '{"agg": {"start_utc": "2025-07-01 00:00:00.5+0530"}}', '{"note": "theirs", "is_synthetic": false}'
]::jsonb[]) with ordinality as s (item, nr);
select is_empty(
  $$
    select p
    from agg.asset_problems(array(
      select r.canonical_symbol from public.core_asset_registry_all as r where r.canonical_symbol ~ 'WELL|DXY'
    )) as p
  $$,
  'asset_problems() finds nothing wrong with good metadata'
);

select * from finish();
rollback;
