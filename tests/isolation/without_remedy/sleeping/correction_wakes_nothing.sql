-- A correction that was left for a held task is dropped, and does not wake it.
select pg_temp.take_away('agg.correct_tasks(text[],text,timestamptz,integer,boolean)', 'perform agg.wake_tasks(v_changes);');
