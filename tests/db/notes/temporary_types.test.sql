begin;
select plan(3);

-- A caller must not get its temporary objects to run with the rights of a function's owner.
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
select is(current_setting('evil.ran_as', true), null, 'agg_add_change_note() does not use a temporary type of the caller');

set local role service_role;
call tests.run('2025-07-01 00:00+00');
reset role;
select is(current_setting('evil.ran_as', true), null, 'agg_run_due() does not use one either');

do $$ begin perform null::pg_temp.timestamptz; end; $$;
select isnt(current_setting('evil.ran_as', true), null, 'the type would be seen when used');

select * from finish();
rollback;
