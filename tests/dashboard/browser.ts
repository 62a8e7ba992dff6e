import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { BROWSER_PACKAGES, ensurePackages } from "../../scripts/lib/debian.ts";

const SCREENSHOTS = "dist/screenshots";

/** Debian's Chromium. Installs it where it is missing. */
export async function openBrowser(): Promise<Browser & AsyncDisposable> {
  await ensurePackages(BROWSER_PACKAGES);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Chromium has no sandbox for root.
    args: Deno.uid() === 0 ? ["--no-sandbox"] : [],
  });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

/** A page in a profile of its own, and the errors that it has printed. */
export interface Visit extends AsyncDisposable {
  page: Page;
  context: BrowserContext;
  errors: string[];
}

export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    // Requests that the database refuses are printed by the browser itself.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      errors.push(message.text());
    }
  });
  return { page, context, errors, [Symbol.asyncDispose]: () => context.close() };
}

/** Keeps a picture of the page for review, in dist/screenshots. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await Deno.mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}
