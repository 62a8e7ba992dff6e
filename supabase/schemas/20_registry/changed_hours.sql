comment on function agg.changed_hours is
  'Where what is open differs. Where that is in more than a hundred places, as after another weekly session, those less than a week apart become one: each task gets a copy, and to build a window again that comes out the same writes nothing.';

create function agg.changed_hours(p_former tstzmultirange, p_open tstzmultirange)
returns tstzmultirange
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed constant tstzmultirange := (p_former - p_open) + (p_open - p_former);
begin
  if (select count(*) from unnest(v_changed)) <= 100 then
    return v_changed;
  end if;
  return (
    select range_agg(tstzrange(lower(j.span), upper(j.span) - interval '168 hours'))
    from unnest((
      select range_agg(tstzrange(lower(c.span), upper(c.span) + interval '168 hours')) from unnest(v_changed) as c (span)
    )) as j (span)
  );
end;
$$;
