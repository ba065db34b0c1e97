/** Runs apps of the old API in the test's process, and keeps what they log. */
import * as Log from "@kore-fx/core/Log"
import type * as Tracer from "@kore-fx/core/Tracer"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { Kore } from "kore-fx"
import { kore, type Options, reset, toApp } from "kore-fx/legacy"

/** What an app has said. */
export class Said extends Context.Service<Said, {
  /** Its log lines, without time and process. */
  readonly lines: Array<string>
  /** What reached the tracer that the app would have had. */
  readonly reports: Array<{ readonly cause: Cause.Cause<unknown>; readonly origin: Tracer.Origin }>
}>()("test/legacy/Said") {}

/** The app in this process, and its log. */
export const start = <A extends object>(koreapp: A, options?: Options) =>
  Layer.unwrap(Effect.gen(function*() {
    reset()
    const app = yield* toApp(koreapp, { args: [], ...options })
    const lines: Array<string> = []
    const reports: Array<{ readonly cause: Cause.Cause<unknown>; readonly origin: Tracer.Origin }> = []
    const logger = Log.make("test", (line) => lines.push(/log=\[(.*)\]\n$/.exec(line)![1]!))
    const tracer: Tracer.Report = (cause, origin) => {
      reports.push({ cause, origin })
      return Effect.void
    }
    return Kore.test({ ...app, tracer: app.tracer ?? tracer }).pipe(
      Layer.provide(Logger.layer([logger])),
      Layer.merge(Layer.succeed(Said, { lines, reports }))
    )
  }))

/** An app with one server and routes on `*`. */
export const routes = (install: (domain: kore.Domain) => void) => ({
  configure() {
    kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
    install(kore.domain("*", { attach: "main" }))
  }
})

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export const ask = (
  url: string,
  options: {
    readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH"
    readonly headers?: Record<string, string>
    readonly body?: string
  } = {}
): Effect.Effect<Answer, unknown, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const request = HttpClientRequest.make(options.method ?? "GET")(url, { headers: options.headers })
    const response = yield* HttpClient.execute(
      options.body === undefined ? request : HttpClientRequest.bodyText(request, options.body, "text/plain")
    )
    return { status: response.status, headers: response.headers, text: yield* response.text }
  })

export const text = (url: string) => Effect.map(ask(url), ({ status, text }) => `${status} ${text}`)

/** Messages of what reached the tracer. */
export const reported = Effect.map(Said, ({ reports }) => reports.map(({ cause }) => String(Cause.squash(cause))))

/** Waits until something holds; by turns of the event loop, as nothing here needs time. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.andThen(turn, until(condition)))

/** Lets the event loop make a turn. */
export const turn = Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))
