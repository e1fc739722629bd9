"use client";

import { useClient, useForm } from "@cloakroom/client/react";
import { useRouter } from "next/navigation";

export default function SignIn() {
  const [client, router] = [useClient(), useRouter()];
  const form = useForm((fields) => client.signIn(fields), { onSuccess: () => router.push("/") });
  return (
    <form onSubmit={form.onSubmit}>
      <input {...form.field("email_address")} type="email" aria-label="Email address" />
      <input {...form.field("password")} type="password" aria-label="Password" />
      <button disabled={form.pending}>Sign in</button>
      <p role="alert">{form.error?.message}</p>
    </form>
  );
}
