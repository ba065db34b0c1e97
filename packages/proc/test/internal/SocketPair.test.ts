import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as net from "node:net"
import { SocketPair } from "../../src/internal/SocketPair.ts"
import { filesOf, untilTrue } from "../fixtures/processes.ts"

const pair = Effect.acquireRelease(Effect.sync(() => new SocketPair()), (pair) => Effect.sync(() => pair.destroy()))

/** The name of the listening socket of this process, as the system lists it. */
const name = () => {
  const own = new Set([...filesOf("self").values()].map((what) => /^socket:\[(\d+)\]$/.exec(what)?.[1]))
  const line = fs.readFileSync("/proc/net/unix", "utf8").split("\n").find((line) =>
    line.includes("@kore-fx-proc-") && own.has(line.trim().split(/\s+/)[6])
  )
  return `\0${line!.split("@")[1]!.trim()}`
}

describe("a pair", () => {
  it.effect("is connected to each other", () =>
    Effect.gen(function*() {
      const pairs = yield* Effect.forEach(Array.from({ length: 300 }, (_, n) => n),
        (n) => Effect.tap(pair, (pair) => Effect.andThen(pair.open, Effect.sync(() => pair.writing.end(String(n))))), {
        concurrency: "unbounded"
      })
      for (const [n, { reading }] of pairs.entries()) {
        const text = yield* Effect.callback<string>((resume) => {
          reading.once("data", (bytes) => resume(Effect.succeed(bytes.toString())))
          reading.resume()
        })
        assert.strictEqual(text, String(n))
      }
    }))

  it.effect("a stranger who does not know the secret is turned away", () =>
    Effect.gen(function*() {
      const first = yield* pair
      yield* first.open
      const stranger = yield* Effect.acquireRelease(
        Effect.sync(() => net.connect(name())),
        (socket) => Effect.sync(() => socket.destroy())
      )
      stranger.on("error", () => {})
      stranger.write("0123456789abcdef")
      stranger.resume()
      yield* untilTrue(() => stranger.closed)
      const second = yield* pair
      yield* second.open
      assert.isFalse(second.reading.destroyed)
    }))
})
