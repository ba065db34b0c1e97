import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { Kore } from "kore-fx"
import { reset, toApp } from "kore-fx/legacy"
import * as RunningApp from "../../tools/RunningApp.ts"
import { koreapp } from "./main.ts"

const ask = (url: string) =>
  Effect.gen(function*() {
    const response = yield* HttpClient.get(url)
    return [response.status, yield* response.text]
  })

describe("the first example of Kore's documentation", () => {
  it.live("answers as its README says, and stops with status 0", () =>
    Effect.gen(function*() {
      const app = yield* RunningApp.start([new URL("main.ts", import.meta.url).pathname])
      assert.deepStrictEqual(yield* ask(`${app.url}/`), [200, "hello"])
      assert.deepStrictEqual(yield* ask(`${app.url}/7`), [200, "7"])
      assert.strictEqual((yield* ask(`${app.url}/77`))[0], 404)
      yield* app.signal("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }).pipe(Effect.provide(FetchHttpClient.layer)))

  it.effect("is tested without a socket", () =>
    Effect.gen(function*() {
      reset()
      const app = yield* toApp(koreapp)
      assert.deepStrictEqual(yield* Effect.provide(ask("/7"), Kore.test(app)), [200, "7"])
    }))
})
