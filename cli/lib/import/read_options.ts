import { InvalidArgumentError, Option } from "commander";
import { readColumnMap } from "./columns.ts";
import { type Format, FORMATS } from "./formats.ts";
import { readZone } from "./zone.ts";

/** The options of a command that say how files are read. What they give is `ReadOptions`. */
export function readOptions(): Option[] {
  return [
    option("--format <name>", "the format of the files, where it is not recognised", readFormat),
    new Option("--symbol <symbol>", "the symbol of all bars, in place of what the files or their names say"),
    option("--zone <zone>", "the clock of times without a zone: UTC, an IANA name, -05:00, NewYork+7", readZone),
    option("--shift <minutes>", "add this to every time: -1m where a time is the end of its minute, 0", readShift),
    option("--map <columns>", "what columns hold, as COLUMN=FIELD,...; none leaves one out", readColumnMap),
    new Option("--date-order <order>", "how to read dates with slashes").choices(["dmy", "mdy"]),
    new Option("--clamp", "widen high and low to cover open and close, where they miss by rounding"),
  ];
}

function option(flags: string, description: string, read: (text: string) => unknown): Option {
  return new Option(flags, description).argParser((text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  });
}

function readFormat(name: string): Format {
  const format = FORMATS.find((one) => one.name === name);
  if (format === undefined) throw new Error(`It must be one of ${FORMATS.map(({ name }) => name).join(", ")}.`);
  return format;
}

function readShift(text: string): number {
  const [, minutes] = /^([+-]?\d{1,4})m?$/.exec(text) ?? [];
  if (minutes === undefined) throw new Error("Give minutes, such as -1m or 0.");
  return Number(minutes) * 60_000;
}
