comment on function agg.require_fresh_snapshots is
'Raises active_sql_transaction in a transaction that keeps one snapshot (repeatable read, serializable): a build must see what was committed before its task was locked.';

create function agg.require_fresh_snapshots()
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'bars are built in read committed transactions only, not in %', current_setting('transaction_isolation')
      using errcode = 'active_sql_transaction',
        hint = 'A snapshot older than the lock on a task may miss bars whose change notes are already read.';
  end if;
end;
$$;
