/** The version of this program, and of the newest release that it brings. `deno task release` writes it. */
export const VERSION = "0.2.0";
