comment on function agg.fail_kind is
'Says whether an error is transient or hard.
Transient errors may pass by themselves: connection, serialization, resources, operator, lock, a bar that another session has just stored. All others are hard. A cancelled statement is neither: it ends the run.';

create function agg.fail_kind(p_sqlstate text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when left(p_sqlstate, 2) in ('08', '40', '53', '57', '58') or p_sqlstate in ('55P03', '23505') then 'transient'
    else 'hard'
  end;
$$;
