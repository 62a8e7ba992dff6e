-- A task that another session holds while its source task advances is left asleep.
select pg_temp.take_away('agg.wake_dependents(text[],text)', 'perform agg.add_corrections(v_missed);');
