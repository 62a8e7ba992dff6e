comment on function agg.malformed_bars is
  'The bars of an array that are refused before they are read: a bar that is not an object, an unknown key, a bad symbol, a time that is not an instant with its zone, a trade_count that is not a whole number, an is_partial that is not true or false.';

create function agg.malformed_bars(p_bars jsonb)
returns setof agg.rejected_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := array[
    'canonical_symbol', 'timeframe', 'ts_utc', 'open', 'high', 'low', 'close', 'vol', 'vwap', 'trade_count', 'is_partial', 'source', 'raw'
  ];
  v_pattern constant text := agg.instant_pattern();
begin
  return query
  select (e.nr - 1)::integer, '22023', null::text, left(p.problem, 300)
  from jsonb_array_elements(p_bars) with ordinality as e (bar, nr)
  cross join lateral (
    select case
      when jsonb_typeof(e.bar) <> 'object' then format('a bar must be an object, not %s', jsonb_typeof(e.bar))
      when e.bar - v_known <> '{}' then format(
        '%s is not known; known are %s',
        (select string_agg(k.key, ', ') from jsonb_object_keys(e.bar - v_known) as k (key)), array_to_string(v_known, ', ')
      )
      when coalesce(jsonb_typeof(e.bar -> 'canonical_symbol'), '') <> 'string'
        or e.bar ->> 'canonical_symbol' <> btrim(e.bar ->> 'canonical_symbol')
        or length(e.bar ->> 'canonical_symbol') not between 1 and 200
        or e.bar ->> 'canonical_symbol' ~ '[[:cntrl:]]'
      then format(
        'canonical_symbol must be a text of 1 to 200 characters, without control characters and without space around it, not %s',
        coalesce(e.bar -> 'canonical_symbol', 'null')
      )
      when coalesce(e.bar ->> 'ts_utc' !~ v_pattern, true) then format(
        'ts_utc must be an instant with its zone such as "2026-01-02T10:00:00Z", not %s', coalesce(e.bar -> 'ts_utc', 'null')
      )
      when e.bar ->> 'trade_count' is not null and not agg.is_whole_number(e.bar -> 'trade_count') then format(
        'trade_count must be a whole number of at most 18 digits, not %s', e.bar -> 'trade_count'
      )
      when jsonb_typeof(e.bar -> 'is_partial') not in ('boolean', 'null') then format(
        'is_partial must be true or false, not %s', e.bar -> 'is_partial'
      )
    end
  ) as p (problem)
  where p.problem is not null;
end;
$$;
