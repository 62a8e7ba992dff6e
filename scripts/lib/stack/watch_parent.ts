/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/** Tells `serve_function.ts` when it has begun to watch and when standard input ends; ends the process some time after. */

/** How long requests under way have to end, in milliseconds. */
const PATIENCE_MS = 2000;

self.postMessage("watching");
for await (const _ of Deno.stdin.readable) { /* nothing is ever sent */ }
self.postMessage("ended");
setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), PATIENCE_MS);
