-- A writer leaves no note of rows that it sees ahead of the cursor.
select pg_temp.take_away(
  'agg.add_change_notes()',
  $$into v_rows, v_first_utc, v_computed
  from changed_rows as c;$$,
  $$into v_rows, v_first_utc, v_computed
  from changed_rows as c
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol
  where c.ts_utc < s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes);$$
);
