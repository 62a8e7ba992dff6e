comment on function agg.store_or_split is
  'Stores bars, in one statement where none is refused, otherwise by halves, until only bad bars are refused: what a check, foreign key or trigger raises for a bar costs that bar. Raises what no bar is the reason of: a cancelled statement, and what passes by itself, such as a deadlock or a full disk.';

create function agg.store_or_split(
  p_bars agg.input_bar[], out inserted bigint, out updated bigint, out unchanged bigint, out refused agg.rejected_bar[]
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_bars) / 2;
  v_constraint text;
  v_first record;
  v_second record;
begin
  select s.inserted, s.updated, s.unchanged, '{}'::agg.rejected_bar[]
  into strict inserted, updated, unchanged, refused
  from agg.store_bars(p_bars) as s;
exception when others then
  if cardinality(p_bars) = 0
    -- A unique violation is a bar's own here: bars that are stored already are no conflict.
    or (sqlstate <> '23505' and agg.fail_kind(sqlstate) = 'transient')
    -- Errors of the transaction, of the schema, and internal ones, but not a refusal of access.
    or (left(sqlstate, 2) in ('25', '42', 'XX') and sqlstate <> '42501')
  then
    raise;
  end if;
  if v_half = 0 then
    get stacked diagnostics v_constraint = constraint_name;
    inserted := 0;
    updated := 0;
    unchanged := 0;
    refused := array[agg.new_rejected_bar(p_bars[1].index, sqlstate, nullif(v_constraint, ''), left(sqlerrm, 300))];
    return;
  end if;
  v_first := agg.store_or_split(p_bars[:v_half]);
  v_second := agg.store_or_split(p_bars[v_half + 1:]);
  inserted := v_first.inserted + v_second.inserted;
  updated := v_first.updated + v_second.updated;
  unchanged := v_first.unchanged + v_second.unchanged;
  refused := v_first.refused || v_second.refused;
end;
$$;
