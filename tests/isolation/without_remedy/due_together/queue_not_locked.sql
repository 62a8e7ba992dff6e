-- A task joins those that are due together without a lock on when they are due.
select pg_temp.take_away('agg.finish_tasks(agg.build_result[],timestamptz)', 'for share skip locked');
