-- A transaction that keeps one snapshot may build.
select pg_temp.take_away('agg.require_fresh_snapshots()', 'raise exception', 'raise debug');
