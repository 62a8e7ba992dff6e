comment on function agg.waiting_changes is
'Returns all that waits, by task: corrections, and change notes that no dispatcher has read.';

create function agg.waiting_changes()
returns setof agg.changed_span
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select c.canonical_symbol, c.timeframe, range_agg(c.spans), min(c.changed_at), max(c.failures)
  from (
    select k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures from agg.correction as k
    union all
    select n.* from agg.changes_from_notes(array(select c.note_id from agg.change_note as c)) as n
  ) as c
  group by c.canonical_symbol, c.timeframe;
$$;
