comment on function agg.keep_changed_bars is
  'Keeps what an update changed of derived_data_bars, from its transition tables, as revisions. Keeps no row that was no bar and still is not, nor one that its own transaction wrote, which no reader has seen.';

create function agg.keep_changed_bars()
returns trigger
language plpgsql
volatile
-- Writers of derived_data_bars have no rights on its revisions.
security definer
set search_path = pg_catalog, pg_temp
-- A plan made for one statement serves all: transition tables are hashed, and the registry is asked by its key.
set enable_nestloop = off
set enable_mergejoin = off
set enable_hashjoin = on
set jit = off
as $$
declare
  v_is_built constant boolean := coalesce(current_setting('pgbars.is_building_windows', true), '') = 'on';
begin
  -- The update that an upsert of new bars is as well.
  if not exists (select from old_rows) then
    return null;
  end if;
  insert into public.derived_data_bars_revision (
    canonical_symbol, timeframe, ts_utc, replaced_at, written_at, deleted_at, open, high, low, close, vol, vwap, trade_count,
    covered_minutes, expected_minutes, quality_score, is_partial, reason
  )
  select
    o.canonical_symbol, o.timeframe, o.ts_utc, x.replaced_at, o.updated_at, o.deleted_at, o.open, o.high, o.low, o.close,
    o.vol, o.vwap, o.trade_count, o.covered_minutes, o.expected_minutes, o.quality_score, o.is_partial,
    case
      when n.canonical_symbol is null then 'deleted'
      when not v_is_built then 'by_hand'
      when n.covered_minutes > o.covered_minutes then 'late_minutes'
      when n.covered_minutes < o.covered_minutes then 'lost_minutes'
      when (n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count, n.is_partial)
        is distinct from (o.open, o.high, o.low, o.close, o.vol, o.vwap, o.trade_count, o.is_partial) then 'changed_minutes'
      else 'new_rules'
    end
  from old_rows as o
  -- A row whose key was changed is gone from its place.
  left join new_rows as n on n.canonical_symbol = o.canonical_symbol and n.timeframe = o.timeframe and n.ts_utc = o.ts_utc
  -- A transaction that began later may have written what is gone.
  cross join lateral (
    select coalesce(n.updated_at, case when o.updated_at > now() then o.updated_at + interval '1 microsecond' else now() end)
  ) as x (replaced_at)
  where (o.deleted_at is null or n.canonical_symbol is not null and n.deleted_at is null) and o.updated_at < x.replaced_at
    and (
      -- The call costs more than all else here, and few assets say anything.
      select case when r.metadata #> '{agg,revisions}' is not null then agg.revision_age(r.metadata #> '{agg,revisions}') end
      from public.core_asset_registry_all as r
      where r.canonical_symbol = o.canonical_symbol
    ) is distinct from interval '0'
  on conflict (canonical_symbol, timeframe, ts_utc, replaced_at) do nothing;
  return null;
end;
$$;

create trigger keep_changed after update on public.derived_data_bars
  referencing old table as old_rows new table as new_rows for each statement execute function agg.keep_changed_bars();
