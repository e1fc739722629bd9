import type { Form } from "@cloakroom/client/react";
import type { ReactNode } from "react";

/** Stays where the focus is while it waits: a disabled button would lose it, and the form sends nothing twice anyway. */
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
