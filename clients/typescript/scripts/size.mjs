// Measures the package, its entries bundled, minified and gzipped. Fails if an application without passkeys and providers
// exceeds the budget.

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const BUDGET = 6144;
const folder = fileURLToPath(new URL("../dist/", import.meta.url));

async function size(...names) {
  const id = "\0entry";
  const { output } = [
    await build({
      configFile: false,
      logLevel: "error",
      plugins: [
        {
          name: "entry",
          resolveId: (source) => (source === "entry" ? id : null),
          load: (source) =>
            source === id
              ? names.map((name) => `export * from ${JSON.stringify(folder + name)};`).join("\n")
              : null,
        },
      ],
      build: {
        write: false,
        minify: true,
        target: "es2022",
        rollupOptions: {
          input: "entry",
          external: ["react", "react/jsx-runtime"],
          preserveEntrySignatures: "strict",
          output: { format: "es" },
        },
      },
    }),
  ].flat()[0];
  return output.reduce((bytes, { code }) => bytes + gzipSync(code ?? "", { level: 9 }).length, 0);
}

const both = await size("index.js", "react/index.js");
const withReact = (name) => size("index.js", "react/index.js", `${name}/index.js`, `react/${name}.js`);
process.stdout.write(
  `client ${await size("index.js")} B, with React bindings ${both} B of ${BUDGET} B, ` +
    `with passkeys ${await withReact("passkeys")} B, with providers ${await withReact("providers")} B gzipped\n`,
);
if (both >= BUDGET) {
  process.exitCode = 1;
}
