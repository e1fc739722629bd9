/** The page of this front end that providers send the browser back to; `identities.redirects` has it by default. */
export const RETURN_PATH = "/sign-in/provider";

export function returnUrl(): string {
  return location.origin + RETURN_PATH;
}
