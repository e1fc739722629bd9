import { reactRouter } from "@react-router/dev/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [reactRouter()],
  server: { port: 3001 },
  // @cloakroom/client is linked to its folder, which has a React of its own for its tests.
  resolve: { dedupe: ["react", "react-dom"] },
});
