import { linkProvider, type Provider } from "@cloakroom/client/providers";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { returnUrl } from "../providers/page.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface LinkAccountProps {
  provider: Provider;
  onClose: () => void;
}

/** Leads to the provider; the page that the browser comes back to finishes it. */
export function LinkAccount({ provider: { id, name }, onClose }: LinkAccountProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm((fields: { password_challenge?: string }, options) =>
    linkProvider(client, { provider: id, redirect_to: returnUrl(), ...fields }, options),
  );
  return (
    <ConfirmDialog
      title={`Link ${name}?`}
      text={`You sign in at ${name} next. Afterwards your account there signs you in here.`}
      submit={`Continue to ${name}`}
      className="main"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
    </ConfirmDialog>
  );
}
