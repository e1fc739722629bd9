// Serves the built front end: its files, index.html for every other path, and security headers. Password managers find
// the page that changes a password by `/.well-known/change-password`, if unknown paths beside it are 404
// (https://w3c.github.io/webappsec-change-password-url/).
// `node serve.mjs --port 3001 --api http://localhost:3000`; `--mail-codes` where the server has `sign_in.mail_code`.
//
// # Threats
// - a link token in a log: nothing here logs a path
// - injected scripts and framing: Content-Security-Policy
// - path traversal: only files read at the start are served

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
/** The page's default: port 3000 of its own host. */
const DEFAULT_API_ORIGINS = "http://localhost:3000 http://127.0.0.1:3000";

/**
 * Listens on `localhost`, on a free port if `port` is 0. `setApi` changes the API's URL later.
 *
 * @param {{ port?: number, api?: string, mailCodes?: boolean, folder?: string }} [options]
 */
export async function start({ port = 0, api = "", mailCodes = false, folder = BUILT } = {}) {
  const files = await loadFiles(folder);
  const template = files.get("/index.html")?.plain.toString("utf8");
  if (!template) {
    throw new Error("front end not built: run npm run build");
  }
  let index = renderIndex(template, api, mailCodes);

  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split(/[?#]/, 1)[0] ?? "/";
    const isAsset = path.startsWith("/assets/");
    const file = path === "/index.html" ? undefined : files.get(path);
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { ...index.headers, Allow: "GET, HEAD" }).end();
    } else if (path === "/.well-known/change-password") {
      response.writeHead(302, { ...index.headers, Location: "/account" }).end();
    } else if ((isAsset || path.startsWith("/.well-known/")) && !file) {
      response.writeHead(404, index.headers).end();
    } else {
      respond(request, response, file ?? index.file, {
        ...index.headers,
        "Cache-Control": isAsset ? "public, max-age=31536000, immutable" : file ? "no-cache" : "no-store",
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
      index = renderIndex(template, url, mailCodes);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The page with the API's URL and what the server has, and headers that allow requests to no other origin. */
function renderIndex(html, api, mailCodes) {
  const url = api ? new URL(api) : undefined;
  const fill = (page, name, content) => page.replace(`name="${name}" content="`, (start) => start + content);
  const withApi = fill(html, "cloakroom-api", url ? url.href.replace(/\/$/, "") : "");
  const text = fill(withApi, "cloakroom-mail-codes", mailCodes ? "on" : "");
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    `connect-src ${url ? url.origin : DEFAULT_API_ORIGINS}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    file: staticFile(Buffer.from(text), ".html"),
    headers: {
      "Content-Security-Policy": policy.join("; "),
      "Cross-Origin-Opener-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    },
  };
}

function respond(request, response, file, headers) {
  const isGzip = acceptsGzip(String(request.headers["accept-encoding"] ?? ""));
  const body = isGzip ? file.gzipped : file.plain;
  response.writeHead(200, {
    ...headers,
    "Content-Type": file.type,
    "Content-Length": body.length,
    Vary: "Accept-Encoding",
    ...(isGzip && { "Content-Encoding": "gzip" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** Whether gzip, or else `*`, has a weight above 0 and no lower one than `identity` (RFC 9110, 12.5.3). */
function acceptsGzip(header) {
  const weights = new Map();
  for (const item of header.toLowerCase().split(",")) {
    const [coding, ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(coding, weight ? Number(weight.slice(2)) : 1);
  }
  const gzip = weights.get("gzip") ?? weights.get("*") ?? 0;
  return gzip > 0 && gzip >= (weights.get("identity") ?? 0);
}

/** All files by URL path, in memory: they are few and small. */
async function loadFiles(folder) {
  const files = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) {
      const file = join(entry.parentPath, entry.name);
      const path = file.slice(folder.length).split(sep).join("/");
      files.set(path, staticFile(await readFile(file), extname(entry.name)));
    }
  }
  return files;
}

function staticFile(plain, extension) {
  return {
    plain,
    gzipped: gzipSync(plain, { level: 9 }),
    type: TYPES[extension] ?? "application/octet-stream",
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "3001" },
      api: { type: "string", default: "" },
      "mail-codes": { type: "boolean", default: false },
    },
  });
  const { url } = await start({
    port: Number(values.port),
    api: values.api,
    mailCodes: values["mail-codes"],
  });
  process.stdout.write(`listening on ${url}\n`);
}
