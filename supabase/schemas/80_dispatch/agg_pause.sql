comment on function public.agg_pause is
'Pauses the work of this database until p_until: dispatchers and the maintenance job find nothing to do.
p_reason says why, in at most 200 characters. p_until is the end; infinity: until agg_resume. p_now is the clock. A pause replaces the one before.
A batch that runs goes on to its end. agg_get_due_tasks gives outside workers no tasks. Bars may be stored and registry changes take effect meanwhile; what they change is built after the pause. agg_maintain refreshes alerts, and nothing else.
agg_health and agg_check say that it pauses. Of the alerts behind, failing, unread and slow none is raised or resolved in a pause, and what they measure counts from its end.
The pause is of this database: logical replication must not carry agg.environment.
Returns paused_until, paused_by and paused_reason. Raises invalid_parameter_value for an empty reason, or an end that is not after p_now.';

create function public.agg_pause(p_reason text, p_until timestamptz, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The role that the caller has set, as the Data API does; otherwise the one that is logged in.
  v_by constant text := coalesce(nullif(current_setting('role'), 'none'), session_user);
begin
  if coalesce(btrim(p_reason), '') = '' or length(p_reason) > 200 then
    raise exception 'p_reason must have 1 to 200 characters' using errcode = 'invalid_parameter_value';
  end if;
  if p_now is null or p_until is null or p_until <= p_now then
    raise exception 'p_until must be after %, not %', coalesce(p_now::text, 'null'), coalesce(p_until::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  insert into agg.environment (paused_until, paused_by, paused_reason) values (p_until, v_by, p_reason)
  on conflict (is_only) do update
  set paused_until = excluded.paused_until, paused_by = excluded.paused_by, paused_reason = excluded.paused_reason;
  return jsonb_build_object('paused_until', p_until, 'paused_by', v_by, 'paused_reason', p_reason);
end;
$$;
