import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // The port is part of the origin that the server allows (`cors.origins`).
  server: { port: 3001, strictPort: true },
  build: {
    // Browsers with `light-dark()`.
    target: ["chrome123", "firefox120", "safari17.5"],
    // No inline scripts or data URLs: the Content-Security-Policy of `serve.mjs` blocks them.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
    // Leave time for a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
