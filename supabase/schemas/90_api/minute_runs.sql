comment on function agg.minute_runs is
  'Minutes as text, those in a row as a run: the first ten runs, and how many more minutes there are. Null for none.';

create function agg.minute_runs(p_minutes timestamptz[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
  with run as (
    select min(m.ts_utc) as first_utc, max(m.ts_utc) as last_utc, count(*) as minutes, row_number() over (order by min(m.ts_utc)) as run_no
    from (
      -- Minutes in a row are as far from their rank as their first.
      select u.ts_utc, u.ts_utc - row_number() over (order by u.ts_utc) * interval '1 minute' as run
      from unnest(p_minutes) as u (ts_utc)
    ) as m
    group by m.run
  )
  select
    string_agg(
      to_char(r.first_utc, 'YYYY-MM-DD HH24:MI') || case when r.minutes > 1 then format(
        ' to %s (%s)', to_char(r.last_utc, case when r.first_utc::date = r.last_utc::date then 'HH24:MI' else 'YYYY-MM-DD HH24:MI' end), r.minutes
      ) else '' end,
      ', ' order by r.run_no
    ) filter (where r.run_no <= 10)
    || coalesce(', and ' || sum(r.minutes) filter (where r.run_no > 10) || ' more', '')
  from run as r;
$$;
