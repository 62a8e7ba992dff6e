-- A bar that a later transaction has written is not kept when an earlier one deletes it.
select pg_temp.take_away('agg.keep_deleted_bars()', $$o.updated_at <> now()$$, $$o.updated_at < now()$$);
