import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Guard from "../src/internal/Guard.ts"
import * as Proc from "../src/Proc.ts"
import { filesOf, groupOf, isAlive, sessionOf, until, untilTrue, zombies } from "./fixtures/processes.ts"

const number = (proc: Proc.Proc) =>
  Effect.map(Proc.recv(proc, 100), (bytes) => Number(Option.getOrThrow(bytes).toString()))

/** Spawns in a scope of its own, to close by hand. */
const spawned = (command: Proc.Command, options?: Proc.Options) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const proc = yield* Scope.provide(Proc.spawn(command, options), scope)
    return { proc, close: Scope.close(scope, Exit.void) }
  })

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-proc-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

describe("when the scope closes", () => {
  it.effect("the process is ended and reaped before the close is done", () =>
    Effect.gen(function*() {
      const { close, proc } = yield* spawned(["sleep", "1000"])
      assert.isTrue(isAlive(proc.pid))
      yield* close
      assert.isFalse(fs.existsSync(`/proc/${proc.pid}`))
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Signaled", signal: "SIGTERM", number: 15 })
    }))

  for (const how of ["success", "failure", "interruption"] as const) {
    it.effect(`the process is ended on ${how}`, () =>
      Effect.gen(function*() {
        let pid = 0
        const work = Effect.flatMap(Proc.spawn(["sleep", "1000"]), (proc): Effect.Effect<void, string> => {
          pid = proc.pid
          return how === "success" ? Effect.void : how === "failure" ? Effect.fail("no") : Effect.never
        })
        const fiber = yield* Effect.forkChild(Effect.scoped(work))
        yield* untilTrue(() => pid > 0)
        if (how === "interruption") yield* Fiber.interrupt(fiber)
        yield* Fiber.await(fiber)
        assert.isFalse(fs.existsSync(`/proc/${pid}`))
      }))
  }

  it.effect("what the process started in its group is ended with it", () =>
    Effect.gen(function*() {
      const { close, proc } = yield* spawned(["sh", "-c", "sleep 1000 & echo $!; wait"])
      const grandchild = yield* number(proc)
      assert.strictEqual(groupOf(grandchild), proc.pid)
      yield* close
      assert.isFalse(isAlive(grandchild))
    }))

  it.effect("what an ended process left in its group is ended too", () =>
    Effect.gen(function*() {
      const { close, proc } = yield* spawned(["sh", "-c", "sleep 1000 & echo $!"])
      const grandchild = yield* number(proc)
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Exited", code: 0 })
      assert.isTrue(isAlive(grandchild))
      yield* close
      assert.isFalse(isAlive(grandchild))
    }))

  it.effect("a process that ignores the first signal is killed", () =>
    Effect.gen(function*() {
      const { close, proc } = yield* spawned(["sh", "-c", "trap '' TERM; echo 1; while :; do sleep 1000; done"], {
        forceKillAfter: "10 millis"
      })
      yield* number(proc)
      yield* close
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Signaled", signal: "SIGKILL", number: 9 })
    }))

  it.effect("a process has its time to end by itself, with its output dropped and its input at its end", () =>
    Effect.gen(function*() {
      const script = "trap 'head -c 1000000 /dev/zero; cat; exit 7' TERM; echo 1; while :; do sleep 0.01; done"
      const { close, proc } = yield* spawned(["sh", "-c", script], { forceKillAfter: "20 seconds" })
      yield* number(proc)
      yield* close
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Exited", code: 7 })
    }))

  it.effect("killSignal is what the group gets", () =>
    Effect.gen(function*() {
      const { close, proc } = yield* spawned(["sleep", "1000"], { killSignal: "SIGINT" })
      yield* close
      assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Signaled", signal: "SIGINT", number: 2 })
    }))

  it.effect("kore §12.3: the event loop goes on while a process takes its time to end", () =>
    Effect.gen(function*() {
      const script = "trap 'sleep 0.2; exit 0' TERM; echo 1; while :; do sleep 0.01; done"
      const { close, proc } = yield* spawned(["sh", "-c", script], { forceKillAfter: "20 seconds" })
      yield* number(proc)
      let turns = 0
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* until(Effect.sync(() => ++turns > 0 && closing.pollUnsafe() !== undefined))
      assert.isAbove(turns, 5)
    }))

  it.effect("whoever waits for the process is told", () =>
    Effect.gen(function*() {
      const { close, proc } = yield* spawned(["sleep", "1000"], { output: "separate" })
      const waiting = yield* Effect.forEach([
        Proc.recv(proc, 1),
        Proc.recvError(proc, 1),
        Proc.send(proc, new Uint8Array(10_000_000)),
        Effect.andThen(Effect.yieldNow, Proc.send(proc, "second"))
      ], (effect) => Effect.forkChild(Effect.flip(effect)))
      const reaping = yield* Effect.forkChild(Proc.reap(proc))
      yield* Effect.yieldNow
      yield* close
      for (const fiber of waiting) assert.strictEqual((yield* Fiber.join(fiber)).reason, "Closed")
      assert.strictEqual((yield* Fiber.join(reaping))._tag, "Signaled")
      assert.strictEqual((yield* Effect.flip(Proc.recv(proc, 1))).reason, "Closed")
      assert.isFalse(yield* Proc.kill(proc))
    }))

  it.effect("a scope that is closed already starts nothing that stays", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const proc = yield* Scope.provide(Proc.spawn(["sleep", "1000"]), scope)
      assert.isFalse(fs.existsSync(`/proc/${proc.pid}`))
    }))

  it.effect("what starts in a scope that is closed already has its output and its errors in one socket all the same", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      // Nothing that it is sent ends it: it ends by itself, and that is waited for.
      const script = `seen=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); echo "$seen" > ${folder}/seen`
      const look = ["sh", "-c", script] as const
      const options = { stdin: "ignore", killSignal: "SIGURG", forceKillAfter: "1 minute" } as const
      yield* Scope.provide(Proc.spawn(look, options), scope)
      assert.match(fs.readFileSync(`${folder}/seen`, "utf8"), /^(socket:.*\n)\1$/)
    }))
})

describe("a process group", () => {
  it.effect("is the process's own, as is its session", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sleep", "1000"])
      assert.strictEqual(groupOf(proc.pid), proc.pid)
      assert.strictEqual(sessionOf(proc.pid), proc.pid)
    }))

  it.effect("kill reaches all of it, and what is left of it after the first process has ended", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["sh", "-c", "sleep 1000 & echo $!; wait"])
      const grandchild = yield* number(proc)
      process.kill(proc.pid, "SIGKILL")
      yield* Proc.reap(proc)
      assert.isTrue(isAlive(grandchild))
      assert.isTrue(yield* Proc.kill(proc))
      yield* untilTrue(() => !isAlive(grandchild))
      yield* until(Effect.map(Proc.kill(proc), (isThere) => !isThere))
    }))
})

describe("nothing is left over", () => {
  it.effect("kore §12.3: 200 processes at once leave no zombies and no open files", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Proc.spawn(["true"])) // the guard and the listening socket stay
      yield* Effect.yieldNow
      const before = filesOf("self").size
      const one = Effect.scoped(Effect.flatMap(Proc.spawn(["true"]), Proc.reap))
      const exits = yield* Effect.all(Array.from({ length: 200 }, () => one), { concurrency: "unbounded" })
      assert.isTrue(exits.every((exit) => exit._tag === "Exited" && exit.code === 0))
      yield* untilTrue(() => filesOf("self").size <= before)
      assert.deepStrictEqual(zombies(), [])
    }))

  it.effect("a command that cannot be started leaves no open files", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Proc.spawn(["true"]))
      const before = filesOf("self").size
      const args = ["true", "x".repeat(4_000_000)] as const
      for (let n = 0; n < 20; n++) assert.strictEqual((yield* Effect.flip(Proc.spawn(args))).code, "E2BIG")
      yield* untilTrue(() => filesOf("self").size <= before)
    }))

  it.effect("a program that only the system refuses leaves no open files", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      fs.writeFileSync(`${folder}/mine`, "#!/no/such/interpreter\n", { mode: 0o755 })
      yield* Effect.scoped(Proc.spawn(["true"]))
      const before = filesOf("self").size
      for (const output of ["merged", "separate"] as const) {
        for (let n = 0; n < 20; n++) {
          assert.strictEqual((yield* Effect.flip(Proc.spawn([`${folder}/mine`], { output }))).code, "ENOENT")
        }
      }
      yield* untilTrue(() => filesOf("self").size <= before)
    }))

  it.effect("an interrupted spawn leaves no process, wherever it was interrupted", () =>
    Effect.gen(function*() {
      const marker = `1000.${process.pid}`
      for (let turns = 0; turns < 30; turns++) {
        const fiber = yield* Effect.forkChild(
          Effect.scoped(Effect.andThen(Proc.spawn(["sleep", marker]), Effect.never))
        )
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const { stdout } = yield* Proc.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"], {
          maxOutput: "16 MiB"
        })
        assert.notInclude(stdout, `sleep ${marker} `)
      }
    }))
})

const holder = path.join(import.meta.dirname, "fixtures/holder.ts")

/** Starts the fixture and tells its process and what it prints; it is killed at the end. */
const printing = (scenario: string, files: ReadonlyArray<"pipe"> = [], limit = "") =>
  Effect.acquireRelease(
    Effect.callback<{ readonly child: ChildProcess.ChildProcess; readonly printed: unknown }>((resume) => {
      const child = ChildProcess.spawn("/bin/sh", ["-c", `${limit} exec "$@"`, "sh", process.execPath, holder,
        scenario], {
        detached: true,
        stdio: ["ignore", "pipe", "inherit", ...files]
      })
      let text = ""
      child.stdout!.on("data", (chunk) => {
        text += String(chunk)
        if (text.includes("\n")) resume(Effect.succeed({ child, printed: JSON.parse(text) }))
      })
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** As `printing`, of a scenario that prints ids; these processes are killed too. */
const holding = (scenario: string, files?: ReadonlyArray<"pipe">) =>
  Effect.gen(function*() {
    const { child, printed } = yield* printing(scenario, files)
    const pids = printed as ReadonlyArray<number>
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL")
      })
    )
    return { child, pids }
  })

describe("when this process is killed with SIGKILL", () => {
  for (
    const [scenario, promise] of [
      ["children", "its children die"],
      ["grandchild", "what they started dies"],
      ["left", "what an ended child left in its group dies"],
      ["secondGuard", "its children die, also when the guard had been killed before"]
    ] as const
  ) {
    it.effect(`${promise}, and the guard ends`, () =>
      Effect.gen(function*() {
        const { child, pids } = yield* holding(scenario)
        assert.isAtLeast(pids.length, 2)
        assert.isTrue(pids.every(isAlive))
        child.kill("SIGKILL")
        yield* untilTrue(() => !pids.some(isAlive))
      }))
  }

  it.effect("in the step in which it got the child, the child dies", () =>
    Effect.gen(function*() {
      const { pids } = yield* holding("atOnce")
      yield* untilTrue(() => !pids.some(isAlive))
    }))

  it.effect("processes that have the number of a group that had ended live on", () =>
    Effect.gen(function*() {
      const { child, pids } = yield* holding("strangers")
      const strangers = pids.slice(0, 3)
      child.kill("SIGKILL")
      yield* untilTrue(() => !pids.slice(3).some(isAlive))
      assert.isTrue(strangers.every(isAlive))
    }))

  it.effect("together with all of its group, its children die", () =>
    Effect.gen(function*() {
      const { child, pids } = yield* holding("children")
      process.kill(-child.pid!, "SIGKILL")
      yield* untilTrue(() => !pids.some(isAlive))
    }))
})

describe("when this process ends", () => {
  it.effect("by process.exit, its children die", () =>
    Effect.gen(function*() {
      const { pids } = yield* holding("exit")
      yield* untilTrue(() => !pids.some(isAlive))
    }))

  it.effect("the guard does not keep it, and ends", () =>
    Effect.gen(function*() {
      const { child, pids: [guard] } = yield* holding("done")
      yield* untilTrue(() => child.exitCode !== null)
      assert.strictEqual(child.exitCode, 0)
      yield* untilTrue(() => !isAlive(guard!))
    }))
})

describe("the guard", () => {
  it.effect("is one process in a session of its own, that signals of a terminal do not end", () =>
    Effect.gen(function*() {
      yield* Proc.spawn(["sleep", "1000"])
      const guard = Guard.pid()!
      yield* Proc.spawn(["sleep", "1000"])
      assert.strictEqual(Guard.pid(), guard)
      assert.strictEqual(sessionOf(guard), guard)
      yield* untilTrue(() => /^SigIgn:\s+\S*7\S\S\S$/m.test(fs.readFileSync(`/proc/${guard}/status`, "utf8")))
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.kill(guard, signal)
      yield* Effect.scoped(Effect.flatMap(Proc.spawn(["true"]), Proc.reap))
      assert.isTrue(isAlive(guard))
    }))
})

describe("without a guard", () => {
  it.effect("processes run, and the loss is told once", () =>
    Effect.gen(function*() {
      const { child, pids: warnings } = yield* holding("noGuard")
      child.kill()
      assert.strictEqual(warnings.length, 1)
      assert.match(JSON.stringify(warnings),
        /Warn.*will outlive this process.*ended 5 times on end, at last with SIGKILL/)
    }))
})

describe("without foreign calls", () => {
  it.effect("merged output is refused with what to do, and separate output works", () =>
    Effect.gen(function*() {
      const { printed } = yield* printing("noForeignCalls", [], "NODE_OPTIONS=--no-experimental-ffi")
      const [merged, separate] = printed as ReadonlyArray<string>
      assert.match(merged!, /has no node:ffi.*\(ENOTSUP\).*or spawn with output "separate"/)
      assert.strictEqual(separate, "Exited")
    }))
})

describe("a guard that could not be started", () => {
  it.effect("is started with the next process, and the loss is told once each time", () =>
    Effect.gen(function*() {
      const { child, printed } = yield* printing("noDescriptors", [], "ulimit -n 80;")
      const { pids, warnings } = printed as { readonly pids: ReadonlyArray<number>; readonly warnings: unknown }
      assert.isTrue(pids.length === 2 && pids.every(isAlive))
      const warning = /^\["Child processes will outlive this process .* as \/bin\/sh could not be started/
      assert.deepStrictEqual((warnings as ReadonlyArray<string>).map((text) => warning.test(text)), [true, true])
      child.kill("SIGKILL")
      yield* untilTrue(() => !pids.some(isAlive))
    }))
})

describe("a child", () => {
  it.effect("gets no open files of this process but its standard ones", () =>
    Effect.gen(function*() {
      // As a worker has them: the channel to its parent, and listening sockets.
      const { child, pids } = yield* holding("files", ["pipe", "pipe", "pipe"])
      const own = new Set([...filesOf(child.pid!)].filter(([fd]) => fd > 2 && fd < 30).map(([, what]) => what))
      assert.isAbove(own.size, 5)
      for (const pid of pids) {
        const files = filesOf(pid)
        assert.isTrue([0, 1, 2].every((fd) => files.has(fd)))
        for (const [fd, what] of files) if (fd > 2 && own.has(what)) assert.fail(`${fd} ${what}`)
        assert.deepStrictEqual([...files.keys()].filter((fd) => fd > 2 && fd < 16), [])
      }
    }))
})
