comment on function agg.retry_delay is
'How long to wait after a failure of p_fail_kind that followed p_failures hard ones in a row.
A transient failure: a minute, so that bars are back soon after what was in the way is gone. A hard one: a minute, doubled each time, at most an hour.';

create function agg.retry_delay(p_failures integer, p_fail_kind text)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case p_fail_kind
    when 'transient' then interval '1 minute'
    else least(interval '1 hour', interval '1 minute' * 2 ^ least(p_failures, 6))
  end;
$$;
