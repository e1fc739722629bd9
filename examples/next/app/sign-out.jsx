"use client";

import { useClient } from "@cloakroom/client/react";
import { useRouter } from "next/navigation";

export function SignOut() {
  const [client, router] = [useClient(), useRouter()];
  const signOut = async () => {
    await client.signOut();
    router.push("/sign-in");
    router.refresh(); // forgets the pages of this user
  };
  return <button onClick={signOut}>Sign out</button>;
}
