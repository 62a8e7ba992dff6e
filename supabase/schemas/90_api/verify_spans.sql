comment on function agg.verify_spans is
'Computes decided windows of tasks again, whole where the spans cut them, and lists every difference to what is stored: see agg_verify. ends_utc is the end of the window, or of what failed.';

create function agg.verify_spans(p_spans agg.changed_span[])
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  ends_utc timestamptz,
  problem text,
  stored jsonb,
  expected jsonb,
  is_pending boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_pending constant agg.changed_span[] := array(select c from agg.waiting_changes() as c);
  v_requests constant agg.build_request[] := array(select q from agg.rebuild_requests(p_spans) as q);
begin
  return query
  select
    d.canonical_symbol, d.timeframe, d.ts_utc, e.ends_utc,
    case
      when d.change = 'failed' then 'failed'
      when d.change = 'remove' then 'stale'
      when d.stored is null then 'missing'
      else 'different'
    end,
    (
      select jsonb_object_agg(e.key, d.stored -> e.key)
      from jsonb_each(d.expected) as e
      where d.change = 'remove' or d.stored -> e.key <> e.value
    ),
    (
      select jsonb_object_agg(e.key, e.value)
      from jsonb_each(d.expected) as e
      where d.change <> 'remove' and (d.stored is null or d.stored -> e.key <> e.value)
    ),
    exists (
      select from unnest(v_pending) as c
      where c.canonical_symbol = d.canonical_symbol and c.timeframe = d.timeframe and c.spans && tstzrange(d.ts_utc, e.ends_utc)
    )
  from agg.find_differences(v_requests) as d
  join agg.timeframe as t on t.timeframe = d.timeframe
  cross join lateral (
    select case d.change when 'failed' then (d.expected ->> 'to_utc')::timestamptz else d.ts_utc + t.duration end
  ) as e (ends_utc);
end;
$$;
