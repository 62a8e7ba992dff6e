import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
// @ts-types="@types/yauzl"
import { type Entry, openPromise as openZip } from "yauzl";

/** A file of text, which may lie in a zip file. */
export interface TextFile {
  /** The name of the file; in a zip file with that before it. */
  name: string;
  /** Its lines, in parts as they are read. Throws where the file is damaged; a line that was cut does not come then. */
  lines: AsyncIterable<string[]>;
}

const LONGEST_LINE = 1 << 20;
/** JSON may be all in one line. */
const LONGEST_JSON = 1 << 24;

/**
 * Opens a file: text, or text in gzip or zip, told by its first bytes. A zip file may hold several; `onBytes` takes the
 * number of bytes of `path` that were read. The lines of one file must be read before the next is asked for.
 */
export async function* openTextFiles(path: string, onBytes: (bytes: number) => void): AsyncGenerator<TextFile> {
  const name = basename(path);
  const start = await readStart(path);
  if (start[0] === 0x50 && start[1] === 0x4b) {
    yield* openZipEntries(path, name, onBytes);
    return;
  }
  const source = createReadStream(path, { highWaterMark: 1 << 16 });
  source.on("data", (chunk) => onBytes(chunk.length));
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    yield { name, lines: readLines(source) };
    return;
  }
  // The reader gets the error as well; without a callback it would be thrown here too.
  const text = pipeline(source, createGunzip({ chunkSize: 1 << 16 }), () => {});
  yield { name, lines: readLines(text) };
}

async function* openZipEntries(path: string, name: string, onBytes: (bytes: number) => void): AsyncGenerator<TextFile> {
  const zip = await openZip(path, { autoClose: false });
  try {
    const files: Entry[] = [];
    for await (const entry of zip.eachEntry()) {
      if (/\.(csv|txt|tsv|prn|json)$/i.test(entry.fileName)) files.push(entry);
    }
    // HistData puts a report beside its bars.
    const tables = files.filter(({ fileName }) => /\.csv$/i.test(fileName));
    for (const entry of tables.length > 0 ? tables : files) {
      const text = await zip.openReadStreamPromise(entry);
      const ratio = entry.compressedSize / Math.max(1, entry.uncompressedSize);
      text.on("data", (chunk) => onBytes(chunk.length * ratio));
      yield { name: `${name}/${entry.fileName}`, lines: readLines(text) };
    }
    if (files.length === 0) throw new Error("the zip file holds no .csv, .txt, .tsv, .prn or .json file");
  } finally {
    zip.close();
  }
}

async function readStart(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array(4);
    const { bytesRead } = await file.read(bytes, 0, 4, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Lines without their ends. UTF-8, or UTF-16 with a byte order mark. */
async function* readLines(stream: Readable): AsyncGenerator<string[]> {
  let decoder: TextDecoder | undefined;
  let rest = "";
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > (rest.startsWith("{") ? LONGEST_JSON : LONGEST_LINE)) {
      throw new Error("it has a line of more than a million characters: it is not a table");
    }
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index]!;
      if (line.endsWith("\r")) lines[index] = line.slice(0, -1);
    }
    yield lines;
  }
  rest += decoder?.decode() ?? "";
  if (rest !== "") yield [rest.replace(/\r$/, "")];
}

function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  if (start.subarray(0, 1000).includes(0)) {
    throw new Error("it is not text, or UTF-16 without a byte order mark: save it as UTF-8");
  }
  return "utf-8";
}
