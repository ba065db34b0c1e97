/** What becomes of a request whose handler has ended, and its answer has not. */
import { assert, describe, it } from "@effect/vitest"
import * as Tracer from "@kore-fx/core/Tracer"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { HttpServerRespondable } from "../src/internal/effectHttp.ts"
import * as Route from "../src/Route.ts"
import * as Server from "../src/Server.ts"
import * as Transport from "../src/transport/Transport.ts"
import { Client, get, type Response, settings, text, turns } from "./transport/harness.ts"

/** An error that takes its time over its answer. */
class Slow extends Data.TaggedError("Slow")<{ readonly answer: Effect.Effect<Response> }> {
  [HttpServerRespondable.symbol]() {
    return this.answer
  }
}

/** A server whose one route acquires something and fails; gives a client of it, and what happens. */
const failing = Effect.fnUntraced(function*(answer: Effect.Effect<Response>) {
  const events: Array<string> = []
  const note = (event: string) => Effect.sync(() => void events.push(event))
  const waiting = yield* Deferred.make<void>()
  const slow = Deferred.succeed(waiting, undefined).pipe(
    Effect.andThen(answer),
    Effect.onInterrupt(() => note("interrupted")),
    Effect.ensuring(note("finalizer of the answer"))
  )
  const route = Route.get("/", () =>
    Effect.andThen(
      Effect.addFinalizer(() => note("finalizer of the handler")),
      Effect.fail(new Slow({ answer: slow }))
    ))
  const reported: Array<Cause.Cause<unknown>> = []
  const tracer = yield* Tracer.make((cause) => Effect.sync(() => reported.push(cause)))
  const domain = { host: "*", attach: "main", middleware: [], routes: [route], context: Context.empty() }
  const handler = yield* Effect.provideService(Server.handler([domain]), Tracer.Tracer, tracer)
  const server = yield* Transport.listen({ host: "127.0.0.1", port: 0 }, settings, handler)
  const { port } = server.address as Net.AddressInfo
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new Client(Net.connect({ host: "127.0.0.1", port, allowHalfOpen: true }))),
    (client) => Effect.sync(() => client.socket.destroy())
  )
  client.send(get("/"))
  const ended = Effect.repeat(Effect.andThen(turns(1), server.connections), { until: (count) => count === 0 })
  return { client, events, reported, waiting: Deferred.await(waiting), ended: Effect.andThen(ended, handler.idle!) }
})

describe("an error that waits before it answers", () => {
  it.live.each([
    ["RST", (client: Client) => client.reset()],
    ["close", (client: Client) => client.leave()]
  ] as const)("is interrupted with its client, and no failure is reported (%s)", ([, leave]) =>
    Effect.gen(function*() {
      const { client, ended, events, reported, waiting } = yield* failing(Effect.never)
      yield* waiting
      yield* turns(5)
      assert.deepStrictEqual(events, [])
      leave(client)
      yield* ended
      assert.deepStrictEqual(events, ["interrupted", "finalizer of the answer", "finalizer of the handler"])
      assert.deepStrictEqual(reported, [])
    }))

  it.live("answers when it is done, behind which the handler's finalizers run", () =>
    Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const { client, ended, events, reported, waiting } = yield* failing(Effect.as(Deferred.await(go), text("sorry")))
      yield* waiting
      yield* Deferred.succeed(go, undefined)
      const [answer] = yield* client.responses(1)
      assert.strictEqual(answer!.body, "sorry")
      client.leave()
      yield* ended
      assert.deepStrictEqual(events, ["finalizer of the answer", "finalizer of the handler"])
      assert.deepStrictEqual(reported, [])
    }))
})
