import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as diagnostics from "node:diagnostics_channel"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as SocketFile from "../../src/native/SocketFile.ts"
import type * as Control from "../../src/process/Control.ts"
import * as ControlServer from "../../src/process/ControlServer.ts"
import * as TestApp from "../fixtures/TestApp.ts"
import { withBudget } from "../Interleaving.ts"

const refuse = (reason: string): Control.Refused => ({ _tag: "Refused", protocol: 1, version: "1", pid: 1, reason })

/** Opens a control socket whose answer waits; gives its path. */
const open = Effect.fnUntraced(function*(answer: Effect.Effect<Control.Answer>) {
  const setting = path.join(yield* TestApp.directory, "control.sock")
  yield* ControlServer.open({ setting, refuse, answers: () => answer })
  return setting
})

/** Connects; gives both ends. */
const connect = (file: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly client: net.Socket; readonly peer: net.Socket }>((resume) => {
      const hear = (message: unknown) => {
        diagnostics.unsubscribe("net.server.socket", hear)
        resume(Effect.succeed({ client, peer: (message as { readonly socket: net.Socket }).socket }))
      }
      diagnostics.subscribe("net.server.socket", hear)
      const client = net.connect(file)
    }),
    ({ client }) => Effect.sync(() => client.destroy())
  )

const until = (condition: () => boolean) =>
  Effect.eventually(Effect.filterOrFail(Effect.delay(Effect.sync(condition), 1), (isMet) => isMet))

const received = (client: net.Socket): Effect.Effect<string> =>
  Effect.callback((resume) => {
    let answer = ""
    client.on("data", (data) => answer += String(data))
    client.on("error", () => {})
    client.on("close", () => resume(Effect.succeed(answer)))
  })

describe("a question", () => {
  it.live("that comes in pieces is put together, and nothing behind it is read", () =>
    Effect.gen(function*() {
      const answer = yield* Deferred.make<Control.Answer>()
      const asked = yield* Deferred.make<void>()
      const file = yield* open(Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer)))
      const { client, peer } = yield* connect(file)
      let sent = 0
      for (const piece of ["{\"_tag\":", "\"Sta", "tus\"}\nmore"]) {
        client.write(piece)
        sent += piece.length
        yield* until(() => peer.bytesRead === sent)
      }
      yield* Deferred.await(asked)
      assert.strictEqual(peer.listenerCount("data"), 0)
      assert.isTrue(peer.isPaused())
      const all = yield* Effect.forkChild(received(client), { startImmediately: true })
      yield* Deferred.succeed(answer, refuse("asked in pieces"))
      assert.strictEqual(JSON.parse(yield* Fiber.join(all)).reason, "asked in pieces")
    }))

  it.live("that is too long is read no further", () =>
    Effect.gen(function*() {
      const file = yield* open(Effect.succeed(refuse("never asked")))
      const { client, peer } = yield* connect(file)
      const all = yield* Effect.forkChild(received(client), { startImmediately: true })
      client.write("x".repeat(4096))
      yield* until(() => peer.bytesRead === 4096)
      client.write("y")
      assert.include(JSON.parse(yield* Fiber.join(all)).reason, "longer than 4096 bytes")
      assert.strictEqual(peer.listenerCount("data"), 0)
      assert.isTrue(peer.isPaused())
    }))
})

describe("the file of a control socket", () => {
  /** After a yield a fiber goes on so much later that another server has looked at every file. */
  const slowly = Effect.provideService(
    EffectScheduler.Scheduler,
    new EffectScheduler.MixedScheduler("async", (f) => {
      const timer = setTimeout(f, 10)
      return () => clearTimeout(timer)
    })
  )

  it.live("is not taken for one that a dead server left, at no step of the start", () =>
    Effect.gen(function*() {
      for (const budget of [3, 4, 5, 6, 7]) {
        const setting = path.join(yield* TestApp.directory, "control.sock")
        const opening = yield* Effect.forkScoped(
          ControlServer.open({ setting, refuse, answers: () => Effect.never }).pipe(withBudget(budget), slowly)
        )
        const others = yield* Effect.forkChild(Effect.forever(Effect.delay(SocketFile.clear(setting), 1)))
        yield* Fiber.join(opening)
        yield* Fiber.interrupt(others)
        assert.deepStrictEqual(fs.readdirSync(path.dirname(setting)), ["control.sock"], `budget ${budget}`)
        assert.strictEqual(yield* SocketFile.clear(setting), "live")
      }
    }))

  it.live("is the faster server's when two start at once, and the other one says so", () =>
    Effect.gen(function*() {
      const setting = path.join(yield* TestApp.directory, "control.sock")
      const slower = yield* Effect.forkChild(
        Effect.flip(Effect.scoped(
          ControlServer.open({ setting, refuse, answers: () => Effect.never }).pipe(withBudget(3), slowly)
        )),
        { startImmediately: true }
      )
      const making = path.join(path.dirname(setting), `${process.pid}.new`)
      yield* until(() => fs.existsSync(making))
      const faster = net.createServer()
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => {
          faster.listen(setting, () => resume(Effect.void))
        }),
        () => Effect.sync(() => faster.close())
      )
      assert.include((yield* Fiber.join(slower)).message, "EEXIST")
      assert.deepStrictEqual(fs.readdirSync(path.dirname(setting)), ["control.sock"])
      assert.strictEqual(yield* SocketFile.clear(setting), "live")
    }))
})
