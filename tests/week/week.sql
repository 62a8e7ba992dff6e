-- A week of one database on a simulated clock: feeds that send minutes, and the two jobs.
create table public.test_feed (
  canonical_symbol text primary key,
  sent_to timestamptz not null,
  is_dead boolean not null default false,
  -- Only the first two minutes of five arrive.
  is_thin boolean not null default false
);

create table public.test_job (dispatcher_runs boolean not null, maintenance_runs boolean not null);
insert into public.test_job values (true, true);

-- Lets the jobs run at each of p_times, in order, until there is something to send. Returns the last instant that it did.
create function public.test_run(p_times timestamptz[])
returns timestamptz
language plpgsql
as $$
declare
  v_now timestamptz;
  v_job public.test_job := (select j from public.test_job as j);
begin
  foreach v_now in array p_times loop
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select f.canonical_symbol, m.ts_utc, 1, 1, 1, 1
    from public.test_feed as f
    left join public.data_agg_state as s on s.canonical_symbol = f.canonical_symbol and s.timeframe = '5m'
    cross join lateral agg.open_spans(s.session_time_zone, s.session_minutes, s.calendar, f.sent_to, v_now) as o (open)
    cross join generate_series(f.sent_to, v_now - interval '1 minute', interval '1 minute') as m (ts_utc)
    where not f.is_dead and o.open @> m.ts_utc and (not f.is_thin or extract(minute from m.ts_utc)::integer % 5 < 2);
    update public.test_feed as f set sent_to = v_now;
    -- What the engine stamps with the wall clock.
    update agg.change_note as n set changed_at = v_now where n.changed_at > v_now;
    update public.data_agg_state as s set updated_at = v_now where s.updated_at > v_now;
    if v_job.dispatcher_runs then
      perform public.agg_run_due(p_now => v_now);
      update agg.run_log as l set started_at = v_now, finished_at = v_now + interval '1 second' where l.started_at > v_now;
    end if;
    if v_job.maintenance_runs and (public.agg_maintain(p_now => v_now) ->> 'messages_ready')::integer > 0 then
      return v_now;
    end if;
  end loop;
  return v_now;
end;
$$;
