import type { Form } from "@cloakroom/client/react";
import { type InputHTMLAttributes, type ReactNode, type Ref, useState } from "react";

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "form" | "name"> {
  form: Form;
  name: string;
  label: string;
  hint?: ReactNode;
  ref?: Ref<HTMLInputElement>;
}

/** A labelled input and what is wrong with it. */
export function Field({ form, name, label, hint, ...rest }: FieldProps) {
  const { described, ...field } = tie(form, name, hint);
  return (
    <div className="field">
      <label htmlFor={field.id}>{label}</label>
      <input required {...rest} {...field} aria-describedby={described} />
      <Below {...{ form, name, label, hint }} />
    </div>
  );
}

/** An address; the keyboard of a phone has its `@` at hand. */
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

/** A password, which its owner may look at. */
export function PasswordField({ form, name, label, hint, ...rest }: FieldProps) {
  const [shown, setShown] = useState(false);
  const { described, ...field } = tie(form, name, hint);
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
          aria-describedby={described}
          type={shown ? "text" : "password"}
        />
        <button type="button" className="eye" aria-pressed={shown} onClick={() => setShown(!shown)}>
          <span className="unseen">Show {label.toLowerCase()}</span>
          <Eye open={shown} />
        </button>
      </div>
      <Below {...{ form, name, label, hint }} />
    </div>
  );
}

interface AreaProps {
  form: Form;
  name: string;
  label: string;
  defaultValue?: string;
}

/** A text of some lines, which may be left out. */
export function Area({ form, name, label, defaultValue }: AreaProps) {
  const { described, ...field } = tie(form, name);
  return (
    <div className="field">
      <label htmlFor={field.id}>
        {label} <span className="optional">optional</span>
      </label>
      <textarea rows={3} defaultValue={defaultValue} {...field} aria-describedby={described} />
      <Below {...{ form, name, label }} />
    </div>
  );
}

function tie(form: Form, name: string, hint?: ReactNode) {
  const { "aria-describedby": wrong, ...field } = form.field(name);
  const described = [wrong, hint ? `${field.id}-hint` : undefined].filter(Boolean).join(" ") || undefined;
  return { ...field, described };
}

function Below({ form, name, label, hint }: { form: Form; name: string; label: string; hint?: ReactNode }) {
  const messages = form.messages(name);
  return (
    <>
      {messages.length > 0 && (
        <p className="wrong" id={form.errorId(name)}>
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
