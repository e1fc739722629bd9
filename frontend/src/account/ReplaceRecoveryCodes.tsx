import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
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
    <ConfirmDialog
      title="Make new recovery codes?"
      text="The codes that you have now will stop working."
      submit="Make new codes"
      className="main"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
    </ConfirmDialog>
  );
}
