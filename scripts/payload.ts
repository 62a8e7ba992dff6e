import { writePayload } from "./pack/payload.ts";

await writePayload();
