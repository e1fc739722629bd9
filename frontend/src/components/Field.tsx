import type { Form } from "@cloakroom/client/react";
import { type InputHTMLAttributes, type ReactNode, type Ref, useState } from "react";

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "form" | "name"> {
  form: Form;
  name: string;
  label: string;
  hint?: ReactNode;
  ref?: Ref<HTMLInputElement>;
}

/** A labelled input with its hint and error messages. */
export function Field({ form, name, label, hint, ...rest }: FieldProps) {
  const { describedBy, ...field } = fieldProps(form, name, hint);
  return (
    <div className="field">
      <label htmlFor={field.id}>{label}</label>
      <input required {...rest} {...field} aria-describedby={describedBy} />
      <FieldMessages {...{ form, name, label, hint }} />
    </div>
  );
}

/** An email address input, with the email keyboard on phones. */
export function AddressField(props: Omit<FieldProps, "name">) {
  return (
    <Field
      type="email"
      inputMode="email"
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      {...props}
      name="email_address"
    />
  );
}

/** A password input with a button that shows the password. */
export function PasswordField({ form, name, label, hint, ...rest }: FieldProps) {
  const [shown, setShown] = useState(false);
  const { describedBy, ...field } = fieldProps(form, name, hint);
  return (
    <div className="field">
      <label htmlFor={field.id}>{label}</label>
      <div className="secret">
        <input
          required
          autoCapitalize="none"
          spellCheck={false}
          {...rest}
          {...field}
          aria-describedby={describedBy}
          type={shown ? "text" : "password"}
        />
        <button type="button" className="eye" aria-pressed={shown} onClick={() => setShown(!shown)}>
          <span className="visually-hidden">Show {label.toLowerCase()}</span>
          <Eye open={shown} />
        </button>
      </div>
      <FieldMessages {...{ form, name, label, hint }} />
    </div>
  );
}

/** A code of the authenticator app, or a recovery code. Phones offer the digits and codes that they received. */
export function CodeField(props: FieldProps) {
  return (
    <Field
      inputMode="numeric"
      autoComplete="one-time-code"
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      {...props}
    />
  );
}

interface TextAreaProps {
  form: Form;
  name: string;
  label: string;
  defaultValue?: string;
}

/** An optional multi-line input. */
export function TextArea({ form, name, label, defaultValue }: TextAreaProps) {
  const { describedBy, ...field } = fieldProps(form, name);
  return (
    <div className="field">
      <label htmlFor={field.id}>
        {label} <span className="optional">optional</span>
      </label>
      <textarea rows={3} defaultValue={defaultValue} {...field} aria-describedby={describedBy} />
      <FieldMessages {...{ form, name, label }} />
    </div>
  );
}

function fieldProps(form: Form, name: string, hint?: ReactNode) {
  const { "aria-describedby": errorId, ...field } = form.field(name);
  const describedBy = [errorId, hint ? `${field.id}-hint` : undefined].filter(Boolean).join(" ") || undefined;
  return { ...field, describedBy };
}

function FieldMessages({
  form,
  name,
  label,
  hint,
}: {
  form: Form;
  name: string;
  label: string;
  hint?: ReactNode;
}) {
  const messages = form.messages(name);
  return (
    <>
      {messages.length > 0 && (
        <p className="field-error" id={form.errorId(name)}>
          {messages.map((message) => `${label} ${message}`).join(". ")}
        </p>
      )}
      {hint && (
        <p className="hint" id={`${form.field(name).id}-hint`}>
          {hint}
        </p>
      )}
    </>
  );
}

function Eye({ open }: { open: boolean }) {
  return (
    <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false" className="line">
      <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z" />
      <circle cx="12" cy="12" r="3" />
      {!open && <path d="M4 20 20 4" />}
    </svg>
  );
}
