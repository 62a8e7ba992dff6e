comment on function agg.read_policy_name is 'The name of the policy that lets a role read bars.';

create function agg.read_policy_name(p_role text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Names end at 63 bytes.
  select 'pgbars_read_' || case when octet_length(p_role) <= 51 then p_role else md5(p_role) end;
$$;
