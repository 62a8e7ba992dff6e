comment on function agg.waiting_changes is
'Returns all that waits, by task: corrections, and change notes that no dispatcher has read. p_is_backfill: only history, or only the rest; null is both.';

create function agg.waiting_changes(p_is_backfill boolean default null)
returns setof agg.changed_span
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select c.canonical_symbol, c.timeframe, range_agg(c.spans), min(c.changed_at), max(c.failures)
  from (
    select k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures
    from agg.correction as k
    where k.is_backfill is not distinct from coalesce(p_is_backfill, k.is_backfill)
    union all
    select n.* from agg.changes_from_notes(array(select c.note_id from agg.change_note as c where p_is_backfill is not true)) as n
  ) as c
  group by c.canonical_symbol, c.timeframe;
$$;
