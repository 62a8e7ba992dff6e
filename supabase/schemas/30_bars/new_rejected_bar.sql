comment on function agg.new_rejected_bar is
'The one constructor of agg.rejected_bar.';

create function agg.new_rejected_bar(p_index integer, p_code text, p_constraint_name text, p_problem text)
returns agg.rejected_bar
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bar agg.rejected_bar;
begin
  v_bar.index := p_index;
  v_bar.code := p_code;
  v_bar.constraint_name := p_constraint_name;
  v_bar.problem := p_problem;
  return v_bar;
end;
$$;
