import { CloakroomError } from "@cloakroom/client";

/** A removal. What is gone already, since another tab removed it, counts as removed. */
export async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(CloakroomError.is(error) && error.code === "not_found")) {
      throw error;
    }
  }
}
