comment on function public.import_calendar is
'Replaces the days of a calendar, or makes a new one, that metadata.agg.calendar can name.
p_name is a letter, then up to 63 letters, digits and _ . -; p_days is a list of what differs from the weekly session, each entry with day (the date on which the trading day lies or ends) and kind:
{"day": "2026-12-25", "kind": "closed"}
{"day": "2026-11-27", "kind": "early_close", "closes_at": "13:00"}
{"day": "2026-03-02", "kind": "late_opening", "opens_at": "10:30"}
{"day": "2026-11-08", "kind": "special_opening", "opens_at": "18:00", "closes_at": "19:15"}: open, whatever the session says.
Times are local: p_time_zone is their zone, such as America/New_York. p_day_start is the local time at which a trading day begins, on the date before it from 12:00 on. Null leaves both as they are; a new calendar needs a zone, and its days begin at 00:00.
Returns success, calendar, time_zone, day_start, days, added, removed, unchanged and tasks: those for which other minutes of what they have decided are open now. These become corrections. Repeating it changes nothing.
Changes of the registry wait for it. Raises invalid_parameter_value, with the entry, for what cannot be.';

create function public.import_calendar(p_name text, p_days jsonb, p_time_zone text default null, p_day_start time default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set statement_timeout = '60s'
as $$
declare
  v_former agg.calendar;
  v_time_zone text;
  v_day_start time;
  v_problem text;
  v_zones text[];
  v_minutes int4multirange[];
  v_from_utc timestamptz[];
  v_to_utc timestamptz[];
  v_open tstzmultirange[];
  v_corrections agg.changed_span[];
  v_added integer;
  v_removed integer;
  v_tasks integer := 0;
begin
  if not coalesce(p_name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$', false) then
    raise exception 'p_name must be a letter, then up to 63 letters, digits, _ . or -, not %', coalesce(quote_literal(left(p_name, 100)), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  -- What tasks are compared with is then what they get.
  perform agg.lock_registry();
  select c.* into v_former from agg.calendar as c where c.name = p_name;
  v_time_zone := coalesce(p_time_zone, v_former.time_zone);
  v_day_start := coalesce(p_day_start, v_former.day_start, '00:00');
  if not coalesce(agg.is_time_zone(v_time_zone), false) then
    raise exception 'p_time_zone must name the time zone of the calendar, such as America/New_York, not %',
      coalesce(quote_literal(left(v_time_zone, 100)), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if v_day_start = '24:00' or extract(second from v_day_start) <> 0 then
    raise exception 'p_day_start must be a whole minute from 00:00 to 23:59, not %', v_day_start using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(p_days) is distinct from 'array' then
    raise exception 'p_days must be a list such as [{"day": "2026-12-25", "kind": "closed"}], not %', coalesce(left(p_days::text, 100), 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  select format('entry %s, %s: %s', e.n, left(e.entry::text, 200), r.problem) into v_problem
  from jsonb_array_elements(p_days) with ordinality as e (entry, n)
  cross join lateral agg.calendar_entry_problem(e.entry, v_day_start) as r (problem)
  where r.problem is not null
  order by e.n
  limit 1;
  if v_problem is null then
    with entry as (
      select e.*
      from rows from (
        jsonb_to_recordset(p_days) as (day date, kind text, opens_at time, closes_at time)
      ) with ordinality as e (day, kind, opens_at, closes_at, n)
    )
    select format('entries %s and %s, of %s: %s and %s cannot be on one day', least(a.n, b.n), greatest(a.n, b.n), a.day, a.kind, b.kind)
    into v_problem
    from entry as a
    join entry as b on b.day = a.day and b.n <> a.n
    where a.kind = 'closed' and b.kind <> 'special_opening'
      or a.kind = b.kind and (a.kind <> 'special_opening' or a.opens_at = b.opens_at)
      or (a.kind, b.kind) = ('early_close', 'late_opening')
        and agg.time_into_day(a.closes_at, v_day_start) <= agg.time_into_day(b.opens_at, v_day_start)
    order by least(a.n, b.n), greatest(a.n, b.n)
    limit 1;
  end if;
  if v_problem is not null then
    raise exception 'p_days: %', v_problem using errcode = 'invalid_parameter_value';
  end if;

  -- Which minutes are open for the tasks that use the calendar, before and after.
  select
    array_agg(g.session_time_zone), array_agg(g.session_minutes), array_agg(g.from_utc), array_agg(g.to_utc),
    array_agg(agg.open_spans(g.session_time_zone, g.session_minutes, p_name, g.from_utc, g.to_utc))
  into v_zones, v_minutes, v_from_utc, v_to_utc, v_open
  from (
    select
      s.session_time_zone, s.session_minutes, min(s.agg_start_utc) as from_utc,
      max(greatest(s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes), s.built_to_utc)) as to_utc
    from public.data_agg_state as s
    where s.calendar = p_name
    group by s.session_time_zone, s.session_minutes
  ) as g;

  insert into agg.calendar as c (name, time_zone, day_start)
  values (p_name, v_time_zone, v_day_start)
  on conflict (name) do update set time_zone = excluded.time_zone, day_start = excluded.day_start
  where (c.time_zone, c.day_start) <> (excluded.time_zone, excluded.day_start);
  delete from agg.calendar_day as d
  using (
    select f.day, f.kind, f.opens_at, f.closes_at from agg.calendar_day as f where f.calendar = p_name
    except
    select n.day, n.kind, n.opens_at, n.closes_at
    from jsonb_to_recordset(p_days) as n (day date, kind text, opens_at time, closes_at time)
  ) as o
  where d.calendar = p_name and d.day = o.day and d.kind = o.kind and d.opens_at is not distinct from o.opens_at;
  get diagnostics v_removed = row_count;
  insert into agg.calendar_day (calendar, day, kind, opens_at, closes_at)
  select p_name, n.day, n.kind, n.opens_at, n.closes_at
  from jsonb_to_recordset(p_days) as n (day date, kind text, opens_at time, closes_at time)
  on conflict (calendar, day, kind, opens_at) do nothing;
  get diagnostics v_added = row_count;

  if v_added > 0 or v_removed > 0 or (v_former.time_zone, v_former.day_start) is distinct from (v_time_zone, v_day_start) then
    with hours as materialized (
      select b.time_zone, b.minutes, b.to_utc, agg.changed_hours(b.former_spans, o.spans) as changed
      from unnest(v_zones, v_minutes, v_from_utc, v_to_utc, v_open) as b (time_zone, minutes, from_utc, to_utc, former_spans)
      cross join lateral agg.open_spans(b.time_zone, b.minutes, p_name, b.from_utc, b.to_utc) as o (spans)
    )
    select
      array_agg(
        -- What is built meanwhile may be built by the former days.
        (s.canonical_symbol, s.timeframe, h.changed + tstzmultirange(tstzrange(h.to_utc, null)), now(), 0)::agg.changed_span
        order by s.canonical_symbol, s.run_interval_minutes
      ),
      count(*) filter (where not isempty(h.changed))
    into v_corrections, v_tasks
    from hours as h
    join public.data_agg_state as s
      on s.calendar = p_name and (s.session_time_zone, s.session_minutes) is not distinct from (h.time_zone, h.minutes);
    if v_corrections is not null then
      perform agg.reopen_windows(v_corrections);
      perform agg.add_corrections(v_corrections);
    end if;
  end if;

  return jsonb_build_object(
    'success', true,
    'calendar', p_name,
    'time_zone', v_time_zone,
    'day_start', to_char(v_day_start, 'HH24:MI'),
    'days', jsonb_array_length(p_days),
    'added', v_added,
    'removed', v_removed,
    'unchanged', jsonb_array_length(p_days) - v_added,
    'tasks', v_tasks
  );
end;
$$;
