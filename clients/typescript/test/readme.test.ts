// The samples of README.md compile, against the source of the package.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${folder}/README.md`, "utf8");

/** The samples as files beside this one; they import the package by its name. */
const samples = new Map(
  [...readme.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map(([, kind, text = ""], index) => [
    `${folder}test/sample-${index}.${kind}`,
    text
      .replace('"@cloakroom/client"', '"../src/index.js"')
      .replace('"@cloakroom/client/passkeys"', '"../src/passkeys/index.js"')
      .replace('"@cloakroom/client/providers"', '"../src/providers/index.js"')
      .replace('"@cloakroom/client/react"', '"../src/react/index.js"')
      .replace('"@cloakroom/client/react/passkeys"', '"../src/react/passkeys.js"')
      .replace('"@cloakroom/client/react/providers"', '"../src/react/providers.js"'),
  ]),
);
/** A package that a sample uses and this one does not install. */
const others = `${folder}test/others.d.ts`;
const expo = `declare module "expo-secure-store" {
  export function getItemAsync(key: string): Promise<string | null>;
  export function setItemAsync(key: string, value: string): Promise<void>;
  export function deleteItemAsync(key: string): Promise<void>;
}`;

it("every sample has valid types", () => {
  const { config } = ts.readConfigFile(`${folder}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const host = ts.createCompilerHost(options);
  const files = new Map([...samples, [others, expo]]);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name);
    return text === undefined
      ? getSourceFile(name, version, ...rest)
      : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  expect(faults).toEqual([]);
  expect(samples.size).toBe(11);
});
