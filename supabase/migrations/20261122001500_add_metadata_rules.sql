create function agg.utc_instant(p_text text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_text ~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$' then
    return p_text::timestamptz;
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return null;
end;
$$;

create function agg.is_number_between(p_value jsonb, p_least numeric, p_most numeric)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case jsonb_typeof(p_value) when 'number' then p_value::numeric between p_least and p_most else false end;
$$;

create function agg.session_problem(p_session jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.session_minutes(p_session);
  return null;
exception when invalid_parameter_value then
  return sqlerrm;
end;
$$;

create function agg.metadata_problems(p_metadata jsonb)
returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with config as (
    select case jsonb_typeof(p_metadata -> 'agg') when 'object' then p_metadata -> 'agg' else '{}' end as agg
  ),
  timeframes as (
    select string_agg(t.timeframe, ', ' order by t.duration) as known
    from agg.timeframe as t
    where t.source_timeframe is not null
  )
  select format('agg must be an object, not %s', p_metadata -> 'agg')
  where jsonb_typeof(p_metadata -> 'agg') <> 'object'
  union all
  select format('agg.%s is not known; known are enabled, start_utc, mandatory, optional, session, quality', k.key)
  from config as c
  cross join lateral jsonb_object_keys(c.agg) as k (key)
  where k.key not in ('enabled', 'start_utc', 'mandatory', 'optional', 'session', 'quality')
  union all
  select format('agg.enabled must be true or false, not %s', c.agg -> 'enabled')
  from config as c
  where jsonb_typeof(c.agg -> 'enabled') <> 'boolean'
  union all
  select format('agg.start_utc must be an instant with its zone such as "2025-07-01T00:00:00Z", not %s', c.agg -> 'start_utc')
  from config as c
  where c.agg ? 'start_utc' and agg.utc_instant(c.agg ->> 'start_utc') is null
  union all
  select format('agg.%s must be a list of timeframes out of %s, not %s', k.key, f.known, k.value)
  from config as c
  cross join timeframes as f
  cross join lateral jsonb_each(c.agg) as k (key, value)
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
  select p.problem
  from config as c
  cross join lateral (select agg.session_problem(c.agg -> 'session')) as p (problem)
  where p.problem is not null
  union all
  select format(
    'agg.quality must be an object with good and poor in whole percent, 1 <= poor <= good <= 100, not %s', c.agg -> 'quality'
  )
  from config as c
  cross join lateral (
    select
      coalesce(substring(c.agg -> 'quality' ->> 'good' from '^[0-9]{1,3}$')::integer, 80) as good,
      coalesce(substring(c.agg -> 'quality' ->> 'poor' from '^[0-9]{1,3}$')::integer, 60) as poor,
      case jsonb_typeof(c.agg -> 'quality') when 'object' then c.agg -> 'quality' else '{"": null}' end as entries
  ) as q
  where c.agg ? 'quality'
    and (
      q.poor not between 1 and q.good or q.good > 100
      or exists (
        select from jsonb_each(q.entries) as e (key, value)
        where e.key not in ('good', 'poor') or e.value::text !~ '^[0-9]{1,3}$'
      )
    )
  union all
  select format('is_synthetic must be true or false, not %s', p_metadata -> 'is_synthetic')
  where jsonb_typeof(p_metadata -> 'is_synthetic') <> 'boolean'
  union all
  select s.problem
  from (
    select case jsonb_typeof(p_metadata -> 'components') when 'array' then p_metadata -> 'components' else '[]' end as components
  ) as b
  cross join lateral (
    select 'components must be a list of symbols that differ' as problem
    where b.components = '[]'
      or jsonb_path_exists(b.components, '$[*] ? (@.type() != "string")')
      or (select count(*) <> count(distinct k.item) from jsonb_array_elements(b.components) as k (item))
    union all
    select format('component_weights.%s must be a number within 1000 of 0, not %s', k.item, coalesce(p_metadata -> 'component_weights' -> k.item, 'null'))
    from jsonb_array_elements_text(b.components) as k (item)
    where not agg.is_number_between(p_metadata -> 'component_weights' -> k.item, -1000, 1000)
    union all
    select format('formula_base must be a number from 1e-12 to 1e12, not %s', coalesce(p_metadata -> 'formula_base', 'null'))
    where not agg.is_number_between(p_metadata -> 'formula_base', 1e-12, 1e12)
    union all
    select format('derivation_version must be 1 or 2, not %s', p_metadata -> 'derivation_version')
    where p_metadata ? 'derivation_version' and p_metadata -> 'derivation_version' not in ('1', '2')
  ) as s
  where p_metadata -> 'is_synthetic' = 'true';
$$;

revoke execute on function agg.utc_instant(text) from public, anon, authenticated;
revoke execute on function agg.is_number_between(jsonb, numeric, numeric) from public, anon, authenticated;
revoke execute on function agg.session_problem(jsonb) from public, anon, authenticated;
revoke execute on function agg.metadata_problems(jsonb) from public, anon, authenticated;
grant execute on function agg.utc_instant(text) to service_role;
grant execute on function agg.is_number_between(jsonb, numeric, numeric) to service_role;
grant execute on function agg.session_problem(jsonb) to service_role;
grant execute on function agg.metadata_problems(jsonb) to service_role;

comment on function agg.utc_instant(text) is 'The instant that an ISO 8601 text with a zone names, null where it names none.';
comment on function agg.is_number_between(jsonb, numeric, numeric) is 'Whether a JSON value is a number from p_least to p_most; false for null and everything else.';
comment on function agg.session_problem(jsonb) is 'What is wrong with metadata.agg.session, null where nothing is.';
comment on function agg.metadata_problems(jsonb) is
  'What is wrong with the metadata of an asset, a line a problem, each naming its key. No row where all is well.';
