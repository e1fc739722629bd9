import type { CloakroomError } from "@cloakroom/client";
import { LoadError } from "../components/LoadError.js";
import { FormPage } from "../layout/FormPage.js";

/** Shown when the sign-in state cannot be loaded. */
export function Unreachable({ error, retry }: { error: CloakroomError; retry: () => void }) {
  return (
    <FormPage title="Cannot reach the server">
      <LoadError error={error} retry={retry} />
      <p>This page tries again when the network is back.</p>
    </FormPage>
  );
}
