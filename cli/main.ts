#!/usr/bin/env node
import process from "node:process";
import * as check from "./commands/check.ts";
import * as install from "./commands/install.ts";
import * as migrate from "./commands/migrate.ts";
import * as uninstall from "./commands/uninstall.ts";
import { runProgram } from "./lib/program.ts";

process.exitCode = await runProgram([check, install, migrate, uninstall], process.argv.slice(2));
