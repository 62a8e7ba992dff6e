comment on function agg.is_rounding_error is
  'Whether two prices differ by at most a billionth of the first.';

create function agg.is_rounding_error(p_bound double precision, p_price double precision)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- What is not a price is no rounding error, and a difference of the largest numbers would overflow.
  select case when abs(p_bound) < 1e50 and abs(p_price) < 1e50 then abs(p_bound - p_price) <= 1e-9 * abs(p_bound) else false end;
$$;
