import { fileURLToPath } from "node:url";

/** What a throwaway Postgres 15 needs beyond npm: its extensions, and the test tools. */
export const DATABASE_PACKAGES = [
  "postgresql-15",
  "postgresql-15-cron",
  "postgresql-15-pgtap",
  "postgresql-15-plpgsql-check",
  "postgresql-server-dev-15",
];

/** What the tests of the dashboard drive. */
export const BROWSER_PACKAGES = ["chromium"];

/**
 * Makes sure that Debian packages are installed, by default those for a throwaway Postgres.
 *
 * Installs what is missing with apt-get when running as root or when `sudo -n` works; does nothing when all is there.
 * Throws an Error that names the missing packages and the command to run when it may not install, when the machine has
 * no apt, or when apt-get fails.
 */
export async function ensurePackages(packages: readonly string[] = DATABASE_PACKAGES): Promise<void> {
  const missing = await findMissingPackages(packages);
  if (missing.length === 0) return;

  const byHand = `apt-get update && apt-get install --yes --no-install-recommends ${missing.join(" ")}`;
  const prefix = await rootPrefix();
  if (prefix === null) {
    throw new Error(`Missing packages: ${missing.join(", ")}. Run as root: ${byHand}`);
  }
  try {
    await runQuietly([...prefix, "apt-get", "update"]);
    await runQuietly([...prefix, "apt-get", "install", "--yes", "--no-install-recommends", ...missing]);
  } catch (error) {
    throw new Error(`Could not install ${missing.join(", ")} with: ${byHand}`, { cause: error });
  }
}

const TOOLS = new URL("../../dist/tools/", import.meta.url);

/**
 * The path of promtool, of Debian's package `prometheus`. The package itself is not installed, since it would start a
 * server: the file is taken out of it once, into `dist`. Throws an Error where the package cannot be fetched.
 */
export async function promtool(): Promise<string> {
  const path = fileURLToPath(new URL("usr/bin/promtool", TOOLS));
  if (await canRun([path, "--version"])) return path;
  await Deno.mkdir(TOOLS, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: fileURLToPath(TOOLS) });
  try {
    const fetchPackage = () => runQuietly(["apt-get", "download", "prometheus"], folder);
    // Without lists of packages apt-get knows none.
    await fetchPackage().catch(async () => {
      await runQuietly([...await rootPrefix() ?? [], "apt-get", "update"]);
      await fetchPackage();
    });
    const [file] = [...Deno.readDirSync(folder)];
    await runQuietly(["dpkg-deb", "--extract", file!.name, "."], folder);
    await Deno.mkdir(new URL("usr/bin/", TOOLS), { recursive: true });
    await Deno.rename(`${folder}/usr/bin/promtool`, path);
    return path;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function findMissingPackages(packages: readonly string[]): Promise<string[]> {
  const installed = await Promise.all(packages.map(isInstalled));
  return packages.filter((_, index) => !installed[index]);
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    const { success, stdout } = await new Deno.Command("dpkg-query", {
      args: ["--show", "--showformat=${db:Status-Status}", name],
      stderr: "null",
    }).output();
    return success && new TextDecoder().decode(stdout) === "installed";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The words to put before a command so that it runs as root, or null when this process may not run it as root. */
async function rootPrefix(): Promise<string[] | null> {
  if (!(await canRun(["apt-get", "--version"]))) return null;
  if (Deno.uid() === 0) return [];
  return (await canRun(["sudo", "-n", "true"])) ? ["sudo", "-n"] : null;
}

async function canRun(command: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command[0]!, { args: command.slice(1), stdout: "null", stderr: "null" }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function runQuietly(command: string[], cwd?: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command[0]!, {
    args: command.slice(1),
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    ...(cwd !== undefined && { cwd }),
  }).output();
  if (!success) {
    throw new Error(`${command.join(" ")}\n${new TextDecoder().decode(stdout)}${new TextDecoder().decode(stderr)}`);
  }
}
