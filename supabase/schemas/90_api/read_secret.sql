comment on function agg.read_secret is
  'The value that Vault holds under this name; null for a name that it does not hold. Raises undefined_table without Vault.';

create function agg.read_secret(p_name text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret text;
begin
  execute format('select s.decrypted_secret from vault.decrypted_secrets as s where s.name = %L', p_name) into v_secret;
  return v_secret;
end;
$$;
