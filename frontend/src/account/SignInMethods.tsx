import { AuthenticatorApp } from "./AuthenticatorApp.js";
import { LinkedAccounts } from "./LinkedAccounts.js";
import { Passkeys } from "./Passkeys.js";
import { Section } from "./Section.js";

/** What the user signs in with beside the password. */
export function SignInMethods({ onUnlinked }: { onUnlinked: () => void }) {
  return (
    <Section id="sign-in-methods" title="Sign-in methods">
      <Passkeys />
      <LinkedAccounts onUnlinked={onUnlinked} />
      <AuthenticatorApp />
    </Section>
  );
}
