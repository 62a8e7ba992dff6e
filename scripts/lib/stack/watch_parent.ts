/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/** Tells `serve_function.ts` when it watches and when standard input has ended. It ends the process some time later. */

/** How long running requests have to end, in milliseconds. */
const PATIENCE_MS = 2000;

self.postMessage("watching");
for await (const _ of Deno.stdin.readable) { /* The parent sends nothing. */ }
self.postMessage("ended");
setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), PATIENCE_MS);
