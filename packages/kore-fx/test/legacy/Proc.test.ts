import { assert, beforeEach, describe, it } from "@effect/vitest"
import { ProcError } from "@kore-fx/proc/ProcError"
import * as Effect from "effect/Effect"
import { kore, reset } from "kore-fx/legacy"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { ask, inWorker, notes, reported, routes, run, start, text, thrownBy, turn, until, untyped } from "./TestApp.ts"

beforeEach(reset)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** What a process writes, to its end. */
const outputOf = async (proc: kore.Proc): Promise<string> => {
  let output = ""
  for (let chunk = await proc.recv(8192); chunk !== null; chunk = await proc.recv(8192)) output += String(chunk)
  return output
}

describe("kore.proc", () => {
  it.effect("kore.proc runs a command, found by its name, and ends it with its coroutine", () =>
    Effect.gen(function*() {
      const [output, pid] = yield* run(async () => {
        const proc = kore.proc("echo 'hello there'")
        const output = await outputOf(proc)
        const child = kore.proc(["sh", "-c", "echo; sleep 1000"])
        await child.recv(1)
        assert.isTrue(isAlive(child.pid))
        return [output, child.pid] as const
      })
      assert.strictEqual(output, "hello there\n")
      yield* until(() => !isAlive(pid))
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(inWorker))

  it.live("a process that runs longer than its timeout is a kore.TimeoutError, and can be killed and reaped then", () =>
    run(async () => {
      const proc = kore.proc("sleep 1000", 20)
      for (const use of [() => proc.recv(100), () => proc.reap(), () => proc.send("x")]) {
        const error = await thrownBy(use)
        assert.instanceOf(error, kore.TimeoutError)
        assert.notInstanceOf(error, kore.RuntimeError)
        assert.strictEqual((error.cause as ProcError).reason, "TimedOut")
        assert.include(error.message, "did not end within 20ms")
      }
      assert.isTrue(kore.proc("true").kill())
      proc.kill()
      assert.strictEqual(await proc.reap(), -9)
      assert.isNull(await proc.recv(100))
    }).pipe(inWorker))

  it.live("kore §12.3: reap does not switch the timeout off", () =>
    Effect.gen(function*() {
      const error = yield* run(async () => await thrownBy(() => kore.proc("sleep 1000", 20).reap()))
      assert.instanceOf(error, kore.TimeoutError)
    }).pipe(inWorker))

  it.effect("kore §12.3: a timeout of 0 is none, as the documentation says, and so is -1", () =>
    Effect.gen(function*() {
      const codes = yield* run(async () => [
        await kore.proc("true", 0).reap(),
        await kore.proc("true", -1).reap(),
        await kore.proc("true", undefined, {}).reap()
      ])
      assert.deepStrictEqual(codes, [0, 0, 0])
    }).pipe(inWorker))

  it.effect("env takes NAME=value, is all there is, and without it the process has ours", () =>
    Effect.gen(function*() {
      process.env["KORE_FX_TEST"] = "inherited"
      const [list, object, none, inherited] = yield* run(async () => [
        await outputOf(kore.proc("/usr/bin/env", { env: ["A=1", "B=x=y", "EMPTY="] })),
        await outputOf(kore.proc("/usr/bin/env", 1000, { env: { A: "1", LANG: "C" } })),
        await outputOf(kore.proc("/usr/bin/env", { env: [] })),
        await outputOf(kore.proc("env"))
      ])
      delete process.env["KORE_FX_TEST"]
      assert.strictEqual(list, "A=1\nB=x=y\nEMPTY=\n")
      assert.strictEqual(object, "A=1\nLANG=C\n")
      assert.strictEqual(none, "")
      assert.include(inherited!.split("\n"), "KORE_FX_TEST=inherited")
    }).pipe(inWorker))

  it.effect("kore §12.1: what env cannot be is an exception", () =>
    run(async () => {
      for (const env of [["A"], ["=1"], [1], { A: 1 }, "A=1", 7, null]) {
        const error = await thrownBy(() => untyped.proc("true", { env }))
        assert.instanceOf(error, kore.RuntimeError)
        assert.include(error.message, "expected a list of \"NAME=value\", or an object")
      }
    }).pipe(inWorker))

  it.effect("kore §12.1: a program that is not there is an exception at the call, and so is what is no command", () =>
    run(async () => {
      const error = await thrownBy(() => kore.proc("no-such-program-anywhere -l"))
      assert.instanceOf(error, kore.RuntimeError)
      assert.strictEqual((error.cause as ProcError).code, "ENOENT")
      assert.include((await thrownBy(() => kore.proc("ls 'open"))).message, "the single quote is not closed")
      for (const command of [undefined, 7, ["ls", 7], {}, "", []]) {
        assert.instanceOf(await thrownBy(() => untyped.proc(command)), kore.RuntimeError)
      }
      for (const timeout of [-2, NaN, "5", true]) {
        assert.include((await thrownBy(() => untyped.proc("true", timeout))).message, "kore.proc got the timeout")
      }
      assert.include((await thrownBy(() => untyped.proc("true", { evn: [] }))).message, "did you mean \"env\"?")
    }).pipe(inWorker))

  it.effect("a program that only the system refuses is an exception at the call too", () =>
    run(async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kore-proc-"))
      try {
        fs.writeFileSync(`${folder}/mine`, "#!/no/such/interpreter\n", { mode: 0o755 })
        assert.throws(() => kore.proc(`${folder}/mine`), kore.RuntimeError, "ENOENT")
      } finally {
        fs.rmSync(folder, { recursive: true })
      }
    }).pipe(inWorker))

  it.effect("in a coroutine that has ended it is an exception, and starts nothing", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      const ended = Promise.withResolvers<void>()
      const pid = yield* run(async () => {
        void ended.promise.then(() => kore.proc("sleep 1000")).catch((error: unknown) => note((error as Error).message))
        return kore.proc("sleep 1000").pid
      })
      yield* until(() => !isAlive(pid))
      ended.resolve()
      yield* until(() => seen.length === 1)
      assert.match(String(seen[0]), /^kore.proc was called by a coroutine that has ended/)
    }).pipe(inWorker)
  })

  it.effect("kore §2.2: outside of a coroutine it is an exception, and starts nothing", () => {
    const { note, seen } = notes()
    const attempt = () => {
      try {
        kore.proc("sleep 1000")
      } catch (error) {
        note((error as Error).message)
      }
    }
    attempt()
    return Effect.gen(function*() {
      attempt()
      kore.timer(attempt, 0, kore.TIMER_ONESHOT)
      yield* text("/plain")
      yield* until(() => seen.length === 6)
      for (const message of seen) assert.match(String(message), /^kore.proc was called outside of a coroutine/)
    }).pipe(Effect.provide(start({
      ...routes((domain) =>
        domain.route("/plain", (req) => {
          attempt()
          req.response(200, "")
        })
      ),
      async configure() {
        attempt()
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.domain("*", { attach: "main" }).route("/plain", (req) => {
          attempt()
          req.response(200, "")
        })
      },
      workerstart: attempt
    })))
  })

  it.effect("may be used in tasks of all kinds, async handlers, hooks and timers, and in the children of a gather", () => {
    const { note, seen } = notes()
    const pids: Array<number> = []
    const use = async () => {
      const proc = kore.proc(["sh", "-c", "echo; exec sleep 1000"])
      await proc.recv(1)
      note(isAlive(proc.pid))
      pids.push(proc.pid)
    }
    return Effect.gen(function*() {
      kore.task_create(use)
      kore.task_create(() => use())
      kore.task_create(async () => await kore.gather(use, () => use()))
      kore.timer(use, 0, kore.TIMER_ONESHOT)
      yield* text("/")
      yield* until(() => seen.length === 7)
      yield* until(() => pids.every((pid) => !isAlive(pid)))
      assert.deepStrictEqual(seen, Array.from({ length: 7 }, () => true))
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(start({
      ...routes((domain) =>
        domain.route("/", async (req) => {
          await use()
          req.response(200, "")
        })
      ),
      workerstart: use
    })))
  })

  it.effect("a handler whose client has left takes its process along", () => {
    let proc: kore.Proc | undefined
    return Effect.gen(function*() {
      const request = yield* Effect.forkChild(ask("/"))
      yield* until(() => proc !== undefined)
      yield* Effect.andThen(turn, Effect.sync(() => request.interruptUnsafe()))
      yield* until(() => !isAlive(proc!.pid))
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async () => {
        proc = kore.proc("sleep 1000")
        await proc.reap()
      })
    ))))
  })
})

describe("a process", () => {
  it.effect("recv gives what was written, output and errors, and null at the end", () =>
    Effect.gen(function*() {
      const [first, all, again] = yield* run(async () => {
        const proc = kore.proc(["sh", "-c", "echo out; echo err >&2; echo more"])
        await proc.reap()
        const chunks: Array<Buffer> = []
        // How many bytes one recv gives is up to the pipe.
        for (let chunk = await proc.recv(3); chunk !== null; chunk = await proc.recv(100)) chunks.push(chunk)
        return [chunks[0]!, Buffer.concat(chunks).toString(), await proc.recv(100)] as const
      })
      assert.instanceOf(first, Buffer)
      assert.strictEqual(first.length, 3)
      assert.strictEqual(all, "out\nerr\nmore\n")
      assert.isNull(again)
    }).pipe(inWorker))

  it.live("recv after its timeout throws kore.TimeoutError, and loses nothing", () =>
    run(async () => {
      const proc = kore.proc("cat")
      const error = await thrownBy(() => proc.recv(100, 5))
      assert.instanceOf(error, kore.TimeoutError)
      assert.strictEqual((error.cause as { readonly _tag: string })._tag, "TimeoutError")
      await proc.send("late")
      assert.strictEqual(String(await proc.recv(100, 10_000)), "late")
      assert.strictEqual(String(await proc.send("x").then(() => proc.recv(100, -1))), "x")
      for (const timeout of [-2, NaN, "5"]) {
        assert.include((await thrownBy(() => proc.recv(1, timeout as never))).message, "proc.recv got the timeout")
      }
    }).pipe(inWorker))

  it.effect("recv of no number of bytes is an exception, and loses nothing", () =>
    run(async () => {
      const proc = kore.proc("echo hello")
      for (const maxlen of [0, -1, NaN, "many", null]) {
        assert.instanceOf(await thrownBy(() => proc.recv(maxlen as never)), kore.RuntimeError)
      }
      assert.strictEqual(await outputOf(proc), "hello\n")
    }).pipe(inWorker))

  it.effect("send writes bytes and text, and throws once the process has closed its input", () =>
    run(async () => {
      const cat = kore.proc("cat")
      await cat.send("tëxt ")
      await cat.send(Buffer.from("bytes"))
      cat.close_stdin()
      assert.strictEqual(await outputOf(cat), "tëxt bytes")
      const ended = kore.proc("true")
      await ended.reap()
      const error = await thrownBy(async () => {
        while (true) await ended.send(Buffer.alloc(1024 * 1024))
      })
      assert.instanceOf(error, kore.RuntimeError)
      assert.strictEqual((error.cause as ProcError).reason, "BrokenPipe")
      for (const data of [7, null, undefined, ["x"], {}]) {
        assert.match((await thrownBy(() => cat.send(data as never))).message, /expected a string or a Uint8Array/)
      }
    }).pipe(inWorker))

  it.effect("close_stdin ends the input, returns true, also again, and send throws then", () =>
    run(async () => {
      const cat = kore.proc("cat")
      assert.deepStrictEqual([cat.close_stdin(), cat.close_stdin()], [true, true])
      assert.isNull(await cat.recv(100))
      const error = await thrownBy(() => cat.send("x"))
      assert.instanceOf(error, kore.RuntimeError)
      assert.strictEqual((error.cause as ProcError).reason, "StdinClosed")
    }).pipe(inWorker))

  it.effect("kill returns true, also for a process that has ended, and reap tells the signal", () =>
    run(async () => {
      const sleep = kore.proc("sleep 1000")
      assert.isTrue(sleep.kill())
      assert.strictEqual(await sleep.reap(), -9)
      assert.isTrue(sleep.kill())
    }).pipe(inWorker))

  it.effect("reap gives the exit code, also again, and tells a signal from an exit code", () =>
    run(async () => {
      const nine = kore.proc(["sh", "-c", "exit 9"])
      assert.deepStrictEqual([await nine.reap(), await nine.reap()], [9, 9])
      assert.strictEqual(await kore.proc(["sh", "-c", "kill -9 $$"]).reap(), -9)
      assert.strictEqual(await kore.proc(["sh", "-c", "kill -15 $$"]).reap(), -15)
    }).pipe(inWorker))

  it.effect("kore §12.1: pid is there at once, in coroutines of all kinds", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const look = () => note(isAlive(kore.proc("sleep 1000").pid))
      kore.task_create(async () => look())
      kore.task_create(function*() {
        look()
      })
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, [true, true])
    }).pipe(inWorker))

  it.effect("pid is a number that stays after the end", () =>
    run(async () => {
      const proc = kore.proc(["sh", "-c", "echo $$"])
      const output = await outputOf(proc)
      assert.strictEqual(proc.pid, Number(output))
      await proc.reap()
      assert.strictEqual(proc.pid, Number(output))
    }).pipe(inWorker))
})
