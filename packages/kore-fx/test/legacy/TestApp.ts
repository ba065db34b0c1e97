/** Runs apps of the old API in the test's process, and keeps what they log. */
import { vi } from "@effect/vitest"
import * as Fibers from "@kore-fx/core/Fibers"
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

/** What JavaScript users may write although TypeScript forbids it. */
export const untyped: any = kore

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
      options.body === undefined ? request
        : HttpClientRequest.bodyText(request, options.body, options.headers?.["content-type"] ?? "text/plain")
    )
    return { status: response.status, headers: response.headers, text: yield* response.text }
  })

export const text = (url: string) => Effect.map(ask(url), ({ status, text }) => `${status} ${text}`)

/** Messages of what reached the tracer. */
export const reported = Effect.map(Said, ({ reports }) => reports.map(({ cause }) => String(Cause.squash(cause))))

/** A worker without routes, in which the test itself calls `kore`. */
export const inWorker = Effect.provide(Layer.suspend(() => start(routes(() => {}))))

/** What coroutines do, in its order; `note` adds to it. */
export const notes = (): { readonly seen: Array<unknown>; readonly note: (what: unknown) => void } => {
  const seen: Array<unknown> = []
  return { seen, note: (what) => void seen.push(what) }
}

/** Runs an async function in a task, and gives what it comes to. */
export const run = <A>(f: () => Promise<A>): Effect.Effect<A> =>
  Effect.callback((resume) => {
    kore.task_create(() => f().then((value) => resume(Effect.succeed(value)), (error) => resume(Effect.die(error))))
  })

/** Waits until something holds; by turns of the event loop, as nothing here needs time. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.andThen(turn, until(condition)))

/** Waits until some fiber waits for something of that kind. */
export const untilWaiting = (kind: string, count = 1): Effect.Effect<void> =>
  Effect.flatMap(Fibers.list, (rows) =>
    rows.flatMap((row) =>
        row.waits
      ).filter((wait) => wait.kind === kind).length >= count
      ? Effect.void
      : Effect.andThen(turn, untilWaiting(kind, count)))

const { clearTimeout: realClear, setTimeout: realSet } = globalThis

/** Lets the event loop make a turn. */
export const turn = Effect.callback<void>((resume) => {
  const timer = realSet(() => resume(Effect.void), 1)
  return Effect.sync(() => realClear(timer))
})

/** Stops the real clock of `setTimeout` during an effect, which gets what lets it go on. */
export const withStoppedTime = <A, E, R>(use: (pass: (millis: number) => void) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })),
    () => use((millis) => void vi.advanceTimersByTime(millis)),
    () => Effect.sync(() => void vi.useRealTimers())
  )

/** What is thrown, as an exception of the old API with its tagged error. */
export const thrownBy = async (f: () => unknown): Promise<Error> => {
  try {
    await f()
  } catch (error) {
    return error as Error
  }
  throw new Error("nothing was thrown")
}
