-- Two versions of a row may have one time.
select pg_temp.take_away(
  'agg.set_updated_at()',
  $$case when old.updated_at > now() then old.updated_at + interval '1 microsecond' else now() end$$,
  $$greatest(now(), old.updated_at)$$
);
