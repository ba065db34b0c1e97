import { assert, describe, it } from "@effect/vitest"
import Chromium from "@sparticuz/chromium"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { chromium } from "playwright-core"
import * as RunningApp from "../../tools/RunningApp.ts"

const tour = path.join(import.meta.dirname, "main.ts")

/** With DOCS_SCREENSHOT in the environment, the test of the page also writes its picture for the documentation. */
const screenshot = process.env["DOCS_SCREENSHOT"] === undefined
  ? undefined
  : path.join(import.meta.dirname, "../../docs/http/openapi.png")

/** The Chromium of `@sparticuz/chromium` is built for one platform. */
const hasBrowser = process.platform === "linux" && process.arch === "x64"

const browser = Effect.acquireRelease(
  Effect.promise(async () =>
    chromium.launch({
      executablePath: await Chromium.executablePath(),
      // No name has an address but that of the server.
      args: [...Chromium.args, "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
      headless: true
    })
  ),
  (browser) => Effect.promise(() => browser.close())
)

describe("the docs of the tour in a browser", () => {
  it.live("the docs page shows the tour's routes in a browser that has no network", (context) => {
    if (!hasBrowser) context.skip(`no Chromium for ${process.platform} ${process.arch}: it runs on linux x64`)
    return Effect.gen(function*() {
      const app = yield* RunningApp.start([tour], { env: { KORE_WORKERS: "1" } })
      const page = yield* Effect.flatMap(
        browser,
        (browser) => Effect.promise(() => browser.newPage({ viewport: { width: 1280, height: 800 } }))
      )
      const elsewhere: Array<string> = []
      const complaints: Array<string> = []
      page.on("pageerror", (error) => complaints.push(String(error)))
      page.on("console", (message) => {
        if (message.type() === "error" || message.text().startsWith("refused by policy")) {
          complaints.push(message.text())
        }
      })
      yield* Effect.promise(async () => {
        await page.addInitScript(`addEventListener("securitypolicyviolation", (event) =>
          console.log("refused by policy:", event.effectiveDirective, event.blockedURI))`)
        await page.route(() => true, (route) => {
          const url = route.request().url()
          if (url.startsWith(`${app.url}/`)) return route.continue()
          elsewhere.push(url)
          return route.abort()
        })
        await page.goto(`${app.url}/docs`)
      })
      // The sidebar has what the routes are for, the content their paths.
      for (const text of ["A user by number", "/users/{id}", "/search", "/cook/{dish}", "/pickup", "/clock"]) {
        yield* Effect.promise(() => page.getByText(text).first().waitFor({ state: "attached" }))
      }
      yield* Effect.promise(async () => {
        await page.getByText("Test Request").first().waitFor({ state: "attached" })
        await page.waitForLoadState("networkidle")
      })
      assert.deepStrictEqual(elsewhere, [])
      assert.deepStrictEqual(complaints, [])
      if (screenshot !== undefined) {
        yield* Effect.promise(async () => {
          await page.locator("h3", { hasText: "A user by number" }).first().scrollIntoViewIfNeeded()
          await page.screenshot({ path: screenshot })
        })
      }
    })
  })
})
