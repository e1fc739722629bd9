// Generates src/schema.ts from the server's OpenAPI document. With --check it fails if the file is out of date and writes
// nothing.

import { readFile, writeFile } from "node:fs/promises";
import openapi, { astToString } from "openapi-typescript";

const target = new URL("../src/schema.ts", import.meta.url);
const head = "// Written by `npm run generate` from openapi.json, which `cloakroom openapi` prints.\n\n";
const text = head + astToString(await openapi(new URL("../../../openapi.json", import.meta.url)));

if (!process.argv.includes("--check")) {
  await writeFile(target, text);
} else if ((await readFile(target, "utf8")) !== text) {
  process.stderr.write("src/schema.ts is out of date: run npm run generate -w @cloakroom/client\n");
  process.exitCode = 1;
}
