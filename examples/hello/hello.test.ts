import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as RunningApp from "../../tools/RunningApp.ts"

it.live("answers as its README says, and stops with status 0", () =>
  Effect.gen(function*() {
    const app = yield* RunningApp.start([new URL("main.ts", import.meta.url).pathname], { env: { KORE_WORKERS: "1" } })
    const response = yield* HttpClient.get(app.url)
    assert.strictEqual(yield* response.text, "hello\n")
    yield* app.signal("SIGTERM")
    assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
  }).pipe(Effect.provide(FetchHttpClient.layer)))
