comment on type agg.rejected_bar is
  'Why the bar in the place index is refused: SQLSTATE, the constraint that it breaks where it is one, and the problem in words.';

create type agg.rejected_bar as (
  index integer,
  code text,
  constraint_name text,
  problem text
);
