import type { Release } from "./releases.ts";
import { findObjects } from "./sql_objects.ts";

/** Tables that outlive pgbars. */
const BARS = ["data_bars", "derived_data_bars"];

/** The SQL that removes what the releases have made, but for the bars. It fails, and changes nothing, where other objects need it. */
export function uninstallSql(releases: readonly Release[]): string {
  const sql = releases.flatMap(({ migrations }) => migrations.map((migration) => migration.sql)).join("\n");
  const objects = findObjects(sql).filter(({ schema }) => schema === "public");
  const functions = objects.filter(({ kind }) => kind === "function").map(({ name, args }) =>
    `public.${name}(${args})`
  );
  const views = objects.filter(({ kind }) => kind === "view").map(({ name }) => `public.${name}`);
  const tables = objects.filter(({ kind, name }) => kind === "table" && !BARS.includes(name))
    .map(({ name }) => `public.${name}`);
  return `${HEADER}
${
    [
      ...views.map((view) => `drop view if exists ${view};`),
      ...functions.map((name) => `drop function if exists ${name};`),
    ]
      .join("\n")
  }
-- What a move makes where an older deployment had it.
drop function if exists public.calc_dxy_range_derived(timestamptz, timestamptz, text);
drop schema if exists agg cascade;
drop table if exists ${tables.join(", ")};
drop schema if exists pgbars_releases cascade;

reset lock_timeout;
`;
}

const HEADER = `\
-- Written by \`pgbars uninstall\`: removes pgbars. The tables data_bars and derived_data_bars stay, with their rows. Row level
-- security stays on, and the policies of pgbars go: only roles that bypass it read the rows.

-- Wait for a running job, but not for ever.
set lock_timeout = '60s';

do $$
declare
  v_text text;
begin
  -- The schema agg goes with all that is in it. Dropping it would take views and foreign keys of others along.
  select string_agg(distinct o.name, ', ') into v_text
  from (
    select v.oid::regclass::text
    from pg_catalog.pg_depend as d
    join pg_catalog.pg_rewrite as r on r.oid = d.objid and d.classid = 'pg_catalog.pg_rewrite'::regclass
    join pg_catalog.pg_class as v on v.oid = r.ev_class and v.relnamespace is distinct from to_regnamespace('agg')
    left join pg_catalog.pg_class as c on c.oid = d.refobjid and d.refclassid = 'pg_catalog.pg_class'::regclass
    left join pg_catalog.pg_proc as p on p.oid = d.refobjid and d.refclassid = 'pg_catalog.pg_proc'::regclass
    where coalesce(c.relnamespace, p.pronamespace) = to_regnamespace('agg')
    union all
    select k.conrelid::regclass::text
    from pg_catalog.pg_constraint as k
    join pg_catalog.pg_class as c on c.oid = k.confrelid and c.relnamespace = to_regnamespace('agg')
    join pg_catalog.pg_class as o on o.oid = k.conrelid and o.relnamespace <> c.relnamespace
  ) as o (name);
  if v_text is not null then
    raise exception 'these relations need the schema agg: %', v_text
      using errcode = 'dependent_objects_still_exist', hint = 'Drop them, or what refers to it, first.';
  end if;

  if exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    execute $sql$ select cron.unschedule(j.jobid) from cron.job as j where j.jobname like 'pgbars:%' $sql$;
  end if;

  for v_text in
    select format('drop policy %I on %I.%I', p.policyname, p.schemaname, p.tablename)
    from pg_catalog.pg_policies as p
    where p.schemaname = 'public' and p.tablename in ('data_bars', 'derived_data_bars')
      and (p.policyname = 'service_role_writes' or p.policyname like 'pgbars\\_read\\_%')
  loop
    execute v_text;
  end loop;

  if to_regclass('realtime.messages') is not null then
    execute 'drop policy if exists pgbars_read_bars on realtime.messages';
  end if;

  -- Triggers, of which the functions are in agg.
  for v_text in
    select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass)
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_proc as p on p.oid = t.tgfoid
    where not t.tgisinternal and t.tgparentid = 0
      and p.pronamespace = to_regnamespace('agg') and t.tgrelid in ('public.data_bars'::regclass, 'public.derived_data_bars'::regclass)
  loop
    execute v_text;
  end loop;
end;
$$;
`;
