comment on function agg.time_within is 'How much of [p_from, p_to) lies in the spans.';

create function agg.time_within(p_spans tstzmultirange, p_from timestamptz, p_to timestamptz)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(upper(s.span) - lower(s.span)), interval '0')
  from unnest(p_spans * tstzmultirange(tstzrange(p_from, greatest(p_from, p_to)))) as s (span);
$$;
