import { confirm } from "./confirm.ts";
import { codeOf, withDatabase } from "./database.ts";
import { describeRefusal } from "./error.ts";
import { Failure, Refusal } from "./failure.ts";
import { type DatabaseOptions, readDatabaseUrl } from "./options.ts";
import { type OutputOptions, printProgress, printResult } from "./output.ts";

export interface EndMoveOptions extends DatabaseOptions, OutputOptions {
  yes?: boolean;
}

/**
 * Asks, and calls a function that ends a move. Throws a {@link Refusal} where the function refuses, and a {@link Failure} where
 * it cannot do its work.
 */
export async function endMove(options: EndMoveOptions, call: string, question: string, done: string): Promise<void> {
  const url = readDatabaseUrl(options);
  await withDatabase(url, async (db) => {
    if (!options.yes) await confirm(question);
    try {
      const [row] = await db.query<{ result: Record<string, unknown> }>(`select public.${call} as result`);
      const lines = Object.entries(row!.result).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
      printResult(options, row!.result, [done, ...lines].join("\n"));
    } catch (cause) {
      const message = describeRefusal(cause);
      if (codeOf(cause) === "55000") throw new Refusal(message, { cause });
      if (codeOf(cause) === "42883") {
        throw new Failure(`The database has no function ${call}: pgbars is not installed in it.`, { cause });
      }
      throw new Failure(message, { cause });
    }
  }, printProgress);
}
