-- Apia had no 30 December 2011: of a window that a change of the clock skips nothing is left.
begin;
select plan(2);

select is(
  (
    select array_agg(w.starts_utc order by w.starts_utc)
    from agg.windows_between('2011-12-29 00:00+00', '2012-01-01 00:00+00', '24 hours', 'Pacific/Apia', '2000-01-03 00:00:00') as w
  ),
  array[timestamptz '2011-12-28 10:00+00', '2011-12-29 10:00+00', '2011-12-30 10:00+00', '2011-12-31 10:00+00'], 'each window comes once'
);
select is_empty(
  $$
    select w.starts_utc
    from agg.windows_between('2011-12-29 00:00+00', '2012-01-01 00:00+00', '4 hours', 'Pacific/Apia', '2000-01-03 00:00:00') as w
    group by 1 having count(*) > 1 or min(w.ends_utc) <= w.starts_utc
  $$,
  'also of shorter ones'
);

select * from finish();
rollback;
