import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import { HttpServerResponse } from "../../src/internal/effectHttp.ts"
import { Connection } from "../../src/transport/Connection.ts"
import * as Deadline from "../../src/transport/Deadline.ts"
import * as Port from "../../src/transport/Port.ts"
import { get, handlerOf, MemorySocket, read, Record, settings, text, type Work } from "./harness.ts"

const work: Work = (request) =>
  Effect.succeed(
    request.path === "/own"
      ? HttpServerResponse.setHeader(text("own"), "strict-transport-security", "max-age=5")
      : request.path === "/bad"
      ? HttpServerResponse.empty({ status: 99 })
      : text("hello")
  )

// There is no TLS yet, but a port can be of the kind that has it.
const answers = Effect.fnUntraced(function*(isEncrypted: boolean, hstsSeconds: number, bytes: string) {
  const context = yield* Effect.context<Scope.Scope>()
  const clocks = { clock: yield* Clock.Clock, deadlines: yield* Deadline.make }
  const port = Port.make(clocks, { ...settings, hstsSeconds }, handlerOf(new Record(), context, work), isEncrypted)
  const socket = new MemorySocket()
  yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
  new Connection(socket as unknown as Net.Socket, port)
  socket.deliver(Buffer.from(bytes, "latin1"))
  return read(socket.output).messages.map(({ headers, status }) => [status, headers["strict-transport-security"]])
})

describe("strict-transport-security", () => {
  it.effect("is in every response of an encrypted port, refusals too; the application's own value wins", () =>
    Effect.gen(function*() {
      const year = "max-age=31536000; includeSubDomains"
      const bytes = get("/") + get("/own") + get("/bad") + "BROKEN\r\n\r\n"
      assert.deepStrictEqual(yield* answers(true, 31_536_000, bytes), [
        [200, year],
        [200, "max-age=5"],
        [500, year],
        [400, year]
      ])
    }))

  it.effect("is in none of a plain port, nor where httpHstsEnable is 0", () =>
    Effect.gen(function*() {
      const bytes = get("/") + "BROKEN\r\n\r\n"
      assert.deepStrictEqual(yield* answers(false, 31_536_000, bytes), [[200, undefined], [400, undefined]])
      assert.deepStrictEqual(yield* answers(true, 0, bytes), [[200, undefined], [400, undefined]])
    }))
})
