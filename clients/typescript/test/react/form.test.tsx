// @vitest-environment happy-dom

import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CloakroomError } from "../../src/index.js";
import { useCountdown, useForm } from "../../src/react/index.js";
import { deferred } from "../unit/fake-server.js";

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const SecondsLeft = () => <output>{useCountdown(60)}</output>;

type Send = (fields: Record<string, unknown>, options: { signal: AbortSignal }) => Promise<unknown>;

function SignUp({ send, onSuccess }: { send: Send; onSuccess?: (result: unknown) => void }) {
  const form = useForm(send, onSuccess ? { onSuccess } : {});
  const input = (name: string, label: string, type = "text") => (
    <>
      <label>
        {label} <input {...form.field(name)} type={type} />
      </label>
      <p id={form.errorId(name)}>{form.messages(name).join(", ")}</p>
    </>
  );
  return (
    <form onSubmit={form.onSubmit}>
      {form.error && (
        <p role="alert" tabIndex={-1}>
          {form.error.message}
        </p>
      )}
      {input("email_address", "Address")}
      {input("password", "Password", "password")}
      {input("remember", "Remember", "checkbox")}
      <button type="submit" disabled={form.pending || form.retryIn > 0}>
        Go
      </button>
      <button type="button" onClick={form.reset}>
        Reset
      </button>
      <output>{form.retryIn}</output>
    </form>
  );
}

const show = (send: Send, onSuccess?: (result: unknown) => void) =>
  render(
    <StrictMode>
      <SignUp send={send} {...(onSuccess && { onSuccess })} />
    </StrictMode>,
  );
const input = (label: string) => screen.getByLabelText<HTMLInputElement>(label);
const type = (label: string, value: string) => fireEvent.input(input(label), { target: { value } });
const submit = () => act(async () => void fireEvent.submit(input("Address").form as HTMLFormElement));
const rejected = (fields: Record<string, string[]>, status = 422, retryAfter?: number) =>
  new CloakroomError(status, { error: "No", code: "validation_failed", fields }, retryAfter);

describe("a form", () => {
  it("submits its values by input name", async () => {
    const send = vi.fn<Send>(async () => "done");
    const onSuccess = vi.fn();
    show(send, onSuccess);
    type("Address", "a@example.com");
    type("Password", "correct horse");
    fireEvent.click(input("Remember"));
    await submit();
    expect(send.mock.calls[0]?.[0]).toEqual({
      email_address: "a@example.com",
      password: "correct horse",
      remember: true,
    });
    expect(onSuccess).toHaveBeenCalledExactlyOnceWith("done");
  });

  it("shows field errors, focuses the first and keeps the input", async () => {
    show(() =>
      Promise.reject(rejected({ password: ["is too short"], email_address: ["is invalid", "is odd"] })),
    );
    type("Address", "a@");
    type("Password", "short");
    await submit();
    const address = input("Address");
    expect(document.activeElement).toBe(address);
    expect(address.getAttribute("aria-invalid")).toBe("true");
    const described = document.getElementById(address.getAttribute("aria-describedby") ?? "");
    expect(described?.textContent).toBe("is invalid, is odd");
    expect(address.value).toBe("a@");
    expect(input("Password").value).toBe("short");
    expect(input("Remember").hasAttribute("aria-invalid")).toBe(false);
    expect(screen.getByRole("alert").textContent).toBe("No");
  });

  it("clears the error of an edited field only", async () => {
    show(() => Promise.reject(rejected({ password: ["is too short"], email_address: ["is invalid"] })));
    await submit();
    type("Address", "a@example.com");
    expect(input("Address").hasAttribute("aria-invalid")).toBe(false);
    expect(input("Password").getAttribute("aria-invalid")).toBe("true");
  });

  it("shows and focuses errors of unbound fields in the alert", async () => {
    show(() => Promise.reject(rejected({ password_challenge: ["is incorrect"] })));
    await submit();
    const alert = screen.getByRole("alert");
    expect(alert.textContent).toBe("No: password challenge is incorrect");
    expect(document.activeElement).toBe(alert);
  });

  it("ignores a second submit while pending", async () => {
    const reply = deferred<unknown>();
    const send = vi.fn<Send>(() => reply.promise);
    show(send);
    await submit();
    await submit();
    expect(send).toHaveBeenCalledOnce();
    expect(screen.getByText<HTMLButtonElement>("Go").disabled).toBe(true);
    await act(async () => reply.resolve("done"));
    expect(screen.getByText<HTMLButtonElement>("Go").disabled).toBe(false);
    await submit();
    expect(send).toHaveBeenCalledTimes(2);
  });

  it("can be submitted again after Retry-After", async () => {
    vi.useFakeTimers();
    const send = vi.fn<Send>(() => Promise.reject(rejected({}, 429, 2)));
    show(send);
    await submit();
    const left = screen.getByRole("status");
    expect(left.textContent).toBe("2");
    await submit();
    expect(send).toHaveBeenCalledOnce();
    await act(() => vi.advanceTimersByTimeAsync(1000));
    expect(left.textContent).toBe("1");
    await act(() => vi.advanceTimersByTimeAsync(1000));
    expect(left.textContent).toBe("0");
    expect(vi.getTimerCount()).toBe(0);
    await submit();
    expect(send).toHaveBeenCalledTimes(2);
    expect(left.textContent).toBe("2");
  });

  it("aborts its request on unmount", async () => {
    let signal: AbortSignal | undefined;
    const { unmount } = show((_, options) => {
      signal = options.signal;
      return new Promise((_, reject) =>
        options.signal.addEventListener("abort", () => reject(options.signal.reason)),
      );
    });
    await submit();
    expect(signal?.aborted).toBe(false);
    await act(async () => unmount());
    expect(signal?.aborted).toBe(true);
  });

  it("has no values and errors after a reset", async () => {
    show(() => Promise.reject(rejected({ email_address: ["is invalid"] })));
    type("Address", "a@");
    await submit();
    fireEvent.click(screen.getByText("Reset"));
    expect(input("Address").value).toBe("");
    expect(screen.queryByRole("alert")).toBeNull();
    expect(input("Address").hasAttribute("aria-invalid")).toBe(false);
  });
});

it("a countdown includes time while the machine sleeps", async () => {
  vi.useFakeTimers();
  render(<SecondsLeft />);
  const left = screen.getByRole("status");
  expect(left.textContent).toBe("60");
  vi.setSystemTime(Date.now() + 50_000);
  await act(() => vi.advanceTimersByTimeAsync(250));
  expect(left.textContent).toBe("10");
});
