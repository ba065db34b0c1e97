/**
 * The bodies that `req.response` takes, as responses.
 *
 * When to reach for it: `Exchange` makes the answer with it.
 * What it is not: the writer. What is streamed is pulled by the connection, one item after the other.
 *
 * Source: Kore, http §9.3, without its defects: text is one body, items may be bytes, a stream that fails breaks the
 * connection, an empty one ends.
 */
import * as Response from "@kore-fx/http/Response"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { describe, isThenable } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"
import { bytesBody, removeHeader, setBody, streamBody } from "./effectHttp.ts"
import * as Run from "./Run.ts"

type Headers = Readonly<Record<string, string>>

/**
 * The response with this body. Text gets a content type where the headers name none; for bytes nobody knows it.
 *
 * @throws RuntimeError for a body of another kind.
 */
export const response = (status: number, body: unknown, headers: Headers, name: string): Response.Response => {
  if (body === null) return Response.empty({ status, headers })
  if (typeof body === "string") return Response.text(body, { status, headers })
  const isTyped = "content-type" in headers
  if (body instanceof Uint8Array) {
    return isTyped ? Response.uint8Array(body, { status, headers }) : untyped(status, headers, bytesBody(body, ""))
  }
  if (!isIterable(body)) {
    throw new RuntimeError(
      `req.response got ${describe(body)} as the body, expected a string, a Uint8Array, null, or an iterable of them`
    )
  }
  const pieces = stream(body, name)
  return isTyped ? Response.stream(pieces, { status, headers }) : untyped(status, headers, streamBody(pieces, ""))
}

// Effect gives bytes the type application/octet-stream, which a browser saves instead of showing it.
const untyped = (status: number, headers: Headers, body: Parameters<typeof setBody>[1]): Response.Response =>
  removeHeader(setBody(Response.empty({ status, headers }), body), "content-type")

type AnyIterable = AsyncIterable<unknown> | Iterable<unknown>
type AnyIterator = AsyncIterator<unknown> | Iterator<unknown>

const isIterable = (u: unknown): u is AnyIterable =>
  typeof u === "object" && u !== null && (Symbol.asyncIterator in u || Symbol.iterator in u)

const iteratorOf = (body: AnyIterable): AnyIterator =>
  Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]()

const encoder = new TextEncoder()

const encode = (item: unknown): Uint8Array => {
  if (typeof item === "string") return encoder.encode(item)
  if (item instanceof Uint8Array) return item
  throw new RuntimeError(`the body of a response yielded ${describe(item)}, expected strings or Uint8Arrays`)
}

// The iterator is a coroutine of its own: it is killed when the client leaves while it waits.
const stream = (body: AnyIterable, name: string): Stream.Stream<Uint8Array, unknown> =>
  Stream.unwrap(Effect.gen(function*() {
    const run = new Run.Run(`the body of ${name}`)
    const iterator = run.enter(() => iteratorOf(body))
    let ended = false
    const next = Effect.suspend(() => {
      // One that throws has ended by that.
      ended = true
      const result = run.enter(() => iterator.next())
      ended = false
      return run.resume(result)
    })
    yield* Effect.addFinalizer(() => ended ? Effect.void : Effect.sync(() => close(run, iterator)))
    return Stream.fromPull(Effect.succeed(Effect.flatMap(next, ({ done, value }: IteratorResult<unknown, unknown>) => {
      ended = done === true
      return ended ? Cause.done() : Effect.sync(() => [encode(value)] as const)
    })))
  }))

// Nobody waits for its last words: what it waits for may never come.
const close = (run: Run.Run, iterator: AnyIterator): void => {
  run.kill()
  const result = run.enter(() => iterator.return?.())
  if (!isThenable(result)) return run.ended(true)
  result.then(() => run.ended(true), (error) => {
    run.ended(true)
    run.failedLate(error)
  })
}
