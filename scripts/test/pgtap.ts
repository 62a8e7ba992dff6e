import type { TestContext } from "./context.ts";
import { findFiles } from "./files.ts";

/** The pgTAP files that this run should execute. */
export function findPgtapFiles(context: TestContext): Promise<string[]> {
  return findFiles("tests/db", ".test.sql", context.options.paths);
}

/**
 * The ground under every pgTAP file on both engines: pgTAP in the schema `extensions`, found without qualification after
 * `public`. Also the default of the database, so that a file may be run by hand.
 */
export function pgtapSetup(database: string): string {
  return `
    create schema if not exists extensions;
    create extension if not exists pgtap with schema extensions;
    alter database "${database}" set search_path = public, extensions;
    set search_path = public, extensions;
  `;
}
