import { Command, InvalidArgumentError } from "commander";
import { describeError } from "../cli/lib/error.ts";
import { formatCounts } from "./lib/result.ts";
import { TestContext, type TestOptions } from "./test/context.ts";
import { runSteps } from "./test/runner.ts";
import { selectSteps, type Step, STEPS } from "./test/steps.ts";

const program: Command = new Command("deno task test")
  .description("Runs every check and test. The last line sums them up; the exit status is 1 when anything failed.")
  .argument("[paths...]", "run test files only from these files and folders")
  .option("--only <steps>", "steps to run, separated by commas; `pgtap` stands for all that begin with pgtap-")
  .option("--runs <count>", "random histories that each property test plays, instead of its own number", parseCount)
  .option("--accept", "write what the isolation specs print as expected from now on", false)
  .addHelpText("after", `\nSteps:\n${STEPS.map((step) => `  ${step.name.padEnd(16)}${step.about}`).join("\n")}`)
  .parse(Deno.args, { from: "user" });

const { only, ...options } = program.opts<{ only?: string; accept: boolean; runs?: number }>();
if (!(await runAll(chooseSteps(only), { paths: program.args, ...options }))) Deno.exit(1);

async function runAll(steps: readonly Step[], options: TestOptions): Promise<boolean> {
  await using context = new TestContext(options);
  const total = await runSteps(steps, context, console.log);
  if (total.passed + total.failed === 0) console.log("No test ran.");
  console.log(formatCounts(total));
  return total.failed === 0 && total.passed > 0;
}

function chooseSteps(only: string | undefined): readonly Step[] {
  try {
    return selectSteps(only?.split(",") ?? []);
  } catch (error) {
    program.error(describeError(error));
  }
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It must be a whole number above 0.");
  return Number(text);
}
