import type { Form } from "@cloakroom/client/react";
import type { ReactNode } from "react";
import { PasswordField } from "../components/Field.js";

interface CurrentPasswordProps {
  form: Form;
  name?: string;
  /** Tells password managers which account the password belongs to, where no other field does. */
  username?: string;
  hint?: ReactNode;
}

/** The password that a sensitive change requires. */
export function CurrentPassword({ form, name = "password_challenge", username, hint }: CurrentPasswordProps) {
  return (
    <>
      {username && <input type="text" autoComplete="username" value={username} readOnly hidden />}
      <PasswordField
        form={form}
        name={name}
        label="Current password"
        autoComplete="current-password"
        hint={hint}
      />
    </>
  );
}
