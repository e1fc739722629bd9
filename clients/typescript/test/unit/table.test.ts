import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { routes } from "../../src/routes.js";

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  security?: unknown[];
}
const document = JSON.parse(readFileSync(new URL("../../../../openapi.json", import.meta.url), "utf8"));

it("says of every operation what the document says: where it is, its query, and whether it is public", () => {
  const told: Record<string, string> = {};
  for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const [method, { operationId, parameters = [], security }] of Object.entries(methods)) {
      const query = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
      told[operationId] =
        (security?.length === 0 ? "public " : "") +
        `${method.toUpperCase()} ${path}${query.length > 0 ? `?${query.join("&")}` : ""}`;
    }
  }
  // It takes a credential or none; the client gives it what it has.
  told.createTokens = told.createTokens?.replace("public ", "") ?? "";
  // Each does as another that is in the table.
  delete told.replaceProject;
  delete told.patchPassword;
  expect({ ...routes }).toEqual(told);
});
