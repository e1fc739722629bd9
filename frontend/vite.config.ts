import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // Cookie mode needs the origin that the server lets in, so another port would be no use.
  server: { port: 3001, strictPort: true },
  build: {
    // Browsers that know `light-dark()`.
    target: ["chrome123", "firefox120", "safari17.5"],
    // Nothing inline: the content security policy of `serve.mjs` would refuse it.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"] },
});
