begin;
select plan(3);

-- Whoever may make temporary objects must not get them to run with the rights of a function's owner.
set local role service_role;
create function pg_temp.evil(p_value pg_catalog.timestamptz) returns boolean
language plpgsql as $$
begin
  perform set_config('evil.ran_as', current_user, true);
  return true;
end;
$$;
create domain pg_temp.timestamptz as pg_catalog.timestamptz check (pg_temp.evil(value));

do $$ begin perform public.agg_add_change_note(array['ACME'], '2025-07-01 00:00+00', '2025-07-02 00:00+00'); end; $$;
reset role;
select is(current_setting('evil.ran_as', true), null, 'agg_add_change_note() does not take a temporary type for its own');

set local role service_role;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 00:00+00'); end; $$;
reset role;
select is(current_setting('evil.ran_as', true), null, 'nor does agg_run_due()');

do $$ begin perform null::pg_temp.timestamptz; end; $$;
select isnt(current_setting('evil.ran_as', true), null, 'the type tells when it is used');

select * from finish();
rollback;
