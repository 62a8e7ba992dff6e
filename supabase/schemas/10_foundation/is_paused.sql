comment on function agg.is_paused is 'Whether this database pauses at p_now: agg_pause has said so, and neither the end has come nor agg_resume.';

-- Asked several times in each run: plpgsql keeps its plan, a function in SQL does not.
create function agg.is_paused(p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from agg.environment as e where e.paused_until > p_now);
end;
$$;
