import { assert, describe, it } from "@effect/vitest"
import * as SocketPair from "@kore-fx/core/SocketPair"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as net from "node:net"
import * as Output from "../../src/internal/Output.ts"
import { untilTrue } from "../fixtures/processes.ts"

describe("an output", () => {
  it.effect("reads some 64 KiB ahead and no more, until somebody receives", () =>
    Effect.gen(function*() {
      // Its scope is left open: both ends belong to sockets of Node here.
      const { ours: reading, theirs } = yield* Scope.provide(SocketPair.make, yield* Scope.make())
      const writing = new net.Socket({ fd: theirs })
      yield* Effect.addFinalizer(() => Effect.sync(() => [reading, writing].forEach((socket) => socket.destroy())))
      const none = () => assert.fail("no error is expected")
      const output = new Output.Output(reading, new Output.Budget(Infinity, none), {
        current: () => undefined,
        tooLong: none,
        readFailed: none
      })
      const receive = output.receive(1_000_000, () => ({ kind: "test", what: "" }), undefined)
      writing.end(Buffer.alloc(3_000_000))
      yield* untilTrue(() => reading.isPaused())
      assert.isAtMost(reading.bytesRead, 3 * 64 * 1024)
      let size = 0
      for (let bytes = yield* receive; Option.isSome(bytes); bytes = yield* receive) {
        size += bytes.value.length
        assert.isAtMost(reading.bytesRead - size, 3 * 64 * 1024)
      }
      assert.strictEqual(size, 3_000_000)
    }))
})
