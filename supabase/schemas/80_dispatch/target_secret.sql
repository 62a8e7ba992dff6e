comment on function agg.target_secret is
  'What Vault holds for a target: p_what is url or secret. Null where it holds nothing, or is not installed.';

create function agg.target_secret(p_target text, p_what text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select case when to_regclass('vault.decrypted_secrets') is not null then agg.read_secret(format('pgbars_alert_%s_%s', p_target, p_what)) end;
$$;
