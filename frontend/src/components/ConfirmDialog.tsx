import type { Form } from "@cloakroom/client/react";
import type { ReactNode } from "react";
import { Dialog } from "./Dialog.js";
import { FormAlert } from "./FormAlert.js";
import { SubmitButton } from "./SubmitButton.js";

interface ConfirmDialogProps {
  title: string;
  /** What the change does. */
  text: ReactNode;
  /** The label of the button that does it. */
  submit: string;
  /** The button's look: `danger` unless what it does can be undone. */
  className?: string;
  form: Form;
  onClose: () => void;
  /** The fields that the change needs. */
  children?: ReactNode;
}

/** A dialog that asks before a change. */
export function ConfirmDialog({
  title,
  text,
  submit,
  className = "danger",
  form,
  onClose,
  children,
}: ConfirmDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        {children}
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className={className}>
            {submit}
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
