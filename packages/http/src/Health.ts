/**
 * Whether a worker lives, and whether it can do its work: two routes for those who restart it and those who send it
 * requests.
 *
 * When to reach for it: behind a load balancer, in Kubernetes, for `docker healthcheck`.
 * What it is not: metrics, nor a place for everybody: each call runs the checks, so put them on a server or domain that
 * strangers do not reach. A worker that drains takes no new connections, which is how a balancer sees it; a request
 * that comes on an old one within that half second is still answered as before, since no handler is told that its
 * worker drains.
 *
 * Kore has none (§22.3).
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { HttpServerResponse } from "./internal/effectHttp.ts"
import * as Route from "./Route.ts"

/** What must work for a worker to be ready, by name: an Effect that succeeds, whatever with. */
export type Checks = { readonly [name: string]: Effect.Effect<unknown, unknown, any> }

/** Where the routes are, and what they ask. */
export interface Options<C extends Checks> {
  /** 200 as long as the worker answers at all. Default: `/healthz`; false for no such route. */
  readonly live?: Route.Path | false | undefined
  /** 200 when every check succeeds, else 503. Default: `/readyz`; false for no such route. */
  readonly ready?: Route.Path | false | undefined
  /** Run for each request, all at the same time. Default: none. */
  readonly checks?: C | undefined
  /** How long each check may take; it is interrupted then, and has not succeeded. Default: 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Tells clients why a check did not succeed. The log is told in any case. Default: false. */
  readonly reasons?: boolean | undefined
}

type Named = readonly [name: string, outcome: Outcome]
type Outcome = { readonly status: "ok" | "failed" | "timed out"; readonly reason?: string }

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

const run = <R>(
  name: string,
  check: Effect.Effect<unknown, unknown, R>,
  timeout: Duration.Duration,
  tells: boolean
): Effect.Effect<Named, never, R> =>
  Effect.flatMap(Effect.exit(Effect.timeoutOption(check, timeout)), (exit): Effect.Effect<Named> => {
    const bad = (status: Outcome["status"], reason: string): Effect.Effect<Named> =>
      Effect.as(
        Effect.logWarning(`Health: ${name} ${status}: ${reason}`),
        [name, tells ? { status, reason } : { status }]
      )
    if (Exit.isFailure(exit)) return bad("failed", reasonOf(exit.cause))
    return Option.isNone(exit.value)
      ? bad("timed out", `no result within ${Duration.format(timeout)}`)
      : Effect.succeed([name, { status: "ok" }])
  })

const HEADERS = { "cache-control": "no-store" }

const answer = (outcomes: ReadonlyArray<Named>) => {
  const isOk = outcomes.every(([, { status }]) => status === "ok")
  return HttpServerResponse.jsonUnsafe(
    { status: isOk ? "ok" : "failed", checks: Object.fromEntries(outcomes) },
    { status: isOk ? 200 : 503, headers: HEADERS }
  )
}

/**
 * The routes: `{"status":"ok"}`, and for readiness also what every check came to: `ok`, `failed` or `timed out`.
 *
 * A check that fails, dies or takes too long makes 503 and a warning in the log. A check that cannot be interrupted
 * holds the answer for as long as it runs.
 *
 * @throws RangeError for a timeout that is not above 0 and finite.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Domain, Health } from "@kore-fx/http"
 *
 * const database = Effect.logDebug("asks the database")
 *
 * export const admin = Domain.layer("*", { attach: "admin" }, [
 *   ...Health.routes({ checks: { database }, timeout: "2 seconds" })
 * ])
 * ```
 */
export const routes = <const C extends Checks = {}>(
  options: Options<C> = {}
): ReadonlyArray<Route.Route<never, Effect.Services<C[keyof C]>>> => {
  const { live = "/healthz", ready = "/readyz", reasons = false } = options
  const timeout = Duration.fromInputUnsafe(options.timeout ?? "5 seconds")
  if (!Duration.isFinite(timeout) || Duration.isZero(timeout)) {
    throw new RangeError(`Health.routes: timeout is ${Duration.format(timeout)}, expected a finite duration above 0`)
  }
  const checks = Object.entries<Effect.Effect<unknown, unknown, Effect.Services<C[keyof C]>>>(options.checks ?? {})
  const alive = Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "ok" }, { headers: HEADERS }))
  const isReady = Effect.map(
    Effect.forEach(checks, ([name, check]) => run(name, check, timeout, reasons), { concurrency: "unbounded" }),
    answer
  )
  return [
    ...live === false ? [] : [Route.get(live, () => alive)],
    ...ready === false ? [] : [Route.get(ready, () => isReady)]
  ]
}
