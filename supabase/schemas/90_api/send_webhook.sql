comment on function agg.send_webhook is
  'Posts the payload of a Supabase database webhook through pg_net, which sends it after commit.
It posts once a statement, with the first changed asset by symbol: registry-sync syncs all of them, and a load of 10,000 assets must not post 10,000 times. insert ... on conflict counts as an insert and an update. An update that changes updated_at only posts nothing.
Its arguments are the names of the secrets in Vault that hold URL and key; it reads them each time. Errors become warnings: delivery is at most once, and the registry does not depend on it.';

-- Supabase's own supabase_functions.http_request needs pg_net as well, posts once a row, and takes URL and headers as
-- arguments of the trigger: every role could read the key in the catalog.
create function agg.send_webhook()
returns trigger
language plpgsql
volatile
-- Writers of the registry have no rights on secrets.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_record jsonb;
  v_old_record jsonb;
  v_problems text;
begin
  if tg_op = 'INSERT' then
    select to_jsonb(n) into v_record from new_rows as n order by n.canonical_symbol limit 1;
  elsif tg_op = 'DELETE' then
    select to_jsonb(o) into v_old_record from old_rows as o order by o.canonical_symbol limit 1;
  else
    with changed as materialized (
      select to_jsonb(n) as record, to_jsonb(o) as old_record
      from new_rows as n
      full join old_rows as o on o.canonical_symbol = n.canonical_symbol
      where to_jsonb(n) - 'updated_at' is distinct from to_jsonb(o) - 'updated_at'
    )
    select
      c.record,
      -- A renamed asset has its old row under another symbol.
      coalesce(c.old_record, (
        select d.old_record from changed as d where d.record is null order by d.old_record ->> 'canonical_symbol' limit 1
      ))
    into v_record, v_old_record
    from changed as c
    where c.record is not null
    order by c.record ->> 'canonical_symbol'
    limit 1;
  end if;
  if v_record is null and v_old_record is null then
    return null;
  end if;

  begin
    select string_agg(format('%s: %s', p.what, p.remedy), ' ') into v_problems
    from agg.webhook_problems(tg_argv[0], tg_argv[1]) as p;
    if v_problems is not null then
      raise warning 'a change of % was not sent: %', tg_table_name, v_problems;
      return null;
    end if;
    perform agg.post_webhook(
      tg_argv[0], tg_argv[1],
      jsonb_build_object(
        'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema, 'record', v_record, 'old_record', v_old_record
      ),
      10000
    );
  exception when others then
    raise warning 'a change of % was not sent: % (%)', tg_table_name, sqlerrm, sqlstate;
  end;
  return null;
end;
$$;
