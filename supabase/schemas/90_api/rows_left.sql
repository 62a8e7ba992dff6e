comment on function agg.rows_left is
  'The rows that a move of an older deployment did not take over, counted by table and reason: objects with table_name, rows and explanation. None without an older deployment.';

create function agg.rows_left()
returns jsonb[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows jsonb[];
begin
  if to_regclass('agg.moved_row') is not null then
    execute format(
      $sql$
        select array_agg(jsonb_build_object('table_name', m.table_name, 'rows', m.rows, 'explanation', m.explanation))
        from %I.moved_row as m
        where not m.is_taken_over and m.rows > 0
      $sql$,
      'agg'
    ) into v_rows;
  end if;
  return v_rows;
end;
$$;
