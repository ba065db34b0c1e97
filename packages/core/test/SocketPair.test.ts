import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as fs from "node:fs"
import * as Socket from "../src/Socket.ts"
import * as SocketPair from "../src/SocketPair.ts"
import { descriptors, receiveAll, until } from "./fixtures/socket.ts"

/** The flags of an open descriptor, in octal, as the system lists them. */
const flags = (descriptor: number): number =>
  Number.parseInt(/^flags:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))![1]!, 8)

const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000

describe("a pair", () => {
  it.effect("is connected to each other, and to no other pair", () =>
    Effect.gen(function*() {
      const pairs = yield* Effect.replicateEffect(SocketPair.make, 50)
      for (const [number, { theirs }] of pairs.entries()) fs.writeSync(theirs, `${number}`)
      for (const [number, { given, ours }] of pairs.entries()) {
        yield* given
        assert.strictEqual((yield* receiveAll(yield* Socket.fromNet(ours))).toString(), `${number}`)
      }
    }))

  it.effect("our end does not block, theirs does, and both are closed on exec", () =>
    Effect.gen(function*() {
      const { ours, theirs } = yield* SocketPair.make
      const { fd } = (ours as unknown as { readonly _handle: { readonly fd: number } })._handle
      assert.strictEqual(flags(fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC)
      assert.strictEqual(flags(theirs) & (O_NONBLOCK | O_CLOEXEC), O_CLOEXEC)
    }))

  it.effect("a child writes its output and its errors into one, in order, and reads from it", () =>
    Effect.gen(function*() {
      const { given, ours, theirs } = yield* SocketPair.make
      const script = "echo one; echo two >&2; read line; echo $line"
      ChildProcess.spawn("/bin/sh", ["-c", script], { stdio: [theirs, theirs, theirs] })
      yield* given
      const socket = yield* Socket.fromNet(ours)
      yield* Socket.send(socket, "three\n")
      assert.strictEqual((yield* receiveAll(socket)).toString(), "one\ntwo\nthree\n")
    }))

  it.effect("nobody can connect to it: nothing of it has a name", () =>
    Effect.gen(function*() {
      const { theirs } = yield* SocketPair.make
      const inode = /\d+/.exec(fs.readlinkSync(`/proc/self/fd/${theirs}`))![0]
      const line = fs.readFileSync("/proc/net/unix", "utf8").split("\n").find((line) => line.includes(` ${inode}`))!
      assert.isTrue(line.trim().endsWith(inode), line)
    }))

  it.effect("is closed with its scope, and a number that was given back is not closed again", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(SocketPair.make)
      const before = descriptors()
      const scope = yield* Scope.make()
      const { given, theirs } = yield* Scope.provide(SocketPair.make, scope)
      assert.strictEqual(descriptors(), before + 2)
      yield* given
      const other = fs.openSync("/dev/null", "r")
      assert.strictEqual(other, theirs)
      yield* given
      yield* Scope.close(scope, Exit.void)
      yield* until(() => descriptors() === before + 1)
      assert.isTrue(fs.fstatSync(other).isCharacterDevice())
      fs.closeSync(other)
      const fiber = yield* Effect.forkChild(Effect.scoped(Effect.andThen(SocketPair.make, Effect.interrupt)))
      yield* until(() => fiber.pollUnsafe() !== undefined && descriptors() === before)
    }))
})
