comment on function agg.keep_deleted_bars is
  'Keeps the bars that a statement deleted from derived_data_bars as revisions, but for those that its own transaction wrote. It keeps none while the setting pgbars.keeps_deleted is off.';

create function agg.keep_deleted_bars()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if current_setting('pgbars.keeps_deleted', true) = 'off' then
    return null;
  end if;
  insert into public.derived_data_bars_revision (
    canonical_symbol, timeframe, ts_utc, replaced_at, written_at, deleted_at, open, high, low, close, vol, vwap, trade_count,
    covered_minutes, expected_minutes, quality_score, is_partial, reason
  )
  select
    o.canonical_symbol, o.timeframe, o.ts_utc,
    -- A transaction that began later may have written it.
    case when o.updated_at > now() then o.updated_at + interval '1 microsecond' else now() end, o.updated_at, o.deleted_at, o.open, o.high, o.low, o.close,
    o.vol, o.vwap, o.trade_count, o.covered_minutes, o.expected_minutes, o.quality_score, o.is_partial, 'deleted'
  from old_rows as o
  where o.deleted_at is null and o.updated_at <> now()
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

create trigger keep_deleted after delete on public.derived_data_bars
  referencing old table as old_rows for each statement execute function agg.keep_deleted_bars();
