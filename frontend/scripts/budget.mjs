// Fails if the built front end, gzipped, exceeds its size budget.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 120_000;
const folder = fileURLToPath(new URL("../dist", import.meta.url));

let total = 0;
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) {
    const size = gzipSync(readFileSync(join(entry.parentPath, entry.name)), { level: 9 }).length;
    total += size;
    process.stdout.write(`${String(size).padStart(7)} ${entry.name}\n`);
  }
}
process.stdout.write(`${String(total).padStart(7)} bytes gzipped, of ${BUDGET}\n`);
process.exit(total < BUDGET ? 0 : 1);
