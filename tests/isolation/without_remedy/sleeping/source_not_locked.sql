-- A task goes to sleep without a lock on its source task.
select pg_temp.take_away('agg.sleep_tasks(text[],text)', 'for share of u skip locked');
