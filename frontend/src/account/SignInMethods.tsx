import { AuthenticatorApp } from "./AuthenticatorApp.js";
import { Passkeys } from "./Passkeys.js";
import { Section } from "./Section.js";

/** What the user signs in with beside the password. */
export function SignInMethods() {
  return (
    <Section id="sign-in-methods" title="Sign-in methods">
      <Passkeys />
      <AuthenticatorApp />
    </Section>
  );
}
