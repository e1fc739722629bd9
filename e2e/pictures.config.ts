// Takes the pictures of the documents: `just pictures`.

import config from "./playwright.config.js";

export default {
  ...config,
  testDir: "pictures",
  use: { ...config.use, viewport: { width: 960, height: 720 }, trace: "off" as const },
  projects: [{ name: "pictures" }],
};
