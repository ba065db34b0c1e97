/**
 * What `req.populate_*` do: reading parameters from one place of a request, validating them, and keeping what is admitted.
 *
 * When to reach for it: `Request` has one method for each place.
 * What it is not: a parser or a validator; core's `Arguments` and `Multipart` are.
 *
 * In Kore these functions do not wait, so here they begin at once: what no validator has to wait for is there when they
 * return. Source: Kore, http §6.5 and §8.5.
 */
import * as Arguments from "@kore-fx/http/Arguments"
import * as Form from "@kore-fx/http/Form"
import * as Multipart from "@kore-fx/http/Multipart"
import type { ServerRequest } from "@kore-fx/http/Request"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { Awaitable } from "../Awaitable.ts"
import { RuntimeError } from "../errors.ts"
import type { Exchange } from "./Exchange.ts"
import * as Failure from "./Failure.ts"
import * as Run from "./Run.ts"

/** Text fields of a multipart form: as large as the body may be. */
const FIELD_MAX = "1 TiB"

/** The query. */
export const query = (exchange: Exchange): Populated =>
  begin(Effect.suspend(() => {
    const { declaration, request } = exchange
    if (declaration === undefined) return Effect.void
    const entries = Arguments.queryEntries(request, declaration.maxPairs)
    return entries === undefined
      ? Effect.fail(new Form.TooManyPairs({ maxPairs: declaration.maxPairs }))
      : admit(exchange, "query", entries)
  }))

/** The body as a form, whatever its content type is. */
export const form = (exchange: Exchange): Populated =>
  begin(Effect.suspend(() => {
    const { declaration } = exchange
    if (declaration === undefined || exchange.request.body === undefined) return Effect.void
    return Effect.flatMap(
      Arguments.formEntries(readable(exchange), declaration.maxPairs),
      (entries) => admit(exchange, "form", entries)
    )
  }))

/** The body as a multipart form: its fields and its files. */
export const multipart = (exchange: Exchange): Populated =>
  begin(Effect.suspend(() => {
    if (exchange.request.body === undefined) return Effect.void
    const collected = Multipart.collect(readable(exchange), {
      maxFieldSize: FIELD_MAX,
      maxFileSize: FIELD_MAX,
      // A body that is in memory has its files there.
      ...(exchange.hasFiles ? {} : { offload: 0 })
    })
    return Effect.flatMap(Scope.provide(collected, exchange.scope), ({ fields, files }) => {
      exchange.files = files
      return admit(exchange, "multipart", fields)
    })
  }))

const admit = (
  exchange: Exchange,
  source: Arguments.Source,
  entries: ReadonlyArray<Arguments.Entry>
): Effect.Effect<void, never, any> => {
  const { declaration, request } = exchange
  if (declaration === undefined) return Effect.void
  const found = Arguments.validate(declaration, source, request.method, entries, exchange.remember().request)
  return Effect.map(found, (more) => {
    exchange.parameters = Arguments.merge(exchange.parameters, more)
  })
}

// The request with a body that can be read, also after it was stored.
const readable = ({ body, request }: Exchange): ServerRequest => {
  if (body === "passed on") {
    throw new RuntimeError("the body of this request was given to the hook on_body_chunk, and is not kept")
  }
  if (typeof body === "string" || body instanceof Uint8Array) return request
  return Object.create(request, { bytes: { value: body.bytes }, stream: { value: body.stream } }) as ServerRequest
}

/**
 * What `populate_*` return: nothing to await, unless a validator is a coroutine or the body is in a file.
 *
 * An `Awaitable`, whose type is not told, because one that is left alone is a mistake everywhere else.
 */
export type Populated = PromiseLike<true>

const begin = (effect: Effect.Effect<unknown, unknown, any>): Populated => {
  const whole = Effect.as(Failure.translated(effect), true as const)
  // In one go, so that only what has to wait does.
  const atOnce = Effect.provideService(whole, EffectScheduler.PreventSchedulerYield, true)
  const fiber = Run.atOnce(
    // It ends with the coroutine that began it, or with the worker.
    Effect.flatMap(Effect.scope, (scope) => Effect.forkIn(atOnce, scope, { startImmediately: true }))
  )
  const exit = fiber.pollUnsafe()
  if (exit === undefined) {
    // A failure that nobody awaits is in the answer to whoever does; it must not end the worker.
    fiber.addObserver(() => {})
    return new Awaitable(Effect.onInterrupt(Fiber.join(fiber), () => Fiber.interrupt(fiber)))
  }
  if (exit._tag === "Failure") throw Cause.squash(exit.cause)
  return new Awaitable(exit)
}
