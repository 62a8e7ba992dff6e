comment on function agg.bars_without is 'The bars that are not among the refused ones.';

create function agg.bars_without(p_bars agg.input_bar[], p_refused agg.rejected_bar[])
returns agg.input_bar[]
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array(select b from unnest(p_bars) as b where b.index not in (select r.index from unnest(p_refused) as r));
$$;
