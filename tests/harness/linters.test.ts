import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { withServer } from "../../scripts/test/context.ts";
import { lintDatabase, runAdvisors } from "../../scripts/test/linters.ts";

const BAD_EXAMPLES = `
  create role anon nologin;
  create role authenticated nologin;
  create role service_role nologin;
  create function public.loose_path() returns integer language sql as 'select 1';
  create function public.wrong_table() returns bigint language plpgsql set search_path = '' as $$
  begin
    return (select count(*) from public.no_such_table);
  end;
  $$;
  create table public.open_table (id integer primary key);
  grant select on public.open_table to anon;
`;

Deno.test("lintDatabase() and runAdvisors() fail on a table that is not there, a loose search_path and a table without RLS", async () => {
  await using cluster = await useCluster();
  const url = await cluster.createDatabase("harness_linters");
  await withServer(url, (db) =>
    db.exec(BAD_EXAMPLES.replaceAll(/create role (\w+) nologin;/g, (create, role) => `
      do $do$ begin if to_regrole('${role}') is null then ${create} end if; end $do$;
    `)));

  const lint = await lintDatabase(url);
  assert.equal(lint.failed, 1);
  assert.match(lint.output, /no_such_table/);

  const advice = await runAdvisors(url);
  assert.equal(advice.failed, 1);
  assert.match(advice.output, /function_search_path_mutable/);
  assert.match(advice.output, /rls_disabled_in_public/);
});
