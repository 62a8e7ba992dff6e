comment on function agg.instant_of is
'The instant at which a wall clock shows p_wall: where it shows it twice, the earlier one; where it never shows it, what the offset before the change makes of it. A null zone is UTC. The one rule for every boundary that is given as a local time.';

-- Temporal calls this rule "compatible". Postgres itself takes the later of two.
create function agg.instant_of(p_wall timestamp, p_time_zone text)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_zone constant text := coalesce(p_time_zone, 'UTC');
  v_latest constant timestamptz := p_wall at time zone v_zone;
  -- Hours, since a day of timestamptz has the length that the time zone of the session gives it.
  v_day_before constant timestamptz := v_latest - interval '24 hours';
  -- What the offset of the day before makes of p_wall.
  v_earlier constant timestamptz := v_day_before + (p_wall - (v_day_before at time zone v_zone));
begin
  if v_earlier < v_latest and v_earlier at time zone v_zone = p_wall then
    return v_earlier;
  end if;
  return v_latest;
end;
$$;
