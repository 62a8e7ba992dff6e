comment on function public.enable_broadcast is
'Sends bars of these timeframes by Realtime broadcast when they are new or corrected.
p_timeframes: longer than 1m. Repeating it with others replaces those before. disable_broadcast ends it.
Topic bars:TIMEFRAME, private, for the roles that grant_read_access was run for (a policy on realtime.messages): these read the bars of all symbols. See agg.send_broadcasts for the messages. They are sent after the transaction that builds, by the dispatch jobs, which it schedules anew. A message may be lost without an error: poll as well, as subscribeBars of the client does.
Returns success, topics, missing and message. Where Realtime is missing it changes nothing, and missing lists what is missing and what helps.
For the owner of the database. Raises invalid_parameter_value for a timeframe that is not one of agg.timeframe, lock_not_available where a session holds derived_data_bars for more than five seconds.';

create function public.enable_broadcast(p_timeframes text[])
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A new trigger waits for writers of the table, and they wait for it.
set lock_timeout = '5s'
as $$
declare
  v_missing jsonb;
  v_event text;
  v_unknown text;
begin
  select string_agg(coalesce(u.timeframe, 'null'), ', ') into v_unknown
  from unnest(p_timeframes) as u (timeframe)
  where not exists (select from agg.timeframe as t where t.timeframe = u.timeframe and t.timeframe <> '1m');
  if v_unknown is not null or coalesce(cardinality(p_timeframes), 0) = 0 then
    raise exception 'p_timeframes must be timeframes longer than 1m, not %', coalesce(v_unknown, coalesce(p_timeframes::text, 'null'))
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  select jsonb_agg(jsonb_build_object('what', p.what, 'remedy', p.remedy)) into v_missing from agg.broadcast_problems() as p;
  if v_missing is not null then
    raise notice 'nothing was set up: %', (select string_agg(m.item ->> 'what', '; ') from jsonb_array_elements(v_missing) as m (item))
      using hint = (select string_agg(m.item ->> 'remedy', ' ') from jsonb_array_elements(v_missing) as m (item));
    return jsonb_build_object(
      'success', false, 'topics', '[]'::jsonb, 'missing', v_missing, 'message', 'nothing was set up: do what missing says, and call again'
    );
  end if;

  delete from agg.broadcast as c where c.timeframe <> all (p_timeframes);
  insert into agg.broadcast (timeframe) select distinct u.timeframe from unnest(p_timeframes) as u (timeframe) on conflict do nothing;
  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create or replace trigger %I after %s on public.derived_data_bars referencing %s for each statement execute function agg.add_broadcast_notes()',
      'broadcast_' || v_event,
      v_event,
      case v_event
        when 'insert' then 'new table as new_rows'
        when 'update' then 'new table as new_rows old table as old_rows'
        else 'old table as old_rows'
      end
    );
  end loop;
  if not exists (
    select
    from pg_catalog.pg_policies as p
    where p.schemaname = 'realtime' and p.tablename = 'messages' and p.policyname = 'pgbars_read_bars'
  ) then
    -- Asked when a reader joins a topic. The policy of agg.read_policy_name says that its role reads all bars.
    execute $sql$
      create policy pgbars_read_bars on realtime.messages for select using (
        extension = 'broadcast' and (select realtime.topic()) like 'bars:%'
        and exists (
          select
          from pg_catalog.pg_policies as p
          where p.schemaname = 'public' and p.tablename = 'derived_data_bars'
            and p.policyname = 'pgbars_read_' || case when octet_length(current_user) <= 51 then current_user else md5(current_user) end
        )
      )
    $sql$;
  end if;
  perform public.schedule_jobs();
  return jsonb_build_object(
    'success', true,
    'topics', (select jsonb_agg('bars:' || c.timeframe order by t.duration) from agg.broadcast as c join agg.timeframe as t using (timeframe)),
    'missing', '[]'::jsonb, 'message', 'bars that are new or corrected are sent after each batch of the dispatch jobs'
  );
end;
$$;
