comment on function agg.timeframe_list is
'The names of all timeframes, by duration, as text for messages.';

create function agg.timeframe_list()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select string_agg(t.timeframe, ', ' order by t.duration) from agg.timeframe as t);
end;
$$;
