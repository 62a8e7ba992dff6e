comment on function agg.asset_problems is
  'What is wrong with the metadata of assets, one row for each problem. The text names the key and is cut off after 500 characters. No row for good metadata, or for a symbol that is not in the registry.
A statement that gives an asset any of these is refused. Metadata that are stored already are followed as far as they are understood:
key: what says which bars are made, and how long they are kept. Unknown keys, a start_utc that is not an instant, what is not a timeframe and what is not a time to keep are ignored.
series: what says how 1m bars are computed. Its other timeframes are built from the 1m bars that are there.
asset: what says whether the asset is built, when its market is open, when its days begin and what a good bar is. A guess would make wrong bars.';

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
      a.symbol, b.component_weights, b.formula_base, b.derivation_version,
      case
        when jsonb_typeof(b.components) <> 'array' then '[]'
        when jsonb_array_length(b.components) <= 1000 then b.components
        else '[]'
      end as components
    from asset as a
    join agg.basket as b on b.canonical_symbol = a.symbol
  ),
  -- Many assets share a session, and reading one costs more than all else here.
  session as materialized (
    select s.session, agg.session_problem(s.session) as problem, agg.unknown_session_keys(s.session) as unknown_keys
    from (select distinct a.config -> 'session' as session from asset as a where a.config ? 'session') as s
  ),
  day as materialized (
    select c.day_close, agg.day_close_problem(c.day_close) as problem
    from (select distinct a.config -> 'day_close' as day_close from asset as a where a.config ? 'day_close') as c
  ),
  timeframes as (
    select string_agg(t.timeframe, ', ' order by t.duration) as known
    from agg.timeframe as t
    where t.source_timeframe is not null
  )
  select p.symbol, left(p.problem, 500), p.leaves_out
  from (
    select a.symbol, format('agg must be an object, not %s', a.metadata -> 'agg') as problem, 'key' as leaves_out
    from asset as a
    where jsonb_typeof(a.metadata -> 'agg') <> 'object'
    union all
    select
      a.symbol, format('agg.%s is not known; known are enabled, start_utc, mandatory, optional, session, calendar, day_close, quality, sparse, keep, revisions, max_silence', k.key), 'key'
    from asset as a
    cross join lateral jsonb_object_keys(a.config) as k (key)
    where k.key not in ('enabled', 'start_utc', 'mandatory', 'optional', 'session', 'calendar', 'day_close', 'quality', 'sparse', 'keep', 'revisions', 'max_silence')
    union all
    select a.symbol, format('agg.%s must be true or false, not %s', k.key, a.config -> k.key), 'asset'
    from asset as a
    cross join unnest(array['enabled', 'sparse']) as k (key)
    where jsonb_typeof(a.config -> k.key) <> 'boolean'
    union all
    select
      a.symbol,
      format(
        'agg.start_utc must be an instant with its zone such as "2025-07-01T00:00:00Z", from %s up to %s, not %s',
        extract(year from f.least_utc at time zone 'UTC'), extract(year from f.end_utc at time zone 'UTC'), a.config -> 'start_utc'
      ),
      'key'
    from asset as a
    cross join agg.defaults as f
    cross join lateral (select agg.utc_instant(a.config ->> 'start_utc')) as i (instant)
    where a.config ? 'start_utc' and (i.instant is null or i.instant < f.least_utc or i.instant >= f.end_utc)
    union all
    select a.symbol, format('agg.%s must be a list of timeframes out of %s, not %s', k.key, f.known, k.value), 'key'
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
    select
      a.symbol,
      format(
        'agg.keep must be an object of timeframes out of %s, each with a number of days, weeks, months or years such as "400 days", not %s',
        agg.timeframe_list(), a.config -> 'keep'
      ),
      'key'
    from asset as a
    where a.config ? 'keep' and (
      jsonb_typeof(a.config -> 'keep') <> 'object'
      or exists (
        select
        from jsonb_each(case jsonb_typeof(a.config -> 'keep') when 'object' then a.config -> 'keep' else '{}' end) as k (timeframe, value)
        where agg.kept_for(k.value) is null or not exists (select from agg.timeframe as t where t.timeframe = k.timeframe)
      )
    )
    union all
    select a.symbol, n.problem, 'asset'
    from asset as a
    join session as n on n.session = a.config -> 'session'
    where n.problem is not null
    union all
    select a.symbol, format('%s is not known; agg.session has time_zone and weekly', n.unknown_keys), 'key'
    from asset as a
    join session as n on n.session = a.config -> 'session'
    where n.unknown_keys is not null
    union all
    select
      a.symbol,
      format(
        'agg.calendar must be the name of a calendar out of %s, not %s',
        (select string_agg(c.name, ', ' order by c.name) from agg.calendar as c), a.config -> 'calendar'
      ),
      'asset'
    from asset as a
    where a.config ? 'calendar' and not exists (select from agg.calendar as c where to_jsonb(c.name) = a.config -> 'calendar')
    union all
    select a.symbol, d.problem, 'asset'
    from asset as a
    join day as d on d.day_close = a.config -> 'day_close'
    where d.problem is not null
    union all
    select
      a.symbol,
      format(
        'agg.quality must be an object with good (%s where left out) and poor (%s) in whole percent, 1 <= poor <= good <= 100, not %s',
        f.good_percent, f.poor_percent, a.config -> 'quality'
      ),
      case when q.is_usable then 'key' else 'asset' end
    from asset as a
    cross join agg.defaults as f
    cross join lateral (
      select case jsonb_typeof(a.config -> 'quality') when 'object' then a.config -> 'quality' else '{"good": null}' end as quality
    ) as o
    cross join lateral (
      select
        coalesce(substring(o.quality ->> 'good' from '^[0-9]{1,3}$')::integer, f.good_percent) as good,
        coalesce(substring(o.quality ->> 'poor' from '^[0-9]{1,3}$')::integer, f.poor_percent) as poor
    ) as p
    cross join lateral (
      select p.poor between 1 and p.good and p.good <= 100 and not exists (
        select from jsonb_each(o.quality) as e (key, value)
        where e.key in ('good', 'poor') and e.value::text !~ '^[0-9]{1,3}$'
      ) as is_usable
    ) as q
    where a.config ? 'quality' and (not q.is_usable or o.quality - 'good' - 'poor' <> '{}')
    union all
    select
      a.symbol,
      format('agg.revisions must be true, false, or how long they are kept such as "90 days" (days, weeks, months, years), not %s', a.config -> 'revisions'),
      'key'
    from asset as a
    where a.config ? 'revisions' and jsonb_typeof(a.config -> 'revisions') <> 'boolean' and agg.kept_for(a.config -> 'revisions') is null
    union all
    select
      a.symbol, format('agg.max_silence must be a length of time such as "30 minutes" (minutes, hours, days, weeks), not %s', a.config -> 'max_silence'), 'key'
    from asset as a
    where a.config ? 'max_silence' and agg.is_duration(a.config -> 'max_silence') is not true
    union all
    select a.symbol, format('is_synthetic must be true or false, not %s', a.metadata -> 'is_synthetic'), 'series'
    from asset as a
    where jsonb_typeof(a.metadata -> 'is_synthetic') <> 'boolean'
    union all
    select s.symbol, 'components must be a list of 1 to 1000 symbols that differ', 'series'
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
      ),
      'series'
    from synthetic as s
    cross join lateral jsonb_array_elements_text(s.components) as k (item)
    cross join lateral (select s.component_weights -> k.item) as w (weight)
    where not agg.is_number_between(w.weight, -1000, -1e-12) and not agg.is_number_between(w.weight, 1e-12, 1000)
    union all
    select
      s.symbol,
      format('formula_base must be a number from 1e-12 to 1e12, not %s', coalesce(s.formula_base, 'null')), 'series'
    from synthetic as s
    where not agg.is_number_between(s.formula_base, 1e-12, 1e12)
    union all
    select s.symbol, format('derivation_version must be 1 or 2, not %s', s.derivation_version), 'series'
    from synthetic as s
    where s.derivation_version not in ('1', '2')
    union all
    select s.symbol, c.problem, 'series'
    from synthetic as s
    cross join lateral agg.circle_problem(s.symbol) as c (problem)
    where c.problem is not null
  ) as p;
end;
$$;
