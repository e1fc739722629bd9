// Serves the built front end: its files, the one page for every other path, and the headers that a page with a
// password in it should have. `node serve.mjs --port 3001 --api http://localhost:3000`.
//
// Nothing here logs a path: a link from a mail has its token there.

import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const BUILT = fileURLToPath(new URL("dist", import.meta.url));
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};
/** Where the page looks for the API on its own: port 3000 of its own host. */
const USUAL = "http://localhost:3000 http://127.0.0.1:3000";

/**
 * Starts it on `localhost`, on a free port if `port` is 0. The API's address may come later, by `setApi`.
 *
 * @param {{ port?: number, api?: string, folder?: string }} [options]
 */
export async function start({ port = 0, api = "", folder = BUILT } = {}) {
  const files = await load(folder);
  const page = files.get("/index.html")?.plain.toString("utf8");
  if (!page) {
    throw new Error("There is no front end to serve: build it first");
  }
  let home = pageFor(page, api);

  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split(/[?#]/, 1)[0] ?? "/";
    const asset = path.startsWith("/assets/");
    const file = path === "/index.html" ? undefined : files.get(path);
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { ...home.headers, Allow: "GET, HEAD" }).end();
    } else if (asset && !file) {
      response.writeHead(404, home.headers).end();
    } else {
      answer(request, response, file ?? home.file, {
        ...home.headers,
        "Cache-Control": asset ? "public, max-age=31536000, immutable" : file ? "no-cache" : "no-store",
      });
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  return {
    url: `http://localhost:${typeof address === "object" && address ? address.port : port}`,
    /** @param {string} url */
    setApi(url) {
      home = pageFor(page, url);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The page with the API's address in it, and headers that let it call there and nowhere else. */
function pageFor(html, api) {
  const url = api ? new URL(api) : undefined;
  const [before, after] = html.split('name="cloakroom-api" content="');
  const text = `${before}name="cloakroom-api" content="${url ? url.href.replace(/\/$/, "") : ""}${after}`;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    `connect-src ${url ? url.origin : USUAL}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    file: fileOf(Buffer.from(text), ".html"),
    headers: {
      "Content-Security-Policy": policy.join("; "),
      "Cross-Origin-Opener-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    },
  };
}

function answer(request, response, file, headers) {
  const zipped = /\bgzip\b/.test(String(request.headers["accept-encoding"]));
  const body = zipped ? file.zipped : file.plain;
  response.writeHead(200, {
    ...headers,
    "Content-Type": file.type,
    "Content-Length": body.length,
    Vary: "Accept-Encoding",
    ...(zipped && { "Content-Encoding": "gzip" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** Every file by its path. They are few and small, and what is not among them cannot be asked for. */
async function load(folder) {
  const files = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) {
      const whole = join(entry.parentPath, entry.name);
      const path = whole.slice(folder.length).split(sep).join("/");
      files.set(path, fileOf(await readFile(whole), extname(entry.name)));
    }
  }
  return files;
}

function fileOf(plain, extension) {
  return {
    plain,
    zipped: gzipSync(plain, { level: 9 }),
    type: TYPES[extension] ?? "application/octet-stream",
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "3001" }, api: { type: "string", default: "" } },
  });
  const { url } = await start({ port: Number(values.port), api: values.api });
  process.stdout.write(`listening on ${url}\n`);
}
