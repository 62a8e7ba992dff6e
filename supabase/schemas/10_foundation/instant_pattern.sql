comment on function agg.instant_pattern is
  'How an instant is written: ISO 8601 date and time with its zone. T or a space stands between them; seconds may be left out; beyond microseconds a fraction has zeros only. The zone is Z, UTC or an offset such as +00, +0000 or +00:00; one space may stand before it.';

create function agg.instant_pattern()
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)? ?([Zz]|[Uu][Tt][Cc]|[+-][0-9]{2}(:?[0-9]{2})?)$';
$$;
