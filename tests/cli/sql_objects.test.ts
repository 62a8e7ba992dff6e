import assert from "node:assert/strict";
import { findObjects } from "../../cli/lib/sql_objects.ts";

const find = (sql: string) =>
  findObjects(sql).map(({ kind, schema, name, args }) => `${kind} ${schema}.${name}(${args})`);

Deno.test("findObjects() reads names with and without schema and quotes, in any case", () => {
  assert.deepEqual(
    find(`CREATE TABLE IF NOT EXISTS "public"."data_bars" (id int);
      create unlogged table notes (id int); create or replace view v as select 1;
      create materialized view other.m as select 1; create procedure p() language sql as '';`),
    [
      "table public.data_bars()",
      "table public.notes()",
      "view public.v()",
      "view other.m()",
      "function public.p()",
    ],
  );
});

Deno.test("findObjects() leaves out what is dropped again, and keeps what is made after", () => {
  assert.deepEqual(
    find("create table a (); create table b (); drop table if exists a; drop table b; create table b ();"),
    [
      "table public.b()",
    ],
  );
});

Deno.test("findObjects() reads arguments without their defaults, and overloads apart", () => {
  assert.deepEqual(
    find(
      `create function f(p_a text[], p_b timestamptz default now(), p_c numeric(10, 2) = 1.5) returns int language sql as $$ select 1 $$;
      create function f() returns int language sql as $body$ create table x (); $body$;`,
    ),
    ["function public.f(p_a text[], p_b timestamptz, p_c numeric(10, 2))", "function public.f()"],
  );
});

Deno.test("findObjects() looks over comments, texts and bodies", () => {
  assert.deepEqual(
    find(`-- create table a ();\n/* create table b (); */ select 'create table c ()'; do $$ create table d (); $$;`),
    [],
  );
});
