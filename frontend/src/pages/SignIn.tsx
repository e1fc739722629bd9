import { type AuthState, CloakroomError } from "@cloakroom/client";
import { useAuth, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Link, useLocation } from "react-router";
import { Ticket } from "../layout/Ticket.js";
import { Notice } from "../parts/Alert.js";
import { AddressField, PasswordField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { ResendConfirmation } from "../parts/ResendConfirmation.js";
import { SubmitButton } from "../parts/SubmitButton.js";

const WHY = {
  "signed-out": "You are signed out.",
  expired: "Your session has ended. Sign in to go on.",
  "other-tab": "You signed out in another tab.",
  deleted: "Your account is deleted.",
};

/** Where one goes from here is the guard's business: it knows where one came from. */
export function SignIn() {
  const auth = useAuth();
  const { state } = useLocation();
  const [unconfirmed, setUnconfirmed] = useState("");
  const form = useForm(
    async (fields: { email_address: string; password: string; remember: boolean }, options) => {
      setUnconfirmed("");
      try {
        return await auth.client.signIn(fields, options);
      } catch (error) {
        if (CloakroomError.is(error) && error.code === "email_unconfirmed") {
          setUnconfirmed(fields.email_address);
        }
        throw error;
      }
    },
  );

  return (
    <Ticket title="Sign in" lead="Hand in your credentials, get a ticket.">
      <Notice>{!form.error && (news(state) ?? why(auth))}</Notice>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        {unconfirmed && <ResendConfirmation address={unconfirmed} />}
        <AddressField form={form} label="Email address" />
        <PasswordField form={form} name="password" label="Password" autoComplete="current-password" />
        <label className="check">
          <input type="checkbox" name="remember" /> Keep me signed in for longer
        </label>
        <SubmitButton form={form}>Sign in</SubmitButton>
      </form>
      <p className="aside">
        <Link to="/passwords/new">Forgot your password?</Link>
        <span>
          New here? <Link to="/sign-up">Sign up</Link>
        </span>
      </p>
    </Ticket>
  );
}

/** What another page had to say when it sent people here. */
function news(state: unknown): string | undefined {
  const told = (state as { news?: unknown } | null)?.news;
  return typeof told === "string" ? told : undefined;
}

function why(auth: AuthState): string | undefined {
  return auth.status === "signed-out" && auth.reason ? WHY[auth.reason] : undefined;
}
