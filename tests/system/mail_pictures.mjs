// mail_pictures.mjs MODULES OUT NAME=FILE.html...: each file in a real Chromium at the widths of a phone and a desktop, in
// light and dark: a picture OUT/NAME-WIDTH-THEME.png each, and on standard output a list of what axe finds wrong and of
// how wide the page is, as JSON.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, out, ...pages] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "index.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const widths = { phone: 375, desktop: 800 };

const browser = await chromium.launch({ executablePath: process.env.TMON_CHROMIUM });
const found = [];
try {
  for (const [size, width] of Object.entries(widths)) {
    for (const theme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport: { width, height: 600 }, colorScheme: theme, offline: true });
      const page = await context.newPage();
      for (const [name, file] of pages.map((one) => one.split(/=(.*)/s))) {
        await page.goto(pathToFileURL(path.resolve(file)).href);
        await page.screenshot({ path: path.join(out, `${name}-${size}-${theme}.png`), fullPage: true });
        await page.evaluate(axe);
        const { violations, passes } = await page.evaluate(() => window.axe.run());
        found.push({
          name, size, theme, width, passes: passes.length,
          scroll: await page.evaluate(() => document.documentElement.scrollWidth),
          background: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
          violations: violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html).join(" ")}`),
        });
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(found));
