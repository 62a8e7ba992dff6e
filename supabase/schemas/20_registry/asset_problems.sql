comment on function agg.asset_problems is
  'What keeps assets of the registry from being synced and built, a row a problem, each naming its key of metadata, cut off after 500 characters. No row where all is well, or for a symbol that the registry does not have.';

create function agg.asset_problems(p_symbols text[])
returns setof agg.asset_problem
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  return query
  with asset as materialized (
    select
      r.canonical_symbol as symbol, r.metadata,
      case jsonb_typeof(r.metadata -> 'agg') when 'object' then r.metadata -> 'agg' else '{}' end as config
    from unnest(p_symbols) as n (symbol)
    join public.core_asset_registry_all as r on r.canonical_symbol = n.symbol
  ),
  synthetic as materialized (
    select
      a.symbol, a.metadata,
      case
        when jsonb_typeof(a.metadata -> 'components') <> 'array' then '[]'
        when jsonb_array_length(a.metadata -> 'components') <= 1000 then a.metadata -> 'components'
        else '[]'
      end as components
    from asset as a
    where a.metadata -> 'is_synthetic' = 'true'
  ),
  -- Many assets share a session, and reading one costs more than all else here.
  session as materialized (
    select s.session, agg.session_problem(s.session) as problem
    from (select distinct a.config -> 'session' as session from asset as a where a.config ? 'session') as s
  ),
  timeframes as (
    select string_agg(t.timeframe, ', ' order by t.duration) as known
    from agg.timeframe as t
    where t.source_timeframe is not null
  )
  select p.symbol, left(p.problem, 500)
  from (
    select a.symbol, format('agg must be an object, not %s', a.metadata -> 'agg') as problem
    from asset as a
    where jsonb_typeof(a.metadata -> 'agg') <> 'object'
    union all
    select
      a.symbol, format('agg.%s is not known; known are enabled, start_utc, mandatory, optional, session, quality', k.key)
    from asset as a
    cross join lateral jsonb_object_keys(a.config) as k (key)
    where k.key not in ('enabled', 'start_utc', 'mandatory', 'optional', 'session', 'quality')
    union all
    select a.symbol, format('agg.enabled must be true or false, not %s', a.config -> 'enabled')
    from asset as a
    where jsonb_typeof(a.config -> 'enabled') <> 'boolean'
    union all
    select
      a.symbol,
      format(
        'agg.start_utc must be an instant with its zone such as "2025-07-01T00:00:00Z", from 1900 up to 2200, not %s', a.config -> 'start_utc'
      )
    from asset as a
    cross join lateral (select agg.utc_instant(a.config ->> 'start_utc')) as i (instant)
    where a.config ? 'start_utc'
      and (i.instant is null or i.instant < '1900-01-01 00:00:00+00' or i.instant >= '2200-01-01 00:00:00+00')
    union all
    select a.symbol, format('agg.%s must be a list of timeframes out of %s, not %s', k.key, f.known, k.value)
    from asset as a
    cross join timeframes as f
    cross join lateral jsonb_each(a.config) as k (key, value)
    where k.key in ('mandatory', 'optional')
      and (
        jsonb_typeof(k.value) <> 'array'
        or exists (
          select
          from jsonb_array_elements(case jsonb_typeof(k.value) when 'array' then k.value else '[]' end) as i (item)
          where jsonb_typeof(i.item) <> 'string'
            or not exists (
              select from agg.timeframe as t where t.timeframe = i.item #>> '{}' and t.source_timeframe is not null
            )
        )
      )
    union all
    select a.symbol, n.problem
    from asset as a
    join session as n on n.session = a.config -> 'session'
    where n.problem is not null
    union all
    select a.symbol, format(
      'agg.quality must be an object with good (80 where left out) and poor (60) in whole percent, 1 <= poor <= good <= 100, not %s',
      a.config -> 'quality'
    )
    from asset as a
    cross join lateral (
      select
        coalesce(substring(a.config -> 'quality' ->> 'good' from '^[0-9]{1,3}$')::integer, 80) as good,
        coalesce(substring(a.config -> 'quality' ->> 'poor' from '^[0-9]{1,3}$')::integer, 60) as poor,
        case jsonb_typeof(a.config -> 'quality') when 'object' then a.config -> 'quality' else '{"": null}' end as entries
    ) as q
    where a.config ? 'quality'
      and (
        q.poor not between 1 and q.good or q.good > 100
        or exists (
          select from jsonb_each(q.entries) as e (key, value)
          where e.key not in ('good', 'poor') or e.value::text !~ '^[0-9]{1,3}$'
        )
      )
    union all
    select a.symbol, format('is_synthetic must be true or false, not %s', a.metadata -> 'is_synthetic')
    from asset as a
    where jsonb_typeof(a.metadata -> 'is_synthetic') <> 'boolean'
    union all
    select s.symbol, 'components must be a list of 1 to 1000 symbols that differ'
    from synthetic as s
    where s.components = '[]'
      or exists (
        select from jsonb_array_elements(s.components) as k (item) where jsonb_typeof(k.item) <> 'string' or btrim(k.item #>> '{}') = ''
      )
      or (select count(*) <> count(distinct k.item) from jsonb_array_elements(s.components) as k (item))
    union all
    select
      s.symbol,
      format(
        'component_weights.%s must be a number from 1e-12 to 1000, above or below 0, not %s', k.item, coalesce(w.weight, 'null')
      )
    from synthetic as s
    cross join lateral jsonb_array_elements_text(s.components) as k (item)
    cross join lateral (select s.metadata -> 'component_weights' -> k.item) as w (weight)
    where not agg.is_number_between(w.weight, -1000, -1e-12) and not agg.is_number_between(w.weight, 1e-12, 1000)
    union all
    select
      s.symbol,
      format('formula_base must be a number from 1e-12 to 1e12, not %s', coalesce(s.metadata -> 'formula_base', 'null'))
    from synthetic as s
    where not agg.is_number_between(s.metadata -> 'formula_base', 1e-12, 1e12)
    union all
    select s.symbol, format('derivation_version must be 1 or 2, not %s', s.metadata -> 'derivation_version')
    from synthetic as s
    where s.metadata ? 'derivation_version' and s.metadata -> 'derivation_version' not in ('1', '2')
    union all
    select s.symbol, c.problem
    from synthetic as s
    cross join lateral agg.circle_problem(s.symbol) as c (problem)
    where c.problem is not null
  ) as p;
end;
$$;
