import { assert, describe, it } from "@effect/vitest"
import * as Fibers from "@kore-fx/core/Fibers"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Proc from "../src/Proc.ts"
import { filesOf, isAlive, until, untilTrue } from "./fixtures/processes.ts"

const text = (bytes: Option.Option<Uint8Array>) => Option.map(bytes, (bytes) => Buffer.from(bytes).toString())

/** All that `recv` gives until the end. */
const output = (proc: Proc.Proc) =>
  Effect.map(Stream.runCollect(Proc.stream(proc)), (chunks) => Buffer.concat(chunks).toString())

const outputOf = (command: Proc.Command, options?: Proc.Options) => Effect.flatMap(Proc.spawn(command, options), output)

const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

/** Lets the clock go on until the fiber is done. */
const passTime = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() =>
    isDone(fiber)
      ? Fiber.join(fiber)
      : Effect.andThen(TestClock.adjust("1 second"), Effect.andThen(Effect.yieldNow, passTime(fiber)))
  )

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-proc-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

const script = (file: string, content: string, mode = 0o755) =>
  Effect.sync(() => fs.writeFileSync(file, content, { mode }))

/** The system as it is for a process of another user. */
const refusing = Effect.acquireRelease(
  Effect.sync(() => {
    const { kill } = process
    process.kill = () => {
      throw Object.assign(new Error("kill EPERM"), { code: "EPERM" })
    }
    return kill
  }),
  (kill) => Effect.sync(() => (process.kill = kill))
)

describe("spawn", () => {
  it.effect("runs a program with its arguments as they are", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* outputOf(["printf", "%s|", "a b", "", "$HOME", "*", "'"]), "a b||$HOME|*|'|")
    }))

  it.effect("kore §12.1: a command can be text, with quotes of all kinds", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* outputOf(`printf '%s|' "a b"'c' "" d\\ e`), "a bc||d e|")
    }))

  it.effect("kore §12.1: a program gets 500 arguments", () =>
    Effect.gen(function*() {
      const args = Array.from({ length: 500 }, (_, n) => String(n))
      assert.strictEqual(yield* outputOf(["printf", "%s,", ...args]), args.map((arg) => `${arg},`).join(""))
    }))

  it.effect("tells name, command and pid", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["/bin/sleep", "1000"])
      assert.strictEqual(proc.name, "sleep")
      assert.deepStrictEqual(proc.command, ["/bin/sleep", "1000"])
      assert.isTrue(isAlive(proc.pid))
      assert.strictEqual((yield* Proc.spawn(["cat"], { name: "echo" })).name, "echo")
    }))

  for (const output of ["merged", "separate"] as const) {
    it.effect(`does not wait: the process, or the error, is there at once, with ${output} output`, () =>
      Effect.gen(function*() {
        const atOnce = (command: Proc.Command) =>
          Effect.flatMap(Effect.forkChild(Proc.spawn(command, { output }), { startImmediately: true }), (fiber) =>
            fiber.pollUnsafe()!)
        assert.isTrue(isAlive((yield* atOnce(["sleep", "1000"])).pid))
        const folder = yield* directory
        yield* script(`${folder}/mine`, "#!/no/such/interpreter\n")
        for (const command of ["/no/such", `${folder}/mine`]) {
          assert.strictEqual((yield* Effect.flip(atOnce([command]))).code, "ENOENT")
        }
      }))
  }

  describe("finds the program", () => {
    it.effect("kore §12.1: by its name in PATH", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* outputOf("printf found"), "found")
      }))

    it.effect("in the PATH that it gets, not in ours", () =>
      Effect.gen(function*() {
        const folder = yield* directory
        yield* script(`${folder}/only-here`, "#!/bin/sh\necho here")
        const env = { PATH: `/nowhere:${folder}:/bin` }
        assert.strictEqual(yield* outputOf(["only-here"], { env }), "here\n")
        const error = yield* Effect.flip(Proc.spawn(["only-here"]))
        assert.strictEqual(error.code, "ENOENT")
        const without = yield* Effect.flip(Proc.spawn(["sleep", "1"], { env: { PATH: folder } }))
        assert.include(without.message, `sleep is in none of the PATH it was given: ${folder} (ENOENT)`)
      }))

    it.effect("in the usual directories without a PATH", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* outputOf(["printf", "x"], { env: {}, extendEnv: false }), "x")
      }))

    it.effect("by a path from cwd, as is a relative directory in PATH", () =>
      Effect.gen(function*() {
        const cwd = yield* directory
        fs.mkdirSync(`${cwd}/bin`)
        yield* script(`${cwd}/bin/mine`, "#!/bin/sh\necho $0")
        assert.strictEqual(yield* outputOf(["./bin/mine"], { cwd }), "./bin/mine\n")
        assert.strictEqual(yield* outputOf(["mine"], { cwd, env: { PATH: "bin" } }), `${cwd}/bin/mine\n`)
        assert.strictEqual((yield* Effect.flip(Proc.spawn(["./bin/mine"]))).code, "ENOENT")
      }))

    it.effect("and passes over what may not be executed, unless there is nothing else", () =>
      Effect.gen(function*() {
        const folder = yield* directory
        fs.mkdirSync(`${folder}/a`)
        fs.mkdirSync(`${folder}/b`)
        yield* script(`${folder}/a/mine`, "#!/bin/sh\necho a", 0o644)
        const env = { PATH: `${folder}/a:${folder}/b:/bin` }
        const error = yield* Effect.flip(Proc.spawn(["mine"], { env }))
        assert.strictEqual(error.code, "EACCES")
        assert.include(error.message, `${folder}/a/mine`)
        yield* script(`${folder}/b/mine`, "#!/bin/sh\necho b")
        assert.strictEqual(yield* outputOf(["mine"], { env }), "b\n")
      }))
  })

  describe("fails with a typed error and starts nothing", () => {
    for (
      const [promise, command, options, reason, code, part] of [
        ["kore §12.1: for a program that is not there", ["/no/such"], {}, "NotStarted", "ENOENT",
          "/no/such does not exist"],
        ["for a directory as a program", ["/tmp"], {}, "NotStarted", "EACCES", "/tmp is there, but"],
        ["for a path through a file", ["/etc/passwd/x"], {}, "NotStarted", "ENOTDIR", "/etc/passwd/x"],
        ["for a file that may not be executed", ["/etc/passwd"], {}, "NotStarted", "EACCES",
          "/etc/passwd is there, but"],
        ["for a cwd that is not there", ["true"], { cwd: "/no/such" }, "NotStarted", "ENOENT", "directory /no/such"],
        ["for a cwd that is a file", ["true"], { cwd: "/etc/passwd" }, "NotStarted", "ENOTDIR", "/etc/passwd"],
        ["kore §12.1: for an empty command", "", {}, "InvalidCommand", undefined, "no words"],
        ["for an empty program", ["", "x"], {}, "InvalidCommand", undefined, "empty word"],
        ["for a NUL character in the program", ["a\0b"], {}, "InvalidCommand", undefined, "word 0"],
        ["for a NUL character in an argument", ["true", "a", "\0"], {}, "InvalidCommand", undefined, "word 2"],
        ["for a quote that is not closed", "echo 'a", {}, "InvalidCommand", undefined, "at character 5"],
        ["kore §12.1: for a variable with an impossible name", ["true"], { env: { "A=B": "" } }, "InvalidCommand",
          undefined, "\"A=B\""],
        ["for a variable with a NUL character", ["true"], { env: { A: "\0" } }, "InvalidCommand", undefined,
          "variable A"],
        ["for a cwd with a NUL character", ["true"], { cwd: "/\0" }, "InvalidCommand", undefined, "NUL"],
        ["for arguments that are too long", ["true", "x".repeat(4_000_000)], {}, "NotStarted", "E2BIG", "E2BIG"],
        ["for a killSignal that does not exist", ["true"], { killSignal: 1000 }, "SignalFailed", "EINVAL", "1000"],
        ["for a maxOutput that is no size", ["true"], { maxOutput: -1 }, "BadArgument", undefined, "maxOutput is -1"]
      ] as const
    ) {
      it.effect(promise, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(Proc.spawn(command as Proc.Command, options))
          assert.instanceOf(error, Proc.ProcError)
          assert.strictEqual(error.reason, reason)
          assert.strictEqual(error.code, code)
          assert.isUndefined(error.pid)
          assert.include(error.message, part)
          assert.isBelow(error.message.length, 1000)
        }))
    }

    it.effect("for a script whose interpreter is not there, as the system reports it", () =>
      Effect.gen(function*() {
        const folder = yield* directory
        yield* script(`${folder}/mine`, "#!/no/such/interpreter\n")
        for (const output of ["merged", "separate"] as const) {
          const error = yield* Effect.flip(Proc.spawn([`${folder}/mine`], { output }))
          assert.strictEqual(error.reason, "NotStarted")
          assert.strictEqual(error.code, "ENOENT")
        }
      }))
  })

  describe("env", () => {
    it.effect("kore §12.1: is that of this process by default", () =>
      Effect.gen(function*() {
        process.env["KORE_PROC_TEST"] = "inherited"
        const script = "echo $KORE_PROC_TEST"
        assert.strictEqual(yield* outputOf(["sh", "-c", script]), "inherited\n")
        assert.strictEqual(yield* outputOf(["sh", "-c", script], { env: { KORE_PROC_TEST: "mine" } }), "mine\n")
        assert.strictEqual(yield* outputOf(["sh", "-c", script], { env: { KORE_PROC_TEST: undefined } }), "\n")
      }))

    it.effect("with extendEnv false is exactly what was given, however much", () =>
      Effect.gen(function*() {
        const env = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`V.${n}`, `${n} =\n`]))
        const listing = yield* outputOf(["env", "-0"], { env, extendEnv: false })
        assert.deepStrictEqual(
          listing.split("\0").slice(0, -1).sort(),
          Object.entries(env).map(([name, value]) => `${name}=${value}`).sort()
        )
      }))
  })

  it.effect("cwd is the directory it runs in", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* outputOf(["pwd"], { cwd: "/" }), "/\n")
    }))

  it.effect("stdin can be that of this process", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"], { stdin: "inherit" })
      assert.strictEqual(filesOf(proc.pid).get(0), filesOf("self").get(0))
    }))

  it.effect("stdin can be nothing", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"], { stdin: "ignore" })
      assert.strictEqual(yield* output(proc), "")
      const error = yield* Effect.flip(Proc.send(proc, "x"))
      assert.strictEqual(error.reason, "StdinClosed")
      assert.include(error.message, "stdin \"ignore\"")
      yield* Proc.closeStdin(proc)
    }))
})

describe("what a fiber waits for", () => {
  it.effect("is listed with the name of the process", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"], { name: "nap", output: "separate" })
      const operations: ReadonlyArray<Effect.Effect<unknown, Proc.ProcError>> = [
        Proc.recv(proc, 1),
        Proc.recvError(proc, 1),
        Proc.send(proc, new Uint8Array(10_000_000)),
        Proc.reap(proc)
      ]
      const fibers = yield* Effect.forEach(operations, (operation) => Effect.forkChild(operation))
      const listed = Effect.map(Fibers.list,
        (rows) => rows.flatMap((row) => row.waits).filter(({ kind }) => kind === "process").map(({ what }) => what))
      const whats = ["recv from", "recv standard error of", "send to", "reap"].map((what) =>
        `${what} nap (pid ${proc.pid})`
      )
      yield* until(Effect.map(listed, (now) => now.length === whats.length))
      assert.sameMembers([...yield* listed], whats)
      yield* Fiber.interruptAll(fibers)
      assert.deepStrictEqual(yield* listed, [])
    }))
})

describe("recv", () => {
  it.effect("gives up to so many bytes, and none at the end, ever again", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["printf", "hello"])
      assert.deepStrictEqual(text(yield* Proc.recv(proc, 2)), Option.some("he"))
      assert.deepStrictEqual(text(yield* Proc.recv(proc, "1 KiB")), Option.some("llo"))
      assert.isTrue(Option.isNone(yield* Proc.recv(proc, 1)))
      assert.isTrue(Option.isNone(yield* Proc.recv(proc, 1)))
    }))

  it.effect("goes on after the process has ended and was reaped", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "head -c 50000 /dev/zero; printf end"])
      yield* Proc.reap(proc)
      const all = yield* output(proc)
      assert.strictEqual(all.length, 50_003)
      assert.isTrue(all.endsWith("end"))
    }))

  it.effect("receives output and errors merged, in the order in which they were written", () =>
    Effect.gen(function*() {
      const script = "for n in 0 1 2 3 4 5 6 7 8 9; do echo o$n; echo e$n >&2; done"
      const numbers = Array.from({ length: 10 }, (_, n) => `o${n}\ne${n}\n`)
      assert.strictEqual(yield* outputOf(["sh", "-c", script]), numbers.join(""))
      const error = yield* Effect.flip(Proc.recvError(yield* Proc.spawn(["true"]), 1))
      assert.strictEqual(error.reason, "NoStderr")
    }))

  it.effect("receives output and errors separately when asked to", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "echo out; echo err >&2"], { output: "separate" })
      assert.deepStrictEqual(text(yield* Proc.recvError(proc, 100)), Option.some("err\n"))
      assert.deepStrictEqual(text(yield* Proc.recv(proc, 100)), Option.some("out\n"))
      assert.isTrue(Option.isNone(yield* Proc.recvError(proc, 1)))
      assert.isTrue(Option.isNone(yield* Proc.recv(proc, 1)))
    }))

  it.effect("kore §12.3: two at once are served in the order of asking", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Proc.recv(proc, 1)))
      yield* Effect.yieldNow
      yield* Proc.send(proc, "abc")
      const received = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(received.map(text), [Option.some("a"), Option.some("b"), Option.some("c")])
    }))

  it.effect("interrupted while it waits, takes nothing, and lets the next one go on", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      const first = yield* Effect.forkChild(Proc.recv(proc, 100))
      const second = yield* Effect.forkChild(Proc.recv(proc, 100))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* Proc.send(proc, "hello")
      assert.deepStrictEqual(text(yield* Fiber.join(second)), Option.some("hello"))
    }))

  it.effect("fails with Effect's TimeoutError after its timeout, and loses nothing", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      const error = yield* passTime(yield* Effect.forkChild(Effect.flip(Proc.recv(proc, 1, { timeout: "1 minute" }))))
      assert.isTrue(Cause.isTimeoutError(error))
      assert.include(error.message, `recv from cat (pid ${proc.pid}) timed out after 1m`)
      yield* Proc.send(proc, "hello")
      assert.deepStrictEqual(text(yield* Proc.recv(proc, 100, { timeout: "1 minute" })), Option.some("hello"))
    }))

  it.effect("kore §21.8: fails for a number of bytes that is none, and is as before", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["printf", "hello"])
      for (const maxBytes of [0, -1, NaN, 1.5]) {
        const error = yield* Effect.flip(Proc.recv(proc, maxBytes))
        assert.strictEqual(error.reason, "BadArgument")
        assert.include(error.message, `maxBytes is ${maxBytes}`)
      }
      assert.strictEqual(yield* output(proc), "hello")
    }))

  it.effect("a process whose output nobody receives waits, and loses nothing", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "head -c 3000000 /dev/zero; echo end"])
      yield* untilTrue(() => fs.readFileSync(`/proc/${proc.pid}/stat`, "utf8").includes(") S "))
      assert.isTrue(yield* Proc.isRunning(proc))
      assert.strictEqual((yield* output(proc)).length, 3_000_004)
    }))
})

describe("maxOutput", () => {
  it.effect("gives so many bytes, then fails, and kills the process", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "while :; do echo hello; done"], { maxOutput: 1000 })
      let size = 0
      const error = yield* Effect.flip(Effect.forever(Effect.map(Proc.recv(proc, 300), (bytes) => {
        size += Option.getOrThrow(bytes).length
      })))
      assert.strictEqual(size, 1000)
      assert.strictEqual(error.reason, "OutputTooLong")
      assert.include(error.message, "wrote more than 1000 bytes and was killed")
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Signaled", signal: "SIGKILL", number: 9 })
      assert.strictEqual((yield* Effect.flip(Proc.recv(proc, 300))).reason, "OutputTooLong")
    }))

  it.effect("kills a process although nobody receives", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "while :; do echo hello; done"], { maxOutput: "1 KiB" })
      assert.strictEqual((yield* Proc.reap(proc))._tag, "Signaled")
    }))

  it.effect("is for output and errors together, and exactly as much is no error", () =>
    Effect.gen(function*() {
      const script = "printf 12345; printf 67890 >&2"
      const one = yield* Proc.spawn(["sh", "-c", script], { maxOutput: 10, output: "separate" })
      assert.strictEqual(yield* output(one), "12345")
      assert.deepStrictEqual(text(yield* Proc.recvError(one, 100)), Option.some("67890"))
      assert.isTrue(Option.isNone(yield* Proc.recvError(one, 100)))
      const two = yield* Proc.spawn(["sh", "-c", script], { maxOutput: 9, output: "separate" })
      assert.strictEqual(
        (yield* Effect.flip(Effect.andThen(output(two), Effect.forever(Proc.recvError(two, 100))))).reason,
        "OutputTooLong"
      )
    }))
})

describe("send", () => {
  it.effect("sends bytes, and text as UTF-8", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      yield* Proc.send(proc, "é")
      yield* Proc.send(proc, new Uint8Array([0, 255]))
      yield* Proc.send(proc, "")
      yield* Proc.closeStdin(proc)
      const bytes = Buffer.concat(yield* Stream.runCollect(Proc.stream(proc)))
      assert.deepStrictEqual([...bytes], [0xc3, 0xa9, 0, 255])
    }))

  it.effect("waits while the process does not read, and goes on when it does", () =>
    Effect.gen(function*() {
      const script = "trap 'head -c 2000000 | wc -c; exit' USR1; echo 1; while :; do sleep 0.01; done"
      const proc = yield* Proc.spawn(["sh", "-c", script])
      yield* Proc.recv(proc, 100)
      const sending = yield* Effect.forkChild(Proc.send(proc, new Uint8Array(2_000_000)))
      yield* until(Effect.map(Fibers.list, (rows) =>
        rows.some((row) => row.waits.some(({ what }) => what === `send to sh (pid ${proc.pid})`))))
      assert.isFalse(isDone(sending))
      yield* Proc.kill(proc, "SIGUSR1")
      yield* Fiber.join(sending)
      assert.include(yield* output(proc), "2000000")
    }))

  it.effect("kore §12.3: 1 MB goes through cat while it is received", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      const bytes = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, n) => n * 31))
      const [, received] = yield* Effect.all([
        Effect.andThen(Proc.send(proc, bytes), Proc.closeStdin(proc)),
        Stream.runCollect(Proc.stream(proc))
      ], { concurrency: 2 })
      assert.isTrue(Buffer.concat(received).equals(bytes))
    }))

  it.effect("does not mix what fibers send at once", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      const parts = ["a", "b", "c"].map((letter) => letter.repeat(200_000))
      const [, received] = yield* Effect.all([
        Effect.andThen(Effect.forEach(parts, (part) => Proc.send(proc, part), { concurrency: 3 }),
          Proc.closeStdin(proc)),
        output(proc)
      ], { concurrency: 2 })
      assert.isTrue(received === parts.join(""))
    }))

  for (
    const [how, command] of [["has closed its input", "exec <&-; echo 1; sleep 1000"], ["has ended", "echo 1"]] as const
  ) {
    it.effect(`kore §12.2: fails with EPIPE when the process ${how}`, () =>
      Effect.gen(function*() {
        const proc = yield* Proc.spawn(["sh", "-c", command])
        yield* Proc.recv(proc, 100)
        if (how === "has ended") yield* Proc.reap(proc)
        const error = yield* Effect.flip(Effect.forever(Proc.send(proc, "x".repeat(100_000))))
        assert.strictEqual(error.reason, "BrokenPipe")
        assert.strictEqual(error.code, "EPIPE")
        assert.strictEqual(error.pid, proc.pid)
      }))
  }

  it.effect("fails while it waits when the process ends", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"])
      const sending = yield* Effect.forkChild(Effect.flip(Proc.send(proc, new Uint8Array(10_000_000))))
      yield* Effect.yieldNow
      yield* Proc.kill(proc)
      assert.strictEqual((yield* Fiber.join(sending)).reason, "BrokenPipe")
    }))

  it.effect("fails with Effect's TimeoutError after its timeout", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"])
      const sending = yield* Effect.forkChild(
        Effect.flip(Proc.send(proc, new Uint8Array(10_000_000), { timeout: "1 minute" }))
      )
      assert.isTrue(Cause.isTimeoutError(yield* passTime(sending)))
    }))

  it.effect("kore §12.2: after closeStdin fails with StdinClosed; closing again does nothing", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      yield* Proc.closeStdin(proc)
      yield* Proc.closeStdin(proc)
      assert.strictEqual((yield* Effect.flip(Proc.send(proc, "x"))).reason, "StdinClosed")
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Exited", code: 0 })
      yield* Proc.closeStdin(proc)
    }))
})

describe("reap", () => {
  for (const code of [0, 1, 9, 255]) {
    it.effect(`tells the exit code ${code}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Proc.reap(yield* Proc.spawn(["sh", "-c", `exit ${code}`])), {
          _tag: "Exited",
          code
        })
      }))
  }

  it.effect("kore §12.2: tells a signal from an exit code", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"])
      yield* Proc.kill(proc)
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Signaled", signal: "SIGKILL", number: 9 })
    }))

  it.effect("kore §12.2: can be asked any number of times, by several fibers", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "read -r word; exit 3"])
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Proc.reap(proc)))
      const interrupted = yield* Effect.forkChild(Proc.reap(proc))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(interrupted)
      yield* Proc.send(proc, "go\n")
      const exits = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual([...exits, yield* Proc.reap(proc)],
        Array.from({ length: 4 }, () => ({ _tag: "Exited", code: 3 })))
      assert.isFalse(yield* Proc.isRunning(proc))
    }))

  it.effect("kore §12.3: can be asked again after its timeout", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      const error = yield* passTime(yield* Effect.forkChild(Effect.flip(Proc.reap(proc, { timeout: "1 minute" }))))
      assert.isTrue(Cause.isTimeoutError(error))
      yield* Proc.closeStdin(proc)
      assert.deepStrictEqual(yield* Proc.reap(proc, { timeout: "1 minute" }), { _tag: "Exited", code: 0 })
    }))
})

describe("kill", () => {
  for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR1", 10, 15] as const) {
    it.effect(`kore §12.2: sends ${signal}`, () =>
      Effect.gen(function*() {
        const proc = yield* Proc.spawn(["sleep", "1000"])
        assert.isTrue(yield* Proc.kill(proc, signal))
        const exit = yield* Proc.reap(proc)
        assert.strictEqual(exit._tag, "Signaled")
        if (exit._tag === "Signaled") assert.include([exit.signal, exit.number], signal)
      }))
  }

  it.effect("sends a signal that the process handles", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "trap 'echo hup' HUP; echo 1; while :; do sleep 0.01; done"], {
        output: "separate" // the shell tells there what became of sleep
      })
      yield* Proc.recv(proc, 100)
      assert.isTrue(yield* Proc.kill(proc, "SIGHUP"))
      assert.deepStrictEqual(text(yield* Proc.recv(proc, 100)), Option.some("hup\n"))
    }))

  it.effect("kore §12.2: says false when the process has ended", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["true"])
      yield* Proc.reap(proc)
      assert.isFalse(yield* Proc.kill(proc))
    }))

  for (const signal of ["SIGNOPE" as NodeJS.Signals, 0, -1, 65, 1.5, NaN]) {
    it.effect(`fails for ${signal}, which is no signal, and sends nothing`, () =>
      Effect.gen(function*() {
        const proc = yield* Proc.spawn(["sleep", "1000"])
        const error = yield* Effect.flip(Proc.kill(proc, signal))
        assert.strictEqual(error.reason, "SignalFailed")
        assert.strictEqual(error.code, "EINVAL")
        assert.isTrue(isAlive(proc.pid))
      }))
  }
})

describe("a process that may not be signalled", () => {
  it.effect("fails to be killed with EPERM", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"])
      const error = yield* Effect.scoped(Effect.andThen(refusing, Effect.flip(Proc.kill(proc))))
      assert.strictEqual(error.reason, "SignalFailed")
      assert.strictEqual(error.code, "EPERM")
      assert.isTrue(yield* Proc.kill(proc))
    }))
})

describe("the timeout of a process", () => {
  it.effect("kore §12.3: fails whoever waits for the process, while reaping too", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"], { timeout: "10 seconds" })
      const operations: ReadonlyArray<Effect.Effect<unknown, Proc.ProcError>> = [
        Proc.recv(proc, 1),
        Proc.recv(proc, 1),
        Proc.send(proc, new Uint8Array(10_000_000)),
        Proc.send(proc, "x"),
        Proc.reap(proc),
        Proc.reap(proc)
      ]
      const pending = yield* Effect.forEach(operations, (operation) => Effect.forkChild(Effect.flip(operation)))
      yield* Effect.yieldNow
      yield* TestClock.adjust("9999 millis")
      assert.isFalse(pending.some(isDone))
      yield* TestClock.adjust("1 millis")
      for (const fiber of pending) {
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error.reason, "TimedOut")
        assert.include(error.message, `\`sleep 1000\` (pid ${proc.pid}) did not end within 10s`)
      }
    }))

  it.effect("kore §12.3: surfaces on whoever uses the process later, every time, though others received in between", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"], { timeout: "10 seconds" })
      yield* TestClock.adjust("10 seconds")
      const other = yield* Proc.spawn(["printf", "x"])
      for (let n = 0; n < 2; n++) {
        yield* Proc.recv(other, 1)
        assert.strictEqual((yield* Effect.flip(Proc.recv(proc, 1))).reason, "TimedOut")
        assert.strictEqual((yield* Effect.flip(Proc.send(proc, "x"))).reason, "TimedOut")
        assert.strictEqual((yield* Effect.flip(Proc.reap(proc))).reason, "TimedOut")
      }
    }))

  it.effect("kore §12.3: the process runs on until it is killed; then reap tells how it ended", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"], { timeout: "10 seconds" })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Effect.flip(Proc.reap(proc))).reason, "TimedOut")
      assert.isTrue(isAlive(proc.pid))
      assert.isTrue(yield* Proc.isRunning(proc))
      assert.isTrue(yield* Proc.kill(proc))
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Signaled", signal: "SIGKILL", number: 9 })
      yield* output(proc)
    }))

  it.effect("stays also when the process ends by itself, until it is killed", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "read -r word; exit 4"], { timeout: "10 seconds" })
      yield* TestClock.adjust("10 seconds")
      process.kill(proc.pid, "SIGTERM")
      yield* untilTrue(() => !isAlive(proc.pid))
      assert.strictEqual((yield* Effect.flip(Proc.reap(proc))).reason, "TimedOut")
      yield* Proc.kill(proc)
      assert.strictEqual((yield* Proc.reap(proc))._tag, "Signaled")
    }))

  it.effect("what was written before is received after the kill", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "printf hello; sleep 1000"], { timeout: "10 seconds" })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Effect.flip(Proc.recv(proc, 100))).reason, "TimedOut")
      yield* Proc.kill(proc, "SIGURG") // which does nothing but settle the matter
      assert.deepStrictEqual(text(yield* Proc.recv(proc, 100)), Option.some("hello"))
    }))

  it.effect("does not touch a process that ended in time, whenever it is reaped", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["printf", "hello"], { timeout: "10 seconds" })
      yield* untilTrue(() => !fs.existsSync(`/proc/${proc.pid}`))
      yield* Proc.reap(proc)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Exited", code: 0 })
      assert.strictEqual(yield* output(proc), "hello")
    }))

  it.effect("is told apart from that of one operation, which is tried again until then and not after", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"], { timeout: "10 seconds" })
      let tries = 0
      const recv = Effect.suspend(() => {
        tries++
        return Proc.recv(proc, 1, { timeout: "3 seconds" })
      })
      const late = yield* Effect.forkChild(
        Effect.retry(recv, { while: (error) => error._tag === "TimeoutError" }).pipe(
          Effect.catchIf((error) => error._tag === "ProcError" && error.reason === "TimedOut", () => Proc.kill(proc))
        )
      )
      assert.isTrue(yield* passTime(late))
      assert.strictEqual(tries, 4)
      assert.strictEqual((yield* Proc.reap(proc))._tag, "Signaled")
    }))

  it.effect("kore §12.3: of 0 is up at once", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"], { timeout: 0 })
      yield* TestClock.adjust(0)
      assert.strictEqual((yield* Effect.flip(Proc.recv(proc, 1))).reason, "TimedOut")
    }))
})

describe("stream and lines", () => {
  it.effect("give the output to its end", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["printf", "a\\n\\nb\\303\\251\\r\\nlast"])
      assert.deepStrictEqual(yield* Stream.runCollect(Proc.lines(proc)), ["a", "", "bé", "last"])
    }))

  it.effect("stopped early, leave the rest to others", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["cat"])
      yield* Proc.send(proc, "one\n")
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(Proc.lines(proc), 1)), ["one"])
      yield* Proc.send(proc, "two\n")
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(Proc.lines(proc), 1)), ["two"])
    }))
})

describe("run", () => {
  it.effect("gives output, errors and exit", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Proc.run(["sh", "-c", "echo out; echo err >&2; exit 3"]), {
        exit: { _tag: "Exited", code: 3 },
        stdout: "out\n",
        stderr: "err\n"
      })
    }))

  it.effect("sends input, and a program need not read it", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Proc.run("sort", { input: "b\na\n" })).stdout, "a\nb\n")
      assert.strictEqual((yield* Proc.run("head -c 1", { input: Buffer.alloc(5_000_000, "x") })).stdout, "x")
      assert.strictEqual((yield* Proc.run("cat")).stdout, "")
    }))

  it.effect("fails for output of more than 1 MiB, unless more is allowed", () =>
    Effect.gen(function*() {
      const command = ["head", "-c", String(1024 * 1024 + 1), "/dev/zero"] as const
      assert.strictEqual((yield* Effect.flip(Proc.run(command))).reason, "OutputTooLong")
      assert.strictEqual((yield* Proc.run(command, { maxOutput: "2 MiB" })).stdout.length, 1024 * 1024 + 1)
    }))

  it.effect("ends the process after its timeout, and when it is interrupted", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const pid = () => Number(fs.readFileSync(`${folder}/pid`, "utf8"))
      const command = ["sh", "-c",
        `echo $$ > ${folder}/pid.new; mv ${folder}/pid.new ${folder}/pid; exec sleep 1000`] as const
      const timed = yield* Effect.forkChild(Effect.flip(Proc.run(command, { timeout: "10 seconds" })))
      yield* untilTrue(() => fs.existsSync(`${folder}/pid`))
      assert.strictEqual((yield* passTime(timed)).reason, "TimedOut")
      assert.isFalse(isAlive(pid()))
      fs.rmSync(`${folder}/pid`)
      const interrupted = yield* Effect.forkChild(Proc.run(command))
      yield* untilTrue(() => fs.existsSync(`${folder}/pid`))
      yield* Fiber.interrupt(interrupted)
      assert.isFalse(isAlive(pid()))
    }))
})
