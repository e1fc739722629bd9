import type { Form } from "@cloakroom/client/react";
import type { ReactNode } from "react";

/** Uses `aria-disabled`, because a disabled button loses the focus; `useForm` ignores submits meanwhile. */
export function SubmitButton({ form, className = "main", children }: SubmitButtonProps) {
  return (
    <button
      type="submit"
      className={className}
      aria-disabled={form.pending || form.retryIn > 0}
      data-busy={form.pending || undefined}
    >
      {children}
    </button>
  );
}

interface SubmitButtonProps {
  form: Form;
  className?: string;
  children: ReactNode;
}
