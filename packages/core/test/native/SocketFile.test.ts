import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as Socket from "../../src/native/Socket.ts"
import * as SocketFile from "../../src/native/SocketFile.ts"
import * as TestApp from "../fixtures/TestApp.ts"

const file = Effect.map(TestApp.directory, (directory) => path.join(directory, "app.sock"))

/** The file that a server leaves which was killed. */
const dead = Effect.fnUntraced(function*(path: string) {
  const address = { _tag: "Unix", path } as const
  const descriptor = yield* Socket.open(address)
  yield* Socket.bind(descriptor, address)
  yield* Socket.close(descriptor)
})

/** A server that listens at once. */
const listen = (path: string) =>
  Effect.acquireRelease(Effect.sync(() => net.createServer().listen(path)), (server) =>
    Effect.sync(() => server.close()))

describe("clear", () => {
  it.live("removes the file of a dead server, and is content when there is none", () =>
    Effect.gen(function*() {
      const path = yield* file
      assert.strictEqual(yield* SocketFile.clear(path), "cleared")
      yield* dead(path)
      assert.strictEqual(yield* SocketFile.clear(path), "cleared")
      assert.isFalse(fs.existsSync(path))
    }))

  it.live("leaves what somebody listens on, and what is no socket", () =>
    Effect.gen(function*() {
      const path = yield* file
      yield* listen(path)
      assert.strictEqual(yield* SocketFile.clear(path), "live")
      fs.writeFileSync(`${path}.txt`, "")
      assert.strictEqual(yield* SocketFile.clear(`${path}.txt`), "other")
      assert.sameMembers(fs.readdirSync(path.replace(/[^/]+$/, "")), ["app.sock", "app.sock.txt"])
    }))

  it.live("leaves the socket of a server that took the path of a dead one meanwhile", () =>
    Effect.gen(function*() {
      const path = yield* file
      yield* dead(path)
      const clearing = yield* Effect.forkChild(SocketFile.clear(path), { startImmediately: true })
      // It has asked the dead one, and not heard yet that nobody is there.
      fs.unlinkSync(path)
      yield* listen(path)
      assert.strictEqual(yield* Fiber.join(clearing), "live")
      assert.isTrue(fs.existsSync(path))
    }))

  it.live("removes the file of a second dead server that took the path meanwhile", () =>
    Effect.gen(function*() {
      const path = yield* file
      yield* dead(path)
      const clearing = yield* Effect.forkChild(SocketFile.clear(path), { startImmediately: true })
      fs.unlinkSync(path)
      yield* dead(path)
      assert.strictEqual(yield* Fiber.join(clearing), "cleared")
      assert.isFalse(fs.existsSync(path))
    }))
})

describe("remove", () => {
  it.live("leaves the socket of another server, which took the path of ours", () =>
    Effect.gen(function*() {
      const path = yield* file
      yield* listen(path)
      const ours = yield* SocketFile.identify(path)
      fs.unlinkSync(path)
      yield* listen(path)
      yield* SocketFile.remove(ours)
      assert.isTrue(fs.existsSync(path))
      yield* SocketFile.remove(yield* SocketFile.identify(path))
      assert.isFalse(fs.existsSync(path))
    }))
})
