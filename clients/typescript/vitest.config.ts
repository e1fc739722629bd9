import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    environment: "node",
    restoreMocks: true,
    // Leave time for a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
