begin;
select plan(6);

select throws_ok(
  format('select public.agg_run_due(%s)', a.argument), '22023', null, format('agg_run_due() refuses %s', a.argument)
)
from (
  values
    ('p_now => null'), ('p_now => ''infinity'''), ('p_now => ''-infinity'''), ('p_limit => null'), ('p_batch_windows => 0'), ('p_time_budget => null')
) as a (argument);

select * from finish();
rollback;
