import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as KoreError from "../src/KoreError.ts"

const problem = new KoreError.ConfigProblem({
  option: "workers",
  value: "0",
  source: "environment KORE_WORKERS",
  expected: "an integer between 1 and 1024"
})

const examples: { readonly [T in KoreError.KoreError["_tag"]]: Extract<KoreError.KoreError, { readonly _tag: T }> } = {
  ConfigError: new KoreError.ConfigError({ problems: [problem] }),
  ListenError: new KoreError.ListenError({ server: "main", address: "127.0.0.1:80", reason: "EACCES" }),
  AppError: new KoreError.AppError({ reason: "route GET / is declared twice" }),
  WorkerStartError: new KoreError.WorkerStartError({ worker: 2, attempts: 6, reason: "it exited with status 1" }),
  WorkerDied: new KoreError.WorkerDied({ worker: 2, pid: 4711, code: null, signal: "SIGKILL" }),
  WorkerFatal: new KoreError.WorkerFatal({ worker: 2, reason: "the licence has run out" })
}

describe("the table", () => {
  it("has one row for every error, and no code twice", () => {
    assert.sameMembers(Object.keys(KoreError.table), Object.keys(examples))
    const codes = Object.values(KoreError.table).map(({ code }) => code)
    assert.strictEqual(new Set(codes).size, codes.length)
    for (const code of codes) assert.match(code, /^KORE_[A-Z_]+$/)
  })

  it.each(Object.values(examples))("$_tag: its message is the row with nothing left out", (error) => {
    const row = KoreError.table[error._tag]
    assert.notMatch(error.message, /[{}]/)
    assert.isTrue(error.message.endsWith(`[${row.code}]`))
    assert.include(Cause.pretty(Cause.fail(error)), error.message.split("\n", 1).join())
    assert.strictEqual(error.name, error._tag)
  })

  it.each(Object.values(examples))("$_tag: its exit status is the one runMain ends with", (error) => {
    const status = KoreError.table[error._tag].exitStatus
    assert.strictEqual(Runtime.getErrorExitCode(error), status)
    Runtime.defaultTeardown(Exit.fail(error), (code) => assert.strictEqual(code, status))
  })
})

describe("messages", () => {
  it("a configuration error lists its problems, one a line", () => {
    const second = new KoreError.ConfigProblem({
      option: "httpBodyMx",
      source: "app",
      expected: "the name of an option",
      suggestion: "httpBodyMax"
    })
    assert.deepStrictEqual(new KoreError.ConfigError({ problems: [problem, second] }).message.split("\n"), [
      "The configuration is not valid, so nothing was started.",
      "  workers = 0 (environment KORE_WORKERS): expected an integer between 1 and 1024",
      "  httpBodyMx (app): expected the name of an option; did you mean httpBodyMax?",
      "Correct what is listed; `kore-fx check` shows every option and where its value comes from. [KORE_CONFIG]"
    ])
  })

  it("a listen error tells server, address, reason and what to do about that reason", () => {
    const message = (reason: string, hint?: string) =>
      new KoreError.ListenError({
        server: "main",
        address: "127.0.0.1:80",
        reason,
        ...(hint === undefined ? {} : { hint })
      }).message
    assert.include(message("EADDRINUSE"), "Server \"main\" cannot listen on 127.0.0.1:80: EADDRINUSE.")
    assert.include(message("EADDRINUSE"), "Another process listens there")
    assert.include(message("EACCES"), "start as root")
    assert.include(message("EADDRNOTAVAIL"), "no such address")
    assert.include(message("toString"), "choose another address")
    assert.include(message("EADDRINUSE", "Remove the stale socket."), "Remove the stale socket.")
    assert.include(message("{hint}"), "{hint}")
  })

  it("a dead worker tells whether it exited or was killed", () => {
    assert.include(examples.WorkerDied.message, "Worker 2 (pid 4711) died: it was killed by SIGKILL.")
    const exited = new KoreError.WorkerDied({ worker: 1, pid: 1, code: 3, signal: null })
    assert.include(exited.message, "it exited with status 3.")
  })

  it("a worker that was given up tells how often it was started", () => {
    assert.include(examples.WorkerStartError.message, "Worker 2 did not stay up (6 attempts): it exited with status 1.")
    assert.include(new KoreError.WorkerStartError({ worker: 1, attempts: 1, reason: "x" }).message, "(1 attempt)")
  })
})
