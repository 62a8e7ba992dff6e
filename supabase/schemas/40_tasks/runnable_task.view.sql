comment on view agg.runnable_task is 'Tasks that may be claimed once their next_run_at has come: mandatory ones even after hard failures.';

create view agg.runnable_task with (security_invoker = true) as
select s.*
from public.data_agg_state as s
where s.enabled and s.status in ('idle', 'hard_failed');
