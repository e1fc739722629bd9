import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface ReplaceRecoveryCodesProps {
  /** Called with the new codes. */
  onDone: (codes: string[]) => void;
  onClose: () => void;
}

export function ReplaceRecoveryCodes({ onDone, onClose }: ReplaceRecoveryCodesProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm(
    (fields: { password_challenge?: string }, options) => client.replaceRecoveryCodes(fields, options),
    { onSuccess: ({ recovery_codes }) => onDone(recovery_codes) },
  );
  return (
    <Dialog title="Make new recovery codes?" onClose={onClose}>
      <p>The codes that you have now will stop working.</p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CurrentPassword form={form} username={user.email_address} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form}>Make new codes</SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
