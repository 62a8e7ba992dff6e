comment on type agg.rejected_bar is
  'Why the bar at the place index is refused: SQLSTATE, the constraint that it breaks (null for another reason), and the problem in words.';

create type agg.rejected_bar as (
  index integer,
  code text,
  constraint_name text,
  problem text
);
