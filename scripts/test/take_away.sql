-- Replaces a part of a function, wherever it stands in its definition, and refuses when it does not stand there.
create function pg_temp.take_away(p_function regprocedure, p_remedy text, p_instead text default '')
returns void
language plpgsql
as $$
declare
  v_definition constant text := pg_get_functiondef(p_function);
begin
  if position(p_remedy in v_definition) = 0 then
    raise exception '% has no "%" to take away', p_function, p_remedy;
  end if;
  execute replace(v_definition, p_remedy, p_instead);
end;
$$;
