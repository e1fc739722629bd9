// What was started is kept in the tab while the browser is at the provider. Without storage the page still finishes a
// sign-in in cookie mode.

const KEY = "cloakroom:provider";

export interface Started {
  provider?: string | undefined;
  /** Whether an account is linked to that of the signed-in user. */
  links?: boolean | undefined;
  remember?: boolean | undefined;
  return_to?: string | undefined;
  /** Without cookies, the proof that this tab started it. */
  code_verifier?: string | undefined;
}

export function saveStarted(started: Started): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(started));
  } catch {}
}

export function takeStarted(): Started {
  try {
    const started = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    sessionStorage.removeItem(KEY);
    return started;
  } catch {
    return {};
  }
}
