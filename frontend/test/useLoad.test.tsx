import { CloakroomError } from "@cloakroom/client";
import { act, renderHook, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { useLoad } from "../src/useLoad.js";

const offline = () => new CloakroomError(0, { code: "network_error", error: "The server cannot be reached" });

test("keeps data on failure and reloads when back online", async () => {
  const replies: (string | Error)[] = ["first", offline(), "third"];
  const { result } = renderHook(() =>
    useLoad(async () => {
      const reply = replies.shift() ?? "too many";
      if (reply instanceof Error) {
        throw reply;
      }
      return reply;
    }),
  );
  await waitFor(() => expect(result.current.data).toBe("first"));

  act(() => result.current.reload());
  await waitFor(() => expect(result.current.error?.code).toBe("network_error"));
  expect(result.current.data).toBe("first");

  act(() => void dispatchEvent(new Event("online")));
  await waitFor(() => expect(result.current.data).toBe("third"));
  expect(result.current.error).toBeNull();
});

test("aborts the request on unmount", async () => {
  let signal: AbortSignal | undefined;
  const { unmount } = renderHook(() =>
    useLoad((requestSignal) => {
      signal = requestSignal;
      return new Promise((_, reject) => {
        requestSignal.addEventListener("abort", () => reject(requestSignal.reason));
      });
    }),
  );
  expect(signal?.aborted).toBe(false);
  unmount();
  expect(signal?.aborted).toBe(true);
});

test("ignores a response older than the latest", async () => {
  const waiting: ((reply: string) => void)[] = [];
  const { result } = renderHook(() => useLoad(() => new Promise<string>((resolve) => waiting.push(resolve))));
  act(() => result.current.reload());
  await act(async () => waiting[1]?.("second"));
  await act(async () => waiting[0]?.("first"));
  expect(result.current.data).toBe("second");
});
