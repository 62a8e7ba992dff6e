begin;
select plan(12);

call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ONE', true), ('TWO', true);

select throws_ok(
  $$
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
      ('GOOD', true, '{}'), ('BAD', true, '{"agg": {"enabld": true}}'), ('WORSE', false, '{"agg": {"start_utc": "soon", "session": "always"}}')
  $$,
  '22023',
  'metadata of BAD: agg.enabld is not known; known are enabled, start_utc, mandatory, optional, session, calendar, day_close, quality, sparse, keep, revisions, max_silence; '
    'WORSE: agg.session must be "24x7", "cme_globex", "fx", "us_equity", "us_equity_extended" or an object with time_zone and weekly, not "always"; '
    'WORSE: agg.start_utc must be an instant with its zone such as "2025-07-01T00:00:00Z", from 1900 up to 2200, not "soon"',
  'an insert of bad metadata is refused, and says which assets and keys, active or not'
);
select is_empty(
  $$ select from public.core_asset_registry_all as r where r.canonical_symbol in ('GOOD', 'BAD', 'WORSE') $$,
  'nothing of the refused statement is stored'
);
select throws_ok(
  $$ update public.core_asset_registry_all as r set metadata = '{"agg": {"quality": 7}}' where r.canonical_symbol = 'ONE' $$,
  '22023', 'metadata of ONE: agg.quality must be an object with good (80 where left out) and poor (60) in whole percent, 1 <= poor <= good <= 100, not 7',
  'an update to bad metadata is refused'
);
select throws_ok(
  $$
    insert into public.core_asset_registry_all (canonical_symbol, metadata) values ('ONE', '{"agg": []}')
    on conflict (canonical_symbol) do update set metadata = excluded.metadata
  $$,
  '22023', 'metadata of ONE: agg must be an object, not []', 'an upsert of bad metadata is refused'
);
select throws_ok(
  $$
    insert into public.core_asset_registry_all (canonical_symbol, metadata)
    select b.symbol, jsonb_build_object(
      'is_synthetic', true, 'formula_base', 1, 'components', jsonb_build_array(b.component), 'component_weights', jsonb_build_object(b.component, 1)
    )
    from (values ('LEFT', 'RIGHT'), ('RIGHT', 'LEFT')) as b (symbol, component)
  $$,
  '22023', 'metadata of LEFT: components lead back to LEFT itself; RIGHT: components lead back to RIGHT itself',
  'baskets that hold themselves are refused'
);

-- What an older deployment may hold.
alter table public.core_asset_registry_all disable trigger user;
update public.core_asset_registry_all as r set metadata = '{"agg": {"enabld": true}}' where r.canonical_symbol = 'ONE';
insert into public.core_asset_registry_all (canonical_symbol, metadata) values ('OLD', '{"agg": {"enabld": true}}');
alter table public.core_asset_registry_all enable trigger user;

select lives_ok(
  $$ update public.core_asset_registry_all as r set description = 'known for long', active = true $$,
  'an asset that holds bad metadata already may be changed otherwise'
);
select set_eq(
  $$ select s.canonical_symbol from public.data_agg_state as s where s.enabled $$, array['OLD', 'ONE', 'TWO'],
  'its key is ignored, and it syncs like all others'
);
select lives_ok(
  $$ update public.core_asset_registry_all as r set active = false where r.canonical_symbol in ('OLD', 'ONE', 'TWO') $$, 'such an asset may be switched off'
);
select is_empty($$ select s.canonical_symbol from public.data_agg_state as s where s.enabled $$, 'switching it off takes effect');
select throws_ok(
  $$ update public.core_asset_registry_all as r set metadata = '{"agg": {"enabld": false}}' where r.canonical_symbol = 'OLD' $$,
  '22023', null, 'other bad metadata are refused'
);
select lives_ok(
  $$ update public.core_asset_registry_all as r set metadata = '{"agg": {"enabled": true}}', active = true where r.canonical_symbol = 'OLD' $$, 'good metadata are accepted'
);
select set_eq(
  $$ select s.canonical_symbol from public.data_agg_state as s where s.enabled $$, array['OLD'], 'its tasks then exist'
);

select * from finish();
rollback;
