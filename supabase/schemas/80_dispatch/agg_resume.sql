comment on function public.agg_resume is
'Ends the pause that agg_pause began: the next run works again.
p_now is the clock. Returns resumed, false where there was no pause. Repeating it changes nothing.';

create function public.agg_resume(p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update agg.environment as e set paused_until = p_now where e.paused_until > p_now;
  return jsonb_build_object('resumed', found);
end;
$$;
