comment on function agg.give_back_minutes is
  'Writes the minutes of agg.data_bars that are younger than the move to the old tables, which are in public again; see undo_move. p_moved_xid is the transaction of the move.';

create function agg.give_back_minutes(p_moved_xid xid)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bars constant regclass := to_regclass('public.data_bars');
  v_derived constant regclass := to_regclass('public.derived_data_bars');
  -- Computed series, by the old table that had their minutes.
  v_in_bars text[] := array[]::text[];
  v_in_derived text[] := array[]::text[];
  v_commands text[];
  v_rows bigint;
  v_added bigint := 0;
  v_updated bigint := 0;
  v_left_out bigint;
begin
  if v_derived is not null then
    execute format(
      'select array(select s.canonical_symbol from agg.computed_series as s where exists (select from %s as o '
        'where o.canonical_symbol = s.canonical_symbol and o.timeframe = %L and to_jsonb(o) ->> ''deleted_at'' is null))',
      v_derived, '1m'
    ) into v_in_derived;
  end if;
  if v_bars is not null then
    execute format(
      'select array(select s.canonical_symbol from agg.computed_series as s '
        'where s.canonical_symbol <> all ($1) and exists (select from %s as o where o.canonical_symbol = s.canonical_symbol))', v_bars
    ) into v_in_bars using v_in_derived;
  end if;

  -- Triggers of the old tables may name what is in public without its schema.
  perform set_config('search_path', 'public', true);
  v_commands := array(
    select k.command
    from (values
      (v_bars, format('n.source <> ''synthetic'' or n.canonical_symbol = any (%L::text[])', v_in_bars), jsonb_build_object()),
      (
        v_derived, format('n.source = ''synthetic'' and n.canonical_symbol = any (%L::text[])', v_in_derived),
        jsonb_build_object(
          'source', null, 'raw', null, 'source_timeframe', $sql$'1m'$sql$, 'quality_score', '2',
          'source_candles', '(select count(*) from agg.synthetic_component as k where k.canonical_symbol = n.canonical_symbol)',
          'expected_candles', '(select count(*) from agg.synthetic_component as k where k.canonical_symbol = n.canonical_symbol)',
          'derivation_version', $sql$coalesce(n.raw ->> 'derivation_version', '1')$sql$
        )
      )
    ) as p (old_table, condition, given_values)
    cross join lateral agg.old_minute_commands(p.old_table, p.condition, p.given_values) as c
    cross join lateral (values (1, c.update_command), (2, c.insert_command)) as k (position, command)
    where p.old_table is not null
    order by p.old_table, k.position
  );
  for i in 1 .. cardinality(v_commands) loop
    execute v_commands[i] using p_moved_xid;
    get diagnostics v_rows = row_count;
    if v_commands[i] like 'insert %' then
      v_added := v_added + v_rows;
    else
      v_updated := v_updated + v_rows;
    end if;
  end loop;
  execute format(
    'select count(*) from agg.data_bars as n where n.xmin <> $1 and n.canonical_symbol <> all ($2) and (n.source = %L or $3)', 'synthetic'
  ) into v_left_out using p_moved_xid, v_in_bars || v_in_derived, v_bars is null;
  return jsonb_build_object('minutes_added', v_added, 'minutes_updated', v_updated, 'minutes_left_out', v_left_out);
end;
$$;
