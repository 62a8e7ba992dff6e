#!/usr/bin/env node
import process from "node:process";
import * as bars from "./commands/bars.ts";
import * as check from "./commands/check.ts";
import * as explain from "./commands/explain.ts";
import * as exportBars from "./commands/export.ts";
import * as finishMove from "./commands/finish_move.ts";
import * as importBars from "./commands/import.ts";
import * as install from "./commands/install.ts";
import * as migrate from "./commands/migrate.ts";
import * as move from "./commands/move.ts";
import * as status from "./commands/status.ts";
import * as undoMove from "./commands/undo_move.ts";
import * as uninstall from "./commands/uninstall.ts";
import { runProgram } from "./lib/program.ts";

const COMMANDS = [
  install,
  uninstall,
  migrate,
  move,
  status,
  undoMove,
  finishMove,
  check,
  bars,
  explain,
  importBars,
  exportBars,
];

process.exitCode = await runProgram(COMMANDS, process.argv.slice(2));
