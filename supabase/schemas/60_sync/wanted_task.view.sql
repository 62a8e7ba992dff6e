comment on view agg.wanted_task is
  'The tasks that the metadata of each asset ask for, active or not, as far as metadata are understood; none where metadata.agg.enabled is false. agg_start_utc is null where metadata do not say it. fallback_source_timeframe is the source where days do not hold whole hours (see agg.begins_on_hours).';

create view agg.wanted_task with (security_invoker = true) as
select
  r.canonical_symbol,
  t.timeframe,
  t.duration,
  coalesce(t.source_timeframe, t.timeframe) as source_timeframe,
  -- Days begin at a multiple of five minutes, and every asset has 5m.
  case
    when t.duration <= interval '1 hour' then null
    when t.source_timeframe in ('1m', '5m') then t.source_timeframe
    else '5m'
  end as fallback_source_timeframe,
  (extract(epoch from t.duration) / 60)::integer as run_interval_minutes,
  -- A minute that arrives later is a correction of a synthetic bar. To wait for it would make every synthetic bar late.
  case when t.source_timeframe is null then 0 else f.delay_seconds end as aggregation_delay_seconds,
  t.source_timeframe is null or t.is_mandatory or coalesce(a.mandatory @> to_jsonb(t.timeframe), false) as is_mandatory,
  case when a.start_utc >= f.least_utc and a.start_utc < f.end_utc then a.start_utc end as agg_start_utc,
  coalesce(a.good_percent, f.good_percent) as good_percent,
  case when a.sparse = 'true' then 0 else coalesce(a.poor_percent, f.poor_percent) end as poor_percent,
  a.session,
  a.calendar,
  a.day_close,
  case when t.source_timeframe is null then (
    select to_jsonb(b) - 'canonical_symbol' from agg.basket as b where b.canonical_symbol = r.canonical_symbol
  ) end as basket
from public.core_asset_registry_all as r
cross join lateral (
  select
    r.metadata -> 'agg' -> 'mandatory' as mandatory,
    r.metadata -> 'agg' -> 'optional' as optional,
    r.metadata -> 'agg' -> 'session' as session,
    r.metadata -> 'agg' ->> 'calendar' as calendar,
    r.metadata -> 'agg' -> 'day_close' as day_close,
    r.metadata -> 'agg' -> 'sparse' as sparse,
    agg.utc_instant(r.metadata -> 'agg' ->> 'start_utc') as start_utc,
    substring(r.metadata -> 'agg' -> 'quality' ->> 'good' from '^[0-9]{1,3}$')::smallint as good_percent,
    substring(r.metadata -> 'agg' -> 'quality' ->> 'poor' from '^[0-9]{1,3}$')::smallint as poor_percent
  -- Once an asset, not once a task.
  offset 0
) as a
cross join agg.defaults as f
join agg.timeframe as t
  on t.is_mandatory
  or (t.source_timeframe is null and r.metadata -> 'is_synthetic' = 'true')
  or (t.source_timeframe is not null and (a.mandatory @> to_jsonb(t.timeframe) or a.optional @> to_jsonb(t.timeframe)))
where r.metadata -> 'agg' -> 'enabled' is distinct from 'false';
